"""What Slack sends becomes what people did: real bodies, made ones, broken ones."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.adapters.slack.inbound import read, read_request
from engine.model.chat import (
    Account,
    Filled,
    Heard,
    Marked,
    Message,
    Place,
    Pressed,
    Rewritten,
    Said,
)

CORPUS = Path(__file__).parents[4] / "shared/corpora/alerts/slack-interactions"
needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus of real bodies is not here"
)
FILES = sorted(one.stem for one in CORPUS.glob("*.json"))
BOT = "U0BOT"


def body_of(stem: str) -> tuple[str, dict[str, Any]]:
    body = json.loads((CORPUS / f"{stem}.json").read_text())
    return "slash_commands" if stem.startswith("command") else "interactive", body


def person(name: str = "primary-owner") -> Account:
    return Account("slack", "W111", name)


def event(**event: Any) -> Any:
    return {
        "type": "event_callback", "event_id": "Ev1", "event": event,
        "authorizations": [{"user_id": BOT}],
    }  # fmt: skip


EXPECTED = {
    "block_actions-test_authorize": Pressed(
        "slack:press:W99999:111.222:a:1596530385.194939",
        Account("slack", "W99999", "primary-owner"), Place("slack", "C111"), "111.222",
        "a", "click_me_123", "111.222.valid",
    ),
    "block_actions-test_block_actions_respond": Pressed(
        "slack:press:U111:1678252213.679169:button:1678252216.469172",
        Account("slack", "U111"), Place("slack", "C111"), "1678252213.679169",
        "button", "clicked", "4916855695380.xxx.yyy",
    ),
    "block_actions-test_unmatched_suggestions": Pressed(
        "slack:press:W111:111.222:action-id-value:1596530385.194939", person(),
        Place("slack", "C111"), "111.222", "action-id-value", "click_me_123",
        "111.222.valid",
    ),
    "command-mock_socket_mode_server": Said(
        "slack:command:111.222.xxx", Account("slack", "U111", "seratch"),
        Place("slack", "C111"), "", trigger="111.222.xxx",
    ),
    "command-test_unmatched_suggestions": Said(
        "slack:command:111.222.xxx", Account("slack", "U111", "rainer"),
        Place("slack", "C111"), "title", trigger="111.222.xxx",
    ),
    "interactive_message-test_unmatched_suggestions":
        "'interactive_message' is not listened to",
    "message_action-test_builtins": Said(
        "slack:menu:W111:test-shortcut:1583637157.207593", person("test-test"),
        Place("slack", "C111"), "test-shortcut", "menu", "1583636382.000300",
        "111.222.xxx",
        Message(
            Place("slack", "C111"), "1583636382.000300", "W111", "@W222 test",
            1583636382.0003,
            "https://test-test.slack.com/archives/C111/p1583636382000300",
        ),
    ),
    "shortcut-mock_socket_mode_server": Said(
        "slack:menu:U111:do-something:1610198080.300836",
        Account("slack", "U111", "seratch"), Place("slack", ""), "do-something",
        "menu", trigger="111.222.xxx",
    ),
    "shortcut-test_asgi_http": Said(
        "slack:menu:W111:test-shortcut:111.111", person(), Place("slack", ""),
        "test-shortcut", "menu", trigger="111.111.xxxxxx",
    ),
    "shortcut-test_internals": Said(
        "slack:menu:U111:run-socket-mode:1606983924.521157",
        Account("slack", "U111", "use"), Place("slack", ""), "run-socket-mode",
        "menu", trigger="111.222.xxx",
    ),
    "shortcut-test_internals-2": Said(
        "slack:menu:U111:run-socket-mode:1606983924.521157",
        Account("slack", "U111", "use"), Place("slack", ""), "run-socket-mode",
        "menu", trigger="111.222.xxx",
    ),
    "view_submission-test_unmatched_suggestions": Filled(
        "slack:form:V111:1596530361.3wRYuk3R", person(), "This is for you!",
        {"hspI": "test"},
    ),
    "view_submission-test_workflow_steps": "a view that is no form was sent",
    "workflow_step_edit-test_workflow_steps":
        "'workflow_step_edit' is not listened to",
}  # fmt: skip


@needs_corpus
def test_every_body_of_the_corpus_is_expected() -> None:
    """
    None is left out, and there are as many as there should be.
    """
    assert sorted(EXPECTED) == FILES
    assert 14 == len(FILES)


@needs_corpus
@pytest.mark.parametrize("stem", FILES)
def test_a_real_body_is_read(stem: str) -> None:
    """
    Over Socket Mode and over HTTP it says the same.
    """
    kind, body = body_of(stem)
    form = body if kind == "slash_commands" else {"payload": json.dumps(body)}
    expected = EXPECTED[stem]
    heard = Heard(ignored=expected) if isinstance(expected, str) else Heard(expected)

    assert heard == read(kind, body)
    assert heard == read_request(kind, urlencode(form).encode())  # type: ignore[arg-type]


ANA = Account("slack", "U01ANA")
EVENTS = {
    "mention": (
        event(type="app_mention", user="U01ANA", channel="C1", ts="5.1",
              text=f"<@{BOT}> run drain host=<http://edge-1.example.com|edge-1.example.com>"),
        Said("slack:event:Ev1", ANA, Place("slack", "C1"),
             "run drain host=edge-1.example.com", "mention", "5.1", at=5.1),
    ),
    "mention-in-a-thread": (
        event(type="app_mention", user="U01ANA", channel="C1", ts="5.2",
              thread_ts="5.1", text=f"hey <@{BOT}|runbook> status"),
        Said("slack:event:Ev1", ANA, Place("slack", "C1", "5.1"), "hey  status",
             "mention", "5.2", at=5.2),
    ),
    "direct": (
        event(type="message", channel_type="im", user="U01ANA", channel="D1", ts="5.1",
              text="status"),
        Said("slack:event:Ev1", ANA, Place("slack", "D1"), "status", "direct", "5.1",
             at=5.1),
    ),
    "said-in-a-channel": (
        event(type="message", channel_type="channel", user="U01ANA", channel="C1",
              ts="5.1", text="status"),
        "it was not said to the app",
    ),
    "own-direct": (
        event(type="message", channel_type="im", user=BOT, bot_id="B1", channel="D1",
              ts="5.1", text="status"),
        "no person said it",
    ),
    "joined": (
        event(type="message", subtype="channel_join", channel_type="im", user="U01ANA",
              channel="D1", ts="5.1", text="joined"),
        "no person said it",
    ),
    "reaction": (
        event(type="reaction_added", user="U01ANA", reaction="+1::skin-tone-2",
              item={"type": "message", "channel": "C1", "ts": "5.1"}),
        Marked("slack:event:Ev1", ANA, Place("slack", "C1"), "5.1", "+1"),
    ),
    "reaction-away": (
        event(type="reaction_removed", user="U01ANA", reaction="pushpin",
              item={"type": "message", "channel": "C1", "ts": "5.1"}),
        Marked("slack:event:Ev1", ANA, Place("slack", "C1"), "5.1", "pushpin", False),
    ),
    "reaction-to-a-file": (
        event(type="reaction_added", user="U01ANA", reaction="pushpin",
              item={"type": "file", "file": "F1"}),
        "it is not under a message",
    ),
    "changed": (
        event(type="message", subtype="message_changed", channel="C1",
              message={"user": "U01ANA", "ts": "5.1", "text": "a &amp; b"},
              previous_message={"user": "U01ANA", "ts": "5.1", "text": "a"}),
        Rewritten("slack:event:Ev1", Place("slack", "C1"), "5.1", "a & b", "U01ANA"),
    ),
    "changed-in-nothing": (
        event(type="message", subtype="message_changed", channel="C1",
              message={"user": "U01ANA", "ts": "5.1", "text": "a"},
              previous_message={"user": "U01ANA", "ts": "5.1", "text": "a"}),
        "its words are the same",
    ),
    "own-edit": (
        event(type="message", subtype="message_changed", channel="C1",
              message={"user": BOT, "bot_id": "B1", "ts": "5.1", "text": "b"},
              previous_message={"user": BOT, "bot_id": "B1", "ts": "5.1", "text": "a"}),
        "no person's message was changed",
    ),
    "deleted": (
        event(type="message", subtype="message_deleted", channel="C1", deleted_ts="5.2",
              previous_message={"user": "U01ANA", "ts": "5.2", "thread_ts": "5.1"}),
        Rewritten("slack:event:Ev1", Place("slack", "C1", "5.1"), "5.2", None, "U01ANA"),
    ),
    "deleted-with-replies": (
        event(type="message", subtype="message_changed", channel="C1",
              message={"subtype": "tombstone", "ts": "5.1", "text": "deleted"},
              previous_message={"user": "U01ANA", "ts": "5.1", "text": "a"}),
        Rewritten("slack:event:Ev1", Place("slack", "C1"), "5.1", None, "U01ANA"),
    ),
    "file": (
        event(type="file_shared", file_id="F1", user_id="U01ANA", channel_id="C1"),
        "files come with the message that they stand in",
    ),
    "else": (event(type="team_join"), "'team_join' is not listened to"),
}  # fmt: skip


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_what_a_person_did(name: str) -> None:
    """
    Words, marks, edits and deletions of people; nothing of the app's own.
    """
    body, expected = EVENTS[name]
    heard = Heard(ignored=expected) if isinstance(expected, str) else Heard(expected)

    assert heard == read("events_api", body)


def test_a_challenge_is_given_back() -> None:
    """
    Slack learns that the address is ours.
    """
    body = {"type": "url_verification", "challenge": "abc"}

    assert {"challenge": "abc"} == read("events_api", body).answer


def test_a_field_that_does_not_fit_is_told_in_the_form() -> None:
    """
    The form stays open, nothing is heard.
    """
    state = {"values": {"share": {"number": {"value": "half"}}}}
    view = {"id": "V1", "type": "modal", "hash": "h", "state": state}
    heard = read("interactive", {
        "type": "view_submission", "user": {"id": "U01ANA"}, "view": view,
    })  # fmt: skip

    assert None is heard.event
    assert {
        "response_action": "errors",
        "errors": {"share": "This is no number: write 12 or 0.5"},
    } == heard.answer


def test_f66_only_the_providers_id_counts() -> None:
    """
    Whoever has no id did nothing, whatever they call themselves.
    """
    _, body = {}, {"type": "shortcut", "user": {"name": "ana", "id": "ana"}}  # type: ignore[var-annotated]

    assert Heard(ignored="it names nobody") == read("interactive", body)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("events_api", b""), ("events_api", b"\xff\xfe"), ("events_api", b"[]"),
        ("events_api", b"[" * 100_000), ("events_api", b"1" * 5000),
        ("interactive", b"payload=%7B"), ("interactive", b"nothing"),
        ("interactive", b"payload=[]"), ("interactive", b"a&" * 5000),
        ("slash_commands", b"\xff\xff"),
    ],
    ids=["empty", "binary", "list", "nested", "digits", "torn", "no-payload",
         "payload-list", "fields", "no-utf8"],
)  # fmt: skip
def test_f50_what_is_no_body_is_none(kind: Any, body: bytes) -> None:
    """
    It is told apart from what is ignored, and nothing is an exception.
    """
    assert not read_request(kind, body).fits


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(), one, max_size=3),
    max_leaves=6,
)
SEEDS = [("events_api", one) for one, _ in EVENTS.values()] + [
    body_of(stem) for stem in FILES
]


def _places(found: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        found.items() if isinstance(found, dict)
        else enumerate(found) if isinstance(found, list) else ()
    )  # fmt: skip
    return [at, *(one for key, value in inner for one in _places(value, (*at, key)))]


def _with(found: Any, at: tuple[Any, ...], value: Any) -> Any:
    if not at:
        return value
    copy = dict(found) if isinstance(found, dict) else list(found)
    copy[at[0]] = _with(found[at[0]], at[1:], value)
    return copy


ODD: tuple[Any, ...] = (
    None, True, 0, -1.5, "", "x", "\ud800", [], [[]], {}, {"id": []}, [None], [{}],
)  # fmt: skip


@pytest.mark.parametrize("number", range(len(SEEDS)))
def test_f50_anything_in_place_of_each_part_is_never_an_exception(number: int) -> None:
    """
    Each part of each body in turn, also taken away; what comes out can be written down.
    """
    kind, body = SEEDS[number]
    for at in _places(body):
        for value in ODD:
            heard = read(kind, _with(body, at, value))
            assert (heard.event is None) == bool(heard.ignored)
            assert msgspec.json.encode(heard)
        assert read(kind, _without(body, at))


def _without(found: Any, at: tuple[Any, ...]) -> Any:
    if not at:
        return {}
    copy = dict(found) if isinstance(found, dict) else list(found)
    if len(at) == 1:
        del copy[at[0]]
    else:
        copy[at[0]] = _without(found[at[0]], at[1:])
    return copy


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=100, deadline=None)
@given(st.data())
def test_f50_a_broken_body_is_never_an_exception(data: st.DataObject) -> None:
    """
    A real body with anything in place of any part of it is an event or is ignored; what
    comes out can be written down.
    """
    kind, body = data.draw(st.sampled_from(SEEDS))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.sampled_from(_places(body)))
        body = _with(body, at, data.draw(JSON))
    heard = read(kind, body)

    assert (heard.event is None) == bool(heard.ignored)
    assert msgspec.json.encode(heard)
    assert heard == read(kind, body) or "nan" in repr(body)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["events_api", "interactive", "slash_commands"]), st.binary())
def test_f50_any_bytes_are_read(kind: Any, body: bytes) -> None:
    """
    Whatever is posted has an answer.
    """
    heard = read_request(kind, body)

    assert (heard.event is None) == bool(heard.ignored)
