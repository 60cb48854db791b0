"""One run on one provider: does the next step, and keeps what became of it.

The crash rule: `Shown.sending` is kept before a message goes out and its ref after.
Whoever finds `sending` set (an engine that died, an answer that never came) asks the
provider whether that message arrived, before anything else is sent.

Called by screens, one step at a time for each run.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from engine.core.machine import machine_graph
from engine.errors import ChatDown, ChatRefused, EngineError
from engine.model.chat import Card, Place, Shown
from engine.ports import ChatProvider, ChatStore, Clock
from engine.runtime.chat import cards, rooms, steps
from engine.runtime.chat.rooms import Rules
from engine.runtime.chat.story import Story
from engine.views.graph import graph_dot

log = logging.getLogger(__name__)
replace = msgspec.structs.replace

Draw = Callable[[str], Awaitable[bytes]]  # DOT to PNG; raises EngineError
Invited = Callable[[str, Story], Awaitable[tuple[tuple[str, ...], tuple[str, ...]]]]
Note = Callable[[str, str], Awaitable[None]]  # run, text: into its timeline
Got = TypeVar("Got")
CALL_SECONDS: Final = 10.0  # of one call of a provider, as a total


@dataclass(slots=True)
class Screen:
    """Brings one provider to what the timeline says, step by step.

    Args:
        invited: Returns whom to invite: the provider's ids of accounts and of groups.
        note: Writes a word of ours into a run's timeline.
    """

    provider: ChatProvider
    kept: ChatStore
    rules: Rules
    clock: Clock
    draw: Draw
    invited: Invited
    note: Note
    call_seconds: float = CALL_SECONDS
    _found: dict[str, str] = field(default_factory=dict)  # room names and their ids
    _noted: set[tuple[str, str]] = field(default_factory=set)

    async def room_of(self, step: steps.Send | steps.Draw, shown: Shown) -> str:
        """Return the id of the room that a step posts into.

        Raises:
            ChatDown, ChatRefused: it cannot be told.
        """
        if isinstance(step, steps.Send) and step.room:
            return await self._room(step.room)
        if shown.place is not None:
            return shown.place.room
        if self.rules.channel:
            return await self._room(self.rules.channel)
        raise ChatRefused(
            f"no room at {self.provider.name}: neither the runbook nor the "
            "configuration names one (chat.channel)"
        )

    async def _room(self, called: str) -> str:
        """Return a room's id by its name; what was found is kept."""
        if called not in self._found:
            if len(self._found) > 1000:  # names may come from inputs
                self._found.clear()
            self._found[called] = await self._timed(self.provider.room(called))
        return self._found[called]

    async def do(self, step: steps.Step, shown: Shown, story: Story) -> Shown:
        """Do one step; return what is shown then, kept.

        Raises:
            ChatDown: it was not done, or nobody knows. StoreUnavailable.
        """
        match step:
            case steps.OpenRoom():
                return await self._open_room(shown, story)
            case steps.Send() | steps.Draw():
                return await self._send(step, shown, story)
            case steps.Edit():
                return await self._edit(step, shown, story)
            case steps.SetTopic():
                return await self._topic(step, shown, story)
            case steps.Resume():
                return await self._resume(step, shown, story)
            case steps.Over():
                return await self._keep(replace(shown, over=True))
        return shown

    # Rooms

    async def _open_room(self, shown: Shown, story: Story) -> Shown:
        accounts, groups = await self.invited(self.provider.name, story)
        wanted = rooms.new_room(story, accounts, groups)
        room = await self._timed(self.provider.new_room(wanted))
        digests = shown.digests | {"topic": wanted.topic}
        place = Place(self.provider.name, room)
        return await self._keep(replace(shown, place=place, digests=digests))

    async def _topic(self, step: steps.SetTopic, shown: Shown, story: Story) -> Shown:
        assert shown.place is not None
        try:
            await self._timed(self.provider.topic(shown.place, step.text))
        except ChatRefused as why:
            await self._say_refused(story, "topic", why)
        digests = shown.digests | {"topic": step.text}
        return await self._keep(replace(shown, digests=digests))

    # Messages

    async def _send(
        self, step: steps.Send | steps.Draw, shown: Shown, story: Story
    ) -> Shown:
        place = await self._place(step, shown, story)
        if place is None:
            return await self._skip(step, shown)
        shown = await self._keep(replace(shown, sending=step.key))
        try:
            ref = await self._put(step, place, story)
        except (ChatDown, ChatRefused) as why:
            if not (isinstance(why, ChatRefused) or (why.lasting and _elsewhere(step))):
                raise  # of its own place: the run cannot be shown here now
            await self._say_refused(story, step.key, why)
            return await self._skip(step, shown)
        return await self._arrived(step.key, ref, place, shown, step)

    async def _place(
        self, step: steps.Send | steps.Draw, shown: Shown, story: Story
    ) -> Place | None:
        """Return where a message goes; None: there is no such room elsewhere."""
        name = self.provider.name
        if shown.place is not None and not _elsewhere(step):
            return shown.place
        try:
            return Place(name, await self.room_of(step, shown))
        except (ChatDown, ChatRefused) as why:
            if not _for_good(why):
                raise
            await self._say_refused(story, "room", why)
            if shown.place is not None:
                return None
            if not self.rules.channel:
                raise ChatDown(str(why), lasting=True) from why
        try:
            return Place(name, await self._room(self.rules.channel))
        except ChatRefused as why:
            raise ChatDown(str(why), lasting=True) from why

    async def _put(
        self, step: steps.Send | steps.Draw, place: Place, story: Story
    ) -> str:
        if isinstance(step, steps.Draw):
            return await self._draw(step, place, story)
        post = self.provider.post
        try:
            return await self._timed(post(place, step.card, key=step.key))
        except ChatRefused:
            shorter = cards.shortened(step.card)
            return await self._timed(post(place, shorter, key=step.key))

    async def _draw(self, step: steps.Draw, place: Place, story: Story) -> str:
        machine = machine_graph(story.compiled, title=story.summary.title)
        dot = graph_dot(machine, path=list(step.path))
        try:
            png = await self.draw(dot)
        except EngineError as why:
            raise ChatRefused(str(why)) from why
        name = f"{story.summary.run}-{step.key.rpartition('/')[2]}.png"
        text = cards.marked(story, step.text)
        picture = self.provider.picture
        return await self._timed(
            picture(place, png, name=name, text=text, key=step.key)
        )

    async def _arrived(
        self,
        key: str,
        ref: str,
        place: Place,
        shown: Shown,
        step: steps.Send | steps.Draw | None = None,
    ) -> Shown:
        """Keep that a message has arrived, where, and what it shows if that is known.

        Raises:
            StoreUnavailable: it is found again by its key.
        """
        shown = steps.arrived(shown, key, ref, self.clock.now())
        kind = key.rsplit("/", 2)[1]
        digest = cards.digest(step.card) if isinstance(step, steps.Send) else ""
        if kind == "pinned":
            own = shown.place is not None
            place = place if own else Place(place.provider, place.room, ref)
            shown = replace(shown, place=place, pinned_digest=digest)
        elif kind == "asks" and digest:
            name = key.partition("/")[2]
            shown = replace(shown, digests=shown.digests | {name: digest})
        shown = await self._keep(shown)
        if kind == "pinned" and shown.place is not None and not shown.place.thread:
            await self._pin(shown.place, ref)
        return shown

    async def _pin(self, place: Place, ref: str) -> None:
        try:
            await self._timed(self.provider.pin(place, ref))
        except (ChatDown, ChatRefused) as error:  # it is there, only not pinned
            log.warning("not pinned room=%s error=%s", place.room, error)

    async def _edit(self, step: steps.Edit, shown: Shown, story: Story) -> Shown:
        assert shown.place is not None
        edit = self.provider.edit
        try:
            await self._timed(edit(shown.place, step.ref, step.card))
        except ChatRefused:
            try:
                await self._timed(
                    edit(shown.place, step.ref, cards.shortened(step.card))
                )
            except ChatRefused as why:
                await self._say_refused(story, step.what, why)
        if step.what == "pinned":
            return await self._keep(replace(shown, pinned_digest=step.digest))
        digests = shown.digests | {step.what: step.digest}
        return await self._keep(replace(shown, digests=digests))

    async def _resume(self, step: steps.Resume, shown: Shown, story: Story) -> Shown:
        """Ask whether the message arrived; if it did not, it is as never sent."""
        kind = step.key.rsplit("/", 2)[1]
        place = shown.place
        if place is None or kind in ("said", "announced"):
            place = await self._place_of_lost(step.key, shown, story)
        ref = None
        if place is not None:
            try:
                ref = await self._timed(self.provider.find(place, step.key))
            except ChatRefused as why:
                await self._say_refused(story, "find", why)
        if ref is None or place is None:
            return await self._keep(replace(shown, sending=""))
        return await self._arrived(step.key, ref, place, shown)

    async def _place_of_lost(
        self, key: str, shown: Shown, story: Story
    ) -> Place | None:
        _, kind, number = key.rsplit("/", 2)
        called = rooms.channel_of(story, self.rules)
        if kind == "said":
            called = str(story.entries[int(number) - 1].refs.get("to", ""))
        probe = steps.Send(key, Card(""), 0, called)
        return await self._place(probe, shown, story)

    async def _skip(self, step: steps.Send | steps.Draw, shown: Shown) -> Shown:
        """Go on without a message that the provider will never take."""
        if step.key.rsplit("/", 2)[1] == "pinned":
            raise ChatDown(
                f"{self.provider.name} takes no message of this run", lasting=True
            )
        given_up = steps.arrived(shown, step.key, steps.GIVEN_UP, shown.posted_at)
        return await self._keep(given_up)

    # Keeping, and what goes wrong

    async def _keep(self, shown: Shown) -> Shown:
        await self.kept.keep(shown)
        return shown

    async def _timed(self, call: Awaitable[Got]) -> Got:
        """Return what a provider answers; no answer in time is a failure."""
        try:
            async with asyncio.timeout(self.call_seconds):
                return await call
        except TimeoutError as error:
            name = self.provider.name
            raise ChatDown(
                f"{name} did not answer within {self.call_seconds:g} s"
            ) from error

    async def _say_refused(self, story: Story, what: str, why: EngineError) -> None:
        """Say it in the timeline, once for each kind of message of a run."""
        run = story.summary.run
        kind = what.rsplit("/", 2)[1] if what.startswith(f"{run}/") else what
        kind = kind.partition("/")[0]
        log.warning("chat refused run=%s what=%s error=%s", run, kind, why)
        if (run, kind) in self._noted:
            return
        if len(self._noted) > 10_000:  # of runs long over
            self._noted.clear()
        self._noted.add((run, kind))
        await self.note(run, f"{self.provider.name} did not take this ({kind}): {why}")


def _elsewhere(step: steps.Send | steps.Draw) -> bool:
    return isinstance(step, steps.Send) and bool(step.room)


def _for_good(why: ChatDown | ChatRefused) -> bool:
    """Return whether it will not mend by itself: of a room, that it is not there."""
    return isinstance(why, ChatRefused) or why.lasting
