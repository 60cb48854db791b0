"""Channels of a Mattermost team: found by name, made for an incident, people invited.

Called by provider.
"""

import asyncio
import hashlib
import re
from collections.abc import Iterable
from typing import Any, Final

from engine.adapters.mattermost.plain import cut, escaped, shown
from engine.adapters.mattermost.server import (
    Denied,
    MattermostServer,
    Visit,
    field_of,
    lasting,
    part,
)
from engine.errors import ChatDown, ChatRefused
from engine.model.chat import NewRoom

ID: Final = re.compile(r"[a-z0-9]{26}")
NAME_LONGEST: Final = 64
SHOWN_LONGEST: Final = 64  # of the display name
HEADER: Final = 1_024  # characters
PURPOSE: Final = 250
AT_ONCE: Final = 4  # invitations
MOST_PEOPLE: Final = 500
PAGE: Final = 200
MOST_PAGES: Final = 20


class Rooms:
    """The channels of the server's team."""

    def __init__(self, server: MattermostServer) -> None:
        self._server = server

    async def found(self, visit: Visit, called: str) -> str:
        """Return the id of a channel, joined if anybody may.

        Raises:
            ChatDown: lasting: no such channel can be seen, or it is archived.
        """
        name = called.strip().lstrip("#~").strip()
        channel = await self._by_id(visit, name) or await self._by_name(visit, name)
        if channel is None:
            raise ChatDown(
                f"Mattermost: no channel '{shown(called)}' in team "
                f"'{self._server.team}' that the bot can see; make it, or invite the "
                "bot into it",
                lasting=True,
            )
        if channel.get("delete_at"):
            words = f"Mattermost: channel '{shown(called)}' is archived"
            raise ChatDown(words, lasting=True)
        room = field_of(channel, "id")
        if channel.get("type") == "O":
            await self.join(visit, room)
        return room

    async def join(self, visit: Visit, room: str) -> None:
        """Make the bot a member, where anybody may be one."""
        me = await self._server.me(visit)
        try:
            await visit.post(f"/channels/{part(room)}/members", {"user_id": me.id})
        except ChatRefused:
            return  # posting there will say what is wrong

    async def made(self, visit: Visit, room: NewRoom) -> str:
        """Return the id of a channel of that name, made if it is not there."""
        name = legal(room.name)
        channel = await self._by_name(visit, name)
        if channel is None:
            channel = await self._create(visit, name, room)
        found = field_of(channel, "id")
        if channel.get("delete_at"):
            await visit.post(f"/channels/{part(found)}/restore", {})
        if channel.get("type") == "O":
            await self.join(visit, found)
        return found

    async def invite(self, visit: Visit, room: str, accounts: Iterable[str]) -> None:
        """Add those who are not there; who cannot be added is left out.

        Raises:
            ChatDown: not all were asked; it may be done again.
        """
        wanted = list(dict.fromkeys(accounts))[:MOST_PEOPLE]
        if not wanted:
            return
        path = f"/channels/{part(room)}/members"
        there = await visit.post(f"{path}/ids", wanted)
        known = {one.get("user_id") for one in there if isinstance(one, dict)}
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(account: str) -> None:
            async with gate:
                try:
                    await visit.post(path, {"user_id": account})
                except ChatRefused:
                    return

        missing = [account for account in wanted if account not in known]
        done = await asyncio.gather(*map(one, missing), return_exceptions=True)
        for failure in done:
            if failure is not None:
                raise failure

    async def topic(self, visit: Visit, room: str, text: str) -> None:
        """Set the header."""
        try:
            await visit.put(f"/channels/{part(room)}/patch", {"header": header(text)})
        except Denied as denied:
            raise (lasting(denied) if denied.closed else denied) from denied

    async def members(self, visit: Visit, group: str) -> list[str]:
        """Return the accounts of a group, every page of them."""
        found: list[str] = []
        for page in range(MOST_PAGES):
            answer = await visit.get(
                f"/groups/{part(group)}/members?page={page}&per_page={PAGE}"
            )
            listed = answer.get("members") if isinstance(answer, dict) else None
            listed = listed if isinstance(listed, list) else []
            found += [field_of(one, "id") for one in listed]
            if len(listed) < PAGE:
                break
        return found

    async def _by_id(self, visit: Visit, called: str) -> dict[str, Any] | None:
        if ID.fullmatch(called) is None:
            return None
        return await self._seen(visit, f"/channels/{called}")

    async def _by_name(self, visit: Visit, name: str) -> dict[str, Any] | None:
        if not name:
            return None
        team = await self._server.team_id(visit)
        path = f"/teams/{part(team)}/channels/name/{part(name)}?include_deleted=true"
        return await self._seen(visit, path)

    async def _seen(self, visit: Visit, path: str) -> dict[str, Any] | None:
        try:
            channel = await visit.get(path)
        except Denied as denied:
            if denied.closed or denied.status == 400:  # no such name
                return None
            raise
        return channel if isinstance(channel, dict) else None

    async def _create(self, visit: Visit, name: str, room: NewRoom) -> dict[str, Any]:
        wanted = {
            "team_id": await self._server.team_id(visit),
            "name": name,
            "display_name": cut(shown(room.name), SHOWN_LONGEST)[:SHOWN_LONGEST],
            "type": "O",
            "header": header(room.topic),
            "purpose": shown(room.topic)[:PURPOSE],
        }
        try:
            channel = await visit.post("/channels", wanted)
        except Denied as denied:
            there = await self._by_name(visit, name)  # somebody was faster
            if there is None:
                raise (lasting(denied) if denied.closed else denied) from denied
            return there
        if not isinstance(channel, dict):
            raise ChatDown("Mattermost: an answer without a channel")
        return channel


def legal(name: str) -> str:
    """Return a name that Mattermost takes for a channel; the same for the same name."""
    kept = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")
    if len(kept) > NAME_LONGEST:
        tail = hashlib.sha256(name.encode()).hexdigest()[:8]
        kept = f"{kept[: NAME_LONGEST - 9].rstrip('-_')}-{tail}"
    if len(kept) < 2 or "__" in kept or re.fullmatch(r"[a-f0-9]{40}", kept):
        return f"room-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    return kept


def header(text: str) -> str:
    """Return a header that shows the text, as much of it as there is room for."""
    most = HEADER
    while len(made := escaped(cut(text, most))) > HEADER:
        most -= len(made) - HEADER
    return made
