"""A real engine in a process that kills itself: the child of the crash suite.

    killed_engine.py  reads one job a line: folder, url, when, count

`when` is "after" (the n-th commit is on disk, nothing of it performed yet), "before"
(the n-th commit is about to be written: effects are done, their results lost) or
"never". Each job is a forked process with everything loaded, so a kill costs
milliseconds. It begins the run, or resumes what it finds, and ends with the run.
"""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import engine.adapters.http as http_kind
from engine.adapters.sqlite import SqliteStore
from engine.adapters.web import HttpxWeb
from engine.adapters.web.httpx_web import trust
from engine.core.code import CompiledRunbook
from engine.errors import ChatDown
from engine.hosts.lease import Lease, LeaseTimes
from engine.hosts.local import LocalHost
from engine.model.effects import Page, Say
from engine.model.events import Answered, Voted
from engine.model.people import Actor, Question
from engine.model.run import ENDS, RunSummary
from engine.model.timeline import Entry
from engine.registry import Registry
from engine.runtime.assembly import SystemClock
from engine.runtime.driver import Driver
from engine.runtime.effector import Ports
from engine.runtime.library import Library, compiled_from
from engine.runtime.perform import LiveActions, LiveChecks
from engine.runtime.redact import Redactor
from engine.runtime.service import Service


class KillingStore(SqliteStore):
    """Kills or stops its own process at the n-th commit."""

    when: str = "never"
    left: int = 0
    sign: signal.Signals = signal.SIGKILL

    async def append(
        self,
        entries: Sequence[Entry],
        summary: RunSummary,
        *,
        outbox: Sequence[Any] = (),
    ) -> list[Entry]:
        self.left -= 1
        if self.when == "before" and self.left == 0:
            os.kill(os.getpid(), self.sign)
        stored = await super().append(entries, summary, outbox=outbox)
        if self.when == "after" and self.left == 0:
            os.kill(os.getpid(), self.sign)
        return stored


class Obliging:
    """People who say yes, and who look at the world before they say what happened."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.host: LocalHost | None = None
        self.answered: set[str] = set()

    async def say(self, run: str, message: Say, /, *, key: str = "") -> None:
        """Nobody reads along."""

    async def page(self, run: str, page: Page, /) -> None:
        """Nobody is paged: the test says so."""
        raise ChatDown("no pager here")

    async def close(self, run: str, key: str, outcome: str, /) -> None:
        """Nothing is shown."""

    async def ask(self, run: str, question: Question, /) -> None:
        """Answer at once; what is asked again has its answer already."""
        assert self.host is not None
        if question.key in self.answered:
            return
        self.answered.add(question.key)
        by = Actor("ana", groups=("owners",))
        if question.kind == "approve":
            assert question.plan is not None
            plan = question.plan.hash
            vote = Voted(key=question.key, by=by, vote="approve", plan=plan)
            await self.host.told(run, vote)
        else:
            happened = await self.world(question.text)
            answers = {"happened": happened}
            answer = Answered(key=question.key, by=by, answers=answers)
            await self.host.told(run, answer)


class NoHold:
    """The global hold is off."""

    def reason(self) -> str | None:
        return None


async def live(
    folder: Path,
    url: str,
    when: str,
    count: int,
    *,
    sign: signal.Signals = signal.SIGKILL,
    times: LeaseTimes | None = None,
) -> str:
    """Begin the run, or take up what is there, and stay until it has ended.

    Return why its place was lost, or nothing. With `times` it is a server, which
    stands by as long as there is another one.
    """
    web = HttpxWeb([ip_network("127.0.0.0/8")])
    registry = Registry()
    http_kind.register(registry, web)
    registry.freeze()
    store = KillingStore.__new__(KillingStore)
    store = await KillingStore.open(folder / "journal.db")  # type: ignore[assignment]
    store.when, store.left, store.sign = when, count, sign
    ended = asyncio.Event()

    async def compiled(revision: str) -> CompiledRunbook:
        stored = await store.revision(revision)
        assert stored is not None
        return compiled_from(stored, revision, registry.kinds)

    async def asked(text: str) -> bool:
        from engine.ports import WebRequest

        answer = await web.request(WebRequest("GET", f"{url}/asked"))
        return b"true" in answer.body

    def listen(summary: RunSummary, entries: list[Entry]) -> None:
        if summary.state in ENDS:
            ended.set()

    redactor = Redactor(list)
    secret_of = lambda run: lambda name: name  # noqa: E731
    clock = SystemClock()
    people = Obliging(asked)
    lease = Lease(store.engines, folder / "engines", times)
    ports = Ports(
        store, LiveChecks(registry, clock, secret_of, redactor),
        LiveActions(registry, secret_of, redactor, ownership=lease), people, clock, NoHold(), compiled,
    )  # fmt: skip
    driver = Driver(ports, listener=listen)
    host = LocalHost(driver, store, NoMail(), people, people, NoHold(), clock, lease)
    people.host = host
    if times is not None:
        await host.stand_by(lambda other: None)
    open_runs = await store.runs(open_only=True)
    if times is not None:
        await host.serve()
    else:
        await host.start(open_runs)
    if not open_runs and not await store.runs():
        library = Library(registry.kinds)
        library.add_paths([folder / "crash.yaml"])
        service = Service(driver, store, library, redactor, NoHold(), {})
        bundle = library.bundle("crash")
        host.begins("r-crash")
        await service.start(bundle, {"url": url}, Actor("ana"), run="r-crash")
    elif not open_runs:
        ended.set()
    waits = [asyncio.create_task(one.wait()) for one in (ended, host.over)]
    done, _ = await asyncio.wait(waits, timeout=20, return_when="FIRST_COMPLETED")
    assert done, "the run has not ended"
    await host.stop()
    await store.close()
    await web.aclose()
    return lease.lost


class NoMail:
    """No other process writes."""

    async def post(self, run: str, event: Any) -> int:
        return 0

    async def mail(self, runs: Sequence[str]) -> list[Any]:
        return []

    async def delivered(self, number: int) -> None:
        return None


def main() -> None:
    """Fork one engine for each line; answer with how it ended."""
    trust()
    gc.freeze()
    for line in sys.stdin:
        folder, url, when, count = line.split()
        pid = os.fork()
        if pid == 0:
            asyncio.run(live(Path(folder), url, when, int(count)))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        ended = "killed" if killed else f"exit {os.waitstatus_to_exitcode(status)}"
        print(ended, flush=True)


if __name__ == "__main__":
    main()
