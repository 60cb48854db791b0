"""`runbook chat-manifest`: the app to install, as the configuration has it."""

from pathlib import Path

import pytest
import yaml
from cli_place import Place

SLACK = """\
data: ./state
secrets:
  bot: {env: BOT}
  more: {env: MORE}
chat:
  link: https://runbook.example.com
  slack: {token: {secret: bot}, WAY: {secret: more}}
"""


@pytest.mark.parametrize(
    ("way", "option", "socket"),
    [
        ("signing", [], False), ("app", [], True), ("app", ["--http"], False),
        ("signing", ["--socket"], True), ("", [], True),
    ],
    ids=["signing", "app", "http", "socket", "unconfigured"],
)  # fmt: skip
def test_the_manifest_fits_the_configuration(
    place: Place, way: str, option: list[str], socket: bool
) -> None:
    """
    Whoever gave a signing secret is asked over HTTP, whoever gave an app token is not.
    """
    text = SLACK.replace("WAY", way) if way else "data: ./state\n"
    Path(place.folder / "engine.yaml").write_text(text)
    code, out, told = place.runbook("chat-manifest", *option)
    made = yaml.safe_load(out)

    assert (0, socket) == (code, made["settings"]["socket_mode_enabled"])
    assert ("chat.slack.app" if socket else "chat.slack.signing") in told


def test_http_without_an_address_is_told(place: Place) -> None:
    """
    It says which key is missing, and the other way.
    """
    Path(place.folder / "engine.yaml").write_text("data: ./state\n")
    code, out, told = place.runbook("chat-manifest", "--http")

    assert (1, "") == (code, out)
    assert told == (
        "runbook: events over HTTP need an address that Slack reaches: set chat.link to "
        "https://…, or take Socket Mode: runbook chat-manifest --socket\n"
    )
