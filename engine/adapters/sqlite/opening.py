"""Opening a journal: look before touching, refuse with the next command, migrate.

Order: the library and the disk are fit; the file is ours, whole and not newer (read
only, so that a refused file stays as it is, byte for byte); rights are narrowed; then
the one connection that writes is opened and the schema is brought forward.

A new journal is built under another name and linked into place when it is complete: a
file of no bytes is therefore never a beginning, it is damage.

Called by: store. Calls: versions, places, problems, migrations, schema.
"""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from engine import __version__
from engine.adapters.sqlite.migrations import migrate, sync, what_is_written
from engine.adapters.sqlite.places import refuse_network
from engine.adapters.sqlite.problems import damaged, newest_copy, translated
from engine.adapters.sqlite.schema import APPLICATION_ID, MIGRATIONS, Migration
from engine.adapters.sqlite.settings import DEFAULTS, SqliteSettings
from engine.adapters.sqlite.versions import refuse_unsafe, sqlite_report
from engine.errors import StoreNewer, StoreUnavailable

_READ = apsw.SQLITE_OPEN_READONLY
_WRITE = apsw.SQLITE_OPEN_READWRITE
_PRAGMAS = "PRAGMA trusted_schema=OFF; PRAGMA cache_size=-16000;"
_WRITER_PRAGMAS = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
PRAGMA fullfsync=ON; PRAGMA checkpoint_fullfsync=ON; -- macOS: a sync that is one
PRAGMA wal_autocheckpoint=8000; -- each costs two more syncs; 32 MiB between them
PRAGMA journal_size_limit=67108864;
PRAGMA secure_delete=ON; -- a forgotten secret is overwritten
"""


@dataclass(frozen=True, slots=True)
class Journal:
    """An opened journal: the connection that writes, and what was done on the way."""

    path: Path
    connection: apsw.Connection
    notices: list[str] = field(default_factory=list)  # for the operator, in order


def open_journal(
    path: Path,
    settings: SqliteSettings = DEFAULTS,
    *,
    create: bool = True,
    migrations: Sequence[Migration] = MIGRATIONS,
) -> Journal:
    """Return the journal, ready to be written.

    Raises:
        StoreNewer: a newer engine wrote it; it was not touched.
        StoreDamaged: not a journal, or damaged; it was not touched.
        StoreUnavailable: absent (with create=False), locked, full, read-only, or the
            SQLite library cannot be trusted.
    """
    refuse_unsafe(sqlite_report())
    notices: list[str] = []
    with translated(path):
        refuse_network(path)
        if not path.exists():
            _refuse_absent(path, create=create)
            notices += _build(path, settings, migrations)
        _inspect(path, settings, migrations)
        notices += _narrow(path)
        connection = connect(path, settings)
        try:
            notices += migrate(connection, path, migrations)
        except BaseException:
            connection.close()
            raise
    return Journal(path, connection, notices)


def connect(
    path: Path, settings: SqliteSettings, *, reading: bool = False
) -> apsw.Connection:
    """Return a connection; one that reads cannot write, whatever it is told."""
    connection = apsw.Connection(str(path), flags=_READ if reading else _WRITE)
    connection.set_busy_timeout(int(settings.busy_seconds * 1000))
    try:
        # A pragma may answer with a row; what follows it waits until that is read.
        connection.execute(_PRAGMAS + ("" if reading else _WRITER_PRAGMAS)).fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def quick_check(connection: apsw.Connection) -> list[str]:
    """Return what SQLite finds wrong with the file; empty: nothing."""
    rows = [str(row[0]) for row in connection.execute("PRAGMA quick_check(10)")]
    return [] if rows == ["ok"] else rows


def _refuse_absent(path: Path, *, create: bool) -> None:
    if not create:
        raise StoreUnavailable(
            f"{path}: there is no journal. Name the right file, or start the engine "
            "once to begin one."
        )
    if _sibling(path, "-wal").exists():  # the file was lost, not never there
        raise damaged(path, "it is gone, while its write-ahead log is still there")


def _build(
    path: Path, settings: SqliteSettings, migrations: Sequence[Migration]
) -> list[str]:
    """Write a complete, empty journal beside the place, then link it in."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new-{os.getpid()}")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        connection = connect(draft, settings)
        try:
            migrate(connection, draft, migrations)
        finally:
            connection.close()
        os.link(draft, path)
        sync(path.parent)
    except FileExistsError:
        return []  # another process was first; its journal is as empty as ours
    finally:
        for suffix in ("", "-wal", "-shm"):
            _sibling(draft, suffix).unlink(missing_ok=True)
    return [f"{path}: a new, empty journal was begun"]


def _inspect(
    path: Path, settings: SqliteSettings, migrations: Sequence[Migration]
) -> None:
    """Pass a journal of ours that is whole and not newer."""
    if path.stat().st_size == 0:
        raise damaged(path, "it has no bytes at all")
    connection = connect(path, settings, reading=True)
    try:
        if connection.pragma("application_id") != APPLICATION_ID:
            raise damaged(path, "it is not a journal of this engine")
        _refuse_newer(connection, path, migrations)
        findings = quick_check(connection)
        if findings:
            raise damaged(path, f"quick_check says: {'; '.join(findings)}")
    finally:
        connection.close()


def _refuse_newer(
    connection: apsw.Connection, path: Path, migrations: Sequence[Migration]
) -> None:
    written = what_is_written(connection)
    known = max(m.number for m in migrations)
    if written.schema > known:
        copy = newest_copy(path)
        hint = f" or put back the copy from before: {copy}" if copy else ""
        raise StoreNewer(
            f"{path} has schema {written.schema}, written by engine {written.engine}; "
            f"this is engine {__version__}, which knows schemas up to {known}. The "
            f"file was not changed. Start engine {written.engine} or a later one"
            f"{hint}."
        )


def _narrow(path: Path) -> list[str]:
    """Close the file to everybody else; return what had to be closed."""
    notices = []
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        notices.append(f"{path}: others could read it ({mode:04o}); it is 0600 now")
    for file in (path, _sibling(path, "-wal"), _sibling(path, "-shm")):
        if file.exists():
            file.chmod(0o600)
    mode = stat.S_IMODE(path.parent.stat().st_mode)
    if mode & 0o022 and not mode & stat.S_ISVTX:
        notices.append(
            f"{path.parent}: others can put files there ({mode:04o}). "
            f"Close it: chmod go-w '{path.parent}'"
        )
    return notices


def _sibling(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
