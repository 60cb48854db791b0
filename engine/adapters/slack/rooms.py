"""Channels of Slack: found by name, made once, people invited.

A name is looked up in the list of all channels, which is asked for in pages; what was
found is kept for a while. Of a new channel nothing is assumed: made already, invited
already and never to be invited (a guest, somebody who left) are all well.

Called by provider.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from engine.adapters.slack.asking import Ask, SlackApi, SlackSaid
from engine.adapters.slack.texts import safe
from engine.errors import ChatDown, ChatRefused
from engine.model.chat import NewRoom
from engine.model.visible import visible

ID: Final = re.compile(r"[CGD][A-Z0-9]+")  # a name has no capital letter
KEPT_SECONDS: Final = 600.0
PAGE: Final = 999
PAGES: Final = 50
NAME: Final = 80
TOPIC: Final = 250
BATCH: Final = 100
MOST_KEPT: Final = 5000


class Rooms:
    """Channels by their names."""

    def __init__(self, api: SlackApi) -> None:
        """Ask through `api`."""
        self._api = api
        self._known: dict[str, tuple[str, float]] = {}

    async def find(self, called: str) -> str:
        """Return the id of a channel. ChatDown, lasting: there is none to be seen."""
        name = called.strip().removeprefix("#")
        if ID.fullmatch(name):
            return name
        room, at = self._known.get(name, ("", 0.0))
        if room and self._api.clock() - at < KEPT_SECONDS:
            return room
        async with self._api.asking(f"looking for the channel #{name}") as ask:
            found = await self._listed(ask, name)
        if found is None:
            raise ChatDown(
                f"Slack has no channel '#{visible(name, most=80)}' that the app sees: "
                "make it, or invite the app: /invite @runbook",
                lasting=True,
            )
        return found[0]

    async def make(self, room: NewRoom) -> str:
        """Return the id of the channel of this name, with all who can be invited."""
        name = legal(room.name)
        async with self._api.asking(f"making the channel #{name}") as ask:
            found = await self._made(ask, name)
            await ask(
                "conversations.setTopic", channel=found, topic=safe(room.topic, TOPIC)
            )
            people = list(room.accounts)
            for group in room.groups:
                people += await _members(ask, group)
            await _invite(ask, found, dict.fromkeys(people))
        return found

    async def _made(self, ask: Ask, name: str) -> str:
        try:
            answer = await ask("conversations.create", name=name)
            return self._keep(name, str(answer["channel"]["id"]))
        except SlackSaid as said:
            if said.code != "name_taken":
                raise
        found = await self._listed(ask, name, archived=True)
        if found is None:
            raise ChatRefused(f"the channel #{name} is there, but the app is not in it")
        if found[1]:
            raise ChatRefused(f"the channel #{name} is there, and archived")
        return found[0]

    async def _listed(
        self, ask: Ask, name: str, *, archived: bool = False
    ) -> tuple[str, bool] | None:
        """Return a channel's id, and whether it is archived."""
        cursor = ""
        for _ in range(PAGES):
            answer = await ask(
                "conversations.list",
                types="public_channel,private_channel",
                exclude_archived=not archived,
                limit=PAGE,
                cursor=cursor or None,
            )
            for one in _rows(answer.get("channels")):
                if one.get("name") == name:
                    old = bool(one.get("is_archived"))
                    return self._keep(name, str(one["id"])), old
            more = answer.get("response_metadata")
            cursor = (
                str(more.get("next_cursor") or "") if isinstance(more, dict) else ""
            )
            if not cursor:
                break
        return None

    def _keep(self, name: str, room: str) -> str:
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[name] = room, self._api.clock()
        return room


def legal(name: str) -> str:
    """Return a channel's name as Slack takes it: lower case, 80 characters."""
    made = re.sub(r"[^a-z0-9_-]+", "-", name.lower().lstrip("#")).strip("-_")
    return made[:NAME].rstrip("-_") or "incident"


async def direct(ask: Ask, account: str) -> str:
    """Return the room of direct messages with an account."""
    answer = await ask("conversations.open", users=account)
    channel = answer.get("channel")
    return str(channel.get("id", "")) if isinstance(channel, dict) else ""


async def _members(ask: Ask, group: str) -> list[str]:
    try:
        answer = await ask("usergroups.users.list", usergroup=group)
    except SlackSaid:
        return []  # whoever cannot be invited is left out
    found = answer.get("users")
    return [str(one) for one in found] if isinstance(found, list) else []


async def _invite(ask: Ask, room: str, people: Iterable[str]) -> None:
    """Invite in batches; of a batch that is refused each one for themselves."""
    listed = list(people)
    for at in range(0, len(listed), BATCH):
        batch = listed[at : at + BATCH]
        if await _invited(ask, room, batch):
            continue
        for one in batch if len(batch) > 1 else []:
            await _invited(ask, room, [one])


async def _invited(ask: Ask, room: str, people: Sequence[str]) -> bool:
    try:
        users = ",".join(people)
        await ask("conversations.invite", channel=room, users=users, force=True)
    except SlackSaid:
        return False
    return True


def _rows(found: Any) -> list[dict[str, Any]]:
    listed = found if isinstance(found, list) else []
    return [one for one in listed if isinstance(one, dict) and "id" in one]
