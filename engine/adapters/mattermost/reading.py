"""What comes from Mattermost, as Inbound events: pure, and never an exception.

What is here: events of the websocket, posts that were missed, the bodies of commands,
buttons and dialogs. What is not: whether a body may be believed (hearing), the
connection (listening).

Words count as meant for the engine in a direct message, and where `@name` of the bot
stands in them. `@channel` and `@all` reach the bot, too; they are not meant for it.
Posts of bots and of webhooks are not heard: people act, programs have an API.

An event's id is the same whichever way it came, so that what is caught up with after a
broken connection counts once.

Called by hearing, listening.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal
from urllib.parse import parse_qs

from engine.adapters.mattermost.server import Me
from engine.adapters.mattermost.settings import NAME
from engine.model.chat import Account, Inbound, Marked, Message, Place, Rewritten, Said

MOST_TEXT: Final = 20_000  # characters of one message that is read
MOST_ID: Final = 200
MOST_WHOLE: Final = 1e15
DIRECT: Final = "D"

Json = Mapping[str, Any]


def loaded(raw: str | bytes) -> Json:
    """Return a JSON object; an empty one where it is none."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def text_in(found: Json, name: str, *, most: int = MOST_TEXT) -> str:
    """Return a text as it can be written down; empty where there is none."""
    value = found.get(name)
    if not isinstance(value, str):
        return ""
    return value[:most].encode("utf-8", "replace").decode()


def whole_in(found: Json, name: str) -> int:
    """Return a whole number; 0 where there is none."""
    value = found.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0
    return int(value) if abs(value) < MOST_WHOLE else 0  # neither NaN nor infinite


def events_of(event: Json, me: Me) -> tuple[Inbound, ...]:
    """Return what an event of the websocket says; most say nothing to the engine."""
    data = event.get("data")
    if not isinstance(data, dict):
        return ()
    kind, post = event.get("event"), loaded(text_in(data, "post", most=4_000_000))
    if kind == "posted":
        direct = data.get("channel_type") == DIRECT
        name = text_in(data, "sender_name", most=MOST_ID).removeprefix("@")
        return tuple(_said(post, me, direct=direct, name=name))
    if kind == "post_edited":
        return tuple(_edited(post, me))
    if kind == "post_deleted":
        return tuple(_deleted(post, me))
    if kind in ("reaction_added", "reaction_removed"):
        reaction = loaded(text_in(data, "reaction"))
        where = event.get("broadcast")
        room = text_in(where, "channel_id") if isinstance(where, dict) else ""
        return tuple(_marked(reaction, room, "", me, added=kind == "reaction_added"))
    return ()


def missed(
    listing: Any, me: Me, *, direct: bool, since_ms: int
) -> list[tuple[int, Inbound]]:
    """Return what a list of posts says that happened since, each with its time."""
    posts = listing.get("posts") if isinstance(listing, dict) else None
    found: list[tuple[int, Inbound]] = []
    for post in posts.values() if isinstance(posts, dict) else ():
        if isinstance(post, dict):
            found += _happened(post, me, direct=direct, since_ms=since_ms)
    return sorted(found, key=lambda one: one[0])


def _happened(
    post: Json, me: Me, *, direct: bool, since_ms: int
) -> Iterator[tuple[int, Inbound]]:
    times = {
        name: whole_in(post, f"{name}_at") for name in ("create", "edit", "delete")
    }
    if times["delete"]:
        if times["delete"] >= since_ms:
            yield from ((times["delete"], one) for one in _deleted(post, me))
        return
    if times["create"] >= since_ms:
        said = _said(post, me, direct=direct, name="")
        yield from ((times["create"], one) for one in said)
    if times["edit"] >= since_ms:
        yield from ((times["edit"], one) for one in _edited(post, me))
    more = post.get("metadata")
    reactions = more.get("reactions") if isinstance(more, dict) else None
    for one in reactions if isinstance(reactions, list) else ():
        if isinstance(one, dict) and whole_in(one, "create_at") >= since_ms:
            at, room = whole_in(one, "create_at"), text_in(post, "channel_id")
            thread = text_in(post, "root_id")
            yield from ((at, it) for it in _marked(one, room, thread, me, added=True))


