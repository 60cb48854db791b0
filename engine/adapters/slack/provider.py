"""SlackChat: ports.ChatProvider for one workspace.

What is here: which of Slack's methods each verb of the port is, and which of its errors
are none. What is not: what a card looks like (blocks, modals), how Slack is asked
(asking), rooms (rooms), what people do (inbound, sockets).

A message's ref is its `ts`. Its key is kept as metadata of the message; a picture's in
the file's name, since a file has none.

Built by bootstrap.slack; called by runtime.chat through the port.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from engine.adapters.slack.asking import Ask, SlackApi, SlackSaid
from engine.adapters.slack.blocks import BUDGET, drawn
from engine.adapters.slack.messages import PROVIDER, read_message
from engine.adapters.slack.modals import modal
from engine.adapters.slack.rooms import Rooms, direct
from engine.adapters.slack.shapes import as_map, as_maps, as_text
from engine.adapters.slack.texts import safe
from engine.errors import ChatRefused
from engine.model.chat import Card, Form, Message, NewRoom, Place

EVENT_TYPE: Final = "runbook_card"
LITERAL: Final[Mapping[str, Any]] = {
    "parse": "none",
    "link_names": False,
}  # Slack finds nothing in it
PAGES: Final = 10  # of a room or a thread that are looked through for a key
PAGE: Final = 200
TOPIC: Final = 250
TITLE: Final = 200
BUDGETS: Final = (BUDGET, BUDGET // 3, 0)  # characters; 0: title and buttons alone
TOO_LONG: Final = frozenset({
    "msg_blocks_too_long", "msg_too_long", "invalid_blocks", "invalid_blocks_format",
})  # fmt: skip
ELSEWHERE: Final = frozenset({
    "user_not_in_channel", "not_in_channel", "channel_not_found", "is_archived",
})  # fmt: skip
NOT_THERE: Final = frozenset({"message_not_found", "thread_not_found"})
TOO_LATE: Final = frozenset({
    "expired_trigger_id", "trigger_expired", "exchanged_trigger_id",
    "trigger_exchanged", "invalid_trigger_id", "invalid_trigger",
})  # fmt: skip


class SlackChat:
    """Shows cards in Slack. Every method: ports.ChatProvider."""

    def __init__(
        self, api: SlackApi, *, groups: Mapping[str, str] | None = None
    ) -> None:
        """Ask through `api`; `groups` are Slack's ids of groups by their names."""
        self._api = api
        self._rooms = Rooms(api)
        self._groups = dict(groups or {})

    @property
    def name(self) -> str:
        """Return slack."""
        return PROVIDER

    async def room(self, called: str, /) -> str:
        """Return the id of a channel by its name or id."""
        return await self._rooms.find(called)

    async def new_room(self, room: NewRoom, /) -> str:
        """Return the id of the channel of that name, made if needed; invite all."""
        return await self._rooms.make(room)

    async def post(self, place: Place, card: Card, /, *, key: str) -> str:
        """Post; return the message's ts. Too long for Slack: less of it."""
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": key}}
        more: dict[str, Any] = {"thread_ts": place.thread} if place.thread else {}
        async with self._api.asking(f"posting in {place.room}") as ask:
            answer = await self._show(
                ask,
                "chat.postMessage",
                card,
                post_in=place.room,
                channel=place.room,
                metadata=metadata,
                unfurl_links=False,
                unfurl_media=False,
                mrkdwn=False,
                **more,
            )
            return str(answer.get("ts", ""))

    async def find(self, place: Place, key: str, /) -> str | None:
        """Return the ts of the newest message posted with the key, if it is there."""
        file = _file_name("", key)
        found: str | None = None
        async with self._api.asking(f"looking for a message in {place.room}") as ask:
            async for one in _messages(ask, place):
                if _key(one) == key or _has_file(one, file):
                    ref = str(one.get("ts", ""))
                    found = max(found or "", ref)
                    if not place.thread:
                        break  # a room is told newest first, a thread oldest first
        return found

    async def edit(self, place: Place, ref: str, card: Card, /) -> None:
        """Show this card in the message's place. ChatRefused: it cannot be edited."""
        async with self._api.asking(f"editing a message in {place.room}") as ask:
            await self._show(ask, "chat.update", card, channel=place.room, ts=ref)

    async def pin(self, place: Place, ref: str, /) -> None:
        """Pin a message; pinned already is well."""
        async with self._api.asking(f"pinning a message in {place.room}") as ask:
            try:
                await ask("pins.add", channel=place.room, timestamp=ref)
            except SlackSaid as said:
                if said.code != "already_pinned":
                    raise

    async def topic(self, place: Place, text: str, /) -> None:
        """Set the channel's topic."""
        async with self._api.asking(f"setting the topic of {place.room}") as ask:
            topic = safe(text, TOPIC)
            await ask("conversations.setTopic", channel=place.room, topic=topic)

    async def picture(
        self, place: Place, png: bytes, /, *, name: str, text: str, key: str
    ) -> str:
        """Upload a picture; return its message's ts, or the file's id if not told."""
        file = _file_name(name, key)
        more: dict[str, Any] = {"thread_ts": place.thread} if place.thread else {}
        async with self._api.asking(f"uploading a picture to {place.room}") as ask:
            place_for = await ask(
                "files.getUploadURLExternal", filename=file, length=len(png)
            )
            await ask.upload(str(place_for.get("upload_url", "")), png)
            answer = await ask(
                "files.completeUploadExternal",
                post_in=place.room,
                files=[{"id": place_for.get("file_id"), "title": safe(text, TITLE)}],
                channel_id=place.room,
                **more,
            )
            return _shared(answer, place.room) or str(place_for.get("file_id", ""))

    async def link(self, place: Place, ref: str, /) -> str:
        """Return Slack's permanent link to a message."""
        async with self._api.asking("asking for a link") as ask:
            return await _link(ask, place.room, ref)

    async def whisper(self, place: Place, account: str, card: Card, /) -> None:
        """Show a card to one account alone; directly where it cannot be shown there.

        A place without a room (a shortcut has none) is a direct message.
        """
        async with self._api.asking(f"telling {account} something") as ask:
            if place.room and await self._whispered(ask, place, account, card):
                return
            room = await direct(ask, account)
            await self._show(
                ask, "chat.postMessage", card, post_in=room, channel=room, mrkdwn=False
            )

    async def _whispered(
        self, ask: Ask, place: Place, account: str, card: Card
    ) -> bool:
        """Return whether it could be shown there."""
        given: dict[str, Any] = {"channel": place.room, "user": account}
        given |= {"thread_ts": place.thread} if place.thread else {}
        try:
            await self._show(ask, "chat.postEphemeral", card, **given)
        except SlackSaid as said:
            if said.code in ELSEWHERE:
                return False
            raise
        return True

    async def form(self, trigger: str, form: Form, /) -> None:
        """Open a modal. ChatRefused: the moment for it is over, or it does not fit."""
        view = modal(form)
        async with self._api.asking(f"opening the form '{form.title}'") as ask:
            try:
                await ask("views.open", trigger_id=trigger, view=view)
            except SlackSaid as said:
                if said.code not in TOO_LATE:
                    raise
                raise ChatRefused(
                    "Slack opens a form within 3 seconds only, and they are over: "
                    "ask again"
                ) from said

    async def message(self, place: Place, ref: str, /) -> Message | None:
        """Return a message as it is now; None: it is not there."""
        around: dict[str, Any] = {"oldest": ref, "latest": ref, "inclusive": True}
        async with self._api.asking(f"reading a message of {place.room}") as ask:
            try:
                answer = await ask(
                    "conversations.replies",
                    channel=place.room,
                    ts=place.thread or ref,
                    limit=10,
                    **around,
                )
            except SlackSaid as said:
                if said.code in NOT_THERE:
                    return None
                raise
            for one in as_maps(answer.get("messages")):
                if one.get("ts") == ref and one.get("subtype") != "tombstone":
                    link = await _link(ask, place.room, ref)
                    found = read_message(one, place)
                    return msgspec.structs.replace(found, link=link)
        return None

    async def members(self, group: str, /) -> Sequence[str]:
        """Return the accounts of a user group, by its id."""
        async with self._api.asking(f"asking for the members of {group}") as ask:
            answer = await ask("usergroups.users.list", usergroup=group)
        found = answer.get("users")
        return [str(one) for one in found] if isinstance(found, list) else []

    async def _show(
        self, ask: Ask, method: str, card: Card, **given: Any
    ) -> Mapping[str, Any]:
        """Send a card; where Slack finds it too long, less of it."""
        for budget in BUDGETS:
            one = drawn(card, self._groups, budget=budget)
            try:
                return await ask(
                    method, text=one.text, blocks=one.blocks, **LITERAL, **given
                )
            except SlackSaid as said:
                if said.code not in TOO_LONG or not budget:
                    raise
        raise AssertionError("the last budget returns or raises")


