"""ports.ChatProvider for one Mattermost server.

What is here: posts and their keys, one a second and room; edits that keep the key; what
only one account sees. What is not: how a card looks (drawing), channels (rooms),
requests (server), what people do (hearing, listening).

A post carries its key in `props`, where a search after a crash finds it. One whose
answer was lost goes out again under the same `pending_post_id`: within half a minute
Mattermost takes it for the same post.

Built by the package's `mattermost_ways`; called by runtime.chat through the port.
"""

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from secrets import token_hex
from typing import Any, Final

import httpx

from engine.adapters.mattermost.drawing import Drawn, drawn
from engine.adapters.mattermost.forms import dialog
from engine.adapters.mattermost.plain import cut, escaped, shown
from engine.adapters.mattermost.reading import message_of, text_in, whole_in
from engine.adapters.mattermost.rooms import Rooms
from engine.adapters.mattermost.server import (
    Denied,
    MattermostServer,
    Visit,
    field_of,
    lasting,
    part,
)
from engine.adapters.mattermost.settings import NAME
from engine.adapters.mattermost.signing import Signer
from engine.errors import ChatDown, ChatRefused, SecretMissing
from engine.model.chat import Card, Form, Message, NewRoom, Place
from engine.ports import POST_SECONDS

KEY: Final = "runbook_key"  # in a post's props
PAGE: Final = 200
MOST_PAGES: Final = 5  # of a room's posts, looked through for a key
MOST_KNOWN: Final = 2_000  # posts whose props are remembered
DIRECT_SECONDS: Final = 600.0  # after a refusal, whispers go by direct message
CAPTION: Final = 4_000

Json = dict[str, Any]


