"""What people do in the Slack stand-in reaches an app over HTTP, signed, as Slack's."""

import asyncio
from typing import Any

import aiohttp
import pytest
from chat import Cannot, Slack
from chat.delivery import Sign
from chat_world import client, listening
from slack_sdk.errors import SlackApiError

ASK: list[dict[str, Any]] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "Roll back?"}},
    {
        "type": "actions",
        "block_id": "ask",
        "elements": [
            {
                "type": "button",
                "action_id": "approve",
                "text": {"type": "plain_text", "text": "Approve"},
                "value": "plan-1",
                "style": "primary",
            },
            {
                "type": "static_select",
                "action_id": "role",
                "options": [
                    {"text": {"type": "plain_text", "text": "Scribe"}, "value": "s"}
                ],
            },
        ],
    },
]
WINDOW: dict[str, Any] = {
    "type": "modal",
    "callback_id": "reject",
    "private_metadata": "plan-1",
    "title": {"type": "plain_text", "text": "Reject"},
    "submit": {"type": "plain_text", "text": "Reject"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        },
        {
            "type": "input",
            "block_id": "hosts",
            "optional": True,
            "label": {"type": "plain_text", "text": "Hosts"},
            "element": {"type": "number_input", "action_id": "n", "max_value": "3"},
        },
    ],
}


async def asked(slack: Slack) -> None:
    await client(slack).chat_postMessage(channel="incidents", text="?", blocks=ASK)


async def test_a_pressed_button_is_a_signed_block_actions() -> None:
    """The app hears who pressed which button of which message, in a signed form."""
    async with Slack() as slack, listening(slack) as app:
        await asked(slack)
        message = slack.last("incidents")
        pressed = await slack.press("ana", message, "approve")
        body = app.bodies("/interactions")[0]
        action = body["actions"][0]

        assert (pressed.status, pressed.acknowledged, pressed.shown) == (200, True, "")
        assert [one.valid for one in app.heard] == [True, True]
        assert (body["user"]["id"], body["message"]["ts"], action["value"]) == (
            slack.workspace.person("ana").id,
            message.ts,
            "plan-1",
        )
        assert (action["action_id"], action["block_id"], action["type"]) == (
            "approve",
            "ask",
            "button",
        )


async def test_an_option_is_chosen_by_its_value() -> None:
    """A select says the whole option."""
    async with Slack() as slack, listening(slack) as app:
        await asked(slack)
        await slack.press("bo", slack.last("incidents"), "role", chosen="s")

        assert app.bodies("/interactions")[0]["actions"][0]["selected_option"] == {
            "text": {"type": "plain_text", "text": "Scribe"},
            "value": "s",
        }


SIGNS: list[Sign] = ["none", "forged", "old", "future", "non-ascii"]


@pytest.mark.parametrize("sign", SIGNS)
async def test_bad_signatures_are_found_bad_by_slack_sdk(sign: Sign) -> None:
    """Each kind of bad signature is one that Slack's own verifier refuses."""
    async with Slack() as slack, listening(slack) as app:
        await slack.command("ana", "incidents", "/runbook list", sign=sign)

        assert [one.valid for one in app.heard] == [False]


async def test_a_non_ascii_signature_comes_as_it_is() -> None:
    """The header has a byte above 127."""
    async with Slack() as slack, listening(slack) as app:
        await slack.command("ana", "incidents", "/runbook", sign="non-ascii")

        assert not app.heard[0].headers["X-Slack-Signature"].isascii()


async def test_a_slash_command_is_answered_to_its_writer_alone() -> None:
    """The answer's text becomes an ephemeral message; in_channel one for all."""
    async with Slack() as slack, listening(slack) as app:
        app.answers["/commands"] = {"text": "two runbooks"}
        typed = await slack.command("ana", "incidents", "/runbook list  db")
        app.answers["/commands"] = {"text": "started", "response_type": "in_channel"}
        await slack.command("bo", "@runbook", "/runbook run x")
        body = app.bodies("/commands")[0]

        assert (body["command"], body["text"]) == ("/runbook", "list  db")
        assert typed.shown == "two runbooks"
        assert [m.text for m in slack.ephemerals("incidents", "ana")] == [
            "two runbooks"
        ]
        assert slack.messages("incidents") == []
        assert [m.text for m in slack.messages(slack.direct("bo").id)] == ["started"]


async def test_a_command_that_fails_or_is_late_is_shown_as_slack_shows_it() -> None:
    """dispatch_failed for an error, operation_timeout for silence."""
    async with Slack(answer_seconds=0.2) as slack, listening(slack) as app:
        app.answers["/commands"] = 500
        failed = await slack.command("ana", "incidents", "/runbook list")
        app.seconds = 1.0
        late = await slack.command("ana", "incidents", "/runbook list")

        assert ("dispatch_failed", "operation_timeout") == (failed.shown, late.shown)


