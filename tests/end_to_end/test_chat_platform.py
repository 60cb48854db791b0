"""The platform breaks for real, and people repair it from Slack: everything real but it.

Real processes, Prometheus and Alertmanager, the engine as a server that Alertmanager
posts to, and the Slack stand-in; once Slack dies in the middle.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from messaging import control, monitor

from tests.asking import web
from tests.end_to_end.chat_place import ROOT, ChatPlace, link_in
from tests.real_parts import free_port, need

BOOK = ROOT / "runbooks/message-delivery-delay.yaml"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[ChatPlace, Any]]:
    """Start the platform, Slack, the engine, and the monitor that posts to it."""
    need("prometheus")
    need("prometheus-alertmanager")
    place = ChatPlace(tmp_path, free_port(), free_port())
    with control.start(tmp_path / "platform", region="eu-west") as platform:
        hook = f"{place.url}/alerts/alertmanager"
        watched = monitor.start_monitor(platform, webhook=hook)
        (tmp_path / "runbooks").mkdir()
        book = tmp_path / "runbooks" / BOOK.name
        book.write_text(fitted(BOOK.read_text(), platform.urls, watched))
        place.begin_slack()
        place.configure()
        config = tmp_path / "engine.yaml"
        text = config.read_text()
        for old, new in (
            ("groups: [ops]", "groups: [messaging-oncall, messaging]"),
            ("{token: {secret: alerts}}", "{insecure: true}"),
            ("  own_channel: []\n", ""),
        ):
            text = text.replace(old, new)
        config.write_text(text)
        try:
            place.begin()
            yield place, platform
        finally:
            place.end()


def fitted(text: str, urls: dict[str, str], prometheus: str) -> str:
    """Return the shipped runbook with the platform's addresses as defaults."""
    for old, new in (
        ("default: 5m", "default: 5s"),
        ("default: gt30s", "default: gt2s"),
        ("default: 'http://127.0.0.1:9090'", f"default: '{prometheus}'"),
        ("default: 'http://127.0.0.1:9101'", f"default: '{urls['router']}'"),
        ("default: 'http://127.0.0.1:9102'", f"default: '{urls['deploys']}'"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    return text


def incident(place: ChatPlace) -> str:
    """Return the name of the room that the run has for itself; wait for it."""

    def found() -> str:
        names = [str(one["name"]) for one in place.state()["channels"]]
        return next((one for one in names if one.startswith("inc-2")), "")

    return str(place.until(found, within=60.0))


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_bad_rollout_is_rolled_back_from_slack(world: tuple[ChatPlace, Any]) -> None:
    """
    Alert, room of its own, evidence, the button, the repair, the pictures, the end.
    """
    place, platform = world
    platform.fault("bad-rollout", on=True)
    room = incident(place)
    place.press("ana", "Approve", room)
    run = place.runs()[0]["run"]
    ended = place.until(lambda: place.over(run), within=90.0)
    place.message("ended", room)
    keys = place.keys(room)

    assert "resolved" == ended
    assert f"{run}/ended/0" == keys[-1]
    assert len(keys) == len(set(keys))
    assert 3 <= str(place.messages(room)).count(f"{run}-picture-")


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_g14_slack_dies_in_the_middle_and_the_repair_goes_on(
    world: tuple[ChatPlace, Any],
) -> None:
    """
    The question is in bo's letters within seconds of Slack's death, with a link that
    approves; the platform is repaired without chat, and the letters tell how.
    """
    place, platform = world
    platform.fault("bad-rollout", on=True)
    room = incident(place)
    place.until(lambda: place.button("Approve", channel=room))
    place.end_slack()
    run = place.runs()[0]["run"]
    place.api("POST", f"/runs/{run}/note", {"text": "is anybody there?"})
    place.until(lambda: "/answer/" in place.letters, within=30.0)
    answered = web.post(link_in(place.letters), data={"verb": "approve"})
    ended = place.until(lambda: place.over(run), within=90.0)
    place.until(lambda: "ended: resolved" in place.letters)

    assert 200 == answered.status_code
    assert "resolved" == ended
    assert place.letters.index("did roll_back_router") < place.letters.index(
        "undid lock_pipeline"
    )
