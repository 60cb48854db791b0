"""The tutorial's run, as its reader goes through it: started, killed, resumed, read."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import blocks, commands, missing
from tests.docs.regenerate import DOCS

PAGE = DOCS / "tutorial" / "first-runbook.md"
PORT = "8080"  # as the page says; here a free one takes its place


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Path]:
    """A folder as the reader has it after step 3, with the shop's server running."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    for block in blocks(PAGE):
        if "file" in block.marks:
            target = tmp_path / block.marks["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text.replace(PORT, port))
    site = tmp_path / "site"
    site.mkdir()
    (site / "status.json").write_text('{"latency_ms": 2300}')
    (site / "fast.json").write_text('{"latency_ms": 80}')
    (site / "banner.draft").write_text("We are slow today.")
    serve = [sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(serve, cwd=site, stdout=quiet, stderr=quiet) as server:
        _wait(lambda: _listens(int(port)))
        yield tmp_path
        server.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(true: object, seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.1)


def _environ() -> dict[str, str]:
    return {**os.environ, "HOME": "/nonexistent", "COLUMNS": "120"}


def _runbook(folder: Path, *words: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "engine", *words],
        cwd=folder, env=_environ(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return ran.stdout + ran.stderr


def test_tutorial_dry_run_shows_the_plan(shop: Path) -> None:
    """
    The dry run looks for real, shows both acts, and does neither.
    """
    said = _runbook(shop, "run", "shop-slow", "--dry-run", "--as", "ana")
    shown = _illustration("$ runbook run shop-slow --dry-run --as ana")

    assert ([], False) == (
        missing(shown, said),
        (shop / "site" / "banner.txt").exists(),
    )


def _illustration(command: str) -> list[str]:
    text = next(one.text for one in blocks(PAGE) if one.text.startswith(command))
    return commands(text)[0][1]


@pytest.mark.slow
def test_tutorial_run_survives_its_kill(shop: Path) -> None:
    """
    Killed while it waits for a person, the run is resumed, resolved, and verified.
    """
    start = [sys.executable, "-m", "engine", "run", "shop-slow", "--as", "ana"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        start, cwd=shop, env=_environ(), stdin=quiet, stdout=quiet, stderr=quiet
    ) as run:
        _wait(lambda: "go-fast/1" in _runbook(shop, "runs"))
        banner_while_asked = (shop / "site" / "banner.txt").exists()
        run.send_signal(signal.SIGKILL)
    listed = _runbook(shop, "runs")
    name = re.findall(r"r-[0-9a-z]{6}", listed)[0]
    _runbook(shop, "approve", name, "--as", "ana")
    _runbook(shop, "resume", name, "--as", "ana")
    timeline = _runbook(shop, "timeline", name)
    verified = _runbook(shop, "verify-timeline", name)
    report = _runbook(shop, "report", name)

    seen = (
        banner_while_asked,
        "the engine died and is back" in timeline,
        "ended: resolved" in timeline,
        (shop / "site" / "banner.txt").exists(),
        verified.strip(),
        report.startswith("# The shop answers slowly"),
    )
    assert (True, True, True, False, f"{name}: as it was written", True) == seen
