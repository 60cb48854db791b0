"""What the stand-in sends has the keys and types of the bodies that apps recorded."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat import Slack
from chat_world import client, listening

from tests.real_parts import strict

RECORDED = Path(__file__).parents[3] / "shared/corpora/alerts/slack-interactions"
KINDS = ["block_actions", "command", "message_action", "shortcut", "view_submission"]
# Of other installations: an organisation of workspaces, and older ways to say a name.
NOT_OURS = {"enterprise.id", "enterprise.domain", "enterprise", "team.enterprise_id",
            "team.enterprise_name", "workflow_step", "workflow_step.step_id",
            "workflow_step.workflow_id", "workflow_step.workflow_step_edit_id",
            "view.submit_disabled"}  # fmt: skip
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "a button"},
           "accessory": {"type": "button", "action_id": "button", "value": "clicked",
                         "text": {"type": "plain_text", "text": "Click"}}}  # fmt: skip


def recorded(kind: str) -> list[Any]:
    """Return the bodies of a kind; without the recordings the test is skipped."""
    found = sorted(RECORDED.glob(f"{kind}-*.json"))
    if not found and strict() and RECORDED.parent.exists():
        pytest.fail(f"no recorded {kind} in {RECORDED}")
    if not found:
        pytest.skip("the recorded bodies are not here")
    return [json.loads(file.read_text()) for file in found]


def shape(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield each key's path and the type of its value; a list by its members."""
    if isinstance(value, dict):
        for key, one in value.items():
            place = f"{at}.{key}" if at else key
            yield place, type(one).__name__
            if at != "view.state" and place not in ("message.blocks", "view.blocks"):
                yield from shape(one, place)
    elif isinstance(value, list):
        for one in value:
            yield from shape(one, f"{at}[]")


async def made(slack: Slack, kind: str) -> dict[str, Any]:
    """Return a body of this kind as the stand-in sends it."""
    async with listening(slack) as app:
        await client(slack).chat_postMessage(
            channel="incidents", text="a", blocks=[SECTION]
        )
        message = slack.last("incidents")
        if kind == "block_actions":
            await slack.press("ana", message, "button")
        elif kind == "message_action":
            said = await slack.say("bo", "incidents", "@ana test")
            await slack.message_shortcut("ana", said, "keep")
        elif kind == "command":
            await slack.command("ana", "incidents", "/runbook list")
        else:
            await slack.shortcut("ana", "start")
        if kind == "view_submission":
            view = {"type": "modal", "title": {"type": "plain_text", "text": "t"},
                    "blocks": []}  # fmt: skip
            trigger = app.bodies("/interactions")[0]["trigger_id"]
            await client(slack).views_open(trigger_id=trigger, view=view)
            await slack.submit("ana", {})
        path = "/commands" if kind == "command" else "/interactions"
        return app.bodies(path)[-1]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_body_has_what_recorded_ones_have(kind: str) -> None:
    """Each key of a recorded body is there, of the same type (null where it is null)."""
    bodies = recorded(kind)
    async with Slack() as slack:
        ours = dict(shape(await made(slack, kind)))
    theirs: dict[str, set[str]] = {}
    for body in bodies:
        for place, name in shape(body):
            if place not in NOT_OURS:
                theirs.setdefault(place, set()).add(name)
    missing = {place for place in theirs if place not in ours}
    other = {place for place in theirs.keys() & ours.keys()
             if ours[place] not in theirs[place] | {"NoneType"}}  # fmt: skip

    assert (set(), set()) == (missing - EPHEMERAL, other)


EPHEMERAL = {"view.close.type", "view.close.text", "view.submit.type",
             "view.submit.text"}  # fmt: skip  # this window has no such buttons


def test_every_recorded_body_is_of_a_kind_that_is_known() -> None:
    """Ten of the fourteen are made here; the others belong to retired features."""
    kinds = [file.name.partition("-")[0] for file in sorted(RECORDED.glob("*.json"))]
    if not kinds:
        pytest.skip("the recorded bodies are not here")

    assert (14, {"interactive_message", "workflow_step_edit"}) == (
        len(kinds),
        set(kinds) - set(KINDS),
    )
