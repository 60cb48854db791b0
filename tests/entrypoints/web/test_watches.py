"""Watches on a real server: a check that fails, a heartbeat that stays away (F56)."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from web_server import Served, body

WATCH = """
watch:
  - check: {http: {get: 'URL'}, pass: response.status == 200, timeout: 1s, attempts: 1}
    for: 1s
    every: 300ms
    alert:
      alertname: HealthDown
      severity: page
      labels: {folder: FOLDER}
  - heartbeat: {source: alertmanager, match: {alertname: Watchdog}}
    for: 2s
    every: 200ms
    alert: {alertname: AlertsAreDown, severity: page}
"""


class Health:
    """Answers with a status that the test sets."""

    def __init__(self) -> None:
        self.status = 200
        health = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(health.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def watching(served: Served, url: str) -> None:
    """Start the server anew with watches; the runbook takes their alerts."""
    served.kill()
    config = served.folder / "engine.yaml"
    text = WATCH.replace("URL", url).replace("FOLDER", str(served.folder / "world"))
    config.write_text(
        config.read_text() + text.replace("300ms", "0.3s").replace("200ms", "0.2s")
    )
    flag = served.folder / "runbooks/flag.yaml"
    flag.write_text(
        flag.read_text().replace(
            "{source: alertmanager, match: {alertname: FlagUp,",
            "{source: watch, match: {alertname: HealthDown,",
        )
    )
    served.begin()


def outcomes(served: Served, about: str) -> list[tuple[str, str]]:
    """Return status and outcome of every decision about an alert."""
    code, out, _ = served.runbook("why", about, "--json")
    found = json.loads(out) if code == 0 else []
    return [(one["status"], one["outcome"]) for one in found]


def test_a_check_that_fails_long_enough_starts_a_run(served: Served) -> None:
    """
    It fires after its time, also across a restart once only, and ends with a pass.
    """
    health = Health()
    watching(served, health.url)
    served.get("/healthz")
    assert [] == outcomes(served, "HealthDown")
    health.status = 503
    served.until(lambda: outcomes(served, "HealthDown"))
    served.kill()
    served.begin()
    health.status = 200
    served.until(lambda: len(outcomes(served, "HealthDown")) == 2)
    health.server.shutdown()
    health.server.server_close()

    assert [("firing", "started"), ("resolved", "resolved_run")] == outcomes(
        served, "HealthDown"
    )
    assert 1 == len(served.runs())


def test_f56_a_heartbeat_that_stays_away_is_an_alert(served: Served) -> None:
    """
    While it comes nothing is told; missing it is loud, and over when it comes again.
    """
    watching(served, served.url + "/healthz")
    beat = body(served.folder, labels={"alertname": "Watchdog"})
    for _ in range(12):
        served.post(beat)
        served.until(lambda: True)
        threading.Event().wait(0.25)
    assert [] == outcomes(served, "AlertsAreDown")
    served.until(lambda: outcomes(served, "AlertsAreDown"))
    assert "the way of the alerts is down: no heartbeat" in served.log
    served.post(beat)
    served.until(lambda: len(outcomes(served, "AlertsAreDown")) >= 2)

    told = outcomes(served, "AlertsAreDown")
    assert [("firing", "no_runbook"), ("resolved", "no_runbook")] == told[:2]
