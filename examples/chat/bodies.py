"""The bodies that Slack sends to an app: interactions, slash commands, events.

Their keys are those of the bodies that apps recorded. Called by: people, slack.
"""

from typing import Any, Final

from chat.things import Channel, Json, Message, Person
from chat.workspace import View, Workspace

VERIFICATION_TOKEN: Final = "verification-token"


def _by(workspace: Workspace, kind: str, person: Person) -> Json:
    """Return what every interaction begins with."""
    return {
        "type": kind,
        "user": {"id": person.id, "username": person.name, "name": person.name,
                 "team_id": workspace.team},
        "api_app_id": workspace.app_id,
        "token": VERIFICATION_TOKEN,
        "team": {"id": workspace.team, "domain": workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }  # fmt: skip


def _where(channel: Channel) -> Json:
    return {"id": channel.id, "name": channel.name}


def action_of(element: Json, block_id: str, ts: str, chosen: Any = None) -> Json:
    """Return one entry of `actions`: what was pressed or chosen."""
    kept = {key: element[key] for key in ("action_id", "text", "value", "style", "type")
            if key in element}  # fmt: skip
    made = kept | {"block_id": block_id, "action_ts": ts}
    return made if chosen is None else made | chosen_of(element["type"], chosen)


def chosen_of(kind: str, chosen: Any) -> Json:
    """Return what an element of this type says was chosen; the option as Slack has it.

    For selects and radio buttons `chosen` is the option object, for checkboxes and
    multi selects a list of them, else the value.
    """
    name = CHOSEN.get(kind, "value")
    return {name: chosen}


CHOSEN: Final = {
    "static_select": "selected_option",
    "external_select": "selected_option",
    "overflow": "selected_option",
    "radio_buttons": "selected_option",
    "checkboxes": "selected_options",
    "multi_static_select": "selected_options",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}


def block_actions(
    workspace: Workspace, person: Person, message: Message, action: Json,
    response_url: str,
) -> Json:  # fmt: skip
    """Return the body of a button pressed in a message."""
    channel = workspace.channels[message.channel]
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": bool(message.seen_by),
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    body = _by(workspace, "block_actions", person) | {
        "container": container,
        "trigger_id": workspace.new_trigger(person.id),
        "channel": _where(channel),
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [action],
    }
    if not message.seen_by:
        body["message"] = message.body(workspace.base)
    return body


def view_actions(
    workspace: Workspace, person: Person, view: View, action: Json
) -> Json:
    """Return the body of something chosen in a window, before it is sent."""
    return _by(workspace, "block_actions", person) | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": workspace.new_trigger(person.id, view.id),
        "view": view.body,
        "actions": [action],
    }


def view_submission(
    workspace: Workspace, person: Person, view: View, values: Json
) -> Json:
    """Return the body of a window that was sent."""
    return _by(workspace, "view_submission", person) | {
        "trigger_id": workspace.new_trigger(person.id, view.id),
        "view": view.body | {"state": {"values": values}},
        "response_urls": [],
    }


def view_closed(workspace: Workspace, person: Person, view: View) -> Json:
    """Return the body of a window that was closed without being sent."""
    return _by(workspace, "view_closed", person) | {
        "view": view.body,
        "is_cleared": False,
    }


def shortcut(workspace: Workspace, person: Person, callback_id: str) -> Json:
    """Return the body of a global shortcut."""
    body = _by(workspace, "shortcut", person) | {
        "action_ts": workspace.new_ts(),
        "callback_id": callback_id,
        "trigger_id": workspace.new_trigger(person.id),
    }
    del body["api_app_id"], body["user"]["name"]
    return body


def message_action(
    workspace: Workspace, person: Person, message: Message, callback_id: str,
    response_url: str,
) -> Json:  # fmt: skip
    """Return the body of an entry of a message's context menu."""
    body = _by(workspace, "message_action", person) | {
        "action_ts": workspace.new_ts(),
        "callback_id": callback_id,
        "trigger_id": workspace.new_trigger(person.id),
        "channel": _where(workspace.channels[message.channel]),
        "message_ts": message.ts,
        "message": message.body(workspace.base),
        "response_url": response_url,
    }
    del body["api_app_id"]
    body["user"] = {"id": person.id, "name": person.name}
    return body


def command(
    workspace: Workspace, person: Person, channel: Channel, name: str, text: str,
    response_url: str,
) -> Json:  # fmt: skip
    """Return the fields of a slash command; all are texts."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.team,
        "team_domain": workspace.domain,
        "channel_id": channel.id,
        "channel_name": channel.name,
        "user_id": person.id,
        "user_name": person.name,
        "command": name,
        "text": text,
        "api_app_id": workspace.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": workspace.new_trigger(person.id),
    }


def event_callback(workspace: Workspace, event: Json) -> Json:
    """Return an event in its envelope."""
    granted = {
        "enterprise_id": None,
        "team_id": workspace.team,
        "user_id": workspace.bot.id,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.team,
        "context_team_id": workspace.team,
        "context_enterprise_id": None,
        "api_app_id": workspace.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": workspace.new_id("Ev"),
        "event_time": workspace.now(),
        "authorizations": [granted],
        "is_ext_shared_channel": False,
        "event_context": f"4-{workspace.new_id('ctx')}",
    }