async def test_a_window_is_opened_filled_refused_and_sent() -> None:
    """A modal goes the whole way: trigger, errors by block, values, closed."""
    async with Slack() as slack, listening(slack) as app:
        await slack.command("ana", "incidents", "/runbook reject")
        trigger = app.bodies("/commands")[0]["trigger_id"]
        await client(slack).views_open(trigger_id=trigger, view=WINDOW)
        app.answers["/interactions"] = {
            "response_action": "errors",
            "errors": {"reason": "longer, please"},
        }
        refused = await slack.submit("ana", {"reason": "no"})
        still_open = slack.view("ana") is not None
        app.answers["/interactions"] = 200
        sent = await slack.submit("ana", {"reason": "too early", "hosts": 2})
        view = app.bodies("/interactions")[-1]["view"]

        assert (refused.errors, still_open) == ({"reason": "longer, please"}, True)
        assert (sent.errors, slack.view("ana")) == ({}, None)
        assert (view["callback_id"], view["private_metadata"]) == ("reject", "plan-1")
        assert view["state"]["values"] == {
            "reason": {"text": {"type": "plain_text_input", "value": "too early"}},
            "hosts": {"n": {"type": "number_input", "value": "2"}},
        }


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "the field 'reason' must be filled"),
        ({"reason": "a", "hosts": 4}, "the field 'hosts' is above 3"),
        ({"reason": "a", "hosts": "1.5"}, "the field 'hosts' takes a whole number"),
        ({"reason": "a", "other": "b"}, "there is no field other"),
    ],
)
async def test_a_window_that_slack_would_not_send_is_not_sent(
    values: dict[str, Any], why: str
) -> None:
    """Slack's own window keeps back what a field forbids."""
    async with Slack() as slack, listening(slack) as app:
        await slack.shortcut("ana", "reject")
        trigger = app.bodies("/interactions")[0]["trigger_id"]
        await client(slack).views_open(trigger_id=trigger, view=WINDOW)
        with pytest.raises(Cannot) as cannot:
            await slack.submit("ana", values)

        assert why == str(cannot.value)


async def test_a_trigger_is_good_once_and_for_three_seconds() -> None:
    """The second use is exchanged, a late one expired."""
    async with Slack() as slack, listening(slack) as app:
        codes = []
        await slack.shortcut("ana", "one")
        await slack.shortcut("ana", "two")
        triggers = [one["trigger_id"] for one in app.bodies("/interactions")]
        slack.workspace.triggers[triggers[1]].at -= 3.1
        for trigger in (triggers[0], triggers[0], triggers[1]):
            try:
                await client(slack).views_open(trigger_id=trigger, view=WINDOW)
                codes.append("")
            except SlackApiError as refused:
                codes.append(refused.response["error"])

        assert ["", "exchanged_trigger_id", "expired_trigger_id"] == codes


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"nothing": "a"}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "update", "view": {"type": "modal"}},
        {"response_action": "vanish"},
    ],
    ids=["errors of no block", "no errors", "a bad view", "no such action"],
)
async def test_an_answer_that_slack_cannot_use_is_shown_as_a_failure(
    answer: dict[str, Any],
) -> None:
    """The person sees that it failed, and the window stays."""
    async with Slack() as slack, listening(slack) as app:
        await slack.shortcut("ana", "reject")
        trigger = app.bodies("/interactions")[0]["trigger_id"]
        await client(slack).views_open(trigger_id=trigger, view=WINDOW)
        app.answers["/interactions"] = answer
        sent = await slack.submit("ana", {"reason": "too early"})

        assert ("invalid_response", "dispatch_failed") == (sent.last.failed, sent.shown)
        assert slack.view("ana") is not None


async def test_a_reply_with_blocks_that_slack_refuses_is_a_failure() -> None:
    """A slash command's answer has the limits of every message."""
    async with Slack() as slack, listening(slack) as app:
        app.answers["/commands"] = {"text": "a", "blocks": [{"type": "section"}]}
        typed = await slack.command("ana", "incidents", "/runbook list")

        assert (typed.shown, slack.ephemerals("incidents", "ana")) == (
            "dispatch_failed",
            [],
        )


async def test_a_click_says_what_the_message_s_fields_hold() -> None:
    """state.values has each select of the message, chosen or not."""
    async with Slack() as slack, listening(slack) as app:
        await asked(slack)
        message = slack.last("incidents")
        await slack.press("ana", message, "approve")
        await slack.press("ana", message, "approve", values={"role": "s"})
        states = [b["state"]["values"] for b in app.bodies("/interactions")]
        option = message.blocks[1]["elements"][1]["options"][0]

        assert states == [
            {"ask": {"role": {"type": "static_select", "selected_option": None}}},
            {"ask": {"role": {"type": "static_select", "selected_option": option}}},
        ]


