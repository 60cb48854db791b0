"""`runbook serve` as a process: what it says, what it logs, how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import pytest
from web_server import Served, body

SLOW = """\
format: 1
runbook: slow
title: Slow
owner: ops
severity: sev3
trigger:
  - alert: {source: alertmanager, match: {alertname: Slow}}
inputs:
  folder: {type: string, from: labels.folder, pattern: '[A-Za-z0-9/_.-]+'}
actions:
  slowly:
    command:
      argv: [sh, -c, 'touch "$1/begun"; sleep "$2"; touch "$1/done"', sh, '{{ folder }}', 'SECONDS']
    leaves_nothing: true
    timeout: 50s
isolate:
  - act: slowly
"""


def begun_slowly(served: Served, seconds: int) -> None:
    """Start a server with a runbook whose act takes so long, and begin a run."""
    text = SLOW.replace("SECONDS", str(seconds))
    (served.folder / "runbooks/slow.yaml").write_text(text)
    served.kill()
    served.begin()
    labels = {"alertname": "Slow", "folder": str(served.folder / "world")}
    assert 200 == served.post(body(served.folder, labels=labels))[0]
    served.until((served.folder / "world/begun").exists)


def ended(served: Served, *signals: int) -> tuple[int, float]:
    """Send signals; return exit code and seconds to the end."""
    assert served.process is not None
    began = time.monotonic()
    for number in signals:
        served.process.send_signal(number)
        time.sleep(0.3)
    return served.process.wait(40), time.monotonic() - began


@pytest.mark.timed
def test_f10_an_act_in_flight_has_its_grace(served: Served) -> None:
    """
    SIGTERM waits for it; its result is on disk, the exit code is 0.
    """
    begun_slowly(served, 3)
    code, took = ended(served, signal.SIGTERM)
    told = served.runbook("timeline", served.runs()[0]["run"])[1]

    assert (0, True) == (code, (served.folder / "world/done").exists())
    assert 1.0 < took < 20.0
    assert "did slowly" in told


@pytest.mark.timed
def test_f10_a_second_signal_waits_for_no_act(served: Served) -> None:
    """
    Ctrl-C twice: the act is let go, what is known is on disk, the exit code is 0.
    """
    begun_slowly(served, 30)
    code, took = ended(served, signal.SIGINT, signal.SIGINT)

    assert (0, False) == (code, (served.folder / "world/done").exists())
    assert took < 8.0
    assert ["slow"] == [one["runbook"] for one in served.runs()]


def test_f10_a_post_in_flight_is_answered_before_the_end(served: Served) -> None:
    """
    SIGTERM between head and body of a request: it is kept and answered with 200.
    """
    assert served.process is not None
    labels = {"alertname": "FlagUp", "severity": "none"}
    raw = json.dumps(body(served.folder, labels=labels)).encode()
    head = (
        "POST /alerts/alertmanager HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer right-token\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port)) as peer:
        peer.sendall(head.encode() + raw[:10])
        time.sleep(0.3)
        served.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", served.port))
        peer.sendall(raw[10:])
        peer.settimeout(10)
        answer = b""
        while part := peer.recv(10_000):
            answer += part

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"alerts":1' in answer
    assert 0 == served.process.wait(30)
    served.begin()
    served.until(lambda: served.became() == ["no_runbook"])


def test_it_says_where_it_listens_and_who_may_post(served: Served) -> None:
    """
    One line for each source; an open one cannot be overlooked.
    """
    told = served.log

    assert f"runbook serves at http://127.0.0.1:{served.port} and at " in told
    assert "  POST /alerts/alertmanager: a bearer token\n" in told
    assert "  POST /alerts/zabbix: OPEN: anybody who reaches it may post\n" in told
    assert "warning engine.serve source=zabbix is open" in told


def test_beyond_loopback_without_tls_is_a_warning(served: Served) -> None:
    """
    Whoever listens for other machines is told what can be read on the way.
    """
    served.kill()
    config = served.folder / "engine.yaml"
    config.write_text(config.read_text().replace("127.0.0.1:", "0.0.0.0:"))
    served.begin()

    assert f"listening at 0.0.0.0:{served.port} without TLS" in served.log


def test_f95_the_log_shows_no_secret(served: Served) -> None:
    """
    A secret in a note of a source, in a label, in a path: it is not in the log.
    """
    served.post(b'{"alerts": "right-token"}')
    served.post(body(served.folder, labels={"alertname": "right-token"}))
    served.post(b"{}", "right-token")
    served.until(lambda: "status=404" in served.log)

    assert "right-token" not in served.log


def test_the_log_in_json_has_the_run_in_each_line_about_one(served: Served) -> None:
    """
    Every line is an object with time, level and place; one about a run names it.
    """
    served.kill()
    told = served.folder / "json"
    with told.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "engine", "serve", "--log-format", "json"],
            cwd=served.folder, env=served.environment, stdout=log, stderr=log,
        )  # fmt: skip
    served.process = process
    served.processes.append(process)
    served.until(lambda: served.get("/readyz").status_code == 200)
    assert 200 == served.post(body(served.folder / "world"))[0]
    served.until(lambda: b"state=waiting" in told.read_bytes())
    rows: list[dict[str, Any]] = [
        json.loads(line) for line in told.read_text().splitlines() if line[:1] == "{"
    ]
    run = served.runs()[0]["run"]

    assert {"at", "level", "from", "told"} == set.intersection(*map(set, rows))
    assert {run} == {one["run"] for one in rows if "state=" in one["told"]}


def test_a_log_that_nobody_takes_stops_nothing(served: Served) -> None:
    """
    The reader of the log has gone: alerts are taken as before.
    """
    served.kill()
    read, write = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", "serve"],
        cwd=served.folder, env=served.environment, stdout=write, stderr=write,
    )  # fmt: skip
    served.process = process
    served.processes.append(process)
    os.close(write)
    served.until(lambda: served.get("/readyz").status_code == 200)
    os.close(read)
    told = [served.post(b"{}")[0] for _ in range(3)]
    told.append(served.post(body(served.folder / "world"))[0])

    assert [400, 400, 400, 200] == told
    assert process.poll() is None


def test_what_a_web_page_sends_is_refused(served: Served) -> None:
    """
    A page in a browser of this machine cannot raise an alert, also at an open source.
    """
    raw = json.dumps({"status": "PROBLEM", "trigger": "x"}).encode()

    assert 401 == served.post(raw, "zabbix", origin="http://evil.example")[0]
    assert 415 == served.post(raw, "zabbix", content_encoding="gzip")[0]
    assert 200 == served.post(raw, "zabbix")[0]
