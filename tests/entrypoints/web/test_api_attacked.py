"""The API on a real server, asked by somebody who means harm, or by a broken program."""

import json
import socket
from typing import Any

import httpx
import pytest
from web_server import Served

from tests.asking import web

CLOSED = "  tokens:\n    closed: {secret: gone, role: viewer}\n"


def as_person(served: Served, person: bytes) -> tuple[int, Any]:
    """Start a run through the unix socket in somebody's name; return the answer."""
    transport = httpx.HTTPTransport(uds=str(served.folder / "state/engine.sock"))
    with httpx.Client(transport=transport, base_url="http://engine") as client:
        body = {"runbook": "flag", "inputs": {"folder": str(served.folder / "world")}}
        headers = {b"x-runbook-person": person}
        answer = client.post("/api/v1/runs", json=body, headers=headers)
        return answer.status_code, answer.json()


def raw(served: Served, path: str, body: bytes) -> tuple[int, Any]:
    """Post bytes as ana; return the answer."""
    headers = {"authorization": "Bearer ana-token"}
    url = f"{served.url}/api/v1{path}"
    answer = web.post(url, content=body, headers=headers, timeout=20.0)
    return answer.status_code, answer.json()


def test_a_token_without_a_value_closes_no_other_one(served: Served) -> None:
    """
    A secret that is missing closes its own token; everybody else goes on.
    """
    assert served.process is not None
    served.process.terminate()
    served.process.wait()
    file = served.folder / "engine.yaml"
    file.write_text(file.read_text().replace("  tokens:\n", CLOSED))
    served.begin()

    assert (200, {"held": None}) == served.api("eve", "GET", "/hold")
    assert 401 == served.api("nobody", "GET", "/hold")[0]
    assert 401 == served.api("", "GET", "/hold")[0]


def test_the_socket_speaks_for_configured_people_alone(served: Served) -> None:
    """
    Whoever is not configured is refused with 403, and it is recorded.
    """
    assert (403, {"error": "'mallory' is not one of the people"}) == as_person(
        served, b"mallory"
    )
    status, told = as_person(served, b"bo")
    run = served.api("eve", "GET", f"/runs/{told['run']}")[1]["run"]
    _, records = served.api("eve", "GET", "/records")

    assert (200, "bo") == (status, run["requester"])
    assert "start refused" == records[-1]["what"]


def test_the_header_of_a_person_counts_for_nothing_over_tcp(served: Served) -> None:
    """
    A viewer stays a viewer, whoever they say they are.
    """
    headers = {"authorization": "Bearer eve-token", "x-runbook-person": "ana"}
    url = served.url + "/api/v1/hold"
    answer = web.put(url, json={"reason": "x"}, headers=headers)

    assert 403 == answer.status_code
    assert {"error": "eve is viewer; this needs commander"} == answer.json()


@pytest.mark.parametrize("token", [b"\xc3\xa9", b"\xff\xfe", b"x" * 20_000, b"ana"])
def test_an_odd_token_is_nobody(served: Served, token: bytes) -> None:
    """
    401 for every byte there is, and strangers cannot fill the journal.
    """
    url = served.url + "/api/v1/hold"
    headers = {b"authorization": b"Bearer " + token}
    statuses = {web.get(url, headers=headers).status_code for _ in range(30)}
    _, records = served.api("eve", "GET", "/records")
    refused = [one for one in records if one["what"] == "hold refused"]

    assert {401} == statuses
    assert 1 <= len(refused) < 10


def test_no_more_is_read_than_is_taken(served: Served) -> None:
    """
    A body that is announced, or comes without an end, is refused at 1 MiB.
    """
    head = (
        b"POST /api/v1/runs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ana-token\r\n"
    )
    announced = head + b"content-length: 99999999\r\n\r\n{"
    endless = head + b"transfer-encoding: chunked\r\n\r\n"
    endless += (b"10000\r\n" + b"x" * 65_536 + b"\r\n") * 17
    found = []
    for sent in (announced, endless):
        with socket.create_connection(("127.0.0.1", served.port), 10) as made:
            made.sendall(sent)
            found.append(made.recv(65_536).split(b"\r\n")[0])

    assert [b"HTTP/1.1 413 Content Too Large"] * 2 == [
        one.replace(b"Request Entity", b"Content") for one in found
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"runbook":"flag","inputs":{"folder":NaN}}', "the request is no JSON"),
        (b'{"runbook":"flag","inputs":{"folder":1e999}}', "the request is no JSON"),
        (b"\xff\xff", "the request is no JSON"),
        (
            b'{"runbook":"flag","inputs":{"folder":' + b"[" * 900 + b"]" * 900 + b"}}",
            "the request is nested more than 64 deep",
        ),
    ],
    ids=["nan", "infinite", "bytes", "deep"],
)
def test_what_is_no_json_is_told(served: Served, body: bytes, expected: str) -> None:
    """
    400 in words; nothing of it goes wrong inside.
    """
    assert (400, {"error": expected}) == raw(served, "/runs", body)
    assert "Traceback" not in served.log


def test_one_key_is_for_one_start(served: Served) -> None:
    """
    The same key with other values is refused, and names the run and what differs.
    """
    folder = str(served.folder / "world")
    body = {"runbook": "flag", "inputs": {"folder": folder}, "key": "k"}
    _, told = served.api("ana", "POST", "/runs", body)
    status, refused = served.api(
        "ana", "POST", "/runs", body | {"inputs": {"folder": "/tmp/other"}}
    )

    assert (200, told) == served.api("ana", "POST", "/runs", body)
    assert 409 == status
    assert f"run '{told['run']}'" in refused["error"]
    assert "with other values: folder" in refused["error"]


def test_an_approval_of_an_old_plan_is_void(served: Served) -> None:
    """
    409 says so; the gate goes on asking, and nothing was done.
    """
    body = {"runbook": "flag", "inputs": {"folder": str(served.folder / "world")}}
    run = served.api("ana", "POST", "/runs", body)[1]["run"]
    served.until(lambda: served.api("eve", "GET", f"/runs/{run}")[1]["asks"])
    old = {"step": "gate", "plan": "0123456789ab"}
    status, told = served.api("ana", "POST", f"/runs/{run}/approve", old)

    assert 409 == status
    assert "plan 0123456789ab" in told["error"]
    assert "gate" in served.api("eve", "GET", f"/runs/{run}")[1]["asks"]
    assert (served.folder / "world/broken").exists()


def test_f95_no_secret_in_the_reason_of_a_hold(served: Served) -> None:
    """
    What people write is one visible line without secrets, also in the file.
    """
    reason = {"reason": "right-token\n\x1b[31mstorm"}
    _, told = served.api("ana", "PUT", "/hold", reason)
    kept = (served.folder / "state/HOLD").read_text()

    assert 400 == served.api("ana", "PUT", "/hold", {"reason": " \n"})[0]
    assert "storm" in told["held"]
    assert "right-token" not in json.dumps(told) + kept
    assert "\x1b" not in told["held"] + kept
