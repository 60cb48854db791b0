"""An engine that was stopped (SIGSTOP) inside a transaction keeps the journal locked.

Nobody can write then, not even to take its place, until it goes on or ends. It is ended
here: what a killed engine leaves behind is known and is found out by the next one.

Linux only: elsewhere a person has to do it. Called by: lease.
"""

import logging
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

STOPPED: Final = ("T", "t")  # by a signal, by a debugger


def end_stopped(lock: Path, proc: Path = Path("/proc")) -> bool:
    """Kill the process that has this lock file open, if it stands still; say whether.

    Never another one: a number may mean somebody else by now, an open file does not.
    """
    for folder in proc.glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile, or is not ours to look at
            if _has_open(folder, lock) and _stands_still(folder):
                pid = int(folder.name)
                log.error(
                    "ended: process %d stood still and kept the journal locked", pid
                )
                os.kill(pid, signal.SIGKILL)
                return True
    return False


def _has_open(folder: Path, lock: Path) -> bool:
    wanted = lock.stat()
    for file in (folder / "fd").iterdir():
        with suppress(OSError):
            if os.path.samestat(file.stat(), wanted):
                return True
    return False


def _stands_still(folder: Path) -> bool:
    state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
    return state in STOPPED
