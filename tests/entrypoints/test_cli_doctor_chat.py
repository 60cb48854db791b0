"""What `doctor` says of chat: does it work, is there a room, is there a way out."""

import json
from pathlib import Path
from typing import Any

from cli_place import Place

from tests.real_parts import free_port

CONFIG = """\
data: ./state
runbooks: [./runbooks]
secrets: {slack: {env: SLACK}, signing: {env: SLACK}}
chat:
  slack: {token: {secret: slack}, signing: {secret: signing}, channel: incidents,
          url: 'http://127.0.0.1:PORT/api/'}
"""


def told(place: Place, more: str = "", book: str = "") -> dict[str, tuple[str, str]]:
    """Return state and words by what was looked at."""
    text = CONFIG.replace("PORT", str(free_port())) + more
    Path(place.folder / "engine.yaml").write_text(text)
    file = place.folder / "runbooks/flag.yaml"
    file.write_text(file.read_text() + book)
    _, out, _ = place.runbook("doctor", "--json", SLACK="xoxb-secret")
    rows: list[dict[str, Any]] = json.loads(out)["findings"]
    assert "xoxb-secret" not in out
    return {
        row["what"]: (row["state"], row["told"])
        for row in rows
        if row["what"].startswith(("slack", "chat.fallback"))
    }


def test_doctor_tells_that_slack_cannot_be_reached_and_nothing_else_is_there(
    place: Place,
) -> None:
    """
    Nobody listens there: a failure; no way out: a warning while nothing is severe.
    """
    found = told(place)

    assert "fail" == found["slack"][0]
    assert "cannot be reached" in found["slack"][1]
    assert (
        "warn",
        "no way out: while chat is down nobody is told of anything",
    ) == found["chat.fallback"]


def test_doctor_tells_that_a_severe_runbook_has_no_way_out(place: Place) -> None:
    """
    sev1 without a way out is a failure that names the runbook.
    """
    file = place.folder / "runbooks/flag.yaml"
    file.write_text(file.read_text().replace("severity: sev3", "severity: sev1"))

    words = (
        "no way out: while chat is down nobody is told of anything, sev1 and sev2 "
        "included (flag)"
    )

    assert ("fail", words) == told(place)["chat.fallback"]


def test_doctor_tells_of_a_way_out_that_is_not_there(place: Place) -> None:
    """
    A runbook that names a stranger is a failure.
    """
    ways = "  fallback: {letters: {file: ./letters}}\n"
    found = told(place, ways, "chat: {fallback: [sms]}\n")

    assert ("ok", "letters; links that answer go to nobody") == found["chat.fallback"]
    assert ("fail", "it names 'sms', which is no way out") == (
        found["chat.fallback of flag"]
    )
