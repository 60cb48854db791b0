"""What `doctor` says of the world that runbooks need, and of each runbook."""

import json
import socket
from typing import Any

from cli_place import Place

from tests.real_parts import free_port

NEEDS = """
format: 1
runbook: needs
title: x
owner: ops
severity: sev3
checks:
  there: {tcp: {host: 127.0.0.1, port: THERE}}
  gone: {tcp: {host: 127.0.0.1, port: GONE}}
  query: {prometheus: {query: up}, pass: value == 1}
actions:
  call: {http: {post: 'http://127.0.0.1:ACTS/x', bearer: {secret: nothing}}, leaves_nothing: true}
  run: {command: {argv: [no-such-program-here]}, leaves_nothing: true}
isolate: [{check: there}, {check: gone}, {check: query}, {act: call}, {act: run}]
restore: [{check: there}]
"""


def test_targets_programs_and_grades_are_told(place: Place) -> None:
    """
    Each server that any path needs is reached for; where nobody listens a runbook
    is not ready if it acts there, doubtful if a check would say so.
    """
    gone, acts = free_port(), free_port()
    with socket.create_server(("127.0.0.1", 0)) as there:
        ports = {"THERE": there.getsockname()[1], "GONE": gone, "ACTS": acts}
        text = NEEDS
        for name, port in ports.items():
            text = text.replace(name, str(port))
        (place.folder / "runbooks/needs.yaml").write_text(text)
        file = place.folder / "engine.yaml"
        file.write_text(
            f"{file.read_text()}network: {{allow: [127.0.0.1/32]}}\n"
            "prometheus: {url: 'http://10.1.2.3:9090'}\n"
        )
        place.runbook("hold")
        code, out, _ = place.runbook("doctor", "--json")
        words = place.runbook("doctor")[1]
    found = json.loads(out)
    told = {row["what"]: row["state"] for row in found["findings"]}
    grades: dict[str, Any] = {one["runbook"]: one for one in found["readiness"]}

    assert 1 == code
    assert {
        f"target 127.0.0.1:{ports['THERE']}": "ok", f"target 127.0.0.1:{gone}": "warn",
        f"target 127.0.0.1:{acts}": "warn", "target 10.1.2.3:9090": "fail",
        "program no-such-program-here": "fail",
    } == {what: state for what, state in told.items() if what[:7] in ("target ", "program")}  # fmt: skip
    assert "doubtful" == grades["flag"]["grade"]
    assert "not ready" == grades["needs"]["grade"]
    reasons = grades["needs"]["reasons"]
    assert [
        "secret 'nothing' has no value",
        "program 'no-such-program-here' is not installed",
    ] == reasons[:2]
    assert "target 10.1.2.3:9090: " in reasons[2]
    assert f"target 127.0.0.1:{acts}: it refuses connections" in reasons
    assert f"target 127.0.0.1:{gone} refuses connections" in reasons
    assert "it has no rehearsals" in reasons
    assert "not ready  needs\n      secret 'nothing' has no value\n" in words
    assert "doubtful   flag\n      it was neither rehearsed nor run\n" in words


def test_a_rehearsal_is_remembered_where_an_engine_has_its_data(place: Place) -> None:
    """
    Beside a data folder `rehearse` makes a runbook ready; without one it leaves nothing.
    """
    before = place.runbook("rehearse", "runbooks")
    (place.folder / "state").mkdir(mode=0o700, exist_ok=True)
    part = place.runbook("rehearse", "runbooks", "--only", "repaired")
    doubt = place.runbook("doctor")[1]
    place.runbook("rehearse", "runbooks")
    ready = place.runbook("doctor")[1]

    assert [0, 0] == [before[0], part[0]]
    assert "doubtful   flag\n" in doubt
    assert "ready      flag\n" in ready
