"""F16, F9: two servers on one journal; one serves, the other one waits for its place."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from web_server import Served, body

from tests.asking import web
from tests.real_parts import free_port


@dataclass
class Second:
    """Another server on the same folder."""

    served: Served
    port: int
    process: "subprocess.Popen[bytes]"
    place: Path

    def ready(self) -> httpx.Response:
        """Ask whether it serves."""
        return web.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5.0)

    def post(self, what: Any) -> httpx.Response:
        """Post alerts to it."""
        return web.post(
            f"http://127.0.0.1:{self.port}/alerts/alertmanager", json=what,
            headers={"authorization": "Bearer right-token"}, timeout=20.0,
        )  # fmt: skip

    def until(self, true: Callable[[], Any], within: float) -> float:
        """Wait until it is true; return the seconds."""
        began = time.monotonic()
        self.served.until(true, within)
        return time.monotonic() - began

    @property
    def log(self) -> str:
        """What it logged."""
        return self.place.read_text()


def second(served: Served) -> Second:
    """Start a second server, which stands by."""
    port = free_port()
    place = served.folder / "log-2"
    with place.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "engine", "serve"], cwd=served.folder,
            env=served.environment | {"RUNBOOK_SERVER__LISTEN": f"127.0.0.1:{port}"},
            stdout=log, stderr=log,
        )  # fmt: skip
    served.processes.append(process)
    made = Second(served, port, process, place)
    served.until(lambda: made.ready().status_code == 503)
    return made


def alert(served: Served, name: str) -> Any:
    """Return a body about a world of its own, that is broken."""
    world = served.folder / name
    world.mkdir()
    (world / "broken").touch()
    return body(world)


@pytest.mark.timed
def test_f16_a_second_server_stands_by_and_takes_over(served: Served) -> None:
    """
    It says who serves and takes nothing; after kill -9 it serves within five seconds,
    goes on with the open run, and takes alerts.
    """
    assert 200 == served.post(body(served.folder / "world"))[0]
    served.until(lambda: [one["state"] for one in served.runs()] == ["waiting"])
    other = second(served)
    told = other.ready().json()["problems"]["engine"]
    refused = other.post(alert(served, "early"))
    said = other.log
    served.kill()
    took = other.until(lambda: other.ready().status_code == 200, within=20.0)
    taken = other.post(alert(served, "late"))
    served.until(lambda: len(served.runs()) == 2)

    owner = f"process {served.process.pid} (serve)" if served.process else "nobody"
    assert owner in told
    assert owner in said
    assert (503, 200) == (refused.status_code, taken.status_code)
    assert took < 5.0  # by the wall; others share the machine
    assert "runs_taken_up=1" in other.log


@pytest.mark.timed
def test_f16_a_server_that_ends_hands_over(served: Served) -> None:
    """
    SIGTERM of the first: its place is given back, the second one serves at once.
    """
    other = second(served)
    assert served.process is not None
    served.process.send_signal(signal.SIGTERM)
    took = other.until(lambda: other.ready().status_code == 200, within=20.0)

    assert 0 == served.process.wait(20)
    assert took < 3.0


def test_f16_one_that_stands_by_ends_when_it_is_told_to(served: Served) -> None:
    """
    SIGTERM while it stands by: exit code 0, and the other one serves on.
    """
    other = second(served)
    other.process.send_signal(signal.SIGTERM)

    assert 0 == other.process.wait(10)
    assert 200 == served.get("/readyz").status_code
    assert re.search(r"standing by fence=\d+\n", other.log)  # no secret, so it is told


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.timed
def test_f9_a_stopped_server_is_replaced_and_ends_when_it_wakes(served: Served) -> None:
    """
    With the true times: stopped for longer than its lease another one takes over
    within thirty seconds; continued, it does nothing, says why, and exits with 1.
    """
    assert served.process is not None
    other = second(served)
    os.kill(served.process.pid, signal.SIGSTOP)
    took = other.until(lambda: other.ready().status_code == 200, within=30.0)
    os.kill(served.process.pid, signal.SIGCONT)
    code = served.process.wait(20)

    assert 10.0 < took < 30.0
    assert 1 == code
    assert "another engine took the place of this one" in served.log
    assert 200 == other.post(alert(served, "late")).status_code


def commanded(served: Served) -> tuple["subprocess.Popen[str]", str]:
    """Begin a run with a command beside the server; return it when it asks."""
    alert(served, "mine")
    command = subprocess.Popen(
        [sys.executable, "-m", "engine", "run", "runbooks/flag.yaml", "--set",
         f"folder={served.folder / 'mine'}", "--as", "ana"],
        cwd=served.folder, env=served.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    served.processes.append(command)
    assert command.stdout is not None
    line = next(line for line in command.stdout if "waits for" in line)
    return command, line.split()[0]


def test_f16_a_server_takes_up_the_runs_of_a_command_that_died(served: Served) -> None:
    """
    A run of a file belongs to the process that began it; after kill -9 the server drives it.
    """
    command, run = commanded(served)
    beside = "taken up from engines that are gone" in served.log
    command.kill()
    command.communicate()
    served.until(lambda: f"taken up from engines that are gone: {run}" in served.log)
    code, _, err = served.runbook("approve", run, "--as", "ana")
    served.until(lambda: served.runs()[0]["state"] == "resolved")

    assert (False, 0, "") == (beside, code, err)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_f9_a_stopped_command_says_that_its_run_is_driven_elsewhere(
    served: Served,
) -> None:
    """
    With the true times: the server takes its run over; continued, it ends with words.
    """
    command, run = commanded(served)
    os.kill(command.pid, signal.SIGSTOP)
    served.until(lambda: f"engines that are gone: {run}" in served.log, within=30.0)
    os.kill(command.pid, signal.SIGCONT)
    told, _ = command.communicate(timeout=20)
    state = served.runs()[0]["state"]

    assert (1, "waiting") == (command.returncode, state)
    assert f"{run} is not driven here any more: another engine took the place" in told
