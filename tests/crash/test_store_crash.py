"""kill -9 at any moment: what was acknowledged is there, and nothing is half there."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from appending_child import RUNS

from engine.adapters.sqlite import SqliteStore

CHILD = Path(__file__).with_name("appending_child.py")
KILLS = 20


def killed_after(path: Path, seconds: float) -> dict[str, int]:
    """Start the child, kill it so long after it opened; return what it acknowledged."""
    with subprocess.Popen(
        [sys.executable, str(CHILD), str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open 0\n"
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        out, errors = child.communicate()
    assert (child.returncode, errors) == (-signal.SIGKILL, "")
    lines = [line.split() for line in out.splitlines(keepends=True) if line[-1] == "\n"]
    return {run: int(seq) for run, seq in lines}


async def test_f11_killed_at_any_moment_nothing_acknowledged_is_lost(
    tmp_path: Path,
) -> None:
    """
    A real process is killed twenty times at random moments while eight runs append
    threes: each time the file is whole, every acknowledged entry is there, each run
    ends on a whole three with its summary and its messages, and the chains are whole.
    """
    path = tmp_path / "journal.db"
    draw = random.Random(20261124)
    acknowledged: dict[str, int] = {}
    for _ in range(KILLS):
        acknowledged |= killed_after(path, draw.uniform(0.0, 0.25))
        store = await SqliteStore.open(path)
        found = await _state(store)
        faults = await store.integrity(), await store.verify()
        await store.close()

        assert faults == ([], [])
        assert {r: n for r, n in acknowledged.items() if found[r]["entries"] < n} == {}
        for run, at in found.items():
            whole = at["entries"]
            assert whole % 3 == 0
            expected = {"entries": whole, "summary": whole, "messages": whole // 3}
            assert (run, at) == (run, expected)
    assert sum(acknowledged.values()) > 3 * RUNS * KILLS


async def _state(store: SqliteStore) -> dict[str, dict[str, int]]:
    """Return for each run how far its entries, its summary and its messages are."""
    found = {}
    messages = [run for _, run, _ in await store.unsent(limit=1_000_000)]
    for summary in await store.runs():
        seqs = [e.seq for e in await store.entries(summary.run)]
        assert seqs == list(range(1, len(seqs) + 1))
        found[summary.run] = {
            "entries": len(seqs),
            "summary": int(summary.title.removeprefix("at ")),
            "messages": messages.count(summary.run),
        }
    return found