async def test_events_of_what_people_write_edit_and_mark() -> None:
    """Messages, mentions, reactions, edits, deletions and files reach the app."""
    async with Slack() as slack, listening(slack) as app:
        said = await slack.say("ana", "incidents", "@runbook a<b & http://x.example/y")
        await slack.edit("ana", said, "changed")
        await slack.react("bo", said, "pushpin")
        await slack.unreact("bo", said, "pushpin")
        await slack.delete("ana", said)
        await slack.share("bo", "incidents", "log.txt", b"lines")
        await slack.say("ana", "@runbook", "status")
        events = [one["event"] for one in app.bodies("/events")]
        ids = [one["event_id"] for one in app.bodies("/events")]

        assert [(e["type"], e.get("subtype", "")) for e in events] == [
            ("message", ""),
            ("app_mention", ""),
            ("message", "message_changed"),
            ("reaction_added", ""),
            ("reaction_removed", ""),
            ("message", "message_deleted"),
            ("message", "file_share"),
            ("file_shared", ""),
            ("message", ""),
        ]
        assert events[0]["text"] == (
            f"<@{slack.bot.id}> a&lt;b &amp; <http://x.example/y>"
        )
        assert (events[-1]["channel_type"], len(set(ids))) == ("im", 9)
        assert (
            events[2]["previous_message"]["text"],
            events[2]["message"]["text"],
        ) == (
            events[0]["text"],
            "changed",
        )


async def test_own_messages_come_as_events_too() -> None:
    """As in Slack the app hears itself, with its bot_id, and of no channel it left."""
    async with Slack() as slack, listening(slack) as app:
        await asked(slack)
        await slack.courier.settled()
        slack.channel("incidents").members.remove(slack.bot.id)
        await slack.say("ana", "incidents", "alone")

        assert [e["event"]["bot_id"] for e in app.bodies("/events")] == [
            slack.workspace.bot_id
        ]


async def test_an_event_is_tried_again_with_the_same_id_and_its_number() -> None:
    """Three more tries after an error, each with X-Slack-Retry-Num and the reason."""
    async with Slack() as slack, listening(slack) as app:
        slack.courier.retry_seconds = (0.0, 0.01, 0.01)
        app.answers["/events"] = 500
        await slack.say("ana", "incidents", "hello")
        delivery = slack.deliveries[0]
        await slack.until(lambda _: len(delivery.attempts) == 4)
        numbers = [one.headers.get("X-Slack-Retry-Num") for one in app.heard]

        assert [None, "1", "2", "3"] == numbers
        assert {one.headers.get("X-Slack-Retry-Reason") for one in app.heard[1:]} == {
            "http_error"
        }
        assert len({one.body["event_id"] for one in app.heard}) == 1


async def test_a_click_can_come_again_and_two_people_can_click_at_once() -> None:
    """A redelivery has the same trigger; two gestures run side by side."""
    async with Slack() as slack, listening(slack) as app:
        await asked(slack)
        message = slack.last("incidents")
        both = await asyncio.gather(
            slack.press("ana", message, "approve"),
            slack.press("bo", message, "approve"),
        )
        await slack.redeliver(both[0])
        triggers = [one["trigger_id"] for one in app.bodies("/interactions")]

        assert (len(triggers), len(set(triggers))) == (3, 2)
        assert len(both[0].attempts) == 2


async def test_an_old_screen_can_press_what_is_gone() -> None:
    """Only `stale` presses a button that an edit took away."""
    async with Slack() as slack, listening(slack) as app:
        await asked(slack)
        message = slack.last("incidents")
        await client(slack).chat_update(
            channel=message.channel, ts=message.ts, text="decided"
        )
        with pytest.raises(Cannot):
            await slack.press("ana", message, "approve")
        await slack.press("ana", message, "approve", stale=True)

        assert len(app.bodies("/interactions")) == 1


async def test_a_response_url_answers_five_times() -> None:
    """It replaces the message, adds ephemeral ones, and is used up after five."""
    async with Slack() as slack, listening(slack) as app:
        await asked(slack)
        message = slack.last("incidents")
        await slack.press("ana", message, "approve")
        url = app.bodies("/interactions")[0]["response_url"]
        given = [{"text": "done", "replace_original": True}] + [{"text": "psst"}] * 5
        async with aiohttp.ClientSession() as web:
            statuses = []
            for one in given:
                async with web.post(url, json=one) as answer:
                    statuses.append(answer.status)

        assert [200, 200, 200, 200, 200, 404] == statuses
        assert (message.text, len(slack.ephemerals("incidents", "ana"))) == ("done", 4)


async def test_the_url_of_events_is_verified() -> None:
    """The challenge has to come back."""
    async with Slack() as slack, listening(slack) as app:
        wrong = await slack.verify_url()
        app.answers["/events"] = {"challenge": "other"}
        other = await slack.verify_url()

        assert (wrong, other) == (False, False)
        assert app.bodies("/events")[0]["type"] == "url_verification"


async def test_what_a_person_cannot_do_is_said() -> None:
    """Nobody presses in a channel where they are not, or edits what others wrote."""
    async with Slack(people=["ana", "bo"]) as slack, listening(slack):
        slack.workspace.add_person("eve")
        await asked(slack)
        message = slack.last("incidents")
        why = []
        for attempt in (
            slack.press("eve", message, "approve"),
            slack.press("ana", message, "reject"),
            slack.edit("ana", message, "mine"),
            slack.submit("ana", {}),
        ):
            with pytest.raises(Cannot) as cannot:
                await attempt
            why.append(str(cannot.value))

        assert why == [
            "eve is not in #incidents",
            "the message has no 'reject'; it has: approve, role",
            "ana did not write this message",
            "ana has no window open",
        ]
