"""The threads that read, each query on a connection that cannot write.

A reader sees every commit that was acknowledged before it was asked.
Called by: store.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

import apsw

from engine.adapters.sqlite.opening import connect
from engine.adapters.sqlite.problems import translated
from engine.adapters.sqlite.settings import SqliteSettings
from engine.errors import StoreUnavailable

T = TypeVar("T")


class Readers:
    """A few connections, and as many threads to use them."""

    def __init__(self, path: Path, settings: SqliteSettings) -> None:
        self._path = path
        self._idle: SimpleQueue[apsw.Connection] = SimpleQueue()
        self._count = settings.readers
        for _ in range(self._count):
            self._idle.put(connect(path, settings, reading=True))
        self._threads = ThreadPoolExecutor(self._count, "journal-reader")
        self._closed = False

    async def ask(
        self, query: Callable[[apsw.Connection], T], *, snapshot: bool = True
    ) -> T:
        """Return what the query returns, its statements seen in one snapshot.

        Raises:
            StoreUnavailable, StoreDamaged: it cannot be read.
        """
        if self._closed:
            raise StoreUnavailable(f"{self._path}: the journal is closed already.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._answer, query, snapshot)

    async def close(self) -> None:
        """Let the queries end, then close the connections."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        for _ in range(self._count):
            self._idle.get().close()

    def _answer(self, query: Callable[[apsw.Connection], T], snapshot: bool) -> T:
        connection = self._idle.get()
        try:
            with translated(self._path):
                return (_in_snapshot if snapshot else _plainly)(connection, query)
        finally:
            self._idle.put(connection)


def _in_snapshot(
    connection: apsw.Connection, query: Callable[[apsw.Connection], T]
) -> T:
    connection.execute("BEGIN")
    try:
        return query(connection)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _plainly(connection: apsw.Connection, query: Callable[[apsw.Connection], T]) -> T:
    return query(connection)
