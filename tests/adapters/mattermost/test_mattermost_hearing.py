"""What Mattermost posts: whether it is believed, and what it means."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mattermost import Mattermost

from engine.adapters.mattermost.hearing import Kind, MattermostEars
from engine.adapters.mattermost.server import MattermostServer
from engine.adapters.mattermost.signing import Signer
from engine.adapters.web import HttpxWeb
from engine.errors import NotAllowed, SecretMissing
from engine.model.chat import (
    Account,
    Button,
    Buttons,
    Card,
    Field,
    Filled,
    Form,
    Inbound,
    Place,
    Pressed,
    Said,
)
from engine.model.values import SecretRef
from engine.ports import BadBody
from tests.adapters.mattermost.mattermost_world import (
    Known,
    Side,
    settings_for,
    talking,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.fixture
async def side() -> AsyncIterator[Side]:
    async with Mattermost() as server, talking(server) as one:
        yield one


async def heard(side: Side, kind: Kind, body: bytes) -> list[Inbound]:
    """Return what the engine hears of a body, or what its judging raises."""
    events: list[Inbound] = []

    async def hear(event: Inbound) -> None:
        events.append(event)

    await side.ears.take(kind, body)(hear)
    return events


async def pressed_body(side: Side, button: Button) -> bytes:
    """Return what a press of this button posts, by ana, in a thread."""
    root = await side.server.say("bo", "incidents", "root")
    place = side.place(thread=root.id)
    await side.chat.post(place, Card("t", (Buttons((button,)),)), key="k")
    return side.server.press_body("ana", side.server.last("incidents"), button.label)


async def test_a_button_comes_back_as_it_was_given_out(side: Side) -> None:
    """
    Verb, value and thread are what was signed; who pressed is what the server says.
    """
    body = await pressed_body(side, Button("Approve", "approve", "q-1 h-2"))
    told, post = json.loads(body), side.server.last("incidents")
    (event,) = await heard(side, "action", body)

    assert event == Pressed(
        f"press:{told['trigger_id']}", Account("mattermost", told["user_id"], "ana"),
        Place("mattermost", post.channel, post.root), post.id, "approve", "q-1 h-2",
        told["trigger_id"],
    )  # fmt: skip


async def test_f61_a_press_that_comes_three_times_has_one_id(side: Side) -> None:
    """
    Whoever counts by id counts it once; another press has another one.
    """
    body = await pressed_body(side, Button("Approve", "approve", "v"))
    post = side.server.last("incidents")
    other = side.server.press_body("ana", post, "Approve")
    ids = [
        event.id for one in (body, body, body, other)
        for event in await heard(side, "action", one)
    ]  # fmt: skip

    assert [1, 2] == [len(set(ids[:3])), len(set(ids))]


@pytest.mark.parametrize(
    "change",
    [
        {"verb": "answer"}, {"value": "q-2"}, {"thread": ""}, {"sure": "x"},
        {"code": ""}, {"code": "ü"}, {"code": None}, {"code": 7}, {"value": ["v"]},
    ],
    ids=["verb", "value", "thread", "sure", "none", "letters", "null", "seven", "list"],
)  # fmt: skip
async def test_f67_a_forged_button_is_refused(side: Side, change: Any) -> None:
    """
    Whatever was not given out by this engine, it does not know.
    """
    body = json.loads(await pressed_body(side, Button("Approve", "approve", "v")))
    body["context"] |= change

    with pytest.raises(NotAllowed, match="its code does not fit"):
        await heard(side, "action", json.dumps(body).encode())


async def test_f67_a_button_of_another_secret_is_refused(side: Side) -> None:
    """
    With a new signing secret before the old one, old buttons are still believed.
    """
    body = await pressed_body(side, Button("Approve", "approve", "v"))
    said = json.loads(body)["context"]
    signed = ("press", said["verb"], said["value"], said["thread"], "")
    given = {"TOKEN": "another", "OLD": side.server.token, "FRESH": "f"}
    both = settings_for("http://x").model_copy(
        update={"signing": [SecretRef(secret="FRESH"), SecretRef(secret="OLD")]}
    )

    assert not Signer(settings_for("http://x"), Known(given)).fits(
        said["code"], *signed
    )
    assert Signer(both, Known(given)).fits(said["code"], *signed)


@pytest.mark.parametrize("token", ["", "wrong", "tøken", "command-token "])
async def test_f67_a_command_with_another_token_is_refused(
    side: Side, token: str
) -> None:
    """
    Compared as bytes, in constant time.
    """
    answer = await side.server.command("ana", "incidents", "/runbook list")
    body = answer.sent.replace(b"token=command-token", f"token={token}".encode())

    with pytest.raises(NotAllowed):
        await heard(side, "command", body)


async def test_commands_are_heard_with_any_of_the_tokens(side: Side) -> None:
    """
    Two tokens at once, as long as one is changed for the other.
    """
    side.secrets.held["NEW"] = "new-token"
    root = await side.server.say("bo", "incidents", "root")
    bodies = [
        await side.server.command(
            "ana", "incidents", "/runbook run x a=b c", root=root.id, token=token
        )
        for token in ("new-token", "command-token")
    ]
    events = [e for one in bodies for e in await heard(side, "command", one.sent)]
    ana, place = side.server.world.user("ana"), side.place(thread=root.id)
    first = events[0]
    assert isinstance(first, Said)

    assert first == Said(
        first.id, Account("mattermost", ana.id, "ana"), place, "run x a=b c",
        trigger=first.trigger,
    )  # fmt: skip
    assert 2 == len({one.id for one in events})


async def test_without_a_token_commands_are_closed(side: Side) -> None:
    """
    Nobody can be let in: not everybody.
    """
    answer = await side.server.command("ana", "incidents", "/runbook list")
    side.secrets.held.pop("COMMAND")

    with pytest.raises(SecretMissing):
        await heard(side, "command", answer.sent)


async def test_a_form_comes_back_with_typed_answers(side: Side) -> None:
    """
    Numbers, yes and no, lists and texts; what was left empty is left out.
    """
    form = Form(
        "Start it in production now", "run x",
        (
            Field("region", "Region", "choice", ("eu", "us"), "eu"),
            Field("share", "Share", "number"), Field("count", "Count", "number"),
            Field("bad", "Bad", "number"), Field("sure", "Sure", "yes_no"),
            Field("hosts", "Hosts", "list"), Field("why", "Why", "long", optional=True),
            Field("who", "Who"),
        ),
        ("Drains @here.",),
    )  # fmt: skip
    ana = side.server.world.user("ana")
    await side.chat.form(side.server.world.new_trigger(ana), form)
    given = {
        "share": "0.5", "count": 3, "bad": "x9", "hosts": "a, b\nc", "who": "\ud800bo",
    }  # fmt: skip
    sent = await side.server.submit("ana", given)
    (event,) = await heard(side, "dialog", sent.sent)
    dialog = side.server.dialog("ana")
    assert isinstance(event, Filled)
    assert dialog is not None

    assert event == Filled(
        event.id, Account("mattermost", ana.id), "run x",
        {
            "region": "eu", "share": 0.5, "count": 3, "bad": "x9", "sure": False,
            "hosts": ["a", "b", "c"], "who": "?bo",
        },
        side.place(),
    )  # fmt: skip
    assert ("Start it in productio…", "Drains @\u2060here.") == (
        dialog["title"], dialog["introduction_text"],
    )  # fmt: skip


async def test_a_value_that_a_field_cannot_hold_is_never_cut(side: Side) -> None:
    """
    A longer text has a longer field; what no field holds is left empty; all choices
    are there.
    """
    many = tuple(f"host-{number}" for number in range(300))
    form = Form(
        "t", "v",
        (
            Field("a", "A", value="x" * 200), Field("b", "B", "long", value="y" * 3001),
            Field("c", "C", "choice", many, "host-299"),
            Field("d", "D", "number", value="1" * 151, optional=True),
        ),
    )  # fmt: skip
    ana = side.server.world.user("ana")
    await side.chat.form(side.server.world.new_trigger(ana), form)
    dialog = side.server.dialog("ana")
    assert dialog is not None
    found = [(one["type"], one["default"]) for one in dialog["elements"]]

    assert [
        ("textarea", "x" * 200), ("textarea", ""), ("select", "host-299"), ("text", ""),
    ] == found  # fmt: skip
    assert 300 == len(dialog["elements"][2]["options"])


async def test_f67_a_form_counts_for_whoever_opened_it(side: Side) -> None:
    """
    Its state is seen by a browser; sent for somebody else, or changed, it is refused.
    """
    ana = side.server.world.user("ana")
    await side.chat.form(side.server.world.new_trigger(ana), Form("t", "v", ()))
    sent = await side.server.submit("ana", by="bo")
    own = json.loads((await side.server.submit("ana")).sent)
    changed = own | {"state": own["state"].replace('"value":"v"', '"value":"w"')}

    for body in (sent.sent, json.dumps(changed).encode()):
        with pytest.raises(NotAllowed, match="not opened by this account"):
            await heard(side, "dialog", body)
    assert 1 == len(await heard(side, "dialog", json.dumps(own).encode()))


async def test_a_form_that_is_closed_says_nothing(side: Side) -> None:
    """
    Cancelled is not sent.
    """
    ana = side.server.world.user("ana")
    await side.chat.form(side.server.world.new_trigger(ana), Form("t", "v", ()))
    sent = await side.server.submit("ana", cancelled=True)

    assert [] == await heard(side, "dialog", sent.sent)


async def test_a_button_that_asks_once_more_counts_when_it_is_sure(side: Side) -> None:
    """
    The press opens a dialog for whoever pressed; its answer is the press.
    """
    button = Button("Cancel", "cancel", "r-1", "danger", "It undoes all.")
    body = await pressed_body(side, button)
    before = await heard(side, "action", body)
    dialog = side.server.dialog("ana")
    assert dialog is not None
    sent = await side.server.submit("ana")
    (event,) = await heard(side, "dialog", sent.sent)
    told, post = json.loads(body), side.server.last("incidents")

    assert ([], "It undoes all.") == (before, dialog["introduction_text"])
    assert event == Pressed(
        f"press:{told['trigger_id']}", Account("mattermost", told["user_id"]),
        Place("mattermost", post.channel, post.root), post.id, "cancel", "r-1",
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["action", "dialog", "command"])
@settings(deadline=None)
@given(body=st.binary() | JSON.map(lambda one: json.dumps(one).encode()))
def test_any_body_is_judged_and_never_breaks(kind: Kind, body: bytes) -> None:
    """
    Bytes that nobody gave out are refused, whatever they are.
    """
    settings, secrets = settings_for("http://x"), Known({"TOKEN": "t", "NEW": "n"})
    server = MattermostServer(settings, secrets, HttpxWeb())
    ears = MattermostEars(settings, secrets, server, Signer(settings, secrets))

    with pytest.raises((NotAllowed, BadBody)):
        ears.take(kind, body)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["user_id", "channel_id", "post_id"]), JSON))
def test_a_signed_button_in_any_body_never_breaks(rest: dict[str, Any]) -> None:
    """
    What stands beside the code is read with care, too.
    """
    settings, secrets = settings_for("http://x"), Known({"TOKEN": "t"})
    server, signer = (
        MattermostServer(settings, secrets, HttpxWeb()),
        Signer(settings, secrets),
    )
    ears = MattermostEars(settings, secrets, server, signer)
    context = {
        "verb": "v",
        "value": "w",
        "code": signer.sign("press", "v", "w", "", ""),
    }
    body = json.dumps(rest | {"context": context, "trigger_id": "t"}).encode()
    with suppress(BadBody):
        ears.take("action", body)
