"""Who drives which run: asked inside the transaction that writes.

A run has at most one owner, an engine's token. An append of an engine whose place was
taken, or to a run of another one, is refused whatever it holds. A run without an owner
belongs to whoever writes to it first; one that has ended belongs to nobody.

What was seen is remembered until another connection commits. Used by the writer's
thread alone. Called by: appending, engines, store.
"""

from collections.abc import Callable, Sequence
from typing import Final

import apsw

from engine.errors import LeaseLost
from engine.model.engines import Enrolled, Role

_OWNER: Final = """
SELECT token, coalesce(over, 1), coalesce(owner, 'an engine that is gone')
FROM run_owners LEFT JOIN engines USING (token) WHERE run = ?
"""
_SERVES: Final = "SELECT 1 FROM engines WHERE role = 'serve' AND over = 0"
_NEXT: Final = "SELECT seq + 1 FROM sqlite_sequence WHERE name = 'engines'"
_ENROL: Final = "INSERT INTO engines (token, role, owner) VALUES (?, ?, ?)"
_TIDY: Final = (
    "DELETE FROM engines WHERE over = 1 AND token NOT IN (SELECT token FROM run_owners)"
)
_BEAT: Final = "UPDATE engines SET beat = beat + 1 WHERE token = ? AND over = 0"
_SUPERSEDE: Final = "UPDATE engines SET over = 1 WHERE token = ? AND beat = ?"
_CLAIM: Final = """
INSERT INTO run_owners VALUES (:run, :token) ON CONFLICT (run) DO UPDATE
SET token = :token WHERE token NOT IN (SELECT token FROM engines WHERE over = 0)
"""
_GIVE_BACK: Final = "DELETE FROM run_owners WHERE run = ? AND token = ?"


class Owner:
    """Which engine this connection writes for, and what is known to be its own."""

    def __init__(self) -> None:
        self.token = 0  # not enrolled: it may write only where nobody drives
        self._lives = False
        self._ours: set[str] = set()

    def forget(self) -> None:
        """Ask anew: another connection wrote, or our own writing was undone."""
        self._lives = False
        self._ours.clear()

    def refuse_lost(self, connection: apsw.Connection, run: str) -> None:
        """Pass a run that we may write to: ours, or nobody's.

        Raises:
            LeaseLost: our place was taken, or another engine drives the run.
        """
        if self._lives and run in self._ours:
            return
        self.refuse_superseded(connection)
        row = connection.execute(_OWNER, (run,)).fetchone()
        if row is None:
            return
        token, over, owner = row
        if token == self.token:
            self._ours.add(run)
        elif not over or not self.token:
            raise LeaseLost(
                f"run {run}: it is driven by {owner}. Nothing was stored, and this "
                "process does nothing more for it."
            )

    def refuse_superseded(self, connection: apsw.Connection) -> None:
        """Pass while nobody took our place: asked in every transaction.

        Raises:
            LeaseLost: somebody did.
        """
        if self._lives or not self.token:
            return
        query = "SELECT over FROM engines WHERE token = ?"
        row = connection.execute(query, (self.token,)).fetchone()
        if row is None or row[0]:
            raise LeaseLost(
                f"another engine took the place of this one (token {self.token}): it "
                "did not show that it lives. Nothing was stored; start it anew."
            )
        self._lives = True

    def keep(self, connection: apsw.Connection, run: str) -> None:
        """Make a run ours that `refuse_lost` let pass."""
        if self.token and run not in self._ours:
            connection.execute(_CLAIM, {"run": run, "token": self.token})
            self._ours.add(run)

    def end(self, connection: apsw.Connection, run: str) -> None:
        """Give a run back."""
        self._ours.discard(run)
        connection.execute(_GIVE_BACK, (run, self.token))

    # The engine's own row

    def enrol(
        self,
        connection: apsw.Connection,
        role: Role,
        owner: str,
        begun: Callable[[int], None],
    ) -> int | None:
        """Return our token, after `begun` has had it; None: another one serves."""
        if role == "serve" and connection.execute(_SERVES).fetchone() is not None:
            return None
        row = connection.execute(_NEXT).fetchone()
        token = int(row[0]) if row is not None else 1
        begun(token)  # before anybody can see the row
        connection.execute(_TIDY)
        connection.execute(_ENROL, (token, role, owner))
        self.forget()
        self.token = token
        return token

    def beat(self, connection: apsw.Connection) -> bool:
        """Count on; return False where our place was taken."""
        connection.execute(_BEAT, (self.token,))
        return connection.changes() == 1

    def claim(self, connection: apsw.Connection, runs: Sequence[str]) -> list[str]:
        """Return those that are ours now.

        Raises:
            LeaseLost: our place was taken.
        """
        self.refuse_superseded(connection)
        got = []
        for run in runs:
            connection.execute(_CLAIM, {"run": run, "token": self.token})
            row = connection.execute(_OWNER, (run,)).fetchone()
            if row is not None and row[0] == self.token:
                got.append(run)
        return got

    def leave(self, connection: apsw.Connection) -> None:
        """Give everything back."""
        for table in ("run_owners", "engines"):
            connection.execute(f"DELETE FROM {table} WHERE token = ?", (self.token,))  # noqa: S608
        self.forget()


def supersede(connection: apsw.Connection, other: Enrolled) -> bool:
    """Take its place; False: it has beaten since, or somebody else was first."""
    connection.execute(_SUPERSEDE, (other.token, other.beat))
    return connection.changes() == 1
