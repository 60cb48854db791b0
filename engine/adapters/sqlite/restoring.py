"""A copy is checked, and put in the place of the journal, which is kept aside.

Two steps, between which the caller makes sure that nobody acts: `take_copy` leaves a
checked draft beside the journal and changes nothing else; `put_in_place` exchanges
them. At every instant of the exchange a whole journal has the name: old one or copy.

Called by: the command line, through the package.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw

from engine import __version__
from engine.adapters.sqlite import auditing, queries
from engine.adapters.sqlite.copied import begin_anew
from engine.adapters.sqlite.copies import refuse_stranger
from engine.adapters.sqlite.migrations import migrate, sync, what_is_written
from engine.adapters.sqlite.opening import connect, quick_check
from engine.adapters.sqlite.problems import translated
from engine.adapters.sqlite.schema import MIGRATIONS
from engine.adapters.sqlite.settings import DEFAULTS, SqliteSettings
from engine.adapters.sqlite.versions import refuse_unsafe, sqlite_report
from engine.errors import StoreDamaged, StoreNewer, StoreUnavailable
from engine.model.run import RunSummary
from engine.model.timeline import ChainFault

SIDES = ("", "-wal", "-shm")
MOST_OPEN = 1_000_000
_ALONE = SqliteSettings(busy_seconds=1.0)


@dataclass(frozen=True, slots=True)
class Draft:
    """A copy that is whole, beside the journal whose place it may take."""

    path: Path
    runs: int
    entries: int
    open: Sequence[RunSummary]  # newest first
    faults: Sequence[ChainFault]  # timelines that are not as they were written


def take_copy(source: Path, journal: Path) -> Draft:
    """Return a checked draft of the copy; the copy itself is only read.

    Raises:
        StoreNewer: a newer engine wrote it.
        StoreDamaged: it is no journal, or not whole.
        StoreUnavailable: it is not there, or there is no room for it.
    """
    refuse_unsafe(sqlite_report())
    if not source.is_file() or not source.stat().st_size:
        raise StoreUnavailable(f"{source}: there is no copy, or it has no bytes.")
    if journal.exists() and source.samefile(journal):
        raise StoreUnavailable(f"{source}: that is the journal itself. Name a copy.")
    draft = journal.with_name(f".{journal.name}.restored-{os.getpid()}")
    with translated(journal):
        journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with translated(source):
            for suffix in ("", "-wal"):  # a journal set aside has its log beside it
                _copied(_beside(source, suffix), _beside(draft, suffix))
            return _judged(source, draft)
    except BaseException:
        throw_away(draft)
        raise


def _copied(source: Path, target: Path) -> None:
    if source.exists():
        target.unlink(missing_ok=True)
        descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with source.open("rb") as read, os.fdopen(descriptor, "wb") as written:
            shutil.copyfileobj(read, written, 1 << 20)


def _judged(source: Path, draft: Path) -> Draft:
    connection = connect(draft, DEFAULTS)
    try:
        refuse_stranger(connection, source)
        _refuse_newer(connection, source)
        findings = quick_check(connection)
        if findings:
            raise StoreDamaged(
                f"{source} is damaged: {findings[0]}. Nothing was put in the journal's "
                "place. Take an older copy."
            )
        migrate(connection, draft, MIGRATIONS, keep=False)  # all that is asked is there
        begin_anew(connection)  # who restores it holds, and says so
        faults = auditing.verify(connection, None)
        runs = queries.runs(connection, True, MOST_OPEN)
        counts = auditing.stats(connection, draft)
        connection.pragma("journal_mode", "delete")  # one file, and nothing beside it
    finally:
        connection.close()
    sync(draft)
    return Draft(draft, counts.runs, counts.entries, runs, faults)


def _refuse_newer(connection: apsw.Connection, source: Path) -> None:
    written, known = what_is_written(connection), max(m.number for m in MIGRATIONS)
    if written.schema > known:
        raise StoreNewer(
            f"{source} has schema {written.schema}, written by engine {written.engine}"
            f"; this is engine {__version__}, which knows schemas up to {known}. "
            f"Nothing was changed. Restore it with engine {written.engine} or later."
        )


def put_in_place(draft: Path, journal: Path, stamp: str) -> Path | None:
    """Exchange the journal for the draft; return where the old one is kept.

    None: there was no journal.

    Args:
        stamp: The date in the name of the folder that keeps the old one.

    Raises:
        StoreUnavailable: another process has the journal open, or the disk refuses.
    """
    with translated(journal):
        _close_log(journal)
        aside = _set_aside(journal, stamp)
        draft.replace(journal)
        sync(journal.parent)
    return aside


def _set_aside(journal: Path, stamp: str) -> Path | None:
    """Give the old one a second name; it loses the first when the copy gets it."""
    there = [s for s in SIDES if _beside(journal, s).exists()]
    if not there:
        return None
    aside = journal.with_name(f"{journal.name}.replaced-{stamp}")
    aside.mkdir(mode=0o700)
    for suffix in there:
        kept = aside / f"{journal.name}{suffix}"
        if suffix:
            _beside(journal, suffix).replace(kept)
        else:
            os.link(journal, kept)
    sync(aside)
    return aside


def _close_log(journal: Path) -> None:
    """Take what its log has into the file, which also shows that nobody has it open.

    Raises:
        StoreUnavailable: somebody has.
    """
    if not journal.exists():
        return
    try:
        connection = connect(journal, _ALONE)
        try:
            connection.pragma("journal_mode", "delete")
        finally:
            connection.close()
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StoreUnavailable(
            f"{journal}: another process has it open. Nothing was put in its place. "
            "End that process, then try again."
        ) from error
    except apsw.Error:
        return  # too damaged to be opened: it is kept as it is, with its log


def throw_away(draft: Path) -> None:
    """Remove a draft and what is beside it."""
    for suffix in (*SIDES, "-journal"):
        _beside(draft, suffix).unlink(missing_ok=True)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
