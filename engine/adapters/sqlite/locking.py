"""Locks on paths: a path is in the way of itself, its parents and its children.

`region/x` and `region/x/y` conflict; `region/x` and `region/xy` do not. Called by
store, inside the writer's transaction, so that two takers cannot both see it free.
"""

from collections.abc import Sequence
from typing import Final

import apsw

# Children stand between "path/" and "path0": "0" is the character after "/".
_IN_THE_WAY: Final = """
SELECT run FROM locks
WHERE run <> :run AND (path = :path OR (path > :path || '/' AND path < :path || '0'))
ORDER BY path LIMIT 1
"""
_PARENT: Final = "SELECT run FROM locks WHERE run <> ? AND path = ?"


def take(connection: apsw.Connection, run: str, paths: Sequence[str]) -> str | None:
    """Take all paths, or none; return the run in the way, or None."""
    wanted = sorted({path.strip("/") for path in paths})
    for path in wanted:
        other = _in_the_way(connection, run, path)
        if other is not None:
            return other
    rows = [(path, run) for path in wanted]
    connection.executemany("INSERT OR IGNORE INTO locks VALUES (?, ?)", rows)
    return None


def give_back(connection: apsw.Connection, run: str) -> None:
    """Free every path of the run."""
    connection.execute("DELETE FROM locks WHERE run = ?", (run,))


def _in_the_way(connection: apsw.Connection, run: str, path: str) -> str | None:
    parts = path.split("/")
    for length in range(1, len(parts)):
        parent = "/".join(parts[:length])
        row = connection.execute(_PARENT, (run, parent)).fetchone()
        if row is not None:
            return str(row[0])
    row = connection.execute(_IN_THE_WAY, {"run": run, "path": path}).fetchone()
    return None if row is None else str(row[0])
