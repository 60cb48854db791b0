"""A server in a process of its own, and a way to post to it."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.asking import web
from tests.real_parts import free_port
from tests.warm import Begun, begun, ran

FLAG = Path(__file__).parents[1] / "places/flag.yaml"
CONFIG = """\
data: ./state
runbooks: [./runbooks]
people:
  ana: {groups: [ops]}
  bo: {groups: [other]}
me: ana
network: {allow: [127.0.0.0/8]}
secrets:
  token: {env: TOKEN}
  older: {env: OLDER}
  key: {env: KEY}
  gone: {env: GONE}
  eve: {env: EVE}
  ana: {env: ANA}
  bo: {env: BO}
  root: {env: ROOT}
sources:
  alertmanager: {token: [{secret: token}, {secret: older}]}
  datadog: {basic: {user: dd, password: {secret: token}}}
  custom:
    kind: generic
    hmac: {secret: key}
    map: {name: body.title, status: '"firing"'}
  slackish: {kind: cloudevents, slack: {secret: key}}
  grafana: {token: {secret: gone}}
  zabbix: {insecure: true}
server:
  listen: 127.0.0.1:PORT
  tokens:
    eve: {secret: eve, role: viewer}
    ana: {secret: ana, role: commander}
    bo: {secret: bo, role: responder}
    root: {secret: root, role: admin}
"""
SECRETS = {"TOKEN": "right-token", "OLDER": "older-token", "KEY": "signing-key"} | {
    name.upper(): f"{name}-token" for name in ("eve", "ana", "bo", "root")
}
WITHIN_SECONDS = 20.0
BEGUN_SECONDS = 60.0  # an engine is loaded, perhaps beside others


@dataclass
class Served:
    """One folder, and the server that runs in it."""

    folder: Path
    port: int
    process: Begun | None = None
    processes: list["Begun | subprocess.Popen[Any]"] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What its processes find."""
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        return kept | SECRETS | {"COLUMNS": "100"}

    def begin(self, *, wait: bool = True) -> Begun:
        """Start a server; return it once it is ready."""
        with (self.folder / "log").open("ab") as log:
            self.process = begun(
                ["serve"], self.folder, self.environment, out=log, err=log
            )
        self.processes.append(self.process)
        if wait:
            self.until(lambda: self.get("/readyz").status_code == 200, BEGUN_SECONDS)
        return self.process

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def until(self, true: Callable[[], Any], within: float = WITHIN_SECONDS) -> Any:
        """Wait until it is true; what cannot be asked yet is not."""
        ends = time.monotonic() + within
        while time.monotonic() < ends:
            try:
                if found := true():
                    return found
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"never true; the log:\n{self.log[-3000:]}")

    def get(self, path: str) -> httpx.Response:
        """Ask once."""
        return web.get(self.url + path, timeout=5.0)

    def post(self, body: Any, source: str = "alertmanager", **headers: str) -> Any:
        """Post alerts with the right token; return status and answer."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        named.setdefault("authorization", "Bearer right-token")
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = web.post(
            f"{self.url}/alerts/{source}", content=raw, headers=named, timeout=20.0
        )
        return answer.status_code, answer.json()

    def api(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """Ask the API as somebody; return status and answer."""
        answer = web.request(
            method, f"{self.url}/api/v1{path}", json=body, timeout=20.0,
            headers={"authorization": f"Bearer {who}-token"} if who else {},
        )  # fmt: skip
        return answer.status_code, answer.json()

    def runbook(self, *words: str) -> tuple[int, str, str]:
        """Return exit code, output and errors of a command beside the server."""
        return ran(words, self.folder, self.environment)

    def runs(self) -> list[dict[str, Any]]:
        """Return every run."""
        found: list[dict[str, Any]] = json.loads(
            self.runbook("runs", "--all", "--json")[1]
        )
        return found

    def became(self, about: str = "FlagUp") -> list[str]:
        """Return what was decided about an alert, in order."""
        code, out, _ = self.runbook("why", about, "--json")
        return [one["outcome"] for one in json.loads(out)] if code == 0 else []

    @property
    def log(self) -> str:
        """What it logged."""
        return (self.folder / "log").read_text()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Make the folder and start a server in it; the world is broken."""
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks/flag.yaml").write_text(
        FLAG.read_text().replace("\ninputs:", "\n    group_by: [folder]\ninputs:", 1)
    )
    (tmp_path / "world").mkdir()
    (tmp_path / "world/broken").touch()
    made = Served(tmp_path, free_port())
    (tmp_path / "engine.yaml").write_text(CONFIG.replace("PORT", str(made.port)))
    try:
        made.begin()
        yield made
    finally:
        for process in made.processes:
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture
def alert(served: Served) -> dict[str, Any]:
    """Return the body that starts the flag's runbook."""
    return body(served.folder / "world")


def body(folder: Path, **more: Any) -> dict[str, Any]:
    """Return a body of Alertmanager with one alert about a folder."""
    labels = {"alertname": "FlagUp", "severity": "page", "folder": str(folder)}
    one = {"status": "firing", "labels": labels, "startsAt": "2026-11-24T04:20:36Z"}
    return {"version": "4", "alerts": [one | more]}
