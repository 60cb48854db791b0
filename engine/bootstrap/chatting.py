"""Chat, as the configuration has it: providers, ways out, links. Called by opening."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from engine.adapters.hold_file import HoldFile
    from engine.adapters.mattermost import MattermostWays
    from engine.adapters.sqlite import SqliteStore
    from engine.adapters.terminal import TerminalChat
    from engine.config import Config
    from engine.config.chatting import WayOut as WayOutSettings
    from engine.hosts.local import LocalHost
    from engine.model.people import Question
    from engine.ports import ChatProvider, Clock, Secrets, WayOut, Web
    from engine.runtime.chat.chatting import Chatting
    from engine.runtime.chat.desk import Desk
    from engine.runtime.chat.fallback import Fallback
    from engine.runtime.chat.links import Links
    from engine.runtime.chat.people import People
    from engine.runtime.chat.screen import Invited
    from engine.runtime.chat.screens import Screens
    from engine.runtime.chat.story import Stories, Story
    from engine.runtime.library import Bundle
    from engine.runtime.on_call import OnCall
    from engine.runtime.service import Service

LINK_KEY: Final = "answer-links.key"


def providers(
    config: "Config", secrets: "Secrets", web: "Web"
) -> "dict[str, ChatProvider]":
    """Return each chat that is configured, with nothing asked of it yet."""
    return _providers(config, secrets, web)[0]


def _providers(
    config: "Config", secrets: "Secrets", web: "Web"
) -> "tuple[dict[str, ChatProvider], MattermostWays | None]":
    from engine.bootstrap.mattermost import mattermost_ways
    from engine.bootstrap.people import mentioned
    from engine.bootstrap.slack import slack_provider

    said = config.settings.chat
    found: dict[str, ChatProvider] = {}
    ways = None
    if said.slack is not None:
        found["slack"] = slack_provider(said.slack, secrets, mentioned(config, "slack"))
    if said.mattermost is not None:
        ways = mattermost_ways(said.mattermost, secrets, web, config.settings.groups)
        found["mattermost"] = ways.provider
    return found, ways


@asynccontextmanager
async def chat_providers(
    config: "Config",
) -> "AsyncIterator[dict[str, ChatProvider]]":
    """Give each chat that is configured, to be looked at; nothing is posted."""
    from engine.bootstrap.kinds import door
    from engine.bootstrap.parts import secrets

    web = door(config)
    try:
        yield providers(config, secrets(config), web)
    finally:
        await web.aclose()


def channel_of(config: "Config", provider: str) -> str:
    """Return where a provider shows runs whose runbook names no channel."""
    chosen = getattr(config.settings.chat, provider, None)
    return (chosen.channel or "") if chosen is not None else ""


def chatting(
    config: "Config",
    service: "Service",
    host: "LocalHost",
    store: "SqliteStore",
    secrets: "Secrets",
    web: "Web",
    switch: "HoldFile",
    terminal: "TerminalChat",
    on_call: "OnCall",
) -> "Chatting | None":
    """Return all of chat, not begun; None: the configuration names none.

    What no run says goes through it as well, beside the terminal.
    """
    known, mattermost = _providers(config, secrets, web)
    if not known:
        return None
    from engine.bootstrap.people import people
    from engine.runtime.chat.chatting import Chatting
    from engine.runtime.chat.notices import Notices
    from engine.runtime.chat.replying import Replying
    from engine.runtime.chat.story import Stories

    clock = service.driver.ports.clock
    stories = Stories(store, service.driver.ports.compiled, on_call)
    everybody = people(config, known, clock)
    screens = [
        _screens(config, one, stories, service, host, store, everybody)
        for one in known.values()
    ]
    links = _links(config, clock)
    fallback = _fallback(config, screens, stories, store, clock, links, everybody)
    for name, way in config.settings.chat.fallback.items():
        out = way_out(config, name, way, secrets, web, terminal.write)
        fallback.add(out, way.person or "")
    for one in screens:
        one.away = fallback
    if config.settings.people:
        service.people = everybody.grouped
    desk = _desk(config, service, host, store, everybody, known, stories, switch)
    hear = Replying(desk, known).hear
    host.says_also({
        one.screen.provider.name: Notices(one, store) for one in screens
    })  # fmt: skip
    return Chatting(screens, hear, mattermost, fallback, links, everybody)


def _desk(
    config: "Config",
    service: "Service",
    host: "LocalHost",
    store: "SqliteStore",
    everybody: "People",
    known: "dict[str, ChatProvider]",
    stories: "Stories",
    switch: "HoldFile",
) -> "Desk":
    """Return what hears people, under their own rights."""
    from engine.bootstrap.dry_running import dry_lines
    from engine.runtime.chat.asking import Around
    from engine.runtime.chat.desk import Desk

    clock = service.driver.ports.clock

    async def dry_run(
        bundle: "Bundle", given: "Mapping[str, Any]", who: str
    ) -> list[str]:
        return await dry_lines(config, service.library, bundle, given, who)

    around = Around(
        service, store.chat, stories, everybody, known, clock, switch,
        stories.on_call, host, dry_run,
        pin=config.settings.chat.pin,
    )  # fmt: skip
    return Desk(around)


def _screens(
    config: "Config",
    provider: "ChatProvider",
    stories: "Stories",
    service: "Service",
    host: "LocalHost",
    store: "SqliteStore",
    everybody: "People",
) -> "Screens":
    from engine.model.events import Noted
    from engine.model.people import ENGINE
    from engine.runtime.chat.chatting import noting
    from engine.runtime.chat.health import Health
    from engine.runtime.chat.rooms import Rules
    from engine.runtime.chat.screen import Screen
    from engine.runtime.chat.screens import Screens

    async def tell(run: str, text: str) -> None:
        text = service.redactor.text(text)
        await host.told(run, Noted(by=ENGINE, text=text))

    clock = service.driver.ports.clock
    said = config.settings.chat
    rules = Rules(
        provider.name,
        channel_of(config, provider.name),
        tuple(said.own_channel),
        said.update_every.total_seconds(),
    )
    screen = Screen(
        provider, store.chat, rules, clock, _drawn, _invited(everybody), noting(tell)
    )
    return Screens(screen, stories, store, Health(clock, provider.name))


async def _drawn(dot: str) -> bytes:
    """Return a picture, drawn beside the loop; a large one is given up, not awaited."""
    from engine.bootstrap.parts import picture

    return await asyncio.to_thread(picture, dot, "png")


def _invited(everybody: "People") -> "Invited":
    """Return what tells whom to invite into the room of a run."""
    from engine.runtime.service import groups_of

    async def invited(
        provider: str, story: "Story"
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return await everybody.invited(groups_of(story.runbook), provider)

    return invited


def _links(config: "Config", clock: "Clock") -> "Links":
    from engine.adapters.key_file import KeyFile
    from engine.runtime.chat.links import Links

    base = config.settings.chat.link or f"http://{config.settings.server.listen}"
    return Links(base, KeyFile(config.data / LINK_KEY).key, clock.now)


def _fallback(
    config: "Config",
    screens: "list[Screens]",
    stories: "Stories",
    store: "SqliteStore",
    clock: "Clock",
    links: "Links",
    everybody: "People",
) -> "Fallback":
    from engine.runtime.chat.fallback import Fallback

    def may(person: str, story: "Story", question: "Question") -> bool:
        return everybody.may_answer(person, question, story.summary.requester)

    return Fallback(
        [], screens, store.chat, stories, store, clock, links, may,
        config.settings.chat.fallback_after.total_seconds(),
    )  # fmt: skip


def way_out(
    config: "Config",
    name: str,
    settings: "WayOutSettings",
    secrets: "Secrets",
    web: "Web",
    write: Callable[[str], None],
) -> "WayOut":
    """Return one way out, with nothing sent yet."""
    from engine.adapters.ways_out import AppriseWay, FileWay, TerminalWay, WebhookWay

    def read(value: object) -> Callable[[], str]:
        if isinstance(value, str):
            return lambda: value
        return lambda: secrets.get(str(getattr(value, "secret", "")))

    if settings.apprise is not None:
        return AppriseWay(name, read(settings.apprise))
    if settings.webhook is not None:
        return WebhookWay(name, read(settings.webhook), web)
    if settings.file is not None:
        place = config.file_of(f"chat.fallback.{name}.file", settings.file)
        return FileWay(name, Path(str(place)))
    return TerminalWay(name, write)
