"""The one thread that writes: whatever waits is committed together.

Rule 1: a future is resolved only after COMMIT has returned.
Rule 2: nobody waits for company; a lone append is committed at once. Others that come
while the disk is busy share the next commit.
Rule 3: a trouble of one job is that job's. Where SQLite refuses a group for a reason
that may lie in one of its jobs, the group is rolled back and done one by one.

Called by: store. Calls: appending.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import apsw

from engine.adapters.sqlite.appending import Batch, Head
from engine.adapters.sqlite.owning import Owner
from engine.adapters.sqlite.problems import ENVIRONMENT, unavailable
from engine.adapters.sqlite.reserve import Reserve
from engine.adapters.sqlite.settings import SqliteSettings
from engine.errors import EngineError, StoreUnavailable

T = TypeVar("T")
Work = Callable[[Batch], Any]
_Job = tuple[Work, "asyncio.Future[Any]"]
_Outcome = tuple["asyncio.Future[Any]", Any, BaseException | None]


class Writer:
    """Takes work from the loop's thread, does it in its own."""

    def __init__(
        self, path: Path, connection: apsw.Connection, settings: SqliteSettings
    ) -> None:
        self._path = path
        self._connection = connection
        self._group_max = settings.group_max
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._heads: dict[str, Head] = {}
        self.owner = Owner()
        self.reserve = Reserve(path, settings.reserve_bytes)
        self._version = -1  # SQLite's count of commits by other connections
        self._inode = _inode(path)
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="journal-writer")
        self._thread.start()

    async def do(self, work: Callable[[Batch], T]) -> T:
        """Return what `work` returns, once its transaction is on the disk.

        Cancelled while waiting, the work may still have been stored.

        Raises:
            StoreUnavailable: closed, or what SQLite refused; nothing was stored.
            EngineError, ValueError: what `work` raises; nothing of it was stored.
        """
        if self._closed:
            raise StoreUnavailable(f"{self._path}: the journal is closed already.")
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put((work, future))
        return await future

    async def close(self) -> None:
        """Finish what was given, then close the connection."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        ended = False
        while not ended:
            group, ended = self._next_group()
            if group:
                self._tell(self._settle(group))
        self._connection.close()

    def _next_group(self) -> tuple[list[_Job], bool]:
        """Wait for one job, then take what is there without waiting."""
        job = self._queue.get()
        group: list[_Job] = []
        while job is not None:
            group.append(job)
            if len(group) == self._group_max:
                return group, False
            try:
                job = self._queue.get_nowait()
            except Empty:
                return group, False
        return group, True

    def _settle(self, group: list[_Job]) -> list[_Outcome]:
        try:
            return self._transact(group)
        except EngineError as error:
            return [(future, None, error) for _, future in group]
        except apsw.FullError as error:
            if self.reserve.give_up():
                return self._settle(group)
            return [(future, None, self._explain(error)) for _, future in group]
        except Exception as error:  # noqa: BLE001 - the thread outlives every job
            if len(group) > 1 and not isinstance(error, ENVIRONMENT):
                return [outcome for job in group for outcome in self._settle([job])]
            return [(future, None, self._explain(error)) for _, future in group]

    def _transact(self, group: list[_Job]) -> list[_Outcome]:
        """Do the jobs in one transaction. Raises: nothing of it was stored."""
        batch = Batch(self._connection, self._heads, self.owner)
        execute = self._connection.execute
        self._refuse_if_gone()
        execute("BEGIN IMMEDIATE")
        try:
            self._forget_if_others_wrote()
            self.owner.refuse_superseded(self._connection)
            outcomes = [_attempt(work, future, batch) for work, future in group]
            batch.flush()
            execute("COMMIT")
        except BaseException:
            self.owner.forget()
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise
        batch.committed()
        if batch.then_checkpoint:
            self._checkpoint()
        return outcomes

    def _forget_if_others_wrote(self) -> None:
        version = int(self._connection.pragma("data_version"))
        if version != self._version:
            self._heads.clear()
            self.owner.forget()
            self._version = version

    def _refuse_if_gone(self) -> None:
        """Refuse to write where a deleted file would take it and keep nothing."""
        missing = self.missing()
        if missing:
            raise StoreUnavailable(missing)

    def missing(self) -> str:
        """Return what became of the file; empty: it is in its place."""
        if _inode(self._path) == self._inode:
            return ""
        return (
            f"{self._path}: the file was deleted or replaced while the engine runs. "
            "Nothing more is stored. Put the file back, then restart the engine."
        )

    def _checkpoint(self) -> None:
        """Take deleted secrets out of the write-ahead log as well, if nobody reads."""
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error:
            return  # committed all the same; the next checkpoint does it

    def _explain(self, error: Exception) -> Exception:
        if isinstance(error, apsw.Error):
            return unavailable(self._path, error)
        return error

    def _tell(self, outcomes: list[_Outcome]) -> None:
        try:
            self._loop.call_soon_threadsafe(_resolve, outcomes)
        except RuntimeError:
            return  # the loop is closed: nobody is left to be told


def _attempt(work: Work, future: "asyncio.Future[Any]", batch: Batch) -> _Outcome:
    """Do one job; what it refuses by itself concerns nobody else."""
    try:
        return future, work(batch), None
    except (EngineError, ValueError) as error:
        return future, None, error


def _resolve(outcomes: list[_Outcome]) -> None:
    for future, answer, error in outcomes:
        if future.done():  # cancelled while waiting
            continue
        if error is None:
            future.set_result(answer)
        else:
            future.set_exception(error)


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # before each act and each commit
    except OSError:
        return None
    return found.st_dev, found.st_ino
