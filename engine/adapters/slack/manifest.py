"""The Slack app as its manifest: what it may do, hears of, and offers people.

Rule: what the adapter asks of Slack stands in METHODS with the scopes it needs, what it
listens to in EVENTS; a test compares both with the code. Nothing else is asked for.

Called by bootstrap.slack, for `runbook chat-manifest`.
"""

from collections.abc import Mapping
from typing import Any, Final

HISTORY: Final = (
    "channels:history", "groups:history", "im:history", "metadata.message:read",
)  # fmt: skip
METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "apps.connections.open": (),  # the app's own token: connections:write
    "chat.getPermalink": (),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.create": ("channels:manage",),
    "conversations.history": HISTORY,
    "conversations.invite": ("channels:manage",),
    "conversations.list": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "conversations.replies": HISTORY,
    "conversations.setTopic": ("channels:manage", "groups:write"),
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "pins.add": ("pins:write",),
    "usergroups.users.list": ("usergroups:read",),
    "views.open": (),
}
EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "app_mention": ("app_mentions:read",),
    "message.channels": ("channels:history", "files:read"),
    "message.groups": ("groups:history", "files:read"),
    "message.im": ("im:history", "files:read"),
    "reaction_added": ("reactions:read",),
    "reaction_removed": ("reactions:read",),
}
SHORTCUTS: Final = (  # callbacks are words of the grammar
    ("global", "list", "Start a runbook", "Lists the runbooks to start from"),
    ("message", "note", "Keep in the timeline", "Puts it into the run's timeline"),
)
COMMAND: Final = "/runbook"


def manifest(link: str | None) -> dict[str, Any]:
    """Return the manifest of the app.

    Args:
        link: Where Slack reaches the engine, https://…; None: Socket Mode.
    """
    base = f"{link.rstrip('/')}/chat/slack" if link else ""

    def to(what: str, key: str = "request_url") -> dict[str, str]:
        return {key: f"{base}/{what}"} if base else {}

    return {
        "display_information": {
            "name": "runbook",
            "description": "Incident response: runs are followed and steered here.",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "runbook", "always_online": True},
            "shortcuts": [
                {"name": name, "type": kind, "callback_id": word, "description": does}
                for kind, word, name, does in SHORTCUTS
            ],
            "slash_commands": [
                {
                    "command": COMMAND,
                    **to("commands", "url"),
                    "description": "Start, follow and steer runs",
                    "usage_hint": "help",
                    "should_escape": False,
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": scopes()}},
        "settings": {
            "event_subscriptions": {**to("events"), "bot_events": sorted(EVENTS)},
            "interactivity": {"is_enabled": True, **to("actions")},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not base,
            "token_rotation_enabled": False,
        },
    }


def scopes() -> list[str]:
    """Return the scopes that the app needs, each once."""
    needed = [*METHODS.values(), *EVENTS.values(), ("commands",)]
    return sorted({one for some in needed for one in some})
