"""POST /alerts: who may, what is taken, what is answered, on a real server."""

import base64
import hashlib
import hmac
import http.client
import json
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import apsw
import pytest
from web_server import Served, body

RIGHT = {"authorization": "Bearer right-token"}


def test_f44_the_same_alert_a_thousand_times_in_parallel_is_one_run(
    served: Served, alert: dict[str, Any]
) -> None:
    """
    Every delivery is kept and answered with 200; one run is started.
    """
    with ThreadPoolExecutor(20) as several:
        told = list(several.map(lambda _: served.post(alert)[0], range(1000)))
    served.until(lambda: len(served.became()) >= 1000, within=60.0)

    assert [200] * 1000 == told
    assert 1 == len(served.runs())
    assert ["started"] + ["repeated"] * 999 == served.became()


@pytest.mark.parametrize(
    ("raw", "status", "expected"),
    [
        (b"not json", 400, "the body is no JSON"),
        (b"", 400, "the body is empty"),
        (b"\xff\xfe", 400, "the body is not UTF-8"),
        (b"[" * 100_000, 400, "nested"),
        (b'{"alerts": [{"labels": {"a": ' + b"9" * 5_000 + b"}}]}", 400, "no JSON"),
        (b"{}", 400, "this is no Alertmanager body"),
        (b" " * (17 * 1024 * 1024), 413, "the body is over 16 MiB"),
    ],
    ids=range(7),
)
def test_f50_what_is_no_body_is_refused_and_leaves_nothing(
    served: Served, raw: bytes, status: int, expected: str
) -> None:
    """
    400 or 413 with a reason in JSON, never 500; nothing is kept of it.
    """
    found, told = served.post(raw)

    assert status == found
    assert expected in told["error"]
    assert "No alert has come.\n" == served.runbook("alerts")[1]


def test_f50_a_chunked_body_over_the_cap_is_refused(served: Served) -> None:
    """
    Without a length the body is counted while it comes.
    """
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    parts = (b" " * (1024 * 1024) for _ in range(17))
    try:
        connection.request("POST", "/alerts/alertmanager", parts, RIGHT)
        answer = connection.getresponse()
        assert 413 == answer.status
    except (BrokenPipeError, ConnectionResetError):
        answer = connection.getresponse()  # it answered before it had all of it
        assert 413 == answer.status
    finally:
        connection.close()


def _signed(key: bytes, raw: bytes) -> str:
    return "sha256=" + hmac.new(key, raw, hashlib.sha256).hexdigest()


def _basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


RAW = b'{"title": "x"}'
KEY = b"signing-key"


@pytest.mark.parametrize(
    ("source", "headers", "status"),
    [
        ("alertmanager", {"authorization": "Bearer right-token"}, 200),
        ("alertmanager", {"authorization": "bearer older-token"}, 200),
        ("alertmanager", {"authorization": "Bearer wrong"}, 401),
        ("alertmanager", {"authorization": "Bearer r\xefght-token"}, 401),
        ("alertmanager", {"authorization": ""}, 401),
        ("datadog", {"authorization": _basic("dd:right-token")}, 200),
        ("datadog", {"authorization": _basic("dd:wrong")}, 401),
        ("datadog", {"authorization": _basic("de:right-token")}, 401),
        ("datadog", {"authorization": "Basic !!!"}, 401),
        ("custom", {"x-hub-signature-256": _signed(KEY, RAW)}, 200),
        ("custom", {"x-hub-signature-256": _signed(KEY, RAW + b" ")}, 401),
        ("custom", {"x-hub-signature-256": "sha256=\xe9"}, 401),
        ("custom", {}, 401),
        ("grafana", {"authorization": "Bearer x"}, 503),
        ("zabbix", {"authorization": ""}, 200),
        ("../etc", {}, 404),
    ],
    ids=range(16),
)
def test_f51_who_may_post(
    served: Served, source: str, headers: dict[str, str], status: int
) -> None:
    """
    Right ones pass, also an older secret while it changes; all others are 401, and a
    secret without a value closes its source.
    """
    bodies = {
        "alertmanager": body(served.folder),
        "datadog": {"alert_transition": "Triggered", "title": "x"},
        "zabbix": {"status": "PROBLEM", "trigger": "x"},
    }
    raw = json.dumps(bodies[source]).encode() if source in bodies else RAW
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request("POST", f"/alerts/{source}", raw, headers)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()

    assert status == answer.status, told
    assert "right-token" not in served.log
    assert ("error" in told) == (status != 200)


