"""The API on a real server: who may what, what it does, and its document."""

import json
import re
import signal
from typing import Any

import httpx
import pytest
from web_server import Served

from engine.entrypoints.web.operations import OPERATIONS, Operation, openapi
from tests.asking import web

BODIES: dict[str, Any] = {
    "start": {"runbook": "flag"},
    "approve": {},
    "reject": {"reason": "x"},
    "answer": {"answers": {}},
    "note": {"text": "x"},
    "cancel": {},
    "take": {},
    "set_hold": {"reason": "x"},
    "accept": {},
    "decline": {"reason": "x"},
    "validate": {"text": "x", "name": "x"},
    "retain": {"dry_run": True},
    "hold_run": {"reason": "x"},
    "sev": {"to": "sev2"},
    "page": {"group": "ops"},
    "retry": {},
}
ROLES = ["viewer", "responder", "commander", "admin"]
NAMES = {"viewer": "eve", "responder": "bo", "commander": "ana", "admin": "root"}


def started(served: Served) -> str:
    """Start the flag's runbook as ana; return the run once it asks."""
    body = {"runbook": "flag", "inputs": {"folder": str(served.folder / "world")}}
    status, told = served.api("ana", "POST", "/runs", body)
    assert 200 == status, told
    run = told["run"]
    served.until(lambda: served.api("eve", "GET", f"/runs/{run}")[1]["asks"])
    return str(run)


def test_a_run_is_started_followed_approved_and_reported(served: Served) -> None:
    """
    Everything a responder does at the terminal, over HTTP, under their own name.
    """
    run = started(served)
    _, seen = served.api("eve", "GET", f"/runs/{run}")
    assert "Repair" in seen["asks"]["gate"]
    _, noted = served.api(
        "bo", "POST", f"/runs/{run}/note", {"text": "called the provider"}
    )
    _, approved = served.api("ana", "POST", f"/runs/{run}/approve", {"step": "gate"})
    served.until(
        lambda: (
            served.api("eve", "GET", f"/runs/{run}")[1]["run"]["state"] == "resolved"
        )
    )
    _, entries = served.api("eve", "GET", f"/runs/{run}/timeline")
    _, report = served.api("eve", "GET", f"/runs/{run}/report")
    _, runs = served.api("eve", "GET", "/runs?open=true")

    assert [True, "gate"] == [noted["noted"], approved["answered"]]
    assert "called the provider" in noted["told"][0]
    assert "ana said yes" in approved["told"][0]
    assert [] == runs
    assert [] == [*(served.folder / "world").iterdir()]
    assert {"ana", "bo", "engine"} == {one["actor"] for one in entries}
    assert "called the provider" in json.dumps(entries)
    assert report["markdown"].startswith("# ")


def test_f101_every_operation_needs_its_role(served: Served) -> None:
    """
    Nobody: 401. One role too low: 403 with both roles, and it is recorded. Never 500.
    """
    wrong = [told for one in OPERATIONS if (told := not_as_told(served, one))]

    assert [] == wrong


def not_as_told(served: Served, one: Operation) -> str:
    """Return what an operation does against its role, or nothing."""
    path, body = re.sub(r"\{\w+\}", "nothing", one.path), BODIES.get(one.name)
    status, told = served.api("", one.method, path, body)
    if (status, "error" in told) != (401, True):
        return f"{one.name}: nobody is answered {status} {told}"
    below = ROLES.index(one.role) - 1
    if below >= 0:
        who = NAMES[ROLES[below]]
        refused = {"error": f"{who} is {ROLES[below]}; this needs {one.role}"}
        found = served.api(who, one.method, path, body)
        if found != (403, refused):
            return f"{one.name}: {who} is answered {found}"
        last = served.api("eve", "GET", "/records")[1][-1]
        if (last["what"], last["actor"]) != (f"{one.name} refused", who):
            return f"{one.name}: the refusal is not recorded but {last}"
    status, told = served.api("root", one.method, path, body)
    return "" if status in (200, 404, 409) else f"{one.name}: root is told {told}"


def test_the_document_has_every_operation(served: Served) -> None:
    """
    OpenAPI 3.1 as it is served, each operation with its parameters and its body.
    """
    document = served.get("/api/v1/openapi.json").json()
    named = {
        details["operationId"]: details
        for path in document["paths"].values()
        for details in path.values()
    }

    assert openapi(document["info"]["version"]) == document
    assert {one.name for one in OPERATIONS} == set(named)
    for one in OPERATIONS:
        wanted = re.findall(r"\{(\w+)\}", one.path) + [name for name, _ in one.queries]
        assert wanted == [it["name"] for it in named[one.name]["parameters"]]
        assert (one.body is not None) == ("requestBody" in named[one.name])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "expected"),
    [
        ("POST", "/runs", {"runbook": "flg"}, 404, "Did you mean 'flag'?"),
        ("POST", "/runs", {}, 400, "runbook: Field required"),
        ("POST", "/runs", {"runbook": "flag"}, 409, "folder"),
        ("POST", "/runs", {"runbook": "flag", "x": 1}, 400, "x: Extra inputs"),
        ("GET", "/runs/r-none", None, 404, "no run 'r-none'"),
        ("GET", "/runs?limit=many", None, 400, "limit: 'many' is no whole number"),
        ("POST", "/runs/r-none/approve", {}, 404, "no run 'r-none'"),
        ("GET", "/nowhere", None, 404, "nothing is at /api/v1/nowhere"),
    ],
)
def test_what_does_not_fit_is_told(
    served: Served, method: str, path: str, body: Any, status: int, expected: str
) -> None:
    """
    400, 404 or 409 with words that name what and where.
    """
    found, told = served.api("root", method, path, body)

    assert status == found
    assert expected in told["error"]


