"""The engines of a soak: real processes that are killed, stopped and started anew."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.asking import web
from tests.real_parts import free_port

CONFIG = """\
data: ./state
runbooks: [./runbooks]
network: {{allow: [127.0.0.0/8]}}
secrets: {{token: {{env: TOKEN}}}}
sources: {{alertmanager: {{token: {{secret: token}}}}}}
limits: {{starts: {{max: 10000, per: 1m}}, at_once: 200}}
server: {{listen: '127.0.0.1:{port}', tokens: {{ops: {{secret: token, role: admin}}}}}}
"""
RUNBOOK = """\
format: 1
runbook: soak
title: '{{ thing }} is wrong'
owner: ops
severity: sev2
trigger:
  - alert: {source: alertmanager, match: {alertname: Wrong}}
    group_by: [thing]
inputs:
  thing: {type: string, from: labels.thing, pattern: '[a-z0-9-]+'}
limits: {runs: {max: 1000, per: 1h}, lock: ['things/{{ thing }}']}
checks:
  drained:
    http: {get: 'URL/drained-{{ thing }}'}
    pass: json.there == true
    timeout: 2s
    attempts: 2
  capped:
    http: {get: 'URL/capped-{{ thing }}'}
    pass: json.there == true
    timeout: 2s
    attempts: 2
actions:
  drain:
    http: {put: 'URL/drained-{{ thing }}'}
    undo: {http: {delete: 'URL/drained-{{ thing }}'}}
    done_when: checks.drained.ok
    undone_when: checks.drained.state == 'fail'
    after_crash: verify
    timeout: 4s
    retry: {times: 2, wait: 1s}
  cap:
    http: {put: 'URL/capped-{{ thing }}'}
    undo: {http: {delete: 'URL/capped-{{ thing }}'}}
    done_when: checks.capped.ok
    undone_when: checks.capped.state == 'fail'
    after_crash: verify
    timeout: 4s
    retry: {times: 2, wait: 1s}
isolate: [{act: drain}]
diagnose:
  - cause: [{name: any, workaround: cap}]
workaround:
  cap: [{act: cap}, {wait: 1s}]
restore: [{undo: all}]
"""


@dataclass(slots=True)
class Engines:
    """One folder, and the server that runs there."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    starts: int = 0

    def prepare(self, target: str) -> None:
        """Write the configuration and the runbook."""
        (self.folder / "runbooks").mkdir(parents=True)
        (self.folder / "runbooks/soak.yaml").write_text(RUNBOOK.replace("URL", target))
        (self.folder / "engine.yaml").write_text(CONFIG.format(port=self.port))

    def start(self) -> None:
        """Start the server; it is not waited for."""
        environment = os.environ | {"TOKEN": "soak-token"}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "engine", "serve"], cwd=self.folder,
                env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        self.starts += 1

    def ended(self) -> bool:
        """Return whether none runs."""
        return self.process is None or self.process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGKILL) -> int | None:
        """End it and wait; return its exit code."""
        self.send(signal.SIGCONT)
        self.send(number)
        return self.process.wait(60) if self.process is not None else None

    def post(self, things: list[str], *, over: bool, number: int) -> int:
        """Deliver alerts; return the status, or 0 where nobody answered."""
        alerts = [
            {
                "status": "resolved" if over else "firing",
                "labels": {"alertname": "Wrong", "thing": thing},
                "startsAt": f"2026-11-24T00:00:00.{number:09d}Z",
            }
            for thing in things
        ]
        try:
            answer = web.post(
                f"http://127.0.0.1:{self.port}/alerts/alertmanager",
                json={"version": "4", "alerts": alerts},
                headers={"authorization": "Bearer soak-token"}, timeout=10.0,
            )  # fmt: skip
        except httpx.HTTPError:
            return 0
        return answer.status_code

    def ask(self, path: str) -> Any:
        """Ask the API; None where nobody answers."""
        try:
            answer = web.get(
                f"http://127.0.0.1:{self.port}/api/v1{path}",
                headers={"authorization": "Bearer soak-token"}, timeout=20.0,
            )  # fmt: skip
        except httpx.HTTPError:
            return None
        return answer.json() if answer.status_code == 200 else None

    def runbook(self, *words: str) -> Any:
        """Return what a command prints as JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "engine", *words], cwd=self.folder,
            capture_output=True, text=True, timeout=120, check=False,
            env=os.environ | {"TOKEN": "soak-token"},
        )  # fmt: skip
        return json.loads(done.stdout) if done.stdout.strip() else done.stderr


def until(true: Callable[[], Any], seconds: float) -> Any:
    """Return what it gives once it is true; what it gives at the end otherwise."""
    ends = time.monotonic() + seconds
    while True:
        found = true()
        if found or time.monotonic() > ends:
            return found
        time.sleep(0.05)
