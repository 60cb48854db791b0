"""What the app is told, and what its answers do: events, retries, replies.

Called by: people (gestures), server (response_url), workspace (events).
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

from chat.arguments import Arguments
from chat.bodies import event_callback
from chat.delivery import Attempt, Delivery, Kind, Post, Sign, Way
from chat.limits import check_view
from chat.methods_chat import bot_message, given_message
from chat.sockets import Sockets
from chat.things import Json, Message, Refused
from chat.workspace import View, Workspace

RETRIES: Final = (0.0, 60.0, 300.0)  # seconds before each further try of an event
RESPONSES: Final = 5
RESPONSE_SECONDS: Final = 1800.0
SUBSCRIBED: Final = frozenset({
    "app_mention", "message.channels", "message.groups", "message.im",
    "reaction_added", "reaction_removed", "file_shared", "member_joined_channel",
})  # fmt: skip
KINDS: Final = {"channel": "channels", "group": "groups", "im": "im"}


@dataclass
class ResponseUrl:
    """Where an app may answer an interaction: five times within half an hour."""

    channel: str
    user: str
    made: float
    message: Message | None = None
    used: int = 0


class Courier:
    """Brings bodies to the app, over HTTP or, where `socket_mode`, over websockets."""

    def __init__(self, workspace: Workspace, post: Post, sockets: Sockets,
                 ticks: Callable[[], float]) -> None:  # fmt: skip
        self.workspace = workspace
        self.post = post
        self.sockets = sockets
        self.socket_mode = False
        self.deliveries: list[Delivery] = []
        self.subscribed = set(SUBSCRIBED)
        self.retry_seconds = RETRIES
        self.response_urls: dict[str, ResponseUrl] = {}
        self._ticks = ticks
        self._sign: Sign = "good"
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def way(self) -> Way:
        """Return the way that is switched on."""
        return self.sockets if self.socket_mode else self.post

    @contextmanager
    def signing(self, sign: Sign) -> Iterator[None]:
        """Sign what starts in the block so."""
        self._sign = sign
        try:
            yield
        finally:
            self._sign = "good"

    def event(self, event: Json) -> None:
        """Tell the app of an event, if it subscribed to it and is in the channel."""
        if self._wanted(event):
            self.start("events_api", event_callback(self.workspace, event))
        if self._mentions(event):
            kept = {key: value for key, value in event.items()
                    if key not in ("channel_type", "subtype")}  # fmt: skip
            told = kept | {"type": "app_mention"}
            self.start("events_api", event_callback(self.workspace, told))

    def _wanted(self, event: Json) -> bool:
        kind = event["type"]
        if kind == "message":
            kind = f"message.{KINDS[event['channel_type']]}"
        return kind in self.subscribed and self._inside(event)

    def _inside(self, event: Json) -> bool:
        where = event.get("channel") or event.get("channel_id") or event["item"]
        channel = where["channel"] if isinstance(where, dict) else where
        return self.workspace.bot.id in self.workspace.channels[channel].members

    def _mentions(self, event: Json) -> bool:
        bot = f"<@{self.workspace.bot.id}>"
        by_person = event.get("user") != self.workspace.bot.id
        said = event["type"] == "message" and event.get("subtype", "file_share")
        return (
            said == "file_share"
            and by_person
            and bot in event["text"]
            and event["channel_type"] != "im"
            and "app_mention" in self.subscribed
            and self._inside(event)
        )

    def start(self, kind: Kind, body: Json) -> Delivery:
        """Begin to bring a body to the app; return what will become of it."""
        delivery = Delivery(kind, body, str(uuid4()), self._sign)
        self.deliveries.append(delivery)
        task = asyncio.get_running_loop().create_task(self._course(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return delivery

    async def deliver(self, kind: Kind, body: Json) -> Delivery:
        """Bring a body to the app; return after the first try."""
        delivery = self.start(kind, body)
        await delivery.tried.wait()
        return delivery

    async def again(self, delivery: Delivery, *, sign: Sign = "good") -> Attempt:
        """Bring the same body once more, as Slack does when an answer got lost.

        The same event id, envelope id, trigger and action_ts; events carry the
        number of the retry.
        """
        retry = delivery.last.retry + 1 if delivery.kind == "events_api" else 0
        reason = "http_timeout" if retry else ""
        attempt = await self.way.send(delivery, retry=retry, reason=reason, sign=sign)
        delivery.attempts.append(attempt)
        return attempt

    async def settled(self) -> None:
        """Return when every delivery was tried at least once."""
        for delivery in list(self.deliveries):
            await delivery.tried.wait()

    async def close(self) -> None:
        """End what is still being delivered."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.post.close()

    async def _course(self, delivery: Delivery) -> None:
        sign = delivery.sign
        try:
            attempt = await self.way.send(delivery, retry=0, reason="", sign=sign)
            delivery.attempts.append(attempt)
            self._done(delivery)
        finally:
            delivery.tried.set()
        if delivery.kind != "events_api" or sign != "good":
            return
        if delivery.last.failed == "no_request_url":
            return  # nobody wanted to be told
        for number, seconds in enumerate(self.retry_seconds, 1):
            if delivery.acknowledged or not delivery.last.retried:
                return
            reason = delivery.last.failed
            await asyncio.sleep(seconds)
            delivery.envelope_id = str(uuid4())
            delivery.attempts.append(
                await self.way.send(delivery, retry=number, reason=reason, sign=sign)
            )
            self._done(delivery)

    def _done(self, delivery: Delivery) -> None:
        if not delivery.last.failed:
            try:
                self._apply(delivery)
            except (Refused, KeyError, TypeError, AttributeError):
                last = replace(delivery.last, failed="invalid_response")
                delivery.attempts[-1] = last
        self.workspace.changed()

    def _apply(self, delivery: Delivery) -> None:
        """Do what the app's answer asks of Slack."""
        answer = delivery.answer
        if delivery.kind == "slash_commands" and answer:
            delivery.reply = self._reply(delivery.body, answer)
        if delivery.body.get("type") == "view_submission":
            self._after_sending(delivery, answer or {})

    def _reply(self, body: Json, answer: Any) -> Message | None:
        """Return the message that a slash command's answer makes."""
        said = answer if isinstance(answer, dict) else {"text": str(answer)}
        if not said.get("text") and not said.get("blocks"):
            return None
        return self._said(body["channel_id"], body["user_id"], said)

    def _said(self, channel_id: str, user: str, said: Json) -> Message:
        channel = self.workspace.channels[channel_id]
        ephemeral = said.get("response_type", "ephemeral") != "in_channel"
        message = bot_message(self.workspace, channel, given_message(Arguments(said)),
                              seen_by=user if ephemeral else "")  # fmt: skip
        message.thread_ts = said.get("thread_ts", "")
        return self.workspace.post(message)

    def _after_sending(self, delivery: Delivery, answer: Json) -> None:
        view = self.workspace.views[delivery.body["view"]["id"]]
        action = answer.get("response_action", "")
        if action in ("update", "push"):
            check_view(answer["view"])
        if action == "errors":
            delivery.errors = _errors(view, answer["errors"])
        elif action == "update":
            view.body = self.workspace.view_body(view, answer["view"])
        elif action == "push":
            self.workspace.open_view(view.user, answer["view"], view)
        elif action == "clear":
            self._close(view.root)
        elif answer:
            raise Refused("invalid_response")
        else:
            view.gone = True

    def _close(self, root: str) -> None:
        for view in self.workspace.views.values():
            view.gone = view.gone or view.root == root

    # response_url

    def response_url(self, channel: str, user: str,
                     message: Message | None = None) -> str:  # fmt: skip
        """Return a new address where the app may answer this interaction."""
        ticket = uuid4().hex
        self.response_urls[ticket] = ResponseUrl(channel, user, self._ticks(), message)
        return f"{self.workspace.base}/respond/{ticket}"

    def respond(self, ticket: str, given: Json) -> None:
        """Take an answer at a response_url; Refused: used_url, expired_url."""
        known = self.response_urls.get(ticket)
        if known is None:
            raise Refused("expired_url")
        if self._ticks() - known.made > RESPONSE_SECONDS:
            raise Refused("expired_url")
        if known.used >= RESPONSES:
            raise Refused("used_url")
        known.used += 1
        message = known.message
        if message is not None and given.get("delete_original"):
            self.workspace.delete(message)
        elif message is not None and given.get("replace_original"):
            text, blocks, attachments, _ = given_message(Arguments(given))
            self.workspace.edit(message, self.workspace.bot.id, text, blocks,
                                attachments)  # fmt: skip
        else:
            self._said(known.channel, known.user, given)


def _errors(view: View, given: Json) -> dict[str, str]:
    """Return a window's errors; Refused for a block that is no input of it."""
    inputs = {b["block_id"] for b in view.body["blocks"] if b["type"] == "input"}
    if not given or not set(given) <= inputs:
        raise Refused("invalid_response")
    return {str(block): str(text) for block, text in given.items()}