def message_of(post: Json, url: str, team: str) -> Message | None:
    """Return a post as a message; None: it is not there any more."""
    ref = text_in(post, "id")
    if not ref or whole_in(post, "delete_at"):
        return None
    files = post.get("file_ids")
    named = [one for one in files if isinstance(one, str)] if files else []
    return Message(
        place_of(post),
        ref,
        text_in(post, "user_id"),
        text_in(post, "message"),
        whole_in(post, "create_at") / 1000,
        f"{url}/{team}/pl/{ref}",
        tuple(f"{url}/api/v4/files/{one}" for one in named),
    )


def command_of(body: bytes) -> tuple[str, Said | None]:
    """Return the token of a slash command, and what was said."""
    try:
        form = parse_qs(
            body.decode("utf-8", "replace"), keep_blank_values=True,
            max_num_fields=200, errors="replace",
        )  # fmt: skip
    except ValueError:
        return "", None
    found = {name: values[0] for name, values in form.items()}
    trigger, user = text_in(found, "trigger_id"), text_in(found, "user_id")
    room = text_in(found, "channel_id")
    if not (trigger and user and room):
        return text_in(found, "token"), None
    place = Place(NAME, room, text_in(found, "root_id"))
    by = Account(NAME, user, text_in(found, "user_name", most=MOST_ID))
    said = Said(
        f"command:{trigger[:MOST_ID]}", by, place, text_in(found, "text"),
        trigger=trigger,
    )  # fmt: skip
    return text_in(found, "token"), said


def place_of(post: Json) -> Place:
    """Return where a post stands."""
    return Place(NAME, text_in(post, "channel_id"), text_in(post, "root_id"))


def is_direct(channel: Json) -> bool:
    """Return whether a channel is a direct message of two."""
    return channel.get("type") == DIRECT


def _said(post: Json, me: Me, *, direct: bool, name: str) -> Iterator[Said]:
    ref, text = text_in(post, "id"), text_in(post, "message")
    if not _by_a_person(post, me) or post.get("type") not in ("", None):
        return
    door: Literal["direct", "mention"] = "direct" if direct else "mention"
    words = _meant(text, me.name)
    if words is None and not direct:
        return
    by = Account(NAME, text_in(post, "user_id"), name)
    meant = text.strip() if words is None else words
    at = whole_in(post, "create_at") / 1000
    yield Said(f"post:{ref}", by, place_of(post), meant, door, ref, at=at)


def _edited(post: Json, me: Me) -> Iterator[Rewritten]:
    at = whole_in(post, "edit_at")
    if at and _by_a_person(post, me):
        yield _rewritten(post, f"edit:{post['id']}:{at}", text_in(post, "message"))


def _deleted(post: Json, me: Me) -> Iterator[Rewritten]:
    if _by_a_person(post, me):
        yield _rewritten(post, f"gone:{post['id']}", None)


def _rewritten(post: Json, event: str, text: str | None) -> Rewritten:
    ref, by = text_in(post, "id"), text_in(post, "user_id")
    return Rewritten(event[:MOST_ID], place_of(post), ref, text, by)


def _marked(
    reaction: Json, room: str, thread: str, me: Me, *, added: bool
) -> Iterator[Marked]:
    user, ref = text_in(reaction, "user_id"), text_in(reaction, "post_id")
    mark = text_in(reaction, "emoji_name", most=MOST_ID)
    where = text_in(reaction, "channel_id") or room
    if not (user and ref and mark and where) or user == me.id:
        return
    names = ("create_at",) if added else ("create_at", "update_at", "delete_at")
    at = max(whole_in(reaction, name) for name in names)
    event = f"{'mark' if added else 'unmark'}:{ref}:{user}:{at}:{mark}"
    by, place = Account(NAME, user), Place(NAME, where, thread)
    yield Marked(event[:MOST_ID], by, place, ref, mark, added)


def _by_a_person(post: Json, me: Me) -> bool:
    user, props = text_in(post, "user_id"), post.get("props")
    told = props if isinstance(props, dict) else {}
    made = any(
        told.get(name) in ("true", True) for name in ("from_bot", "from_webhook")
    )
    known = bool(user and text_in(post, "id") and text_in(post, "channel_id"))
    return known and user != me.id and not made


def _meant(text: str, name: str) -> str | None:
    """Return the words for `@name`; None: it is not named."""
    called = rf"(?<![\w@.-])@{re.escape(name)}(?!\.?[\w-])[:,]?"
    found = re.search(called, text, re.IGNORECASE)
    if found is None:
        return None
    after = text[found.end() :].strip()
    return after or text[: found.start()].strip()