class MattermostChat:
    """Shows cards in one team. Raises ChatDown, ChatRefused, and nothing else."""

    def __init__(
        self,
        server: MattermostServer,
        signer: Signer,
        *,
        callback: str | None = None,
        groups: Mapping[str, str] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Post through `server`.

        Args:
            callback: Where Mattermost reaches this engine; None: no buttons, no forms.
            groups: The ids of groups there, by the engine's names for them.
            sleep: For tests.
        """
        self._server, self._signer, self._rooms = server, signer, Rooms(server)
        self._callback = callback.rstrip("/") if callback else None
        self._groups = groups or {}
        self._sleep = sleep
        self._next: dict[str, float] = {}  # room: when it may have its next post
        self._props: OrderedDict[str, Json] = OrderedDict()
        self._handles: dict[str, str] = {}  # group's id: how it is mentioned
        self._unsure: OrderedDict[str, str] = OrderedDict()  # posts without an answer
        self._direct_until = 0.0

    @property
    def name(self) -> str:
        """Return `mattermost`."""
        return NAME

    async def room(self, called: str, /) -> str:
        """Return the id of a channel by its name or id."""
        return await self._rooms.found(self._server.visit(), called)

    async def new_room(self, room: NewRoom, /) -> str:
        """Return the id of a channel of that name, made if need be; invite all."""
        visit = self._server.visit()
        made = await self._rooms.made(visit, room)
        accounts = list(room.accounts)
        for group in room.groups:
            try:
                accounts += await self._rooms.members(visit, group)
            except ChatRefused:
                continue  # no such group, or groups are not in its licence
        await self._rooms.invite(visit, made, accounts)
        return made

    async def post(self, place: Place, card: Card, /, *, key: str) -> str:
        """Post; return the post's id."""
        visit = self._server.visit()
        made = await self._draw(visit, place, card)
        body = {"message": made.message, "props": {"attachments": made.attachments}}
        return await self._posted(visit, place, body, key)

    async def find(self, place: Place, key: str, /) -> str | None:
        """Return the id of the newest post with the key, if it arrived."""
        visit = self._server.visit()
        me = await self._server.me(visit)
        paths = [f"/posts/{part(place.thread)}/thread"] if place.thread else [
            f"/channels/{part(place.room)}/posts?page={page}&per_page={PAGE}"
            for page in range(MOST_PAGES)
        ]  # fmt: skip
        for path in paths:
            posts = await self._listed(visit, path, gone=bool(place.thread))
            ours = [one for one in posts if _is(one, me.id, key)]
            if ours:
                return text_in(
                    max(ours, key=lambda one: whole_in(one, "create_at")), "id"
                )
            if len(posts) < PAGE:
                break
        return None

    async def edit(self, place: Place, ref: str, card: Card, /) -> None:
        """Show this card in place of what the post shows."""
        visit = self._server.visit()
        made = await self._draw(visit, place, card)
        kept = self._props.get(ref)
        if kept is None:
            kept = self._keep(await visit.get(f"/posts/{part(ref)}"))
        props = {**kept, "attachments": made.attachments}
        patch = {"message": made.message, "props": props}
        self._keep(await visit.put(f"/posts/{part(ref)}/patch", patch))

    async def pin(self, place: Place, ref: str, /) -> None:
        """Pin a post; pinned already is well."""
        await self._server.visit().post(f"/posts/{part(ref)}/pin", {})

    async def topic(self, place: Place, text: str, /) -> None:
        """Set the channel's header."""
        await self._rooms.topic(self._server.visit(), place.room, text)

    async def picture(
        self, place: Place, png: bytes, /, *, name: str, text: str, key: str
    ) -> str:
        """Upload a picture and post it; return the post's id."""
        visit = self._server.visit()
        form = httpx.Request(
            "POST", self._server.url, data={"channel_id": place.room},
            files={"files": (shown(name), png, "image/png")},
        )  # fmt: skip
        try:
            found = await visit.ask(
                "POST", "/files", raw=form.read(), kind=form.headers["content-type"]
            )
        except Denied as denied:
            raise (lasting(denied) if denied.closed else denied) from denied
        infos = found.get("file_infos") if isinstance(found, dict) else None
        ids = [field_of(one, "id") for one in infos or ()]
        body = {"message": escaped(cut(text, CAPTION)), "file_ids": ids, "props": {}}
        return await self._posted(visit, place, body, key)

    async def link(self, place: Place, ref: str, /) -> str:
        """Return a permalink; nothing is asked for it."""
        return f"{self._server.url}/{part(self._server.team)}/pl/{part(ref)}"

    async def whisper(self, place: Place, account: str, card: Card, /) -> None:
        """Show a card to one account alone; where that is not allowed, write to it."""
        visit = self._server.visit()
        made = await self._draw(visit, place, card)
        props = {"attachments": made.attachments}
        post = {
            "channel_id": place.room, "root_id": place.thread,
            "message": made.message, "props": props,
        }  # fmt: skip
        if self._server.clock() >= self._direct_until:
            try:
                body = {"user_id": account, "post": post}
                await visit.post("/posts/ephemeral", body)
            except Denied as denied:
                if denied.status == 403:  # the bot may not, ever
                    self._direct_until = self._server.clock() + DIRECT_SECONDS
            else:
                return
        me = await self._server.me(visit)
        direct = await visit.post("/channels/direct", [me.id, account])
        post |= {"channel_id": field_of(direct, "id"), "root_id": ""}
        await visit.post("/posts", post)

    async def form(self, trigger: str, form: Form, /) -> None:
        """Open a dialog for whoever the trigger came from. Raises ChatRefused: late."""
        if self._callback is None:
            raise ChatRefused("Mattermost: forms need `chat.mattermost.callback`")
        try:
            body = dialog(trigger, form, signer=self._signer, callback=self._callback)
        except SecretMissing as error:
            raise ChatDown(f"Mattermost: {error}", lasting=True) from error
        try:
            await self._server.visit().post("/actions/dialogs/open", body)
        except Denied as denied:
            raise ChatRefused(
                f"{denied}. A form opens within 3 s; ask again"
            ) from denied

    async def message(self, place: Place, ref: str, /) -> Message | None:
        """Return a post as it is now; None: it is not there, or not for us."""
        try:
            post = await self._server.visit().get(f"/posts/{part(ref)}")
        except Denied as denied:
            if denied.closed:
                return None
            raise
        found = post if isinstance(post, dict) else {}
        return message_of(found, self._server.url, self._server.team)

    async def members(self, group: str, /) -> Sequence[str]:
        """Return the accounts of a group, by its id."""
        return await self._rooms.members(self._server.visit(), group)

    async def _draw(self, visit: Visit, place: Place, card: Card) -> Drawn:
        mentions = [await self._handle(visit, one) for one in card.loud]
        try:
            return drawn(
                card, signer=self._signer, callback=self._callback,
                thread=place.thread, mentions=[one for one in mentions if one],
            )  # fmt: skip
        except SecretMissing as error:
            raise ChatDown(f"Mattermost: {error}", lasting=True) from error

    async def _handle(self, visit: Visit, group: str) -> str:
        """Return how a group is mentioned; empty where the chat does not know it."""
        known = self._groups.get(group)
        if known is None:
            return ""
        if known not in self._handles:
            try:
                found = await visit.get(f"/groups/{part(known)}")
            except ChatRefused:
                return ""
            if not isinstance(found, dict) or found.get("allow_reference") is not True:
                return ""  # somebody may allow it later
            self._handles[known] = text_in(found, "name")
        return self._handles[known]

    async def _posted(self, visit: Visit, place: Place, body: Json, key: str) -> str:
        me = await self._server.me(visit)
        body["props"][KEY] = key
        body |= {"channel_id": place.room, "root_id": place.thread}
        same = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        body["pending_post_id"] = f"{me.id}:{self._unsure.get(same) or token_hex(8)}"
        await self._turn(visit, place.room)
        self._unsure[same] = body["pending_post_id"].partition(":")[2]
        while len(self._unsure) > MOST_KNOWN:
            self._unsure.popitem(last=False)
        try:
            post = await self._sent(visit, place, body)
        except Denied as denied:
            root_gone = "root_id" in denied.error_id or "parent_id" in denied.error_id
            raise (
                lasting(denied) if denied.closed or root_gone else denied
            ) from denied
        del self._unsure[same]
        self._keep(post)
        return field_of(post, "id")

    async def _sent(self, visit: Visit, place: Place, body: Json) -> Any:
        try:
            return await visit.post("/posts", body)
        except Denied as denied:
            if denied.status != 403:
                raise
            await self._rooms.join(visit, place.room)  # it may just not be a member
            return await visit.post("/posts", body)

    async def _turn(self, visit: Visit, room: str) -> None:
        """Wait until the room may have its next post. ChatDown: too many wait."""
        now = self._server.clock()
        at = max(now, self._next.get(room, 0.0))
        if at >= visit.ends_at:
            words = "Mattermost: too many posts wait for this room"
            raise ChatDown(words, wait_seconds=at - now)
        if len(self._next) > MOST_KNOWN:
            self._next = {one: end for one, end in self._next.items() if end > now}
        self._next[room] = at + POST_SECONDS
        if at > now:
            await self._sleep(at - now)

    async def _listed(self, visit: Visit, path: str, *, gone: bool) -> list[Json]:
        try:
            answer = await visit.get(path)
        except Denied as denied:
            if denied.status == 404 and gone:  # so is what hung on it
                return []
            raise (lasting(denied) if denied.closed else denied) from denied
        posts = answer.get("posts") if isinstance(answer, dict) else None
        listed = posts.values() if isinstance(posts, dict) else ()
        return [one for one in listed if isinstance(one, dict)]

    def _keep(self, post: Any) -> Json:
        """Remember a post's props without what it shows; return them."""
        found = post if isinstance(post, dict) else {}
        props = found.get("props") if isinstance(found.get("props"), dict) else {}
        kept = {
            name: one for name, one in (props or {}).items() if name != "attachments"
        }
        self._props[text_in(found, "id")] = kept
        while len(self._props) > MOST_KNOWN:
            self._props.popitem(last=False)
        return kept


def _is(post: Json, me: str, key: str) -> bool:
    props = post.get("props")
    there = isinstance(props, dict) and props.get(KEY) == key
    return there and post.get("user_id") == me and not post.get("delete_at")
