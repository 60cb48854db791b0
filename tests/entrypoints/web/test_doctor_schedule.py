"""The examination of a running server: repeated, kept, shown, and graded."""

import httpx
from web_server import Served


def again(served: Served, more: str) -> None:
    """Begin the server anew with more in its configuration."""
    assert served.process is not None
    served.process.terminate()
    served.process.wait()
    file = served.folder / "engine.yaml"
    file.write_text(file.read_text() + more)
    served.begin()


def test_a_server_examines_itself_again_and_again(served: Served) -> None:
    """
    A first time soon after the start, then every so often: the latest is at /doctor and
    in /metrics, and what changed is in the log.
    """
    again(served, "doctor: {every: 1s}\n")
    first = served.until(lambda: _latest(served))
    served.runbook("hold", "on", "--reason", "storm")
    served.until(lambda: "hold" in _in_the_way(_latest(served)))
    served.runbook("hold", "off")
    later = served.until(
        lambda: (one := _latest(served)) and "hold" not in _in_the_way(one) and one
    )
    text = httpx.get(f"{served.url}/metrics").text
    lines = dict(
        line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")
    )

    assert first["at"] < later["at"]
    assert "doctor what=hold state=warn told=on: ana: storm" in served.log
    assert "doctor what=hold state=ok" in served.log
    assert "doctor what=source zabbix state=warn" in served.log
    assert float(lines['runbook_doctor_findings{state="fail"}']) >= 1
    assert 1.0 == float(lines['runbook_readiness{runbook="flag"}'])
    assert 0.0 <= float(lines["runbook_doctor_age_seconds"]) < 60


def test_a_rehearsal_makes_a_runbook_ready(served: Served) -> None:
    """
    Over HTTP as at the command line: the grade follows, until the file is changed.
    """
    before = _grade(served)
    status, told = served.api("bo", "POST", "/runbooks/flag/rehearse")
    after = _grade(served)
    file = served.folder / "runbooks/flag.yaml"
    file.write_text(f"{file.read_text()}# changed\n")
    served.api("root", "POST", "/reload")
    changed = _grade(served)
    code, _, _ = served.runbook("rehearse", "runbooks")
    command = _grade(served)

    assert (200, True, 2) == (status, told["passed"], len(told["rehearsals"]))
    assert ("doubtful", ["it was neither rehearsed nor run"]) == before
    assert ("ready", []) == after
    assert ("doubtful", ["it was neither rehearsed nor run since it was changed"]) == (
        changed
    )
    assert (0, ("ready", [])) == (code, command)


def test_what_authors_ask_is_answered_over_http(served: Served) -> None:
    """
    A text is validated with its problems at their places, a machine is drawn, and
    timelines are verified; nothing of it is kept.
    """
    text = (served.folder / "runbooks/flag.yaml").read_text()
    good = served.api("bo", "POST", "/validate", {"name": "flag", "text": text})
    bad = served.api(
        "bo", "POST", "/validate", {"name": "flag", "text": text.replace("title:", "t:")}
    )[1]  # fmt: skip
    svg = served.api("eve", "GET", "/runbooks/flag/graph")[1]["svg"]
    words = served.api("eve", "GET", "/runbooks/flag/graph?format=text")[1]["text"]

    assert (200, {"valid": True, "problems": []}) == good
    assert (False, "flag.yaml") == (bad["valid"], bad["problems"][0]["file"])
    assert {"unknown-key", "missing"} & {one["code"] for one in bad["problems"]}
    assert "<svg" in svg
    assert "act lower" in words
    assert (200, {"faults": []}) == served.api("eve", "GET", "/verify")


def _latest(served: Served) -> dict[str, object]:
    status, told = served.api("eve", "GET", "/doctor")
    return told if status == 200 else {}


def _in_the_way(found: object) -> set[str]:
    assert isinstance(found, dict)
    return {one["what"] for one in found["findings"] if one["state"] != "ok"}


def _grade(served: Served) -> tuple[str, list[str]]:
    _, told = served.api("bo", "POST", "/doctor")
    [flag] = [one for one in told["readiness"] if one["runbook"] == "flag"]
    return flag["grade"], flag["reasons"]
