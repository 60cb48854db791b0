"""On a real server: an `auto` runbook that was changed, or not rehearsed, proposes."""

import json
import time
from pathlib import Path
from typing import Any

from web_server import Served, body


def pinned(served: Served) -> Path:
    """End the server; make its runbook `auto`, and pin it. Return the runbook's file."""
    file = served.folder / "runbooks/flag.yaml"
    file.write_text(
        file.read_text().replace("owner: ops", "owner: ops\nautonomy: auto")
    )
    code, out, _ = served.runbook("pin", "runbooks/flag.yaml")
    assert 0 == code
    config = served.folder / "engine.yaml"
    config.write_text(config.read_text() + out)
    served.kill()
    return file


def test_f102_a_changed_auto_runbook_falls_back_to_propose(
    served: Served, alert: dict[str, Any]
) -> None:
    """
    Pinned it starts by itself; after a change it is offered, and the reason says why.
    """
    file = pinned(served)
    served.begin()
    served.post(alert)
    served.until(lambda: served.became() == ["started"])
    before = served.log.count("flag changed to")
    file.write_text(file.read_text().replace("is up", "is down"))
    served.until(lambda: served.log.count("flag changed to") > before)
    other = served.folder / "other"
    other.mkdir()
    served.post(body(other))
    served.until(lambda: "proposed" in served.became())

    assert ["started", "proposed"] == served.became()
    assert "it was changed: " in served.runbook("why", "FlagUp")[1]
    assert 1 == len(served.runs())


def test_g20_what_was_not_rehearsed_for_a_month_falls_back_to_propose(
    served: Served, alert: dict[str, Any]
) -> None:
    """
    Rehearsed 31 days ago it is offered, with the reason; rehearsed anew it starts. The
    report of its run says how long ago it was rehearsed.
    """
    pinned(served)
    config = served.folder / "engine.yaml"
    config.write_text(f"{config.read_text()}doctor: {{every: 1s}}\n")
    assert 0 == served.runbook("rehearse", "runbooks")[0]
    kept = served.folder / "state/rehearsals.json"
    found = json.loads(kept.read_text())
    found["flag"]["at"] = time.time() - 31 * 86_400
    kept.write_text(json.dumps(found))
    served.begin()
    served.until(lambda: "31 d ago" in served.log)
    served.post(alert)
    served.until(lambda: served.became() == ["proposed"])
    why = served.runbook("why", "FlagUp")[1]
    examined = served.log.count("doctor what=runbook flag")
    served.runbook("rehearse", "runbooks")
    served.until(lambda: served.log.count("doctor what=runbook flag") > examined)
    other = served.folder / "other"
    other.mkdir()
    served.post(body(other))
    served.until(lambda: "started" in served.became())
    report = served.runbook("report", served.runs()[0]["run"])[1]

    assert "rehearsed or run 31 d ago, more than 30 d: rehearse it" in why
    assert "| Last rehearsal |" in report
