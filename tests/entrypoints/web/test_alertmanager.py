"""From a real Prometheus rule, through real Alertmanagers, to one run for each incident."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from web_server import Served

from tests.asking import web
from tests.real_parts import alertmanager, free_port, prometheus

TOKEN = "right-token"
RULE = """
groups:
  - name: flags
    rules:
      - alert: FlagUp
        expr: flag_broken == 1
        for: 1s
        labels: {severity: page}
"""


class Flags:
    """A target that Prometheus scrapes: flags of folders, set by the test."""

    def __init__(self) -> None:
        self.broken: dict[str, int] = {}
        flags = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                lines = [
                    f'flag_broken{{folder="{folder}"}} {value}'
                    for folder, value in flags.broken.items()
                ]
                raw = ("\n".join(lines) + "\n").encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.target = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def flags() -> Iterator[Flags]:
    """Serve flags for Prometheus."""
    made = Flags()
    yield made
    made.server.shutdown()
    made.server.server_close()


def worlds(served: Served, count: int) -> list[str]:
    """Make broken folders; return their paths."""
    made = [served.folder / f"w{number}" for number in range(count)]
    for one in made:
        one.mkdir(exist_ok=True)
        (one / "broken").touch()
    return [str(one) for one in made]


def fire(url: str, folders: list[str], *, over: bool = False) -> None:
    """Tell an Alertmanager of alerts, as Prometheus does."""
    now = datetime.now(UTC)
    ends = now if over else now + timedelta(minutes=5)
    alerts = [
        {
            "labels": {"alertname": "FlagUp", "severity": "page", "folder": folder},
            "startsAt": (now - timedelta(seconds=1 if over else 0)).isoformat(),
            "endsAt": ends.isoformat(),
        }
        for folder in folders
    ]
    assert 200 == web.post(f"{url}/api/v2/alerts", json=alerts).status_code


def started(served: Served) -> int:
    """Return how many runs there are."""
    return len(served.runs())


def test_a_rule_fires_and_resolves_and_its_run_is_told(
    served: Served, flags: Flags
) -> None:
    """
    Prometheus, Alertmanager, the engine: one run for each folder; the one that is over
    before anybody acted further is told so.
    """
    folders = worlds(served, 2)
    hook = f"{served.url}/alerts/alertmanager"
    with (
        alertmanager(served.folder, hook, token=TOKEN) as am,
        prometheus(served.folder, [flags.target], rules=RULE, alertmanager_url=am),
    ):
        flags.broken = dict.fromkeys(folders, 1)
        served.until(lambda: started(served) == 2, within=40.0)
        flags.broken[folders[1]] = 0
        served.until(lambda: "resolved_run" in served.became(), within=40.0)
    told = [one for one in served.runs() if one["inputs"]["folder"] == folders[1]]
    timeline = served.runbook("timeline", told[0]["run"])[1]

    assert 2 == started(served)
    assert "the alert is resolved" in timeline
    assert 0 == served.became().count("no_runbook")


def test_a_server_that_was_away_gets_what_it_missed(served: Served) -> None:
    """
    While the engine is down Alertmanager tries again; then there is one run, not two.
    """
    folders = worlds(served, 1)
    hook = f"{served.url}/alerts/alertmanager"
    with alertmanager(served.folder, hook, token=TOKEN) as am:
        served.kill()
        fire(am, folders)
        assert [] == served.runs()
        served.begin()
        served.until(lambda: started(served) == 1, within=60.0)
        fire(am, folders)
        served.until(lambda: len(served.became()) >= 1, within=30.0)

    assert 1 == started(served)


def test_an_alertmanager_that_was_started_anew_makes_no_second_run(
    served: Served,
) -> None:
    """
    It forgets what it sent, or not; the engine does not.
    """
    folders = worlds(served, 3)
    hook = f"{served.url}/alerts/alertmanager"
    with alertmanager(served.folder, hook, token=TOKEN) as am:
        fire(am, folders)
        served.until(lambda: started(served) == 3, within=30.0)
    before = len(served.became())
    (served.folder / "alertmanager/data/nflog").unlink(missing_ok=True)
    with alertmanager(served.folder, hook, token=TOKEN) as am:
        fire(am, folders)
        served.until(lambda: len(served.became()) > before, within=30.0)

    assert 3 == started(served)
    assert set(served.became()[before:]) <= {"repeated", "attached"}


def test_two_alertmanagers_of_a_cluster_are_one_incident(served: Served) -> None:
    """
    Both know of the alert, both may deliver it: one run.
    """
    folders = worlds(served, 2)
    hook = f"{served.url}/alerts/alertmanager"
    ports = free_port(), free_port()
    with (
        alertmanager(served.folder / "one", hook, token=TOKEN, cluster=ports) as first,
        alertmanager(
            served.folder / "two", hook, token=TOKEN, cluster=ports[::-1]
        ) as second,
    ):
        for one in (first, second):
            fire(one, folders)
        served.until(lambda: started(served) == 2, within=40.0)
        for one in (first, second):
            fire(one, folders, over=True)
        served.until(lambda: "resolved_run" in served.became(), within=40.0)

    assert 2 == started(served)


def test_an_alert_that_flaps_through_alertmanager_has_one_open_run(
    served: Served,
) -> None:
    """
    It comes and goes while its run waits for a person: the run stays the only one.
    """
    folders = worlds(served, 1)
    hook = f"{served.url}/alerts/alertmanager"
    with alertmanager(served.folder, hook, token=TOKEN) as am:
        for cycle in range(2):
            fire(am, folders)
            served.until(partial(_fires, served, cycle), within=30.0)
            fire(am, folders, over=True)
            served.until(partial(_is_over, served, cycle + 1), within=30.0)

    assert 1 == started(served)


def _is_over(served: Served, times: int) -> bool:
    return served.became().count("resolved_run") == times


def _fires(served: Served, ends: int) -> bool:
    told = served.became()
    last = told[-1] if told else ""
    return told.count("resolved_run") == ends and last in ("started", "attached")
