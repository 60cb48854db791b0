"""A copy knows that it is one: an engine that finds it in the journal's place holds.

What was done after the copy was taken is not in it, so going on would do it twice. The
mark is written into every copy, and taken away when somebody was told.

Tokens go on from the time then, in seconds: those that were given after the copy was
taken are behind, so that a target which refuses an older fence refuses none of ours.

Called by: migrations (writes the mark), store and restoring (take it away).
"""

import time
from pathlib import Path
from typing import Final

import apsw

_MARK: Final = "INSERT OR REPLACE INTO meta VALUES ('copied', ?)"
_MARKED: Final = "SELECT value FROM meta WHERE key = 'copied'"
_ANEW: Final = (
    "DELETE FROM meta WHERE key = 'copied'",
    "UPDATE engines SET over = 1 WHERE over = 0",
    (
        "INSERT INTO sqlite_sequence SELECT 'engines', 0 WHERE NOT EXISTS"
        " (SELECT 1 FROM sqlite_sequence WHERE name = 'engines')"
    ),
    "UPDATE sqlite_sequence SET seq = max(seq, unixepoch()) WHERE name = 'engines'",
)


def mark(copy: Path) -> None:
    """Let a copy that nobody has open say what it is."""
    connection = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        now = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        connection.execute(_MARK, (now,))
    finally:
        connection.close()


def copied_at(connection: apsw.Connection) -> str:
    """Return when this journal was copied from another one; empty: it was not."""
    row = connection.execute(_MARKED).fetchone()
    return "" if row is None else str(row[0])


def begin_anew(connection: apsw.Connection) -> None:
    """Make a copy a journal: no engine of the old one has a place in it."""
    for query in _ANEW:
        connection.execute(query)
