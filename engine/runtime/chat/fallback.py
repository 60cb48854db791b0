"""The way out when chat is down: e-mail, SMS, a webhook, a file, the terminal.

When no provider has worked for a while, or none will take a run, what is new in severe
runs and every open question goes to the ways out that the runbook names, else to all.
Each way is a screen, too: what it was told is kept, so nothing is told twice over a
restart. A way out cannot be asked what arrived: an engine that dies while a message is
on its way sends it again. When chat works again each way is told so once.

Drills go nowhere but to chat. No run waits for any of it. Called by bootstrap.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from engine.errors import ChatDown, ChatRefused, EngineError
from engine.model.chat import Shown
from engine.model.people import Question
from engine.model.run import RunSummary
from engine.model.times import time_text
from engine.ports import ChatStore, Clock, Store, WayOut
from engine.runtime.chat import cards
from engine.runtime.chat.links import Links
from engine.runtime.chat.screens import Screens
from engine.runtime.chat.story import Stories, Story
from engine.views.message import answering_command, question_text

log = logging.getLogger(__name__)
replace = msgspec.structs.replace

AFTER_SECONDS: Final = 45.0  # chat fails so long; then a message is out within 60 s
LOOK_SECONDS: Final = 1.0
SEVERE: Final = ("sev1", "sev2")
MOST_OPEN: Final = 1_000_000
LEISURE: Final = 5.0  # times as long as a look at all runs took, to the next one
LINES: Final = 40  # of one message
LONGEST_WAIT: Final = 30.0


@dataclass(slots=True)
class Way:
    """One way out, and whose it is."""

    out: WayOut
    person: str = ""  # only they get links that answer
    failures: int = 0
    try_at: float = 0.0  # monotonic
    done: dict[str, float] = field(default_factory=dict)  # run to its `updated_at`

    @property
    def name(self) -> str:
        """How it is called in what is kept."""
        return f"out.{self.out.name}"


@dataclass(slots=True)
class Fallback:
    """Tells people by other ways while chat is down.

    Args:
        may: Whether a person may answer a question of a run.
    """

    ways: list[Way]
    screens: Sequence[Screens]
    kept: ChatStore
    stories: Stories
    store: Store
    clock: Clock
    links: Links | None
    may: Callable[[str, Story, Question], bool]
    after_seconds: float = AFTER_SECONDS
    posts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _told: dict[str, set[str]] = field(default_factory=dict)  # run to ways, to be said
    _out: dict[str, set[str]] = field(default_factory=dict)  # way to the runs it has
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def add(self, out: WayOut, person: str = "") -> None:
        """Add a way out; before `start`."""
        self.ways.append(Way(out, person))

    async def start(self) -> None:
        """Begin to watch. Raises StoreUnavailable."""
        for way in self.ways:
            runs = {one.run for one in await self.kept.showing(way.name)}
            self._out[way.name] = runs
            for run in runs:
                self._told.setdefault(run, set()).add(way.out.name)
        self._tasks = [asyncio.create_task(self._for_ever(way)) for way in self.ways]

    async def stop(self) -> None:
        """Stop; what waits is sent by the next engine."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Read by the screens

    def words(self, run: str) -> str:
        """Return what the first post after an outage says of it; else nothing."""
        ways = self._told.get(run)
        return f"Chat was down; this went to {', '.join(sorted(ways))}" if ways else ""

    def said(self, run: str) -> None:
        """Take note that it was said."""
        self._told.pop(run, None)

    # When

    def is_down(self) -> bool:
        """Return whether no provider has worked for so long."""
        downs = [one.health.down_for() for one in self.screens]
        return bool(downs) and min(downs) >= self.after_seconds

    def away(self, run: str) -> bool:
        """Return whether a run cannot be followed in chat now."""
        if self.is_down():
            return True
        return bool(self.screens) and all(one.lost(run) > 0 for one in self.screens)

    async def _for_ever(self, way: Way) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self.clock.monotonic() < way.try_at:
                continue
            try:
                await self.look(way)
                way.failures = 0
            except ChatDown as error:
                self._failed(way, error)
            except EngineError as error:
                log.warning("way out %s: nothing sent error=%s", way.out.name, error)
            except Exception:  # a task that ended would never be missed
                log.exception("way out %s failed", way.out.name)

    def _failed(self, way: Way, error: ChatDown) -> None:
        way.failures += 1
        self.posts[way.out.name, "down"] += 1
        if way.failures == 1:
            log.error("a way out fails way=%s error=%s", way.out.name, error)
        wait = min(LONGEST_WAIT, max(error.wait_seconds, 2.0 ** min(way.failures, 5)))
        way.try_at = self.clock.monotonic() + wait

    async def look(self, way: Way) -> None:
        """Bring one way out to what it should know.

        Raises:
            ChatDown: it does not take it now. StoreUnavailable.
        """
        if self.is_down() or any(one.loses_any for one in self.screens):
            began = self.clock.monotonic()
            found = await self._away_now(way)
            took = self.clock.monotonic() - began
            for summary in found:
                await self._bring(way, summary)
            # Where looking takes long (very many runs) it is done less often.
            way.try_at = self.clock.monotonic() + took * LEISURE
        if self._out.get(way.name):
            await self._back(way)

    async def _away_now(self, way: Way) -> list[RunSummary]:
        """Return the runs that a way has to be told of, those that ask first."""
        found = [
            one
            for one in await self.store.runs(open_only=True, limit=MOST_OPEN)
            if one.mode == "live"
            and (one.severity in SEVERE or one.questions)
            and way.done.get(one.run) != one.updated_at
            and self.away(one.run)
        ]
        for run in [*self._out.get(way.name, ())]:  # those that ended meanwhile
            if all(run != one.run for one in found):
                summary = await self.store.summary(run)
                if summary is not None and self._is_news(way, summary):
                    found.append(summary)
        found.sort(key=lambda one: (not one.questions, one.severity, one.started_at))
        return found

    def _is_news(self, way: Way, summary: RunSummary) -> bool:
        new = way.done.get(summary.run) != summary.updated_at
        return new and summary.severity in SEVERE and self.away(summary.run)

    # What

    async def _bring(self, way: Way, summary: RunSummary) -> None:
        story = await self.stories.of(summary.run)
        there = {one.out.name for one in self.ways}
        named = there.intersection(story.runbook.chat.fallback)  # none: all of them
        if named and way.out.name not in named:
            way.done[summary.run] = summary.updated_at
            return
        out = await self.kept.shown(way.name, summary.run)
        if out is None or out.over:
            out = Shown(way.name, summary.run, told=await self._shown_in_chat(story))
        for seq, question in story.open_questions():
            if f"asks/{seq}" not in out.refs:
                text = self._asking(way, story, seq, question)
                title = cards.marked(story, f"Asked: {story.summary.title}")
                out = await self._send(way, out, title, text)
                refs = out.refs | {f"asks/{seq}": "sent"}
                await self._keep(way, replace(out, refs=refs))
                out = replace(out, refs=refs)
        if story.summary.severity in SEVERE:
            await self._news(way, story, out)
        way.done[summary.run] = summary.updated_at

    async def _shown_in_chat(self, story: Story) -> int:
        run, told = story.summary.run, []
        for one in self.screens:
            shown = await self.kept.shown(one.screen.provider.name, run)
            told.append(shown.told if shown is not None else 0)
        return max(told, default=0)

    async def _news(self, way: Way, story: Story, out: Shown) -> None:
        while True:
            new = [one for one in story.after(out.told) if cards.worth_telling(one)]
            if not new:
                return
            batch = new[:LINES]
            one = story.summary
            title = f"{one.severity.upper()} {one.title}: {one.state.replace('_', ' ')}"
            text = "\n".join(cards.told(entry) for entry in batch)
            out = await self._send(way, out, cards.marked(story, title), text)
            out = replace(out, told=batch[-1].seq)
            await self._keep(way, out)

    def _asking(self, way: Way, story: Story, seq: int, question: Question) -> str:
        run, until = story.summary.run, story.until(seq, question)
        text = question_text(question, until=until)
        links = self.links if way.person else None
        if links is not None and self.may(way.person, story, question):
            link = links.link(run, question, way.person, until, asked=seq)
            return f"{text}Answer, as {way.person}, once: {link}\n"
        how = answering_command(run, question, who=way.person or "NAME")
        return f"{text}Answer with: {how}\n"

    async def _send(self, way: Way, out: Shown, title: str, text: str) -> Shown:
        """Send; what is never taken is left out, loudly. Raises ChatDown."""
        if not out.posted_at:
            text = f"{self._why()}\n{text}"
        try:
            await way.out.send(title, text)
            self.posts[way.out.name, "sent"] += 1
        except ChatRefused as error:
            self.posts[way.out.name, "refused"] += 1
            log.error("a way out refuses way=%s error=%s", way.out.name, error)  # noqa: TRY400
        self._told.setdefault(out.run, set()).add(way.out.name)
        return replace(out, posted_at=self.clock.now())

    def _why(self) -> str:
        told = [
            f"{one.screen.provider.name} since {time_text(one.health.failing_at)} UTC"
            for one in self.screens
            if one.health.failing_since is not None
        ]
        failing = ", ".join(told) or "chat takes nothing of this run"
        return f"Chat does not work ({failing}); until it does, word comes here."

    async def _keep(self, way: Way, out: Shown) -> None:
        self._out.setdefault(way.name, set()).add(out.run)
        await self.kept.keep(out)

    # And back

    async def _back(self, way: Way) -> None:
        """Tell a way once that chat works again, for all the runs it was told of."""
        back = [run for run in self._out[way.name] if self._works_for(run)]
        if not back:
            return
        runs = ", ".join(sorted(back)[:10])
        text = f"Chat works again. Follow there: {runs}"
        await self._send(way, Shown(way.name, back[0], posted_at=1.0), text, "")
        for run in back:
            out = await self.kept.shown(way.name, run)
            if out is not None:
                await self.kept.keep(replace(out, over=True))
            self._out[way.name].discard(run)
            way.done.pop(run, None)

    def _works_for(self, run: str) -> bool:
        return any(
            one.health.failing_since is None
            and one.health.worked_at is not None
            and one.lost(run) == 0
            for one in self.screens
        )
