"""A run in the hands of whoever sits at this terminal: watched, answered, left.

Ctrl-C asks once: leave the run on disk, cancel it and give back, or go on. A second
one leaves it on disk. Read by: running, at_a_server.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from engine.bootstrap import Engine, engine
from engine.entrypoints.cli.asking import Lines, Reply, ask
from engine.entrypoints.cli.choosing import known_library
from engine.entrypoints.cli.following import Follower, summary_json
from engine.entrypoints.cli.screen import FINE, PROBLEMS, coloured, say, say_json, tell
from engine.errors import EngineError, NotFound
from engine.model.people import Question
from engine.model.run import ENDS, RunSummary
from engine.runtime.service import new_run_id
from engine.views.escape import visible
from engine.views.message import answering_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.config import Config
    from engine.model.alert import Alert
    from engine.model.events import Adopted
    from engine.runtime.library import Bundle, Library

GOOD: Final = ("resolved", "cleared")
MENU: Final = "leave it running on disk, cancel and give back, or go on? "


async def start(
    config: "Config",
    library: "Library",
    bundle: "Bundle",
    given: dict[str, Any],
    who: str,
    *,
    alert: "Alert | None",
    json_: bool,
    did: "Sequence[Adopted]" = (),
) -> int:
    """Start a run and attend it; return the exit code.

    Raises:
        DoesNotApply: an input is missing or wrong; `did` cannot be taken over.
    """
    follower = follower_of(json_=json_)
    async with engine(
        config, library, write=follower.said, listener=follower.changed
    ) as opened:
        run = new_run_id()
        opened.host.begins(run)
        await opened.host.start()
        by = opened.service.actor(who, "cli", bundle.compiled.runbook)
        await opened.service.start(bundle, given, by, alert=alert, run=run, did=did)
        hands = attended(opened, follower, who)
        await hands.to_the_end()
    return over(follower, [run], json_=json_, gone=hands.gone)


async def go_on(config: "Config", runs: list[str], who: str, *, json_: bool) -> int:
    """Take up open runs and attend them; return the exit code.

    Raises:
        NotFound: no such run.
    """
    follower = follower_of(json_=json_)
    async with engine(
        config, known_library(config), write=follower.said, listener=follower.changed
    ) as opened:
        wanted = await _open_runs(opened, runs)
        for one in wanted:
            follower.known(one, await opened.store.entries(one.run))
        taken = await opened.host.start(wanted)
        for one in wanted:
            if one.run not in taken:
                follower.line(f"{one.run} is driven by another process, or has ended")
                follower.summaries.pop(one.run)
        if not taken:
            tell("No run is waiting to be taken up.")
        hands = attended(opened, follower, who)
        await hands.to_the_end()
    return over(follower, taken, json_=json_, gone=hands.gone) if taken else FINE


async def _open_runs(opened: Engine, named: Iterable[str]) -> list[RunSummary]:
    found = await opened.store.runs(open_only=True, limit=10_000)
    if not named:
        return found
    by_name = {one.run: one for one in found}
    for run in named:
        if run not in by_name:
            await opened.service.summary(run)
            raise NotFound(f"run '{run}' has ended; see: runbook timeline {run}")
    return [by_name[run] for run in named]


def attended(opened: Engine, follower: Follower, who: str) -> "Attended":
    """Return what attends the runs of this process."""
    made = Attended(OwnHands(opened, who), follower)
    opened.host.on_gone = made.lost
    return made


def follower_of(*, json_: bool) -> Follower:
    """Return what shows runs: live at a terminal, beside the output for programs."""
    live = coloured() or (sys.stdout.isatty() and not json_)
    return Follower(tell if json_ else say, live=live and not json_)


def over(
    follower: Follower,
    runs: Iterable[str],
    *,
    json_: bool,
    gone: bool,
    driver: str = "",
) -> int:
    """Say how runs ended, or how to go on with them; return the exit code.

    `driver`: who drives them on; left out: nobody does.
    """
    found = [follower.summaries[run] for run in runs if run in follower.summaries]
    if json_:
        say_json([summary_json(one) for one in found])
    else:
        for one in found:
            for line in last_words(one, driver):
                say(line)
    good = not gone and all(one.state in GOOD for one in found)
    return FINE if good else PROBLEMS


def last_words(summary: RunSummary, driver: str = "") -> list[str]:
    """Return how a run ended, or how to go on with it, as lines."""
    run = summary.run
    if summary.state not in ENDS and driver:
        return [f"{run} goes on: {driver} drives it. See: runbook timeline {run}"]
    if summary.state not in ENDS:
        return [f"{run} is left on disk. Go on with: runbook resume {run}"]
    why = f": {visible(summary.why)}" if summary.why else ""
    rows = [f"{run} ended as {summary.state.replace('_', ' ')}{why}"]
    if summary.held:
        names = ", ".join(
            visible(f"{h.action} {h.target}".strip()) for h in summary.held
        )
        rows.append(f"still held: {names}. Take it by name: runbook take {run}")
    rows.append(f"its report: runbook report {run}")
    return rows


class Hands(Protocol):
    """Who takes what is said at the terminal: this process, or a server."""

    async def give(self, run: str, question: Question, reply: Reply) -> None:
        """Answer a question. Raises EngineError: it is not taken."""

    async def cancel(self, run: str) -> None:
        """Stop a run. Raises EngineError: it is not taken."""


class OwnHands:
    """Gives the engine of this process what is said."""

    def __init__(self, opened: Engine, who: str) -> None:
        self._service, self._who = opened.service, who

    async def give(self, run: str, question: Question, reply: Reply) -> None:
        """Answer a question. Raises EngineError: it is not taken."""
        service = self._service
        session = await service.driver.session(run)
        by = service.actor(self._who, "cli", session.compiled.runbook)
        if reply.kind == "answer":
            await service.answer(run, by, reply.answers, step=question.key)
        elif reply.kind != "later":
            plan = question.plan.hash if question.plan is not None else ""
            await service.vote(
                run, by, reply.kind, step=question.key, reason=reply.reason,
                typed=reply.typed, plan=plan,
            )  # fmt: skip

    async def cancel(self, run: str) -> None:
        """Stop a run. Raises EngineError: it is not taken."""
        by = self._service.actor(self._who, "cli")
        await self._service.cancel(run, by, reason="Ctrl-C at the terminal")


class Attended:
    """Runs with somebody at the terminal, or nobody."""

    def __init__(self, hands: Hands, follower: Follower) -> None:
        self._hands, self._follower = hands, follower
        self._lines = Lines() if sys.stdin.isatty() and sys.stdout.isatty() else None
        self._stop = asyncio.Event()
        self._stops = 0
        self._leave = False
        self._asked: set[str] = set()  # questions this terminal has dealt with
        self.gone = False  # a run is driven elsewhere now

    async def to_the_end(self) -> None:
        """Follow every run until it has ended, or is left on disk."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupted, number)
        if self._lines is not None:
            self._lines.open()
        try:
            with self._follower:
                while self._follower.open and not self._leave:
                    await self._one_turn()
        finally:
            if self._lines is not None:
                self._lines.close()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def lost(self, run: str, why: str) -> None:
        """Another engine drives the run: say so, and do not wait for its end here."""
        self.gone = True
        self._follower.line(f"{run} is not driven here any more: {visible(why)}")
        self._follower.summaries.pop(run, None)
        self._follower.news.set()

    def _interrupted(self, number: int) -> None:
        self._stops += 1
        if number == signal.SIGTERM or self._stops > 1 or self._lines is None:
            self._leave = True
        self._stop.set()

    async def _one_turn(self) -> None:
        self._follower.news.clear()
        question = self._next_question()
        if question is not None:
            await self._put(*question)
        else:
            await self._first(self._follower.news.wait())
        if self._stop.is_set() and not self._leave:
            await self._menu()

    def _next_question(self) -> tuple[RunSummary, Question] | None:
        for summary in self._follower.open:
            for question in summary.questions:
                if question.key not in self._asked:
                    return summary, question
        return None

    async def _put(self, summary: RunSummary, question: Question) -> None:
        """Ask here, until it is answered here, elsewhere, or by time."""
        self._asked.add(question.key)
        if self._lines is None or self._lines.over:
            self._follower.line(_elsewhere(summary, question))
            return
        self._follower.hide()
        reply = await self._first(
            ask(self._lines, summary.run, question, say),
            over=lambda: self._is_over(summary.run, question),
        )
        if isinstance(reply, Reply):
            await self._give(summary.run, question, reply)
        elif not self._stop.is_set():
            say("\n(no longer asked)")
        else:
            self._asked.discard(question.key)
        self._follower.show()

    def _is_over(self, run: str, question: Question) -> bool:
        summary = self._follower.summaries[run]
        return all(one.key != question.key for one in summary.questions)

    async def _give(self, run: str, question: Question, reply: Reply) -> None:
        if reply.kind == "later":
            self._follower.line(_elsewhere(self._follower.summaries[run], question))
            return
        try:
            await self._hands.give(run, question, reply)
        except EngineError as error:
            self._follower.line(f"not taken: {visible(error)}")

    async def _menu(self) -> None:
        self._stop.clear()
        self._follower.hide()
        assert self._lines is not None
        self._lines.forget()
        word = await self._first(
            self._lines.line(f"\n{MENU}"), over=lambda: not self._follower.open
        )
        self._stops = 0 if not self._leave else self._stops
        choice = word.lower()[:1] if isinstance(word, str) else "l"
        if choice == "c":
            await self._cancel()
        elif choice != "g":
            self._leave = True
        self._follower.show()

    async def _cancel(self) -> None:
        for summary in self._follower.open:
            with suppress(EngineError):
                await self._hands.cancel(summary.run)

    async def _first(self, work: Any, *, over: Callable[[], bool] | None = None) -> Any:
        """Return what the work gives, or None when Ctrl-C or `over` comes first."""
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self._stop.wait())
        try:
            while not task.done() and not stop.done():
                self._follower.news.clear()
                if over is not None and over():
                    return None
                news = asyncio.ensure_future(self._follower.news.wait())
                await asyncio.wait(
                    {task, stop, news}, return_when=asyncio.FIRST_COMPLETED
                )
                news.cancel()
            return task.result() if task.done() else None
        finally:
            task.cancel()
            stop.cancel()


def _elsewhere(summary: RunSummary, question: Question) -> str:
    groups = ", ".join(group for group, _ in question.who) or "anybody"
    how, run = answering_command(summary.run, question), summary.run
    return f"{run} waits for {visible(groups)}: {visible(question.text)}  [{how}]"
