"""A whole live engine for measuring: real journal on a real disk, a world that answers.

Checks and actions go through the registry and the live ports like any adapter's; their
code is in this process and answers at once, so that what is measured is the engine.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from engine.adapters.sqlite import SqliteStore
from engine.errors import SecretMissing
from engine.hosts.lease import Lease
from engine.hosts.local import LocalHost
from engine.model.effects import Page, Say
from engine.model.evidence import Observation
from engine.model.people import Actor, Question
from engine.model.run import ENDS, RunSummary
from engine.model.timeline import Entry
from engine.ports import ActCode, ActResult, Call
from engine.registry import Registry
from engine.runtime.assembly import Outside, SystemClock, live_service
from engine.runtime.library import Bundle, Library
from engine.runtime.service import Service

RUNBOOKS: Final = Path(__file__).parent / "runbooks"
SOMEBODY: Final = Actor("somebody", groups=("owners",), via="benchmark")


class Probe(BaseModel):
    """What a check asks, and the value it gets."""

    model_config = ConfigDict(extra="forbid")
    of: str
    answers: float


class Turned(BaseModel):
    """What an action changes."""

    model_config = ConfigDict(extra="forbid")
    what: str
    to: str | float


async def look(params: Any, call: Call) -> Observation:
    """Return the answer the runbook names."""
    value = params.answers
    sample = {"labels": {}, "value": value}
    seen = {"value": value, "values": [value], "series": [sample]}
    return Observation(seen=seen, summary=f"value {value:g}", source=params.of)


async def act(params: Any, call: Call) -> ActResult:
    """Say that it is done."""
    return ActResult("ok", f"{params.what} is {params.to}")


def registry(code: ActCode = act) -> Registry:
    """Return the two kinds of this world; `code` does the acts."""
    made = Registry()
    made.add_check("probe", Probe, look, sees=("value",))
    made.add_action("turn", Turned, code)
    return made.freeze()


class NoSecrets:
    """There are none."""

    def get(self, name: str) -> str:
        """Raise SecretMissing."""
        raise SecretMissing(f"no secret '{name}'")

    def values(self) -> list[str]:
        """Return nothing to hide."""
        return []


class NoHold:
    """The global hold is off."""

    def reason(self) -> str | None:
        """Return None: it is off."""
        return None


class Nobody:
    """Chat and pager that take everything and show nothing."""

    async def say(self, run: str, message: Say, /, *, key: str = "") -> None:
        """Take it."""

    async def ask(self, run: str, question: Question, /) -> None:
        """Take it."""

    async def close(self, run: str, key: str, outcome: str, /) -> None:
        """Take it."""

    async def page(self, run: str, page: Page, /) -> None:
        """Take it."""


@dataclass(slots=True)
class Heard:
    """What the listener was told, and who waits for a run's end."""

    steps: int = 0  # events stored and answered
    ends: dict[str, "asyncio.Future[RunSummary]"] = field(default_factory=dict)

    def __call__(self, summary: RunSummary, entries: list[Entry]) -> None:
        """Count what was stored."""
        self.steps += sum(1 for entry in entries if entry.event is not None)
        if summary.state in ENDS and summary.run in self.ends:
            self.ends.pop(summary.run).set_result(summary)


@dataclass(slots=True)
class World:
    """One open engine."""

    service: Service
    host: LocalHost
    store: SqliteStore
    books: dict[str, Bundle]
    heard: Heard

    async def begin(self, book: str, run: str, **inputs: Any) -> None:
        """Begin a run; return when its first event is in the journal."""
        given = {"host": "host-1"} | inputs
        await self.service.start(self.books[book], given, SOMEBODY, run=run)

    async def play(self, run: str) -> RunSummary:
        """Play one `steady` run to its end; return how it ended."""
        ended: asyncio.Future[RunSummary] = asyncio.get_running_loop().create_future()
        self.heard.ends[run] = ended
        await self.begin("steady", run)
        return await ended


def library() -> Library:
    """Return the runbooks of this folder."""
    made = Library(registry().kinds)
    made.add_paths([RUNBOOKS])
    told = [str(problem) for one in made.refused.values() for problem in one.problems]
    assert told == []
    return made


@asynccontextmanager
async def open_world(folder: Path, code: ActCode = act) -> AsyncIterator[World]:
    """Open an engine on a journal in the folder; nothing is resumed yet."""
    store = await SqliteStore.open(folder / "journal.db")
    chat, heard, known = Nobody(), Heard(), library()
    lease = Lease(store.engines, folder / "engines")
    outside = Outside(registry(code), store, NoSecrets(), NoHold(), chat, lease)
    service = live_service(outside, known, {}, heard)
    host = LocalHost(
        service.driver, store, store, chat, chat, NoHold(), SystemClock(), lease
    )
    books = {name: known.bundle(name) for name in known.loaded}
    try:
        yield World(service, host, store, books, heard)
    finally:
        await host.stop()
        await store.close()
