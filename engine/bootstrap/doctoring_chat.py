"""What `doctor` looks at of chat: does it work, is there a room, is there a way out.

It asks each provider for its room, which shows that the token works as well; it posts
nothing. Read by: doctoring.
"""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from engine.bootstrap.chatting import channel_of, chat_providers
from engine.errors import EngineError
from engine.model.health import Finding

if TYPE_CHECKING:
    from engine.config import Config
    from engine.ports import ChatProvider
    from engine.runtime.library import Library

ASKED_SECONDS: Final = 15.0
SEVERE: Final = ("sev1", "sev2")


async def chat(config: "Config", library: "Library") -> list[Finding]:
    """Return what was found; nothing where no chat is configured."""
    said = config.settings.chat
    if said.slack is not None or said.mattermost is not None:
        return [*await _asked(config, library), *_ways_out(config, library)]
    if not said.fallback:
        return []
    told = "ways out are configured, and no chat that could fail"
    return [Finding("warn", "chat", told, "Add chat.slack or chat.mattermost.")]


async def _asked(config: "Config", library: "Library") -> list[Finding]:
    found: list[Finding] = []
    async with chat_providers(config) as providers:
        for name, provider in providers.items():
            common = channel_of(config, name)
            rooms = {common, *_named(library)} - {""}
            if not rooms:
                told = "no channel: neither chat nor any runbook names one"
                found.append(Finding("fail", name, told, f"Set chat.{name}.channel."))
            found += [await _room(name, provider, room) for room in sorted(rooms)]
    return found


async def _room(name: str, provider: "ChatProvider", room: str) -> Finding:
    try:
        async with asyncio.timeout(ASKED_SECONDS):
            found = await provider.room(room)
    except TimeoutError:
        told = f"it did not answer within {ASKED_SECONDS:g} s"
        return Finding("fail", name, told, "Is its address right, and the network up?")
    except EngineError as error:
        do = "Runs would go to the ways out at once."
        return Finding("fail", name, f"{room}: {error}", do)
    return Finding("ok", name, f"the token works, and #{room} is there ({found})")


def _named(library: "Library") -> set[str]:
    """Return the rooms that runbooks name, where the name needs no input."""
    rooms = {one.chat.channel or "" for one in library.runbooks.values()}
    return {room for room in rooms if "{" not in room}


def _ways_out(config: "Config", library: "Library") -> Iterator[Finding]:
    ways = config.settings.chat.fallback
    severe = [
        one.runbook for one in library.runbooks.values() if one.severity in SEVERE
    ]
    if not ways:
        told = "no way out: while chat is down nobody is told of anything"
        if severe:
            told += f", sev1 and sev2 included ({', '.join(sorted(severe)[:3])})"
        state = "fail" if severe else "warn"
        yield Finding(state, "chat.fallback", told, "Name one in chat.fallback.")  # type: ignore[arg-type]
        return
    for name, one in library.runbooks.items():
        strangers = [way for way in one.chat.fallback if way not in ways]
        if strangers:
            told = f"it names '{strangers[0]}', which is no way out"
            do = f"There are: {', '.join(ways)}."
            yield Finding("fail", f"chat.fallback of {name}", told, do)
    linked = sorted({one.person for one in ways.values() if one.person})
    told = f"{', '.join(ways)}; links that answer go to {', '.join(linked) or 'nobody'}"
    yield Finding("ok", "chat.fallback", told)
