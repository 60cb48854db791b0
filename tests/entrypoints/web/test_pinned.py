"""F102 on a real server: a changed file of a runbook that is `auto` only proposes."""

from typing import Any

from web_server import Served, body


def test_f102_a_changed_auto_runbook_falls_back_to_propose(
    served: Served, alert: dict[str, Any]
) -> None:
    """
    Pinned it starts by itself; after a change it is offered, and the reason says why.
    """
    file = served.folder / "runbooks/flag.yaml"
    file.write_text(
        file.read_text().replace("owner: ops", "owner: ops\nautonomy: auto")
    )
    code, out, _ = served.runbook("pin", "runbooks/flag.yaml")
    assert 0 == code
    config = served.folder / "engine.yaml"
    config.write_text(config.read_text() + out)
    served.kill()
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
