"""Forward only: from the schema that is there to the one this engine knows.

Before the first pending migration of a journal that has content, a copy is made beside
it (`<path>.before-vN`). A kill at any instruction leaves a journal at one of the
numbers, never between two; the next start goes on from there.

Called by: opening.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw

from engine import __version__
from engine.adapters.sqlite.copied import mark
from engine.adapters.sqlite.schema import APPLICATION_ID, Migration


@dataclass(frozen=True, slots=True)
class Written:
    """What the file says of itself."""

    schema: int  # 0: no tables yet
    engine: str  # the version that wrote the schema


def what_is_written(connection: apsw.Connection) -> Written:
    """Return the schema's number and the engine that wrote it."""
    if not connection.table_exists("main", "meta"):
        return Written(0, "")
    rows = connection.execute("SELECT key, value FROM meta")
    found = {str(key): str(value) for key, value in rows}
    return Written(int(found["schema"]), found["engine"])


def migrate(
    connection: apsw.Connection,
    path: Path,
    migrations: Sequence[Migration],
    *,
    keep: bool = True,
) -> list[str]:
    """Run what is pending; return one line for each thing that was done.

    Args:
        keep: Copy the file before; False where it is a copy itself.
    """
    at = what_is_written(connection).schema
    pending = [m for m in migrations if m.number > at]
    done = []
    if at and pending and keep:
        copy = path.with_name(f"{path.name}.before-v{pending[0].number}")
        copy_database(connection, copy)
        done.append(f"{path}: copied to {copy} before the schema was changed")
    ran = [migration for migration in pending if _run(connection, migration)]
    return done + [f"{path}: schema {m.number}: {m.what}" for m in ran]


def copy_database(connection: apsw.Connection, target: Path) -> None:
    """Write a whole, compact copy; `target` is the old one or the new, never half.

    It says of itself that it is a copy.
    """
    half = target.with_name(f"{target.name}.half")
    half.unlink(missing_ok=True)
    os.close(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection.execute("VACUUM INTO ?", (str(half),))
    mark(half)
    sync(half)
    half.replace(target)
    sync(target.parent)


def _run(connection: apsw.Connection, migration: Migration) -> bool:
    """Return False where another process has run it in the meantime."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if what_is_written(connection).schema >= migration.number:
            connection.execute("ROLLBACK")
            return False
        connection.execute(migration.script).fetchall()
        _note(connection, migration.number)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return True


def _note(connection: apsw.Connection, number: int) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS meta"
        " (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT"
    )
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    rows = (("schema", str(number)), ("engine", __version__))
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('created', ?)", (now,))
    connection.pragma("application_id", APPLICATION_ID)


def sync(path: Path) -> None:
    """Bring a file, or the names in a directory, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
