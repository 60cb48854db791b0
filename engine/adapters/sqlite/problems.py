"""From what SQLite raises to what people are told: where, what, and what to do next.

Knows nothing of runs. Called by opening, migrations, writer and reader.
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from engine.errors import StoreDamaged, StoreUnavailable

# What hits every append alike; asking again within the same breath would not help.
ENVIRONMENT: Final = (
    apsw.BusyError,
    apsw.LockedError,
    apsw.FullError,
    apsw.ReadOnlyError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.NoMemError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.InterruptError,
)

_CAUSES: Final[tuple[tuple[tuple[type[apsw.Error], ...], str], ...]] = (
    (
        (apsw.BusyError, apsw.LockedError),
        "another process holds it locked; end that process, or wait",
    ),
    ((apsw.FullError,), "the disk is full; free space on it"),
    (
        (apsw.ReadOnlyError, apsw.PermissionsError),
        "it cannot be written: a read-only file system, or missing rights",
    ),
    (
        (apsw.CantOpenError,),
        (
            "it cannot be opened: it is gone, the file system is read-only, or rights "
            "are missing"
        ),
    ),
    ((apsw.IOError,), "the disk answers with an error; look at the system's log"),
)


def unavailable(path: Path, error: apsw.Error) -> StoreUnavailable:
    """Return what to raise for an error of SQLite; nothing was stored."""
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return damaged(path, str(error))
    for kinds, cause in _CAUSES:
        if isinstance(error, kinds):
            return StoreUnavailable(
                f"{path}: {cause} (SQLite: {error}). Nothing was stored; the engine "
                "goes on by itself once the cause is gone."
            )
    return StoreUnavailable(
        f"{path}: SQLite refuses: {type(error).__name__}: {error}. Nothing was stored."
    )


def damaged(path: Path, finding: str) -> StoreDamaged:
    """Return what to raise for a file that is not what was written."""
    return StoreDamaged(
        f"{path} is damaged: {finding}. It was not changed, and no empty journal was "
        f"begun in its place. Stop the engine, then put a copy back:\n"
        f"  {restore_command(path)}"
    )


def restore_command(path: Path) -> str:
    """Return the shell line that puts a copy in the file's place and keeps the file."""
    copy = newest_copy(path)
    return f"runbook restore {shlex.quote(str(copy)) if copy else 'YOUR-LAST-COPY'}"


def newest_copy(path: Path) -> Path | None:
    """Return the youngest copy that a migration left beside the journal."""
    copies = [p for p in path.parent.glob(f"{path.name}.before-v*") if p.is_file()]
    return max(copies, key=lambda p: p.stat().st_mtime, default=None)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise StoreUnavailable or StoreDamaged for what is raised inside."""
    try:
        yield
    except apsw.Error as error:
        raise unavailable(path, error) from error
    except OSError as error:
        raise StoreUnavailable(
            f"{path}: {error}. Look at the rights, the space and the mount options of "
            "its directory."
        ) from error


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
