"""Whose run it is: one process at a time, whatever the others do meanwhile."""

import subprocess
import sys
from pathlib import Path

PROCESSES = 4
SECONDS = 2.0
TAKES_AND_GIVES = """
import os, sys, time
from pathlib import Path
from engine.hosts.local import RunLocks
folder, end = Path(sys.argv[1]), time.monotonic() + float(sys.argv[2])
inside, broken, taken = folder / "inside", 0, 0
while time.monotonic() < end:
    locks = RunLocks(folder / "locks")
    if not locks.take("r-x"):
        continue
    taken += 1
    try:
        os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
        time.sleep(0.0005)
        inside.unlink()
    except OSError:
        broken += 1
    locks.give_back("r-x")
print(taken, broken)
"""


def test_g18_a_run_is_never_in_two_hands(tmp_path: Path) -> None:
    """
    While several processes take a run and give it back, no two ever have it at once.
    """
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", TAKES_AND_GIVES, str(tmp_path), str(SECONDS)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    said = [one.communicate(timeout=60)[0].split() for one in begun]

    assert ["0"] * PROCESSES == [broken for _, broken in said]
    assert sum(int(taken) for taken, _ in said) > PROCESSES
