"""Windows of the Slack stand-in: pushed, updated, chosen in, closed, answered."""

from typing import Any

from chat import Slack
from chat_world import App, client, listening
from slack_sdk.errors import SlackApiError

TITLE = {"type": "plain_text", "text": "t"}
ROLE = {
    "type": "actions",
    "block_id": "roles",
    "elements": [
        {
            "type": "static_select",
            "action_id": "role",
            "options": [
                {"text": {"type": "plain_text", "text": "Scribe"}, "value": "scribe"}
            ],
        }
    ],
}
FIELDS: list[tuple[dict[str, Any], Any, dict[str, Any]]] = [
    ({"type": "plain_text_input", "initial_value": "as is"}, None, {"value": "as is"}),
    ({"type": "number_input", "is_decimal_allowed": True}, 1.5, {"value": "1.5"}),
    ({"type": "datepicker"}, "2026-03-01", {"selected_date": "2026-03-01"}),
    ({"type": "timepicker"}, "14:05", {"selected_time": "14:05"}),
    ({"type": "datetimepicker"}, 1_772_000_000, {"selected_date_time": 1_772_000_000}),
    ({"type": "users_select"}, "U1", {"selected_user": "U1"}),
]


def window(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": TITLE, "blocks": list(blocks), **more}


async def trigger(slack: Slack, app: App) -> str:
    await slack.shortcut("ana", "start")
    return str(app.bodies("/interactions")[-1]["trigger_id"])


async def code_of(slack: Slack, method: str, **given: Any) -> str:
    try:
        await client(slack).api_call(method, json=given)
    except SlackApiError as refused:
        return str(refused.response["error"])
    return ""


async def test_a_window_is_updated_by_id_and_only_with_its_hash() -> None:
    """views.update changes what the person sees; an old hash is a conflict."""
    async with Slack() as slack, listening(slack) as app:
        opened = await client(slack).views_open(
            trigger_id=await trigger(slack, app), view=window(external_id="one")
        )
        view = opened["view"]
        await client(slack).views_update(
            view_id=view["id"], hash=view["hash"], view=window(ROLE)
        )
        late = await code_of(
            slack, "views.update", view_id=view["id"], hash=view["hash"], view=window()
        )
        gone = await code_of(slack, "views.update", view_id="V404", view=window())
        shown = slack.view("ana")

        assert shown is not None
        assert [b["block_id"] for b in shown.body["blocks"]] == ["roles"]
        assert (late, gone) == ("hash_conflict", "not_found")


async def test_three_windows_lie_on_each_other_and_no_more() -> None:
    """views.push takes a trigger of the window below; closing shows that one again."""
    async with Slack() as slack, listening(slack) as app:
        await client(slack).views_open(
            trigger_id=await trigger(slack, app), view=window(ROLE, callback_id="0")
        )
        codes = []
        for number in (1, 2, 3):
            await slack.choose("ana", "role", "scribe")
            pushed = window(ROLE, callback_id=str(number), notify_on_close=True)
            codes.append(
                await code_of(
                    slack,
                    "views.push",
                    trigger_id=app.bodies("/interactions")[-1]["trigger_id"],
                    view=pushed,
                )
            )
        await slack.close_view("ana")
        shown = slack.view("ana")
        closed = app.bodies("/interactions")[-1]

        assert codes == ["", "", "push_limit_reached"]
        assert (closed["type"], closed["view"]["callback_id"]) == ("view_closed", "2")
        assert shown is not None
        assert shown.body["callback_id"] == "1"


async def test_a_choice_in_a_window_comes_before_it_is_sent() -> None:
    """block_actions with the window, and no channel or response_url."""
    async with Slack() as slack, listening(slack) as app:
        await client(slack).views_open(
            trigger_id=await trigger(slack, app), view=window(ROLE)
        )
        await slack.choose("ana", "role", "scribe")
        body = app.bodies("/interactions")[-1]

        assert (body["type"], body["container"]["type"]) == ("block_actions", "view")
        assert body["actions"][0]["selected_option"]["value"] == "scribe"
        assert {"channel", "response_url", "message"} & set(body) == set()


async def test_an_answer_updates_pushes_and_clears() -> None:
    """response_action changes what lies before the person."""
    async with Slack() as slack, listening(slack) as app:
        await client(slack).views_open(
            trigger_id=await trigger(slack, app), view=window(callback_id="one")
        )
        seen = []
        for answer in (
            {"response_action": "update", "view": window(callback_id="two")},
            {"response_action": "push", "view": window(callback_id="three")},
            {"response_action": "clear"},
        ):
            app.answers["/interactions"] = answer
            await slack.submit("ana", {})
            view = slack.view("ana")
            seen.append(view.body["callback_id"] if view else "")

        assert ["two", "three", ""] == seen


async def test_each_kind_of_field_says_its_value_as_slack_does() -> None:
    """Texts, numbers, dates, times and people have their own key in the state."""
    blocks = [
        {
            "type": "input",
            "block_id": f"b{number}",
            "label": TITLE,
            "element": {"action_id": "a", **element},
        }
        for number, (element, _, _) in enumerate(FIELDS)
    ]
    values = {f"b{n}": v for n, (_, v, _) in enumerate(FIELDS) if v is not None}
    async with Slack() as slack, listening(slack) as app:
        await client(slack).views_open(
            trigger_id=await trigger(slack, app), view=window(*blocks, submit=TITLE)
        )
        await slack.submit("ana", values)
        state = app.bodies("/interactions")[-1]["view"]["state"]["values"]

        assert state == {
            f"b{number}": {"a": {"type": element["type"], **expected}}
            for number, (element, _, expected) in enumerate(FIELDS)
        }


async def test_a_window_beyond_slacks_limits_is_not_opened() -> None:
    """A long title, no title, or an input without a submit button is refused."""
    field = {
        "type": "input",
        "label": TITLE,
        "element": {"type": "plain_text_input", "action_id": "a"},
    }
    long = {"type": "plain_text", "text": "t" * 25}
    async with Slack() as slack, listening(slack) as app:
        found = [
            await code_of(
                slack, "views.open", trigger_id=await trigger(slack, app), view=view
            )
            for view in (window(field), window() | {"title": long}, {"type": "modal"})
        ]

        assert (["invalid_arguments"] * 3, None) == (found, slack.view("ana"))
