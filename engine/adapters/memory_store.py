"""MemoryStore: ports.Store without a disk, for rehearsals, exploration and tests.

The same contract as the journal, except that nothing outlives the process. Every call
answers at once. With `seal=False` entries come back as they were given, without hashes:
a rehearsal reads its timeline, nobody has to trust it.

Called by: bootstrap (rehearsals), engine.testing, tests/contracts.
"""

from collections.abc import Sequence

from engine.errors import StoreConflict
from engine.model.effects import Page, Say
from engine.model.run import ENDS, RunSummary
from engine.model.timeline import GENESIS, Entry, seal


class MemoryStore:
    """A journal in a few dictionaries."""

    def __init__(self, *, seal: bool = True) -> None:
        self._seals = seal
        self._entries: dict[str, list[Entry]] = {}
        self._summaries: dict[str, RunSummary] = {}
        self._revisions: dict[str, str] = {}
        self._outbox: dict[int, tuple[str, Say | Page]] = {}
        self._posted = 0  # numbers are never used twice
        self._locks: dict[str, str] = {}  # path: run
        self._secrets: dict[tuple[str, str], str] = {}

    async def append(
        self,
        entries: Sequence[Entry],
        summary: RunSummary,
        *,
        outbox: Sequence[Say | Page] = (),
    ) -> list[Entry]:
        """Keep the entries of one run, all or none; return them as they are kept.

        Raises:
            StoreConflict: `seq` does not follow.
            ValueError: an entry cannot be written as JSON (only where it seals).
        """
        run = summary.run
        stored = self._entries.get(run, [])
        kept = self._following(run, stored, entries)
        self._entries.setdefault(run, []).extend(kept)
        self._summaries[run] = summary
        for message in outbox:
            self._posted += 1
            self._outbox[self._posted] = (run, message)
        return kept

    async def entries(self, run: str, *, after: int = 0) -> list[Entry]:
        """Return the run's entries with seq > after, in order; unknown run: none."""
        return self._entries.get(run, [])[max(after, 0) :]

    async def runs(
        self, *, open_only: bool = False, limit: int = 100
    ) -> list[RunSummary]:
        """Return summaries, newest first; open: not in one of the four ends."""
        found = [
            summary
            for summary in self._summaries.values()
            if not (open_only and summary.state in ENDS)
        ]
        found.sort(key=lambda s: (s.started_at, s.run), reverse=True)
        return found[:limit]

    async def summary(self, run: str) -> RunSummary | None:
        """Return one run's summary."""
        return self._summaries.get(run)

    async def put_revision(self, revision: str, name: str, text: str) -> None:
        """Keep the text of a runbook under its hash; a hash is written once."""
        self._revisions.setdefault(revision, text)

    async def revision(self, revision: str) -> str | None:
        """Return the text kept under the hash."""
        return self._revisions.get(revision)

    async def unsent(
        self, *, limit: int = 100, after: int = 0
    ) -> list[tuple[int, str, Say | Page]]:
        """Return (id, run, message) of what is to be sent after an id, oldest first."""
        posts = [
            (number, *post) for number, post in self._outbox.items() if number > after
        ]
        return posts[:limit]

    async def sent(self, ids: Sequence[int]) -> None:
        """Mark messages as sent; a second time changes nothing."""
        for number in ids:
            self._outbox.pop(number, None)

    async def lock(self, run: str, paths: Sequence[str]) -> str | None:
        """Take all paths for the run, or none; return the run in the way, or None."""
        wanted = sorted({path.strip("/") for path in paths})
        for path in wanted:
            others = sorted((p, r) for p, r in self._locks.items() if r != run)
            for taken, owner in others:
                if _conflict(path, taken):
                    return owner
        for path in wanted:
            self._locks[path] = run
        return None

    async def unlock(self, run: str) -> None:
        """Give back every path of the run."""
        self._locks = {p: owner for p, owner in self._locks.items() if owner != run}

    async def put_secret(self, run: str, name: str, secret: str) -> None:
        """Keep the value of a secret input, outside the timeline."""
        self._secrets[run, name] = secret

    async def secret(self, run: str, name: str) -> str | None:
        """Return a secret input's value."""
        return self._secrets.get((run, name))

    async def forget_secrets(self, run: str) -> None:
        """Delete the run's secret inputs."""
        self._secrets = {key: s for key, s in self._secrets.items() if key[0] != run}

    async def close(self) -> None:
        """Nothing to close; here so that owners treat every store alike."""

    def _following(
        self, run: str, stored: list[Entry], entries: Sequence[Entry]
    ) -> list[Entry]:
        seq = len(stored)
        prev = stored[-1].hash if stored else GENESIS
        kept = []
        for entry in entries:
            if entry.seq != seq + 1 or entry.run != run:
                raise _does_not_follow(run, entry, seq)
            kept.append(seal(entry, prev) if self._seals else entry)
            seq, prev = entry.seq, kept[-1].hash
        return kept


def _conflict(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _does_not_follow(run: str, entry: Entry, last: int) -> StoreConflict:
    if entry.run != run:
        return StoreConflict(
            f"run {run}: an entry of run {entry.run} does not belong here. "
            "Nothing was stored."
        )
    return StoreConflict(
        f"run {run}: entry {entry.seq} does not follow entry {last}, the last one that "
        "is stored. Nothing was stored."
    )