async def _link(ask: Ask, room: str, ref: str) -> str:
    answer = await ask("chat.getPermalink", channel=room, message_ts=ref)
    return as_text(answer.get("permalink"))


async def _messages(ask: Ask, place: Place) -> Any:
    """Yield the messages of a thread, oldest first, or of a room, newest first."""
    method = "conversations.replies" if place.thread else "conversations.history"
    given: dict[str, Any] = {"ts": place.thread} if place.thread else {}
    given |= {"channel": place.room, "limit": PAGE, "include_all_metadata": True}
    for _ in range(PAGES):
        answer = await ask(method, **given)
        for one in as_maps(answer.get("messages")):
            yield one
        cursor = as_map(answer.get("response_metadata")).get("next_cursor")
        if not cursor:
            return
        given["cursor"] = cursor


def _key(found: Mapping[str, Any]) -> object:
    metadata = as_map(found.get("metadata"))
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    return as_map(metadata.get("event_payload")).get("key")


def _file_name(name: str, key: str) -> str:
    """Return a legal file name that holds the key; of no name: its ending."""
    stem = re.sub(r"[^A-Za-z0-9-]+", "-", name.removesuffix(".png")).strip("-")[:80]
    ending = re.sub(r"[^A-Za-z0-9-]+", "-", key)[:120]
    return f"{stem}--{ending}.png"


def _has_file(found: Mapping[str, Any], ending: str) -> bool:
    return any(
        str(one.get("name", "")).endswith(ending) for one in as_maps(found.get("files"))
    )


def _shared(answer: Mapping[str, Any], room: str) -> str:
    """Return the ts of the message that a file stands in, where Slack tells it."""
    for file in as_maps(answer.get("files")):
        for kind in ("public", "private"):
            shares = as_map(as_map(file.get("shares")).get(kind))
            for share in as_maps(shares.get(room)):
                return str(share.get("ts", ""))
    return ""
