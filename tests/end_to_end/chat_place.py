"""A server and a Slack stand-in, each a process of its own, over one small incident."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
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

FLAG = Path(__file__).parents[1] / "entrypoints/places/flag.yaml"
ROOT = Path(__file__).parents[2]
CONFIG = """\
data: ./state
runbooks: [./runbooks]
people:
  ana: {groups: [ops], slack: ANA}
  bo: {groups: [ops], slack: BO}
  eve: {groups: [others], slack: EVE}
me: ana
network: {allow: [127.0.0.0/8]}
secrets:
  slack: {env: SLACK_TOKEN}
  app: {env: SLACK_APP}
  signing: {env: SLACK_SIGNING}
  ana: {env: ANA_TOKEN}
  alerts: {env: ANA_TOKEN}
sources:
  alertmanager: {token: {secret: alerts}}
server:
  listen: 127.0.0.1:PORT
  tokens:
    ana: {secret: ana, role: commander}
chat:
  slack: {token: {secret: slack}, signing: {secret: signing}, app: {secret: app},
          channel: incidents, url: 'SLACK_URL'}
  own_channel: []
  fallback_after: 2s
  fallback:
    letters: {file: ./letters, person: bo}
"""
WITHIN_SECONDS = 20.0


@dataclass
class ChatPlace:
    """One folder with an engine, and a Slack beside it."""

    folder: Path
    port: int
    slack_port: int
    slack: dict[str, Any] = field(default_factory=dict)
    server: Begun | None = None
    stand_in: "subprocess.Popen[str] | None" = None
    begun: list["subprocess.Popen[Any]"] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the engine listens."""
        return f"http://127.0.0.1:{self.port}"

    # The two processes

    def begin_slack(self) -> None:
        """Start the stand-in."""
        self.stand_in = subprocess.Popen(
            [
                sys.executable, "-m", "chat", "--people", "ana,bo,eve", "--channels",
                "incidents", "--socket-mode", "--port", str(self.slack_port),
            ],
            env=os.environ | {"PYTHONPATH": str(ROOT / "examples")},
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.begun.append(self.stand_in)
        assert self.stand_in.stdout is not None
        self.slack = json.loads(self.stand_in.stdout.readline())

    def configure(self) -> None:
        """Write the configuration: whose account is whose is known by now."""
        found = web.post(
            f"{self.slack['base_url']}users.list",
            headers={"authorization": f"Bearer {self.slack['bot_token']}"},
        ).json()["members"]
        people = {one["name"]: one["id"] for one in found}
        text = CONFIG.replace("PORT", str(self.port))
        text = text.replace("SLACK_URL", str(self.slack["base_url"]))
        for name in ("ana", "bo", "eve"):
            text = text.replace(f"slack: {name.upper()}", f"slack: {people[name]}")
        (self.folder / "engine.yaml").write_text(text)

    def begin(self) -> None:
        """Start the engine; return once it is ready."""
        with (self.folder / "log").open("ab") as log:
            self.server = begun(
                ["serve"], self.folder, self.environment, out=log, err=log
            )
        self.until(lambda: web.get(self.url + "/readyz").status_code == 200, 60.0)

    @property
    def environment(self) -> dict[str, str]:
        """What the engine finds."""
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        return kept | {
            "SLACK_TOKEN": self.slack["bot_token"],
            "SLACK_APP": self.slack["app_token"],
            "SLACK_SIGNING": self.slack["signing_secret"],
            "ANA_TOKEN": "ana-token",
        }

    def kill(self) -> None:
        """End the engine as a power cut would."""
        assert self.server is not None
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()

    def end_slack(self) -> None:
        """Let the stand-in die: nobody listens there any more."""
        assert self.stand_in is not None
        self.stand_in.kill()
        self.stand_in.wait()

    # The incident

    def alert(self, world: Path | None = None) -> str:
        """Let the flag's alert come; return the newest run then."""
        world = world or self.folder / "world"
        world.mkdir(exist_ok=True)
        (world / "broken").touch()
        labels = {"alertname": "FlagUp", "severity": "page", "folder": str(world)}
        one = {"status": "firing", "labels": labels, "startsAt": "2026-11-24T04:20:36Z"}
        answer = web.post(
            f"{self.url}/alerts/alertmanager", json={"version": "4", "alerts": [one]},
            headers={"authorization": "Bearer ana-token"},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = self.until(self.runs)
        return str(found[0]["run"])

    def runs(self) -> list[dict[str, Any]]:
        """Return every run, newest first."""
        found: list[dict[str, Any]] = self.api("GET", "/runs")
        return found

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the API as ana."""
        return web.request(
            method, f"{self.url}/api/v1{path}", json=body,
            headers={"authorization": "Bearer ana-token"},
        ).json()  # fmt: skip

    def summary(self, run: str) -> dict[str, Any]:
        """Return one run's line."""
        found: dict[str, Any] = self.api("GET", f"/runs/{run}")["run"]
        return found

    def kinds(self, run: str) -> list[str]:
        """Return the kind of each entry of a run."""
        entries = self.api("GET", f"/runs/{run}/timeline")
        rows = entries["entries"] if isinstance(entries, dict) else entries
        return [one["kind"] for one in rows]

    # Slack

    def state(self) -> dict[str, Any]:
        """Return everything that stands in Slack."""
        found: dict[str, Any] = web.get(f"{self.slack['control']}/state").json()
        return found

    def do(self, name: str, **given: Any) -> Any:
        """Do something in Slack, as a person or as a fault."""
        answer = web.post(f"{self.slack['control']}/do/{name}", json=given)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def messages(self, channel: str = "incidents") -> list[dict[str, Any]]:
        """Return the messages of a channel, oldest first."""
        for one in self.state()["channels"]:
            if one["name"] == channel:
                found: list[dict[str, Any]] = one["messages"]
                return found
        return []

    def keys(self, channel: str = "incidents") -> list[str]:
        """Return the keys of the engine's messages, in order."""
        found = []
        for one in self.messages(channel):
            payload = (one.get("metadata") or {}).get("event_payload") or {}
            if "key" in payload:
                found.append(str(payload["key"]))
        return found

    def message(self, kind: str, channel: str = "incidents") -> dict[str, Any]:
        """Return the newest message of a kind; wait for it."""

        def found() -> dict[str, Any] | None:
            for one in reversed(self.messages(channel)):
                payload = (one.get("metadata") or {}).get("event_payload") or {}
                if f"/{kind}/" in str(payload.get("key", "")):
                    return one
            return None

        made: dict[str, Any] = self.until(found)
        return made

    def press(self, who: str, label: str, channel: str = "incidents") -> Any:
        """Press a button of the newest question, once it stands there."""
        asked, action = self.until(lambda: self.button(label, channel=channel))
        return self.do(
            "press", user=who, action_id=action, channel=channel, ts=asked["ts"]
        )

    def button(
        self, label: str, text: str = "", channel: str = "incidents"
    ) -> tuple[dict[str, Any], str] | None:
        """Return the newest message with a button and a text, and the button's id."""
        for one in reversed(self.messages(channel)):
            if label in buttons_of(one) and text in str(one):
                return one, buttons_of(one)[label]
        return None

    def runbook(self, *words: str) -> str:
        """Return what a command beside the server writes."""
        _, out, err = ran(words, self.folder, self.environment | {"COLUMNS": "200"})
        return out + err

    def end(self) -> None:
        """End what was begun."""
        if self.server is not None:
            self.server.kill()
            self.server.wait()
        for process in self.begun:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    # Waiting

    def until(self, true: Callable[[], Any], within: float = WITHIN_SECONDS) -> Any:
        """Wait until it is true; what cannot be asked yet is not."""
        ends = time.monotonic() + within
        while time.monotonic() < ends:
            with contextlib.suppress(httpx.HTTPError, KeyError):
                if found := true():
                    return found
            time.sleep(0.05)
        raise AssertionError(f"never true; the log:\n{self.log[-4000:]}")

    def ended(self, run: str) -> str:
        """Return how a run ended; wait for it."""
        found: str = self.until(lambda: self.over(run))
        return found

    def over(self, run: str) -> str:
        """Return how a run ended; empty: it goes on."""
        state = str(self.summary(run)["state"])
        ends = ("resolved", "cleared", "handed_over", "cancelled")
        return state if state in ends else ""

    @property
    def log(self) -> str:
        """What the engine logged."""
        return (self.folder / "log").read_text()

    @property
    def letters(self) -> str:
        """What went to the way out."""
        file = self.folder / "letters"
        return file.read_text() if file.exists() else ""


def buttons_of(message: dict[str, Any]) -> dict[str, str]:
    """Return the labels of a message's buttons, each with its id."""
    return {
        str(element["text"]["text"]): str(element["action_id"])
        for block in message.get("blocks") or []
        if block.get("type") == "actions"
        for element in block["elements"]
    }


def link_in(text: str) -> str:
    """Return the newest one-time link of a text."""
    return re.findall(r"http://\S+/answer/\S+", text)[-1]


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ChatPlace]:
    """Make the folder, start Slack, start the engine.

    Its parameter, if there is one, is text of the runbook and what stands in its place.
    """
    old, new = getattr(request, "param", ("", ""))
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks/flag.yaml").write_text(FLAG.read_text().replace(old, new, 1))
    made = ChatPlace(tmp_path, free_port(), free_port())
    try:
        made.begin_slack()
        made.configure()
        made.begin()
        yield made
    finally:
        made.end()
