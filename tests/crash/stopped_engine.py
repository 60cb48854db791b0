"""Two real engines beside each other, one of which is stopped: the child of test_g19.

    stopped_engine.py  reads one job a line
      begin FOLDER URL WHEN COUNT   forks a server; answers with its pid
      wait PID                      answers with how that one ended

`when` as in killed_engine, but the process stops itself (SIGSTOP) instead of dying. A
server whose place was taken ends with LOST.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from engine.hosts.lease import LeaseTimes
from tests.crash.killed_engine import live

LOST = 3
TIMES = LeaseTimes(beat=0.1, acts_for=0.4, dead_after=0.8, look=0.05)


def begun(folder: str, url: str, when: str, count: str) -> int:
    """Fork one server; return its pid."""
    pid = os.fork()
    if pid == 0:
        work = live(
            Path(folder), url, when, int(count), sign=signal.SIGSTOP, times=TIMES
        )
        lost = asyncio.run(work)
        os._exit(LOST if lost else 0)
    return pid


def main() -> None:
    """Do what the lines say."""
    for line in sys.stdin:
        verb, *words = line.split()
        if verb == "begin":
            print(begun(*words), flush=True)
        else:
            _, status = os.waitpid(int(words[0]), 0)
            print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