def test_f51_a_signed_time_has_a_window_and_a_request_comes_once(
    served: Served,
) -> None:
    """
    299 s are fine, 301 s and the future are not, nor is the same request again.
    """
    event = {"specversion": "1.0", "id": "1", "source": "/x", "type": "t"}
    raw = json.dumps(event).encode()

    def told(age: float) -> int:
        stamp = str(int(time.time() - age))
        base = b"v0:" + stamp.encode() + b":" + raw
        signature = "v0=" + hmac.new(KEY, base, hashlib.sha256).hexdigest()
        status, _ = served.post(
            raw, "slackish", x_slack_signature=signature,
            x_slack_request_timestamp=stamp,
        )  # fmt: skip
        return int(status)

    assert [200, 200, 401, 401] == [told(0), told(290), told(302), told(-310)]
    assert 401 == told(290) or 401 == told(290)  # within the same second


@pytest.mark.timed
def test_f52_slow_senders_are_cut_and_others_are_served(served: Served) -> None:
    """
    Half a header is 408 after 5 s, half a body after 15 s; a thousand idle connections
    keep nobody waiting.
    """
    head = b"POST /alerts/zabbix HTTP/1.1\r\nHost: x\r\n"
    idle = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(1000)]
    began = time.monotonic()
    slow = socket.create_connection(("127.0.0.1", served.port))
    slow.sendall(head)
    late = socket.create_connection(("127.0.0.1", served.port))
    late.sendall(head + b"Content-Length: 100\r\n\r\n{")
    asked = time.monotonic()
    assert 200 == served.get("/healthz").status_code
    took = time.monotonic() - asked
    slow.settimeout(30)
    late.settimeout(30)
    cut = []
    for one in (slow, late):
        assert one.recv(100).startswith(b"HTTP/1.1 408 ")
        cut.append(time.monotonic() - began)
    for one in (*idle, slow, late):
        one.close()

    assert took < 2.0
    assert 4.0 < cut[0] < 9.0
    assert 14.0 < cut[1] < 20.0


def test_what_is_not_there_is_told_in_json(served: Served) -> None:
    """
    404 and 405 have words; health needs no token; nothing tells what serves it.
    """
    found = [served.get(path) for path in ("/", "/alerts/alertmanager", "/healthz")]

    assert [404, 405, 200] == [one.status_code for one in found]
    assert [
        {"error": "nothing is at /"},
        {"error": "GET is not what this takes"},
        {"alive": True},
    ] == [one.json() for one in found]
    assert all("server" not in one.headers for one in found)


def test_f18_a_journal_that_is_locked_is_503_and_nothing_is_lost(
    served: Served, alert: dict[str, Any]
) -> None:
    """
    While another process keeps the journal locked: 503 to come again, never 429.
    """
    other = apsw.Connection(str(served.folder / "state/journal.db"))
    other.execute("BEGIN IMMEDIATE")
    status, told = served.post(alert)
    other.execute("ROLLBACK")
    other.close()

    assert (503, True) == (status, "error" in told)
    assert 200 == served.post(alert)[0]
    served.until(served.runs)
    assert 1 == len(served.runs())


