"""The engine's own timeline: who was refused, who set the hold, when it was started.

Entries of no run, chained like those of a run. `add` runs inside the writer's
transaction, `read` in a reader's thread. Called by store.
"""

from typing import Final

import apsw
import msgspec

from engine.model.timeline import GENESIS, Entry, decode_entry, sealed_bytes

RUN: Final = "engine"  # what its entries have where others have their run
_LAST: Final = "SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1"
_ADD: Final = "INSERT INTO records VALUES (?, ?, ?, ?, ?)"
_READ: Final = (
    "SELECT body FROM (SELECT seq, body FROM records WHERE seq > ? ORDER BY seq DESC"
    " LIMIT ?) ORDER BY seq"
)


def add(connection: apsw.Connection, entry: Entry) -> Entry:
    """Seal an entry behind the last one and write it; its `seq` is given here."""
    last = connection.execute(_LAST).fetchone()
    seq, before = (int(last[0]), str(last[1])) if last is not None else (0, GENESIS)
    placed = msgspec.structs.replace(entry, run=RUN, seq=seq + 1)
    sealed, body = sealed_bytes(placed, before)
    connection.execute(_ADD, (sealed.seq, sealed.at, sealed.kind, body, sealed.hash))
    return sealed


def read(connection: apsw.Connection, after: int, limit: int) -> list[Entry]:
    """Return the newest entries after a number, in order."""
    rows = connection.execute(_READ, (after, limit))
    return [decode_entry(row[0]) for row in rows]
