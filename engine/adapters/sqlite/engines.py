"""ports.Engines over the journal: the rows of the processes that drive its runs.

Writing goes through the writer's thread, so that every change is one transaction with
its question. Called by: store (makes it), whoever holds a lease.
"""

from collections.abc import Callable, Sequence
from typing import Final

import apsw

from engine.adapters.sqlite import owning
from engine.adapters.sqlite.reader import Readers
from engine.adapters.sqlite.writer import Writer
from engine.model.engines import Enrolled, Role

_OTHERS: Final = (
    "SELECT token, role, owner, beat FROM engines WHERE over = 0 AND token <> ?"
    " ORDER BY token"
)
_ORPHANS: Final = """
SELECT run FROM runs LEFT JOIN run_owners USING (run)
WHERE open = 1 AND (run_owners.token IS NULL OR run_owners.token NOT IN
  (SELECT engines.token FROM engines WHERE over = 0))
ORDER BY started_at
"""


class SqliteEngines:
    """Who drives which run."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer, self._readers = writer, readers
        self._owner = writer.owner

    async def enrol(
        self, role: Role, owner: str, begun: Callable[[int], None]
    ) -> int | None:
        """Return our token, once `begun` has it; None: another one serves."""
        token = await self._writer.do(
            lambda b: self._owner.enrol(b.connection, role, owner, begun)
        )
        self._writer.reserve.make()
        return token

    async def beat(self) -> bool:
        """Show that we live; return False where somebody took our place."""
        beaten = await self._writer.do(lambda b: self._owner.beat(b.connection))
        self._writer.reserve.make()
        return beaten

    async def others(self) -> list[Enrolled]:
        """Return every other process whose place nobody took."""
        token = self._owner.token
        return await self._readers.ask(lambda c: _others(c, token))

    async def supersede(self, other: Enrolled) -> bool:
        """Take a dead one's place; False: it has beaten since it was read."""
        return await self._writer.do(lambda b: owning.supersede(b.connection, other))

    async def claim(self, runs: Sequence[str]) -> list[str]:
        """Return those that are ours now: free, or of one whose place was taken.

        Raises:
            LeaseLost: our own place was taken.
        """
        return await self._writer.do(lambda b: self._owner.claim(b.connection, runs))

    async def orphans(self) -> list[str]:
        """Return the open runs that nobody drives, oldest first."""
        return await self._readers.ask(
            lambda c: [str(row[0]) for row in c.execute(_ORPHANS)]
        )

    async def leave(self) -> None:
        """Give back our runs and our place."""
        await self._writer.do(lambda b: self._owner.leave(b.connection))

    def low(self) -> str:
        """Return that the disk is full and the reserve in use; empty: it is not."""
        return self._writer.reserve.told()

    def missing(self) -> str:
        """Return what became of the journal's file; empty: it is in its place."""
        return self._writer.missing()


def _others(connection: apsw.Connection, token: int) -> list[Enrolled]:
    rows = connection.execute(_OTHERS, (token,))
    return [Enrolled(*row) for row in rows]
