"""Events that other processes leave for whoever drives a run: ports.Mailbox.

Each is a row until it is delivered; its number is never used twice. Called by store:
`post` and `delivered` inside the writer's transaction, `waiting` in a reader's thread.
"""

from collections.abc import Sequence
from typing import Final

import apsw
import msgspec

from engine.errors import StoreDamaged
from engine.model.events import Event

_decode: Final[msgspec.json.Decoder[Event]] = msgspec.json.Decoder(Event)
_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_POST: Final = "INSERT INTO mail (run, body) VALUES (?, ?)"
_DELIVERED: Final = "UPDATE mail SET delivered = 1 WHERE id = ?"
_ANY: Final = "SELECT 1 FROM mail WHERE delivered = 0 LIMIT 1"
_WAITING: Final = (
    "SELECT id, run, body FROM mail WHERE delivered = 0 AND run IN"
    " (SELECT value FROM json_each(?)) ORDER BY id"
)


def post(connection: apsw.Connection, run: str, event: Event) -> int:
    """Leave an event for the run; return its number."""
    connection.execute(_POST, (run, _encode(event)))
    return connection.last_insert_rowid()


def waiting(
    connection: apsw.Connection, runs: Sequence[str]
) -> list[tuple[int, str, Event]]:
    """Return what waits for these runs, in order.

    Raises:
        StoreDamaged: one of them cannot be read.
    """
    if connection.execute(_ANY).fetchone() is None:
        return []  # nearly always, and asked many times a second
    names = msgspec.json.encode(list(runs)).decode()
    found = []
    for number, run, body in connection.execute(_WAITING, (names,)):
        try:
            found.append((int(number), str(run), _decode.decode(body)))
        except msgspec.MsgspecError as error:
            raise StoreDamaged(f"run {run}: mail {number} cannot be read") from error
    return found


def delivered(connection: apsw.Connection, number: int) -> None:
    """Mark one as delivered."""
    connection.execute(_DELIVERED, (number,))
