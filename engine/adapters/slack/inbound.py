"""What Slack sends, as what people did: one request to one event of model.chat.

Rule 1: pure and total. Whatever comes, an answer comes back: an event, or why there is
none in it. Nothing here is an exception of the caller's.
Rule 2: what the app itself said, and what another bot said, is nobody's word.
Rule 3: an event's id is the same however often Slack delivers it, over HTTP and over
Socket Mode. A display name is carried along and never read.

Called by bootstrap.slack for the door, and by sockets.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

import msgspec

from engine.adapters.slack.messages import PROVIDER, epoch, permalink, read_message
from engine.adapters.slack.modals import filled
from engine.adapters.slack.shapes import as_map, as_maps, as_text
from engine.adapters.slack.texts import read_text
from engine.model.chat import (
    Account,
    Filled,
    Heard,
    Marked,
    Place,
    Pressed,
    Rewritten,
    Said,
)

Kind = Literal["events_api", "interactive", "slash_commands"]
KINDS: Final[frozenset[str]] = frozenset({
    "events_api", "interactive", "slash_commands",
})  # fmt: skip
PERSON: Final = re.compile(r"[UW][A-Z0-9]{1,20}")
MENTION: Final = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^<>]*)?>")
WORDS: Final = frozenset({"", "file_share", "thread_broadcast"})  # a person's message
CHALLENGE: Final = 1000  # characters
FIELDS: Final = 200  # of one form
LONGEST_ID: Final = 200


def read_request(kind: Kind, body: bytes) -> Heard:
    """Return what the body of an HTTP request says; its signature was judged before."""
    try:
        if kind == "events_api":
            return read(kind, json.loads(body))
        form = dict(parse_qsl(body.decode(), max_num_fields=FIELDS))
        if form.get("ssl_check"):
            return Heard(ignored="a look at the certificate")
        return read(
            kind, json.loads(form["payload"]) if kind == "interactive" else form
        )
    except (ValueError, KeyError, RecursionError):
        return Heard(ignored=f"no body of {kind}", fits=False)


def read(kind: Any, payload: Any) -> Heard:
    """Return what a request says, over whichever way it came."""
    kind = as_text(kind)
    if not isinstance(payload, Mapping) or kind not in KINDS:
        return Heard(ignored=f"no body of {kind[:40]}", fits=False)
    try:
        return _read(kind, payload)
    except RecursionError:
        return Heard(ignored="it is nested too deeply", fits=False)


def _read(kind: str, payload: Mapping[str, Any]) -> Heard:
    if kind == "slash_commands":
        return _command(payload)
    if kind == "interactive":
        found = INTERACTIVE.get(as_text(payload.get("type")), _other)
        return found(payload)
    return _outer_event(payload)


def _other(body: Mapping[str, Any]) -> Heard:
    return Heard(ignored=f"'{as_text(body.get('type'))[:60]}' is not listened to")


def _by(found: Any) -> Account | None:
    """Return who did it; None: nobody that Slack names."""
    if isinstance(found, Mapping):
        name = as_text(found.get("username")) or as_text(found.get("name"))
        person = as_text(found.get("id"))
    else:
        name, person = "", as_text(found)
    return Account(PROVIDER, person, name) if PERSON.fullmatch(person) else None


def _id(whole: Mapping[str, Any], *parts: Any) -> str:
    """Return an id made of parts; where one lacks, of all that Slack sent."""
    if all(isinstance(one, str) and one for one in parts):
        made = ":".join([PROVIDER, *map(as_text, parts)])
        if len(made) <= LONGEST_ID:
            return made
    said = json.dumps(whole, default=str, sort_keys=True).encode("utf-8", "replace")
    return f"{PROVIDER}:{hashlib.sha256(said).hexdigest()[:40]}"


def _nobody() -> Heard:
    return Heard(ignored="it names nobody")


# Slash commands


def _command(form: Mapping[str, Any]) -> Heard:
    by = _by({"id": form.get("user_id"), "name": form.get("user_name")})
    if by is None:
        return _nobody()
    trigger = form.get("trigger_id")
    said = Said(
        _id(form, "command", trigger),
        by,
        Place(PROVIDER, as_text(form.get("channel_id"))),
        read_text(as_text(form.get("text"))).strip(),
        trigger=as_text(trigger),
    )
    return Heard(said)


# Interactivity


def _pressed(body: Mapping[str, Any]) -> Heard:
    by, container = _by(body.get("user")), as_map(body.get("container"))
    action = next(iter(as_maps(body.get("actions"))), {})
    room = as_text(container.get("channel_id"))
    room = room or as_text(as_map(body.get("channel")).get("id"))
    if by is None:
        return _nobody()
    if action.get("type") != "button" or not room:
        return Heard(ignored="nothing of a message was pressed")
    message = as_map(body.get("message"))
    ref = as_text(container.get("message_ts")) or as_text(message.get("ts"))
    thread = as_text(container.get("thread_ts")) or as_text(message.get("thread_ts"))
    called, at = as_text(action.get("action_id")), action.get("action_ts")
    pressed = Pressed(
        _id(body, "press", by.id, ref, called, at),
        by,
        Place(PROVIDER, room, thread),
        ref,
        called.partition(":")[0],
        as_text(action.get("value")),
        as_text(body.get("trigger_id")),
    )
    return Heard(pressed)


def _filled(body: Mapping[str, Any]) -> Heard:
    by, view = _by(body.get("user")), as_map(body.get("view"))
    if by is None:
        return _nobody()
    if view.get("type") != "modal":
        return Heard(ignored="a view that is no form was sent")
    answers, wrong = filled(view)
    if wrong:
        answer = {"response_action": "errors", "errors": wrong}
        return Heard(ignored="a field does not fit; its form says so", answer=answer)
    event = Filled(
        _id(body, "form", view.get("id"), view.get("hash") or body.get("trigger_id")),
        by,
        as_text(view.get("private_metadata")),
        answers,
    )
    return Heard(event)


def _chosen(body: Mapping[str, Any]) -> Heard:
    """Return a shortcut: its callback is the words, a message may be what it is of."""
    by = _by(body.get("user"))
    if by is None:
        return _nobody()
    room = as_text(as_map(body.get("channel")).get("id"))
    message = as_map(body.get("message"))
    about = None
    if message:
        about = read_message(message, Place(PROVIDER, room))
        domain = as_text(as_map(body.get("team")).get("domain"))
        about = msgspec.structs.replace(about, link=permalink(domain, about))
    callback, at = body.get("callback_id"), body.get("action_ts")
    said = Said(
        _id(body, "menu", by.id, callback, at),
        by,
        about.place if about else Place(PROVIDER, room),
        as_text(callback),
        "menu",
        as_text(body.get("message_ts")) or (about.ref if about else ""),
        as_text(body.get("trigger_id")),
        about,
    )
    return Heard(said)


INTERACTIVE: Final[Mapping[str, Callable[[Mapping[str, Any]], Heard]]] = {
    "block_actions": _pressed,
    "view_submission": _filled,
    "message_action": _chosen,
    "shortcut": _chosen,
}


# Events


def _outer_event(body: Mapping[str, Any]) -> Heard:
    kind = body.get("type")
    if kind == "url_verification":
        challenge = as_text(body.get("challenge"))[:CHALLENGE]
        return Heard(ignored="a look at the address", answer={"challenge": challenge})
    if kind == "app_rate_limited":
        return Heard(ignored="Slack leaves events out: there were too many in an hour")
    if kind != "event_callback":
        return _other(body)
    event = as_map(body.get("event"))
    number = _id(body, "event", body.get("event_id"))
    found = EVENTS.get(as_text(event.get("type")))
    if found is None:
        return _other(event)
    return found(event, number, _own_account(body))


def _own_account(body: Mapping[str, Any]) -> str:
    granted = as_maps(body.get("authorizations"))
    return next((as_text(one.get("user_id")) for one in granted), "")


def _mentioned(event: Mapping[str, Any], number: str, own: str) -> Heard:
    by = _by(event.get("user"))
    if by is None or event.get("bot_id"):
        return Heard(ignored="no person said it")
    words = as_text(event.get("text"))
    ours = re.compile(rf"<@{re.escape(own)}(?:\|[^<>]*)?>") if own else MENTION
    words = ours.sub("", words) if own else ours.sub("", words, count=1)
    return Heard(_said(event, number, by, words, "mention"))


def _said(
    event: Mapping[str, Any],
    number: str,
    by: Account,
    words: str,
    door: Literal["mention", "direct"],
) -> Said:
    room, thread = as_text(event.get("channel")), as_text(event.get("thread_ts"))
    ref = as_text(event.get("ts"))
    place = Place(PROVIDER, room, thread)
    said = read_text(words).strip()
    return Said(number, by, place, said, door, ref, at=epoch(ref))


def _message(event: Mapping[str, Any], number: str, own: str) -> Heard:
    subtype = as_text(event.get("subtype"))
    if subtype == "message_changed":
        return _changed(event, number)
    if subtype == "message_deleted":
        return _deleted(event, number)
    by = _by(event.get("user"))
    if by is None or event.get("bot_id") or by.id == own or subtype not in WORDS:
        return Heard(ignored="no person said it")
    if event.get("channel_type") != "im":
        return Heard(ignored="it was not said to the app")
    return Heard(_said(event, number, by, as_text(event.get("text")), "direct"))


def _changed(event: Mapping[str, Any], number: str) -> Heard:
    now, before = as_map(event.get("message")), as_map(event.get("previous_message"))
    gone = now.get("subtype") == "tombstone"
    author = before if gone else now
    if author.get("bot_id") or _by(author.get("user")) is None:
        return Heard(ignored="no person's message was changed")
    if not gone and now.get("text") == before.get("text"):
        return Heard(ignored="its words are the same")
    words = None if gone else read_text(as_text(now.get("text")))
    return _rewritten(event, number, author, as_text(now.get("ts")), words)


def _deleted(event: Mapping[str, Any], number: str) -> Heard:
    before = as_map(event.get("previous_message"))
    if before.get("bot_id"):
        return Heard(ignored="no person's message was deleted")
    ref = as_text(event.get("deleted_ts")) or as_text(before.get("ts"))
    return _rewritten(event, number, before, ref, None)


def _rewritten(
    event: Mapping[str, Any],
    number: str,
    author: Mapping[str, Any],
    ref: str,
    words: str | None,
) -> Heard:
    if not ref:
        return Heard(ignored="it names no message")
    thread = as_text(author.get("thread_ts"))
    place = Place(PROVIDER, as_text(event.get("channel")), thread)
    return Heard(Rewritten(number, place, ref, words, as_text(author.get("user"))))


def _marked(event: Mapping[str, Any], number: str, own: str) -> Heard:
    by, item = _by(event.get("user")), as_map(event.get("item"))
    ref = as_text(item.get("ts"))
    if by is None or by.id == own:
        return Heard(ignored="no person did it")
    if item.get("type") != "message" or not ref:
        return Heard(ignored="it is not under a message")
    mark = as_text(event.get("reaction")).partition("::")[0]
    added = event.get("type") == "reaction_added"
    place = Place(PROVIDER, as_text(item.get("channel")))
    return Heard(Marked(number, by, place, ref, mark, added))


def _file(event: Mapping[str, Any], number: str, own: str) -> Heard:
    return Heard(ignored="files come with the message that they stand in")


EVENTS: Final[Mapping[str, Callable[[Mapping[str, Any], str, str], Heard]]] = {
    "app_mention": _mentioned,
    "message": _message,
    "reaction_added": _marked,
    "reaction_removed": _marked,
    "file_shared": _file,
}
