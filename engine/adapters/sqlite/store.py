"""SqliteStore: the journal of one engine in one file: ports.Store, ports.Mailbox.

What must be durable goes to the writer's thread, what only reads to the readers'; the
event loop never waits for the disk. Beyond the port: open, close, verify, integrity,
stats, copy_to, forget_secrets.

Called by: bootstrap (opens and closes), and whoever holds a ports.Store.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.adapters.sqlite import auditing, copied, locking, mail, queries, records
from engine.adapters.sqlite.alerts import SqliteAlerts
from engine.adapters.sqlite.appending import Batch
from engine.adapters.sqlite.auditing import Stats
from engine.adapters.sqlite.chat import SqliteChat
from engine.adapters.sqlite.engines import SqliteEngines
from engine.adapters.sqlite.migrations import copy_database
from engine.adapters.sqlite.opening import open_journal
from engine.adapters.sqlite.reader import Readers
from engine.adapters.sqlite.retaining import SqliteRetention
from engine.adapters.sqlite.settings import DEFAULTS, SqliteSettings
from engine.adapters.sqlite.writer import Writer
from engine.errors import StoreUnavailable
from engine.model.effects import Page, Say
from engine.model.events import Event
from engine.model.run import RunSummary
from engine.model.timeline import ChainFault, Entry

_REVISION = "SELECT text FROM revisions WHERE revision = ?"
_INPUT = "SELECT value FROM secrets WHERE run = ? AND name = ?"


class SqliteStore:
    """One journal. Made by `open`; used from the event loop that opened it."""

    def __init__(
        self, path: Path, writer: Writer, readers: Readers, notices: Sequence[str]
    ) -> None:
        self.path = path
        self.notices = tuple(notices)  # what opening it changed or found, for people
        self._writer = writer
        self._readers = readers
        self.alerts = SqliteAlerts(writer, readers)
        self.engines = SqliteEngines(writer, readers)
        self.chat = SqliteChat(writer, readers)
        self.retention = SqliteRetention(writer, readers)

    @classmethod
    async def open(
        cls,
        path: Path | str,
        *,
        create: bool = True,
        settings: SqliteSettings = DEFAULTS,
        on_copy: Callable[[str], None] | None = None,
    ) -> "SqliteStore":
        """Return the journal at `path`, begun anew if absent and `create`.

        Args:
            path: The file.
            create: Whether to begin one where there is none.
            settings: Waits and sizes.
            on_copy: Told when it is a copy that was put in a journal's place, with
                what to know about it; after that it is a journal.

        Raises:
            StoreNewer, StoreDamaged: it was not touched; the text says what to do.
            StoreUnavailable: absent, locked, full, read-only, or an unsafe library.
        """
        place = Path(path)
        journal = await asyncio.to_thread(open_journal, place, settings, create=create)
        readers = Readers(place, settings)
        writer = Writer(place, journal.connection, settings)
        store = cls(place, writer, readers, journal.notices)
        if on_copy is not None:
            await store._admit_copy(on_copy)
        return store

    async def _admit_copy(self, told: Callable[[str], None]) -> None:
        at = await self._readers.ask(copied.copied_at)
        if at:
            told(
                f"the journal is a copy, taken at {at}: what was done after that is "
                "not in it"
            )
            await self._writer.do(lambda b: copied.begin_anew(b.connection))

    async def close(self) -> None:
        """Finish what was given, then close the file. Twice does no harm."""
        await self._readers.close()
        await self._writer.close()

    async def append(
        self,
        entries: Sequence[Entry],
        summary: RunSummary,
        *,
        outbox: Sequence[Say | Page] = (),
    ) -> list[Entry]:
        """Seal and store the entries of one run, all or none; return them sealed.

        Raises:
            LeaseLost: another engine drives the run, or took our place.
            StoreConflict: `seq` does not follow.
            StoreUnavailable: full, locked, read-only or gone; nothing was stored.
            ValueError: what cannot be written as JSON; nothing was stored.
        """
        return await self._writer.do(
            lambda batch: batch.append(entries, summary, outbox)
        )

    async def entries(self, run: str, *, after: int = 0) -> list[Entry]:
        """Return the run's entries with seq > after, in order; unknown run: none."""
        return await self._readers.ask(lambda c: queries.entries(c, run, after))

    async def runs(
        self, *, open_only: bool = False, limit: int = 100
    ) -> list[RunSummary]:
        """Return summaries, newest first; open: not in one of the four ends."""
        return await self._readers.ask(lambda c: queries.runs(c, open_only, limit))

    async def untaken(self, since: float) -> list[RunSummary]:
        """Return runs handed over since then (epoch seconds) that nobody took."""
        return await self._readers.ask(lambda c: queries.untaken(c, since))

    async def summary(self, run: str) -> RunSummary | None:
        """Return one run's summary."""
        return await self._readers.ask(lambda c: queries.summary(c, run))

    async def put_revision(self, revision: str, name: str, text: str) -> None:
        """Keep the text of a runbook under its hash; a hash is written once."""
        query = "INSERT OR IGNORE INTO revisions VALUES (?, ?, ?)"
        await self._write(query, (revision, name, text))

    async def revision(self, revision: str) -> str | None:
        """Return the text kept under the hash."""
        return await self._readers.ask(lambda c: queries.one(c, _REVISION, revision))

    async def unsent(
        self, *, limit: int = 100, after: int = 0
    ) -> list[tuple[int, str, Say | Page]]:
        """Return (id, run, message) of what is to be sent after an id, oldest first."""
        return await self._readers.ask(lambda c: queries.unsent(c, limit, after))

    async def sent(self, ids: Sequence[int]) -> None:
        """Mark messages as sent; a second time changes nothing."""
        now = time.time()
        query = "UPDATE outbox SET sent = ? WHERE id = ? AND sent IS NULL"
        await self._write(query, *((now, number) for number in ids))

    async def lock(self, run: str, paths: Sequence[str]) -> str | None:
        """Take all paths for the run, or none; return the run in the way, or None.

        Raises:
            LeaseLost: another engine drives the run.
        """

        def take(batch: Batch) -> str | None:
            batch.owner.refuse_lost(batch.connection, run)
            return locking.take(batch.connection, run, paths)

        return await self._writer.do(take)

    async def unlock(self, run: str) -> None:
        """Give back every path of the run."""
        await self._writer.do(lambda b: locking.give_back(b.connection, run))

    async def put_secret(self, run: str, name: str, secret: str) -> None:
        """Keep the value of a secret input, outside the timeline."""
        query = "INSERT OR REPLACE INTO secrets VALUES (?, ?, ?)"
        await self._write(query, (run, name, secret))

    async def secret(self, run: str, name: str) -> str | None:
        """Return a secret input's value."""
        return await self._readers.ask(lambda c: queries.one(c, _INPUT, run, name))

    async def forget_secrets(self, run: str) -> None:
        """Delete the run's secret inputs, from the log of changes as well."""

        def forget(batch: Batch) -> None:
            batch.connection.execute("DELETE FROM secrets WHERE run = ?", (run,))
            if batch.connection.changes():
                batch.then_checkpoint = True

        await self._writer.do(forget)

    async def post(self, run: str, event: Event) -> int:
        """Leave an event for whoever drives the run; return its number."""
        return await self._writer.do(lambda b: mail.post(b.connection, run, event))

    async def mail(self, runs: Sequence[str]) -> list[tuple[int, str, Event]]:
        """Return what waits for these runs, in order: (number, run, event)."""
        return await self._readers.ask(lambda c: mail.waiting(c, runs)) if runs else []

    async def delivered(self, number: int) -> None:
        """Mark one as delivered."""
        await self._writer.do(lambda b: mail.delivered(b.connection, number))

    async def record(self, entry: Entry) -> Entry:
        """Write an entry of the engine's own timeline; return it sealed.

        Raises:
            StoreUnavailable: nothing was stored.
        """
        return await self._writer.do(lambda b: records.add(b.connection, entry))

    async def records(self, *, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Return the newest entries of the engine's own timeline, in order."""
        return await self._readers.ask(lambda c: records.read(c, after, limit))

    async def writable(self) -> str:
        """Return why nothing can be stored now, or an empty string."""
        try:
            await self._writer.do(lambda batch: None)
        except StoreUnavailable as error:
            return str(error)
        return ""

    async def verify(self, run: str | None = None) -> list[ChainFault]:
        """Return every place where a timeline, or all, is not what was written."""
        return await self._readers.ask(lambda c: auditing.verify(c, run))

    async def integrity(self) -> list[str]:
        """Return what SQLite's full check finds; empty: nothing. Reads every page."""
        return await self._readers.ask(auditing.integrity)

    async def stats(self) -> Stats:
        """Return sizes and counts, for `doctor`."""
        return await self._readers.ask(lambda c: auditing.stats(c, self.path))

    async def copy_to(self, target: Path | str) -> None:
        """Write a whole copy while the engine goes on; an old target is replaced."""
        await self._readers.ask(
            lambda c: copy_database(c, Path(target)),
            snapshot=False,  # VACUUM refuses to run inside a transaction
        )

    async def _write(self, query: str, *rows: tuple[object, ...]) -> None:
        await self._writer.do(lambda b: _each(b, query, rows))


def _each(batch: Batch, query: str, rows: Sequence[tuple[object, ...]]) -> None:
    for row in rows:
        batch.connection.execute(query, row)