def test_f63_a_role_alone_approves_nothing(served: Served) -> None:
    """
    Who is not of the group asked is refused by the gate, told why, and recorded.
    """
    run = started(served)
    status, answer = served.api("bo", "POST", f"/runs/{run}/approve", {})
    _, entries = served.api("eve", "GET", f"/runs/{run}/timeline")
    told = [one["what"] for one in entries if one["kind"] == "refused"]

    assert 1 == len(told)
    assert "bo" in told[0]
    assert 409 == status
    assert answer["error"].startswith("it does not count: ")
    assert served.api("eve", "GET", f"/runs/{run}")[1]["asks"]


def test_the_same_key_starts_one_run(served: Served) -> None:
    """
    A program that asks again because the answer was lost starts nothing twice.
    """
    body = {
        "runbook": "flag",
        "inputs": {"folder": str(served.folder / "world")},
        "key": "k1",
    }
    told = [served.api("ana", "POST", "/runs", body) for _ in range(3)]

    assert 1 == len({answer["run"] for _, answer in told})
    assert 1 == len(served.runs())


def test_g16_the_hold_is_set_and_lifted_over_http(served: Served) -> None:
    """
    With it nothing starts by an alert; the command line sees it, too.
    """
    assert 200 == served.api("ana", "PUT", "/hold", {"reason": "storm"})[0]
    assert "storm" in served.runbook("hold")[1]
    assert 200 == served.api("ana", "DELETE", "/hold")[0]

    assert (200, {"held": None}) == served.api("eve", "GET", "/hold")


def test_f12_f13_a_runbook_that_changes_or_goes_leaves_its_runs_alone(
    served: Served,
) -> None:
    """
    New text for new runs, the old one for those that run; broken: the last good one.
    """
    run = started(served)
    file = served.folder / "runbooks/flag.yaml"
    text = file.read_text()
    file.write_text(text.replace("is up", "is raised"))
    served.until(
        lambda: "raised" in served.api("eve", "GET", "/runbooks/flag")[1]["text"]
    )
    file.write_text(text.replace("title:", "titel:"))
    _, told = served.api("root", "POST", "/reload")
    assert ["flag is broken; its last good revision is kept"] == told["changed"]
    assert "is broken" in served.log
    file.unlink()
    (served.folder / "runbooks/other.yaml").write_text(
        text.replace("runbook: flag", "runbook: other")
    )
    assert served.process is not None
    served.process.send_signal(signal.SIGHUP)
    served.until(
        lambda: (
            [one["name"] for one in served.api("eve", "GET", "/runbooks")[1]["loaded"]]
            == ["other"]
        )
    )
    served.api("ana", "POST", f"/runs/{run}/approve", {})
    served.until(
        lambda: (
            served.api("eve", "GET", f"/runs/{run}")[1]["run"]["state"] == "resolved"
        )
    )


def test_metrics_count_what_happened(served: Served, alert: dict[str, Any]) -> None:
    """
    Posts, decisions, runs, effects and the time to the first act, without names.
    """
    served.post(alert)
    served.post(alert)
    served.until(lambda: served.runs() and served.runs()[0]["questions"])
    text = web.get(served.url + "/metrics").text
    values = dict(
        line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")
    )

    assert {
        'runbook_posts_total{source="alertmanager",status="200"}': "2.0",
        'runbook_alerts_decided_total{outcome="started"}': "1.0",
        'runbook_alerts_decided_total{outcome="repeated"}': "1.0",
        'runbook_effects_total{kind="act",result="done"}': "1.0",
        'runbook_runs{state="waiting"}': "1.0",
        "runbook_questions": "1.0",
        "runbook_held": "1.0",
        "runbook_first_act_seconds_count": "1.0",
        "runbook_alerts_queued": "0.0",
    }.items() <= values.items()
    assert "flag" not in text.replace("flags", "")


def test_the_local_socket_is_this_user(served: Served) -> None:
    """
    No token is needed there; the person is the one the configuration names.
    """
    transport = httpx.HTTPTransport(uds=str(served.folder / "state/engine.sock"))
    with httpx.Client(transport=transport, base_url="http://engine") as client:
        body = {"runbook": "flag", "inputs": {"folder": str(served.folder / "world")}}
        answer = client.post("/api/v1/runs", json=body)
        run = answer.json()["run"]
        found = client.get(f"/api/v1/runs/{run}").json()["run"]

    assert "ana" == found["requester"]
