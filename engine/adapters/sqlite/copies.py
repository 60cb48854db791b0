"""A copy of a journal that may be written meanwhile: whole, checked, closed to others.

The journal is only read: nothing is migrated, and writers go on. Also here: what a
journal's file says of its schema. What is not here: when, where to, and how many are
kept (the command line).

Called by: bootstrap's callers, restoring.
"""

from dataclasses import dataclass
from pathlib import Path

import apsw

from engine.adapters.sqlite.migrations import Written, copy_database, what_is_written
from engine.adapters.sqlite.opening import connect, quick_check
from engine.adapters.sqlite.problems import translated
from engine.adapters.sqlite.schema import APPLICATION_ID, MIGRATIONS
from engine.adapters.sqlite.settings import DEFAULTS
from engine.adapters.sqlite.versions import refuse_unsafe, sqlite_report
from engine.errors import StoreDamaged, StoreUnavailable


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that was made and found whole."""

    path: Path
    size: int  # bytes
    runs: int
    entries: int


def back_up(journal: Path, target: Path) -> Copied:
    """Write a checked copy; `target` is the old one or the new, never half.

    Raises:
        StoreDamaged: the journal, or what was copied, is not whole.
        StoreUnavailable: there is no journal, or the copy cannot be written.
    """
    refuse_unsafe(sqlite_report())
    refuse_target(journal, target)
    draft = target.with_name(f".{target.name}.draft")
    half = draft.with_name(f"{draft.name}.half")
    try:
        with translated(journal):
            source = connect(journal, DEFAULTS, reading=True)
        with translated(target):
            try:
                refuse_stranger(source, journal)
                copy_database(source, draft)
            finally:
                source.close()
            runs, entries = _looked_at(draft)
            size = draft.stat().st_size
            draft.replace(target)
    finally:
        for left in (draft, half):
            left.unlink(missing_ok=True)
    return Copied(target, size, runs, entries)


def refuse_target(journal: Path, target: Path) -> None:
    """Pass a place that is free, or has an older copy.

    Raises:
        StoreUnavailable: there is no journal, or something else is in the place.
    """
    if not journal.exists():
        raise StoreUnavailable(f"{journal}: there is no journal, so nothing to copy.")
    if not target.exists():
        return
    if target.samefile(journal):
        raise StoreUnavailable(f"{target}: that is the journal itself. Name a copy.")
    with translated(target), target.open("rb") as file:
        head = file.read(72)
    if head[68:72] != APPLICATION_ID.to_bytes(4, "big"):
        raise StoreUnavailable(
            f"{target}: that is no copy of a journal, and it would be replaced. Name "
            "another file."
        )


def refuse_stranger(connection: apsw.Connection, path: Path) -> None:
    """Pass a journal of ours. Raises StoreDamaged."""
    if connection.pragma("application_id") != APPLICATION_ID:
        raise StoreDamaged(f"{path}: it is not a journal of this engine.")


def _looked_at(copy: Path) -> tuple[int, int]:
    """Return runs and entries. Raises StoreDamaged."""
    connection = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        findings = quick_check(connection)
        if findings:
            raise StoreDamaged(
                f"{copy}: the copy is not whole, and was thrown away: {findings[0]}. "
                "See: runbook doctor"
            )
        query = "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM entries)"
        runs, entries = connection.execute(query).get
        return int(runs), int(entries)
    finally:
        connection.close()


def schemas(journal: Path) -> tuple[Written, int]:
    """Return what the file says of its schema, and the newest that we know.

    Raises:
        StoreDamaged, StoreUnavailable: it cannot be read, or is no journal.
    """
    if not journal.exists():
        raise StoreUnavailable(f"{journal}: there is no journal.")
    with translated(journal):
        connection = connect(journal, DEFAULTS, reading=True)
        try:
            refuse_stranger(connection, journal)
            return what_is_written(connection), max(m.number for m in MIGRATIONS)
        finally:
            connection.close()
