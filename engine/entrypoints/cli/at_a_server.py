"""What a server does for a command: it starts a run, hears a word, shows a run.

The runs are the server's: leaving the terminal ends nothing. What comes of a word is
told at once, in the lines that the timeline got.

Read by: answering, running, reading; loaded late.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from engine.entrypoints.cli.asking import Reply
from engine.entrypoints.cli.attending import Attended, follower_of, over
from engine.entrypoints.cli.following import Follower
from engine.entrypoints.cli.reaching import Server, at
from engine.entrypoints.cli.screen import FINE, PROBLEMS, say, tell
from engine.errors import EngineError, NoAnswer
from engine.model.people import Question
from engine.model.run import ENDS, RunSummary
from engine.model.timeline import Entry
from engine.views.escape import visible
from engine.views.terminal import progress_line
from engine.views.timeline import entry_of

POLL_SECONDS: Final = 0.3  # between two looks at a run
AWAY_SECONDS: Final = 60.0  # that a server may stay away while its run is watched
Body = Callable[[RunSummary], Mapping[str, Any]]


@asynccontextmanager
async def asked(server: Server) -> AsyncIterator[Server]:
    """Give the server; let its connection go at the end."""
    try:
        yield server
    finally:
        await server.close()


async def summary_of(server: Server, run: str) -> RunSummary:
    """Return one run's line. Raises NotFound, NoAnswer."""
    told = await server.ask("GET", at("runs", run))
    summary: RunSummary = converted(server, told["run"], RunSummary)
    return summary


async def entries_of(server: Server, run: str, *, after: int = 0) -> list[Entry]:
    """Return a run's entries. Raises NotFound, NoAnswer."""
    rows = await server.ask("GET", at("runs", run, "timeline"), query={"after": after})
    try:
        return [entry_of(row) for row in rows]
    except msgspec.ValidationError as error:
        raise EngineError(_other_version(server, error)) from error


def story(server: Server, run: str) -> tuple[RunSummary, list[Entry]]:
    """Return a run and its entries. Raises NotFound, NoAnswer."""

    async def both() -> tuple[RunSummary, list[Entry]]:
        async with asked(server):
            return await summary_of(server, run), await entries_of(server, run)

    return asyncio.run(both())


def converted(server: Server, value: Any, kind: Any) -> Any:
    """Return what a server told as a type of ours. Raises EngineError."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise EngineError(_other_version(server, error)) from error


def _other_version(server: Server, error: Exception) -> str:
    return (
        f"{server.where} answers in words of another version ({error}). "
        "Use the command line of the same version."
    )


# A word to a run


async def said(
    server: Server,
    run: str,
    verb: str,
    body: Body,
    *,
    method: str = "POST",
    to_the_end: bool,
) -> int:
    """Tell a run; say what came of it; return the exit code.

    Raises:
        NotFound, DoesNotApply: as the server says; also where it does not count.
    """
    async with asked(server):
        summary = await summary_of(server, run)
        told = await server.ask(method, at("runs", run, verb), dict(body(summary)))
        for line in told.get("told", ()):
            say(visible(line))
        if not told.get("heard"):
            tell(
                f"The process that drives {run} has not taken it yet; it is in its "
                f"mailbox. See: runbook timeline {run}"
            )
            return PROBLEMS
        if to_the_end:
            await _ended(server, run)
    return FINE


async def _ended(server: Server, run: str) -> None:
    """Show what happens to a run until it has ended."""
    last = len(await entries_of(server, run))
    while True:
        for entry in await entries_of(server, run, after=last):
            last = entry.seq
            line = progress_line(entry)
            if line is not None:
                say(line)
        if (await summary_of(server, run)).state in ENDS:
            return
        await asyncio.sleep(POLL_SECONDS)


# A run from its start to its end


async def start(server: Server, wanted: Mapping[str, Any], *, json_: bool) -> int:
    """Start a run and attend it; return the exit code.

    Raises:
        NotFound, DoesNotApply, NotAllowed: as the server says.
    """
    async with asked(server):
        run = str((await server.ask("POST", "/runs", dict(wanted)))["run"])
        tell(f"{run} is driven by {server.where}")
        return await attended(server, run, json_=json_)


async def attended(server: Server, run: str, *, json_: bool) -> int:
    """Follow a run of the server at this terminal; return the exit code."""
    follower = follower_of(json_=json_)
    hands = Attended(Hands(server), follower)
    follower.changed(await summary_of(server, run), [])
    feed = asyncio.create_task(_fed(server, follower, run, hands))
    try:
        await hands.to_the_end()
    finally:
        feed.cancel()
        await asyncio.gather(feed, return_exceptions=True)
    return over(follower, [run], json_=json_, gone=hands.gone, driver=server.where)


async def _fed(server: Server, follower: Follower, run: str, hands: Attended) -> None:
    """Tell the follower of each change, while the server answers and the run lives."""
    last, since, away = 0, time.monotonic(), False
    while True:
        try:
            entries = await entries_of(server, run, after=last)
            summary = await summary_of(server, run)
        except EngineError as error:
            if not away:
                follower.line(f"{visible(error)} The run is looked for again.")
            away = True
            gone = time.monotonic() - since > AWAY_SECONDS
            if gone or not isinstance(error, NoAnswer):
                hands.lost(run, f"{server.where} does not tell of it any more")
                return
        else:
            since, away = time.monotonic(), False
            last = entries[-1].seq if entries else last
            if entries or summary != follower.summaries.get(run):
                follower.changed(summary, entries)
            if summary.state in ENDS and not entries:
                return
        await asyncio.sleep(POLL_SECONDS)


class Hands:
    """Gives a server what is said at this terminal."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def give(self, run: str, question: Question, reply: Reply) -> None:
        """Answer a question. Raises EngineError: it is not taken."""
        body: dict[str, Any] = {"step": question.key}
        if reply.kind == "answer":
            body["answers"] = dict(reply.answers)
        elif reply.kind == "reject":
            body["reason"] = reply.reason or "said at the terminal"
        else:
            body["typed"] = reply.typed
            body["plan"] = question.plan.hash if question.plan is not None else ""
        await self._server.ask("POST", at("runs", run, reply.kind), body)

    async def cancel(self, run: str) -> None:
        """Stop a run. Raises EngineError: it is not taken."""
        body = {"reason": "Ctrl-C at the terminal"}
        await self._server.ask("POST", at("runs", run, "cancel"), body)
