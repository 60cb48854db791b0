"""Slack's requests at a real server: signed, answered at once, each heard once."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from chat import Slack

from engine.adapters.slack.modals import modal
from engine.model.chat import Filled, Marked, Pressed, Rewritten, Said
from engine.views.chat import Value, reason_form
from tests.entrypoints.chat.slack_world import World, a_door

BUTTON = {
    "type": "actions",
    "elements": [
        {
            "type": "button", "action_id": "approve", "value": "q1 h1",
            "text": {"type": "plain_text", "text": "Approve"},
        }
    ],
}  # fmt: skip
VIEW = {
    "type": "modal", "private_metadata": "run x", "callback_id": "form",
    "title": {"type": "plain_text", "text": "t"},
    "submit": {"type": "plain_text", "text": "s"},
    "blocks": [
        {
            "type": "input", "block_id": "share",
            "label": {"type": "plain_text", "text": "Share"},
            "element": {"type": "plain_text_input", "action_id": "number"},
        }
    ],
}  # fmt: skip


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with Slack() as slack, a_door(slack) as made:
        yield made


async def posted(slack: Slack) -> None:
    client = slack.bot_token
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{slack.base_url}chat.postMessage",
            headers={"authorization": f"Bearer {client}"},
            json={"channel": "incidents", "text": "t", "blocks": [BUTTON]},
        )
        assert answer.json()["ok"], answer.text


async def test_the_address_is_verified(world: World) -> None:
    """
    Slack gets its challenge back, signed or it is 401.
    """
    assert [True, False] == [
        await world.slack.verify_url(),
        await world.slack.verify_url(sign="forged"),
    ]


async def test_what_people_do_is_heard(world: World) -> None:
    """
    A command, a mention, direct words, a button, a form, a reaction, an edit, a menu.
    """
    slack = world.slack
    await posted(slack)
    await slack.command("ana", "incidents", "/runbook run drain")
    await slack.say("ana", "incidents", "@runbook status")
    await slack.say("bo", "@runbook", "list")
    await slack.press("ana", slack.messages("incidents")[0], "approve")
    said = await slack.say("bo", "incidents", "look here")
    await slack.react("ana", said, "pushpin")
    await slack.edit("bo", said, "look there")
    await slack.delete("bo", said)
    await slack.message_shortcut("ana", slack.messages("incidents")[0], "note")
    kinds = [type(one) for one in await world.until(8)]

    assert [Said, Said, Said, Pressed, Marked, Rewritten, Rewritten, Said] == kinds
    assert ["run drain", "status", "list", "note"] == [
        one.text for one in world.heard if isinstance(one, Said)
    ]


async def test_a_form_is_heard_or_told_what_is_wrong(world: World) -> None:
    """
    What is no number, and what the engine finds wrong, stands beside the field.
    """
    slack = world.slack
    world.door.check = lambda form: (
        {"share": "at most 1"} if form.answers["share"] > 1 else {}
    )
    typed = await slack.command("ana", "incidents", "/runbook run")
    async with httpx.AsyncClient() as http:
        await http.post(
            f"{slack.base_url}views.open",
            headers={"authorization": f"Bearer {slack.bot_token}"},
            json={"trigger_id": typed.body["trigger_id"], "view": VIEW},
        )
    told = [
        (await slack.submit("ana", {"share": one})).errors
        for one in ("half", "2", "0.5")
    ]
    await world.until(2)

    assert [
        {"share": "This is no number: write 12 or 0.5"}, {"share": "at most 1"}, {},
    ] == told  # fmt: skip
    assert [{"share": 0.5}] == [
        one.answers for one in world.heard if isinstance(one, Filled)
    ]


@pytest.mark.parametrize("sign", ["none", "forged", "old", "future", "non-ascii"])
async def test_f67_a_forged_request_is_401(world: World, sign: str) -> None:
    """
    Nothing is heard, at any of the three addresses.
    """
    slack = world.slack
    await posted(slack)
    told = [
        await slack.press("ana", slack.last("incidents"), "approve", sign=sign),  # type: ignore[arg-type]
        await slack.command("ana", "incidents", "/runbook list", sign=sign),  # type: ignore[arg-type]
    ]
    await slack.say("ana", "incidents", "@runbook status", sign=sign)  # type: ignore[arg-type]
    told += slack.events("app_mention")

    assert ([401] * 3, []) == ([one.status for one in told], world.heard)


async def test_f61_an_event_that_is_delivered_four_times_is_one(world: World) -> None:
    """
    Each delivery is acknowledged, each signed anew, and one is heard.
    """
    slack = world.slack
    await posted(slack)
    await slack.say("ana", "incidents", "@runbook status")
    told = [
        slack.events("app_mention")[0],
        await slack.press("ana", slack.messages("incidents")[0], "approve"),
    ]
    for one in told:
        for _ in range(3):
            await slack.courier.again(one)
    await world.until(2)

    assert [[200] * 4] * 2 == [[a.status for a in one.attempts] for one in told]
    assert 2 == len(world.heard)


async def test_the_answer_waits_for_nothing(world: World) -> None:
    """
    While hearing hangs, Slack is answered within 500 ms.
    """
    free = asyncio.Event()

    async def wait() -> None:
        await free.wait()

    world.before = wait
    typed = [
        await world.slack.command("ana", "incidents", "/runbook list") for _ in range(3)
    ]
    waited, world.heard[:] = list(world.heard), []
    free.set()
    await world.until(3)

    assert ([], [200] * 3) == (waited, [one.status for one in typed])
    assert max(one.seconds for one in typed) < 0.5


async def test_what_could_not_be_heard_may_come_again(world: World) -> None:
    """
    An event that failed is not remembered as done.
    """
    failures = iter([True, False])

    async def fail() -> None:
        if next(failures):
            raise RuntimeError("the store is away")

    world.before = fail
    typed = await world.slack.command("ana", "incidents", "/runbook list")
    await asyncio.sleep(0)
    await world.slack.courier.again(typed)

    assert 1 == len(await world.until(1))


async def test_too_much_at_once_has_to_come_again() -> None:
    """
    503, and the same bytes are taken once there is room.
    """
    free = asyncio.Event()

    async def wait() -> None:
        await free.wait()

    async with Slack() as slack, a_door(slack, most=1) as world:
        world.before = wait
        first = await slack.command("ana", "incidents", "/runbook list")
        second = await slack.command("bo", "incidents", "/runbook list")
        free.set()
        await world.until(1)
        await slack.courier.again(second)
        await world.until(2)

    assert [200, 503, 200] == [first.status, second.attempts[0].status, second.status]


def signed(key: str, body: bytes, at: float) -> dict[str, str]:
    stamp = str(int(at))
    base = b"v0:" + stamp.encode() + b":" + body
    sign = hmac.new(key.encode(), base, hashlib.sha256).hexdigest()
    return {"x-slack-signature": f"v0={sign}", "x-slack-request-timestamp": stamp}


async def test_f51_the_window_the_secrets_and_the_size(world: World) -> None:
    """
    297 s pass; either secret; the same bytes again do nothing; 1 MiB and no more.
    """
    now = time.time()
    commands = f"{world.url}/commands"
    body = b"user_id=U01ANA&channel_id=C1&text=list&trigger_id="
    large = body + b"x" * 1024 * 1024
    asked = [
        (body + b"1", signed("an older one", body + b"1", now)),
        (body + b"2", signed(world.slack.signing_secret, body + b"2", now - 297)),
        (body + b"2", signed(world.slack.signing_secret, body + b"2", now - 297)),
        (body + b"3", signed(world.slack.signing_secret, body + b"3", now - 303)),
        (body + b"4", signed(world.slack.signing_secret, body + b"4", now + 303)),
        (body + b"5", signed("another", body + b"5", now)),
        (large, signed(world.slack.signing_secret, large, now)),
        (b"ssl_check=1", signed(world.slack.signing_secret, b"ssl_check=1", now)),
    ]
    async with httpx.AsyncClient() as http:
        told = [
            (await http.post(commands, content=one, headers=headers)).status_code
            for one, headers in asked
        ]
        looked = [
            (await http.get(url)).status_code
            for url in (f"{commands}?ssl_check=1", commands, f"{world.url}/no")
        ]
        elsewhere = await http.post(f"{world.url}/no")

    assert [200, 200, 200, 401, 401, 401, 413, 200] == told
    assert ([200, 405, 404], 404) == (looked, elsewhere.status_code)
    assert ["slack:command:1", "slack:command:2"] == [
        one.id for one in await world.until(2)
    ]


async def test_a_door_without_a_secret_is_closed(world: World) -> None:
    """
    503: Slack comes again once the secret is there.
    """
    world.environment.clear()
    typed = await world.slack.command("ana", "incidents", "/runbook list")

    assert (503, []) == (typed.status, world.heard)


async def test_what_came_in_is_counted_by_what_became_of_it(world: World) -> None:
    """
    Taken, the same bytes or the same event again, a bad signature, a body of no use.
    """
    slack, now = world.slack, int(time.time())
    commands = f"{world.url}/commands"
    body = b"command=%2Frunbook&text=list&user_id=U1&channel_id=C1&trigger_id=1.2.3"
    async with httpx.AsyncClient() as http:
        for content, headers in (
            (body, signed(slack.signing_secret, body, now)),
            (body, signed(slack.signing_secret, body, now)),
            (body, signed(slack.signing_secret, body, now - 1)),
            (body, signed("not the secret", body, now)),
            (b"x", signed(slack.signing_secret, b"x", now)),
        ):
            door = commands if content == body else f"{world.url}/events"
            await http.post(door, content=content, headers=headers)
    await world.until(1)

    assert {
        ("commands", "taken"): 1, ("commands", "replayed"): 2,
        ("commands", "forged"): 1, ("events", "unreadable"): 1,
    } == world.door.counts  # fmt: skip
    assert 1 == len(world.heard)


async def test_a_form_that_has_to_say_why_is_told_while_it_is_open(
    world: World,
) -> None:
    """
    A reject, a hold or a note of blanks stands beside its field, and nothing is heard.
    """
    slack = world.slack
    typed = await slack.command("ana", "incidents", "/runbook reject")
    view = modal(reason_form(Value("reject", "r-1", "k"), "Reject"))
    async with httpx.AsyncClient() as http:
        await http.post(
            f"{slack.base_url}views.open",
            headers={"authorization": f"Bearer {slack.bot_token}"},
            json={"trigger_id": typed.body["trigger_id"], "view": view},
        )
    blank = await slack.submit("ana", {"reason": "  "})
    said = await slack.submit("ana", {"reason": "peak hour"})
    await world.until(2)

    assert {"reason": "Say why: nothing is rejected without a reason"} == blank.errors
    assert {} == said.errors
    assert [{"reason": "peak hour"}] == [
        one.answers for one in world.heard if isinstance(one, Filled)
    ]
