"""Events of Mattermost's websocket, and missed posts, as Inbound events."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.adapters.mattermost.reading import (
    command_of,
    events_of,
    loaded,
    message_of,
    missed,
)
from engine.adapters.mattermost.server import Me
from engine.model.chat import Account, Marked, Message, Place, Rewritten, Said

ME = Me("u-me", "runbook")
ROOM = Place("mattermost", "c-1")
POST = {
    "id": "p-1", "create_at": 1000, "update_at": 1000, "edit_at": 0, "delete_at": 0,
    "user_id": "u-ana", "channel_id": "c-1", "root_id": "", "message": "hi", "type": "",
    "props": {}, "file_ids": [],
}  # fmt: skip
REACTION = {
    "user_id": "u-ana", "post_id": "p-1", "emoji_name": "pushpin", "create_at": 5000,
    "update_at": 5000, "delete_at": 0, "channel_id": "c-1",
}  # fmt: skip
NAMES = st.sampled_from([
    "event", "data", "broadcast", "seq", "post", "posts", "order", "reaction", "props",
    "metadata", "reactions", "user_id", "channel_id", "post_id", "id", "message",
    "create_at", "edit_at", "delete_at", "type", "emoji_name", "file_ids", "root_id",
    "channel_type", "mentions", "sender_name", "from_bot",
])  # fmt: skip
WORDS = st.sampled_from(
    ["posted", "post_edited", "post_deleted", "reaction_added", "D"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS,
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)
    | st.dictionaries(NAMES, inner).map(json.dumps),
    max_leaves=30,
)  # fmt: skip


def posted(message: str, *, kind: str = "O", **more: Any) -> dict[str, Any]:
    """Return the event of a new post."""
    post = POST | {"message": message} | more
    data = {"post": json.dumps(post), "channel_type": kind, "sender_name": "@ana"}
    return {"event": "posted", "data": data, "broadcast": {}, "seq": 4}


def said(event: dict[str, Any]) -> list[str]:
    """Return the words of an event."""
    found = [one for one in events_of(event, ME) if isinstance(one, Said)]
    return [one.text for one in found]


def test_a_mention_is_heard_with_where_it_stands() -> None:
    """
    Words, thread, who by their id; the name is only shown.
    """
    event = posted("@runbook status r-1", root_id="p-0")

    assert (
        Said(
            "post:p-1", Account("mattermost", "u-ana", "ana"),
            Place("mattermost", "c-1", "p-0"), "status r-1", "mention", "p-1", at=1.0,
        ),
    ) == events_of(event, ME)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@runbook: list x", ["list x"]), ("please @Runbook list", ["list"]),
        ("list @runbook", ["list"]), ("(@runbook, why)", ["why)"]),
        ("@runbook", [""]), ("@runbook.", ["."]), ("@runbook-two hi", []),
        ("@runbook.old hi", []), ("x@runbook hi", []), ("@@runbook hi", []),
        ("@channel look", []), ("@all look", []), ("runbook list", []),
    ],
    ids=range(13),
)  # fmt: skip
def test_only_words_for_the_bot_are_heard(text: str, words: list[str]) -> None:
    """
    Its name, whole; nobody who calls everybody speaks to it.
    """
    assert words == said(posted(text))


def test_in_a_direct_message_every_word_is_meant() -> None:
    """
    With or without the name.
    """
    assert ["list", "list"] == said(posted(" list ", kind="D")) + said(
        posted("@runbook list", kind="D")
    )
    assert "direct" == events_of(posted("x", kind="D"), ME)[0].door  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "more",
    [
        {"user_id": "u-me"}, {"props": {"from_bot": "true"}}, {"type": "system_add"},
        {"props": {"from_webhook": "true"}}, {"user_id": ""}, {"id": 7},
    ],
    ids=["itself", "bot", "system", "webhook", "nobody", "no id"],
)  # fmt: skip
def test_programs_are_not_heard(more: dict[str, Any]) -> None:
    """
    Neither itself, nor bots and webhooks, nor what Mattermost posts.
    """
    assert () == events_of(posted("@runbook cancel", **more), ME)


def test_edits_and_deletions_are_told_once_for_each() -> None:
    """
    An event that changed only a pin or a reaction is none; the bot's own are none.
    """

    def told(kind: str, **more: Any) -> Any:
        data = {"post": json.dumps(POST | more)}
        return events_of({"event": kind, "data": data}, ME)

    assert (Rewritten("edit:p-1:2000", ROOM, "p-1", "new", "u-ana"),) == told(
        "post_edited", edit_at=2000, message="new"
    )
    assert (Rewritten("gone:p-1", ROOM, "p-1", None, "u-ana"),) == told(
        "post_deleted", delete_at=3000
    )
    assert ((), ()) == (
        told("post_edited", is_pinned=True),
        told("post_edited", edit_at=2000, user_id="u-me"),
    )


def test_reactions_are_marks_and_come_again_with_another_id() -> None:
    """
    Put there, taken away, put there again: three events.
    """

    def told(kind: str, **more: int) -> Any:
        data = {"reaction": json.dumps(REACTION | more)}
        (one,) = events_of({"event": kind, "data": data}, ME)
        return one

    added = told("reaction_added")
    removed = told("reaction_removed", create_at=0, delete_at=6000)
    again = told("reaction_added", create_at=7000)

    assert added == Marked(
        "mark:p-1:u-ana:5000:pushpin", Account("mattermost", "u-ana"), ROOM, "p-1",
        "pushpin",
    )  # fmt: skip
    assert (False, 3) == (removed.added, len({added.id, removed.id, again.id}))


def test_an_old_server_names_the_room_beside_the_reaction() -> None:
    """
    Then it is taken from where the event was sent.
    """
    reaction = {key: one for key, one in REACTION.items() if key != "channel_id"}
    event = {
        "event": "reaction_added", "data": {"reaction": json.dumps(reaction)},
        "broadcast": {"channel_id": "c-1"},
    }  # fmt: skip

    assert [ROOM] == [one.place for one in events_of(event, ME)]  # type: ignore[union-attr]


def test_what_was_missed_comes_in_order_with_the_same_ids() -> None:
    """
    New words, edits, deletions and marks since then; nothing from before.
    """
    posts = [
        POST | {"id": "old", "message": "@runbook old", "create_at": 10},
        POST | {"id": "new", "message": "@runbook new", "create_at": 5000},
        POST | {"id": "edited", "edit_at": 4000, "create_at": 10},
        POST | {"id": "gone", "delete_at": 4500, "create_at": 4100},
        POST | {"id": "p-1", "create_at": 10, "metadata": {"reactions": [REACTION]}},
        POST | {"id": "noise", "create_at": 6000, "message": "just talk"},
    ]
    listing = {"order": [], "posts": {one["id"]: one for one in posts}}
    found = missed(listing, ME, direct=False, since_ms=3000)

    assert [
        (4000, "edit:edited:4000"), (4500, "gone:gone"), (5000, "post:new"),
        (5000, "mark:p-1:u-ana:5000:pushpin"),
    ] == [(at, one.id) for at, one in found]  # fmt: skip


def test_a_post_is_read_as_a_message() -> None:
    """
    Text, who, when, a link, its files as links; None where it is gone.
    """
    post = POST | {"root_id": "p-0", "file_ids": ["f-1", 7]}

    assert Message(
        Place("mattermost", "c-1", "p-0"), "p-1", "u-ana", "hi", 1.0,
        "https://m/ops/pl/p-1", ("https://m/api/v4/files/f-1",),
    ) == message_of(post, "https://m", "ops")  # fmt: skip
    assert None is message_of(POST | {"delete_at": 5}, "https://m", "ops")


@settings(deadline=None)
@given(JSON)
def test_no_event_breaks_the_reading(event: Any) -> None:
    """
    Whatever the server sends, it is an event or nothing, and can be written down.
    """
    found = [
        *events_of(event if isinstance(event, dict) else {}, ME),
        *(one for _, one in missed(event, ME, direct=True, since_ms=0)),
    ]
    if isinstance(event, dict):
        message_of(event, "u", "t")

    assert [] == [one for one in found if not one.id.encode()]


@settings(deadline=None)
@given(st.binary())
def test_no_bytes_break_the_reading(raw: bytes) -> None:
    """
    What is no JSON is an empty event; what is no form has no token that fits.
    """
    assert isinstance(loaded(raw), dict)
    assert "right" != command_of(raw)[0]


@pytest.mark.parametrize(
    "raw", ["[" * 100_000, "1" * 5_000, '{"a":' * 5_000, "NaN", '"x"'], ids=range(5)
)
def test_json_that_is_made_to_hurt_is_nothing(raw: str) -> None:
    """
    Too deep, too long, no object.
    """
    assert {} == loaded(raw)
