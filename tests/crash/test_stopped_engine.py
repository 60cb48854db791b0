"""G19, F9: an engine that was stopped and taken over does nothing when it wakes.

The owner stops itself (SIGSTOP) just before or just after a commit, or is stopped while
its target works on an act. A second server takes over and plays the run to its end;
then the first one is continued. Effects are counted at the target.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.counting_target import CountingTarget
from tests.crash.stopped_engine import LOST
from tests.crash.test_kill_at_every_commit import RUNBOOK, check_changes, the_run

WITHIN_SECONDS = 20.0


@pytest.fixture(scope="module")
def target() -> Iterator[CountingTarget]:
    """Return the server that counts."""
    target = CountingTarget()
    yield target
    target.close()


class Engines:
    """Real engines, each in a process of its own."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.stopped_engine"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.begun: list[int] = []

    def _answer(self, line: str) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def begin(self, folder: Path, url: str, when: str = "never", count: int = 0) -> int:
        """Begin one; return its pid."""
        pid = self._answer(f"begin {folder} {url} {when} {count}")
        self.begun.append(pid)
        return pid

    def wait(self, pid: int) -> int:
        """Return how it ended."""
        self.begun.remove(pid)
        return self._answer(f"wait {pid}")

    def close(self) -> None:
        """End all of them."""
        for pid in self.begun:
            os.kill(pid, signal.SIGKILL)
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    """Return a way to begin engines."""
    made = Engines()
    yield made
    made.close()


def is_stopped(pid: int) -> bool:
    """Return whether a process stands still."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"


def until_stopped(pid: int) -> None:
    """Wait until a process stands still."""
    ends = time.monotonic() + WITHIN_SECONDS
    while not is_stopped(pid):
        assert time.monotonic() < ends, "it never stopped"
        time.sleep(0.01)


def fresh(folder: Path, target: CountingTarget) -> Path:
    """Make a place for one run."""
    folder.mkdir()
    (folder / "crash.yaml").write_text(RUNBOOK)
    target.clear()
    return folder


async def taken_over(
    engines: Engines, first: int, folder: Path, target: CountingTarget
) -> tuple[tuple[int, int], str]:
    """Let a second one end the run, wake the first; return how all of it ended."""
    second = engines.wait(engines.begin(folder, target.url))
    before = list(target.changes)
    os.kill(first, signal.SIGCONT)
    ends = second, engines.wait(first)
    state, held, entries = await the_run(folder)

    assert before == target.changes
    assert held == []
    check_changes(target, entries, label=(folder.name, 0))
    return ends, state


pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="needs /proc"
)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("when", ["after", "before"])
async def test_g19_a_stopped_owner_does_nothing_when_it_wakes(
    when: str, target: CountingTarget, engines: Engines, tmp_path: Path
) -> None:
    """
    Stopped around a commit for longer than its lease, it writes and does nothing more.

    Where its other thread was inside a transaction, it was ended, to free the journal.
    """
    woken = []
    for count in (2, 5, 8, 12, 16, 20, 23):
        folder = fresh(tmp_path / f"{when}-{count}", target)
        first = engines.begin(folder, target.url, when, count)
        until_stopped(first)

        (second, woke), state = await taken_over(engines, first, folder, target)
        woken.append(woke)
        assert (0, "resolved") == (second, state), (when, count)
    assert {LOST} <= set(woken) <= {LOST, -signal.SIGKILL}


@pytest.mark.parametrize("path", ["/lane", "/hosts/b", "/asked"])
async def test_f9_stopped_in_the_middle_of_an_act(
    path: str, target: CountingTarget, engines: Engines, tmp_path: Path
) -> None:
    """
    An act that was on its way is found out by the next owner, and done once.
    """
    folder = fresh(tmp_path / "mid", target)
    pids: list[int] = []

    def stop(method: str, at: str) -> None:
        if at == path and pids:
            os.kill(pids.pop(), signal.SIGSTOP)

    target.on_change = stop
    pids.append(engines.begin(folder, target.url))
    first = pids[0]
    until_stopped(first)

    (second, woke), state = await taken_over(engines, first, folder, target)
    assert (0, "resolved") == (second, state)
    assert woke in (LOST, -signal.SIGKILL)
