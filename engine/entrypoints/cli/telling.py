"""One word of a person to one run, wherever that run is driven.

Read by: answering.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from engine.bootstrap import Engine, engine
from engine.entrypoints.cli.choosing import known_library
from engine.entrypoints.cli.following import Follower
from engine.entrypoints.cli.screen import FINE, PROBLEMS, say, tell
from engine.errors import EngineError
from engine.model.events import Event
from engine.model.people import Actor
from engine.model.run import ENDS
from engine.model.timeline import Entry
from engine.runtime.heard import (
    HEARD_SECONDS,
    POLL_SECONDS,
    heard,
    waited_for,
    why_not_counted,
)
from engine.views.escape import visible
from engine.views.terminal import progress_line

if TYPE_CHECKING:
    from engine.config import Config

Say = Callable[[Engine, Actor], Awaitable[Any]]
SETTLE_SECONDS: Final = 30.0  # for what our answer sets in motion


async def told(
    config: "Config", run: str, who: str, what: Say, *, to_the_end: bool
) -> int:
    """Tell a run; say what came of it; return the exit code.

    Raises:
        NotFound, DoesNotApply: as the service says.
    """
    follower = Follower(say)
    async with engine(
        config, known_library(config), write=follower.said, listener=follower.changed
    ) as opened:
        await opened.service.summary(run)  # a run that is not there has no lock
        mine = await opened.host.take(run)  # what we read from here on, nobody changes
        summary = await opened.service.summary(run)
        code = await opened.service.driver.ports.compiled(summary.revision)
        by = opened.service.actor(who, "cli", code.runbook)
        if not mine:
            outcome = await _posted(opened, run, by, what)
            if run in opened.host.ours:
                await _settled(follower, run, to_the_end=to_the_end)
            return outcome
        ended = summary.state in ENDS
        await opened.host.start([] if ended else [summary])
        before = len(await opened.store.entries(run))
        await what(opened, by)
        if not ended:
            await _settled(follower, run, to_the_end=to_the_end)
        after = await opened.store.entries(run, after=before)
        now = await opened.service.summary(run)
    if now.state not in ENDS:
        say(f"Nobody drives {run} now. Go on with: runbook resume {run}")
    return _counted(after, by)


async def _settled(follower: Follower, run: str, *, to_the_end: bool) -> None:
    """Wait until nothing is in flight; for a cancel, until it has ended."""
    until = time.monotonic() + SETTLE_SECONDS
    while to_the_end or time.monotonic() < until:
        summary = follower.summaries.get(run)
        if summary is not None and (
            summary.state in ENDS or not (summary.busy or to_the_end)
        ):
            return
        await asyncio.sleep(POLL_SECONDS)


async def _posted(opened: Engine, run: str, by: Actor, what: Say) -> int:
    """Leave the event with whoever drives the run; say what came of it."""
    service, store = opened.service, opened.store
    before = len(await store.entries(run))
    posted: list[int] = []

    async def post(run: str, event: Event) -> None:
        posted.append(await store.post(run, event))

    service.tell = post
    await what(opened, by)

    async def delivered() -> bool:
        if all(number not in posted for number, _, _ in await store.mail([run])):
            return True
        await _take_up(opened, run)
        return False

    if await waited_for(delivered):
        return await _heard(opened, run, by, before)
    now = await service.summary(run)
    if now.state in ENDS:
        raise EngineError(
            f"run '{run}' ended as {now.state.replace('_', ' ')} before it took that. "
            f"See: runbook timeline {run}"
        )
    tell(
        f"The process that drives {run} has not taken it within {HEARD_SECONDS:g}s; it "
        f"is in its mailbox. See: runbook timeline {run}"
    )
    return PROBLEMS


async def _take_up(opened: Engine, run: str) -> None:
    """Drive the run where whoever drove it has let it go before taking our event."""
    summary = await opened.service.summary(run)
    if summary.state in ENDS or run in opened.host.ours:
        return
    if await opened.host.take(run):
        await opened.host.start([summary])


async def _heard(opened: Engine, run: str, by: Actor, before: int) -> int:
    after = await opened.store.entries(run, after=before)
    mine = heard(after, by)
    if not mine:
        raise EngineError(f"run '{run}' did not take it: it asks something else by now")
    for entry in mine:
        line = progress_line(entry)
        if line is not None:
            say(line)
    return _counted(mine, by)


def _counted(entries: list[Entry], by: Actor) -> int:
    """An answer that does not count is a problem, and says why."""
    why = why_not_counted(entries, by)
    if why:
        tell(f"It does not count: {visible(why)}")
    return PROBLEMS if why else FINE
