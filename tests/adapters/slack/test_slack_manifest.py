"""The app's manifest has what the adapter needs, and nothing else."""

import re
from pathlib import Path

from engine.adapters.slack.inbound import EVENTS as HEARD
from engine.adapters.slack.manifest import EVENTS, METHODS, manifest, scopes
from engine.core.words.commands import VERBS

ADAPTER = Path(__file__).parents[3] / "engine/adapters/slack"
ASKED = re.compile(
    r'"((?:apps|chat|conversations|files|pins|usergroups|views)\.[\w.]+)"'
)


def test_every_method_that_is_asked_has_its_scopes() -> None:
    """
    What the code asks and what the manifest counts is one list.
    """
    asked = {
        method
        for file in ADAPTER.glob("*.py")
        if file.stem != "manifest"
        for method in ASKED.findall(file.read_text())
    }

    assert set(METHODS) == asked


def test_every_event_that_is_subscribed_is_listened_to() -> None:
    """
    And all that is listened to but files, which come with their messages.
    """
    kinds = {one.partition(".")[0] for one in EVENTS}

    assert set(HEARD) - {"file_shared"} == kinds


def test_the_scopes_are_these() -> None:
    """
    Whoever installs the app grants no more.
    """
    expected = [
        "app_mentions:read", "channels:history", "channels:manage", "channels:read",
        "chat:write", "commands", "files:read", "files:write", "groups:history",
        "groups:read", "groups:write", "im:history", "im:write",
        "metadata.message:read", "pins:write", "reactions:read", "usergroups:read",
    ]  # fmt: skip

    assert expected == scopes()


def test_over_http_every_way_in_has_its_address() -> None:
    """
    Each one where the door is.
    """
    made = manifest("https://runbook.example.com/")
    settings, features = made["settings"], made["features"]
    base = "https://runbook.example.com/chat/slack"

    assert [
        f"{base}/events", f"{base}/actions", f"{base}/commands", False,
    ] == [
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
        features["slash_commands"][0]["url"],
        settings["socket_mode_enabled"],
    ]  # fmt: skip


def test_over_socket_mode_there_is_no_address() -> None:
    """
    The engine opens the connection, so nothing has to reach it.
    """
    made = manifest(None)

    assert made["settings"]["socket_mode_enabled"]
    assert "url" not in str(made)


def test_shortcuts_are_words_of_the_grammar() -> None:
    """
    What a menu says is understood like what is typed.
    """
    words = {one["callback_id"] for one in manifest(None)["features"]["shortcuts"]}

    assert words <= set(VERBS)