def test_f54_an_alert_without_a_runbook_is_kept_and_listed(served: Served) -> None:
    """
    It is stored, answered with 200, and stands in the list of those unmatched; the
    nearest trigger is named.
    """
    other = body(served.folder, labels={"alertname": "FlagUpp"})
    assert 200 == served.post(other)[0]
    served.until(lambda: served.became("FlagUpp"))
    code, out, _ = served.runbook("alerts", "--unmatched", "--json")

    assert (0, [("FlagUpp", "no_runbook")]) == (
        code, [(one["alertname"], one["outcome"]) for one in json.loads(out)],
    )  # fmt: skip
    told = served.runbook("why", "FlagUpp")[1]
    assert (
        "nearest is 'flag': label 'alertname' is 'FlagUpp', it wants 'FlagUp'" in told
    )


def test_f1_a_server_killed_after_it_answered_has_lost_nothing(
    served: Served, alert: dict[str, Any]
) -> None:
    """
    What was answered with 200 is decided by the next engine: one run for each alert.
    """
    worlds = [served.folder / f"world{number}" for number in range(20)]
    for world in worlds:
        world.mkdir()
        (world / "broken").touch()
        assert 200 == served.post(body(world))[0]
    served.kill()
    served.begin()
    assert 200 == served.post(body(worlds[0]))[0]
    served.until(lambda: len(served.became()) >= 21, within=40.0)
    started = [one for one in served.became() if one in ("started", "queued")]

    assert 20 == len(started)
    served.until(lambda: len(served.runs()) == 10)
    assert 10 == len({one["inputs"]["folder"] for one in served.runs()})


def test_f10_a_server_that_is_told_to_end_ends_in_order(
    served: Served, alert: dict[str, Any]
) -> None:
    """
    SIGTERM: nothing is given back for it, the run stays on disk, exit code 0.
    """
    served.post(alert)
    served.until(lambda: served.runs() and served.runs()[0]["questions"])
    assert served.process is not None
    served.process.send_signal(signal.SIGTERM)

    assert 0 == served.process.wait(30)
    assert ["broken", "lowered"] == sorted(
        one.name for one in (served.folder / "world").iterdir()
    )
    served.begin()
    run = served.runs()[0]["run"]
    assert 0 == served.runbook("approve", run)[0]
    served.until(lambda: served.runs()[0]["state"] == "resolved")


def test_only_this_user_reaches_the_local_socket(served: Served) -> None:
    """
    The unix socket answers, and is closed to others.
    """
    path = served.folder / "state/engine.sock"
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(path))
    sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    sock.settimeout(5)
    answer = sock.recv(1000)
    sock.close()

    assert answer.startswith(b"HTTP/1.1 200")
    assert 0 == path.stat().st_mode & 0o077


def test_an_address_that_is_taken_is_told(served: Served) -> None:
    """
    A second server at the same address ends at once with words.
    """
    second = served.begin(wait=False)

    assert 1 == second.wait(30)
    assert f"cannot listen at 127.0.0.1:{served.port}" in served.log


def test_f43_odd_starts_are_taken(served: Served) -> None:
    """
    Year one and the far future start runs like any other; what was sent is kept.
    """
    for number, start in enumerate(("0001-01-01T00:00:00Z", "2999-01-01T00:00:00Z")):
        world = served.folder / f"odd{number}"
        world.mkdir()
        assert 200 == served.post(body(world, startsAt=start))[0]
    served.until(lambda: len(served.runs()) == 2)

    for run in served.runs():
        assert 0 == served.runbook("report", run["run"], "-o", "-")[0]


def test_f53_values_from_outside_are_shown_escaped(served: Served) -> None:
    """
    Line breaks, reversed text, mentions and braces stay what they are: text.
    """
    odd = "a\nb\u202e<!channel> @here `x` {{ 7919*7907 }} \x1b[31m"
    labels = {"alertname": odd, "severity": "page"}
    assert 200 == served.post(body(served.folder, labels=labels))[0]
    served.until(lambda: "no_runbook" in served.runbook("alerts", "--json")[1])
    _, out, _ = served.runbook("alerts")
    _, told, _ = served.runbook("why", "1")

    for text in (out, told, served.log):
        assert "\u202e" not in text
        assert "\x1b" not in text
    assert "{{ 7919*7907 }}" in told
    assert "62615533" not in told  # their product, which no clock shows
