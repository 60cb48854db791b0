"""What is read from the journal, one query each. Called by store, in a reader's thread.

Nothing here writes; rows become the model's own types here and nowhere else.
"""

from typing import Any, Final

import apsw
import msgspec

from engine.errors import StoreDamaged
from engine.model.effects import Page, Say
from engine.model.run import RunSummary
from engine.model.timeline import Entry, decode_entry

_decode_summary: Final = msgspec.json.Decoder(RunSummary).decode
_decode_message: Final[msgspec.json.Decoder[Say | Page]] = msgspec.json.Decoder(
    Say | Page
)

_ENTRIES: Final = "SELECT seq, body FROM entries WHERE run = ? AND seq > ? ORDER BY seq"
_RUNS: Final = "SELECT summary FROM runs ORDER BY started_at DESC, run DESC LIMIT ?"
_OPEN: Final = (
    "SELECT summary FROM runs WHERE open = 1 ORDER BY started_at DESC, run DESC LIMIT ?"
)
_HANDED: Final = (
    "SELECT summary FROM runs WHERE open = 0 AND updated_at >= ?"
    " AND state = 'handed_over' ORDER BY updated_at, run"
)
_UNSENT: Final = (
    "SELECT id, run, body FROM outbox WHERE sent IS NULL AND id > ? ORDER BY id LIMIT ?"
)


def entries(connection: apsw.Connection, run: str, after: int) -> list[Entry]:
    """Return the run's entries with seq > after, in order.

    Raises:
        StoreDamaged: one of them cannot be read; the text names it.
    """
    found = []
    for seq, body in connection.execute(_ENTRIES, (run, after)):
        try:
            found.append(decode_entry(body))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise StoreDamaged(
                f"run {run}: entry {seq} cannot be read: {error}. It was changed after "
                f"it was written; see: runbook verify-timeline {run}"
            ) from error
    return found


def runs(connection: apsw.Connection, open_only: bool, limit: int) -> list[RunSummary]:
    """Return summaries, newest first."""
    query = _OPEN if open_only else _RUNS
    return [decode_summary(row[0]) for row in connection.execute(query, (limit,))]


def untaken(connection: apsw.Connection, since: float) -> list[RunSummary]:
    """Return what was handed over since then and taken by nobody, oldest first."""
    found = [decode_summary(row[0]) for row in connection.execute(_HANDED, (since,))]
    return [one for one in found if not one.taken_by]


def summary(connection: apsw.Connection, run: str) -> RunSummary | None:
    """Return one run's summary."""
    body = one(connection, "SELECT summary FROM runs WHERE run = ?", run)
    return None if body is None else decode_summary(body)


def unsent(
    connection: apsw.Connection, limit: int, after: int
) -> list[tuple[int, str, Say | Page]]:
    """Return (id, run, message) of what is to be sent after an id, oldest first."""
    rows = connection.execute(_UNSENT, (after, limit))
    return [(int(n), str(run), _decode_message.decode(body)) for n, run, body in rows]


def one(connection: apsw.Connection, query: str, *bindings: str) -> Any:
    """Return the first column of the first row, or None."""
    row = connection.execute(query, bindings).fetchone()
    return None if row is None else row[0]


def decode_summary(body: Any) -> RunSummary:
    """Return the summary as it was stored.

    Raises:
        StoreDamaged: it cannot be read.
    """
    try:
        return _decode_summary(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StoreDamaged(
            f"a run's summary cannot be read: {error}. It was changed after it was "
            "written; see: runbook verify"
        ) from error
