"""Ending a program and everything that it started.

What is here: SIGTERM, a grace, SIGKILL, to the process group and to the members of the
family that left it; those are found under /proc (Linux), by their parent or by the key
of the act in their environment. Elsewhere the group alone is ended.

Called by running and, after a crash, through the registry (`end_left`).
"""

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SWEEPS: Final = 3  # a family that forks while it is being ended needs more than one
PROC: Final = Path("/proc")
NOBODY: Final = -1  # the process whose family is meant is gone
LEFT_GRACE_SECONDS: Final = 2.0  # between asking and making them end
LEFT_POLL_SECONDS: Final = 0.05


async def end_family(
    process: asyncio.subprocess.Process, key: str, grace: float
) -> None:
    """End the program and all that it started, inside `grace` seconds."""
    known = _family(process.pid, key)  # before the parent dies and the tree falls apart
    try:
        signal_group(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace * 0.6):
                await process.wait()
    finally:  # also when cancelled once more
        for _ in range(SWEEPS):
            signal_group(process.pid, signal.SIGKILL)
            known |= _family(process.pid, key)
            if not _kill(known):
                break
    with suppress(TimeoutError):  # one in the kernel's hands cannot be waited for
        async with asyncio.timeout(grace * 0.3):
            await process.wait()


async def end_left(key: str) -> int:
    """End what an engine that died left running under the key of an act.

    Return how many programs that were. Only for an act whose end nobody has seen: what
    a finished act left in the background carries its key as well.
    """
    known = _family(NOBODY, key) if key else {}
    found = dict(known)
    for pid in known:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + LEFT_GRACE_SECONDS
    while known and time.monotonic() < until:
        await asyncio.sleep(LEFT_POLL_SECONDS)
        known = {pid: at for pid, at in known.items() if _lives(pid, at)}
    for _ in range(SWEEPS):
        known |= _family(NOBODY, key) if key else {}
        found |= known
        if not _kill(known):
            break
    return len(found)


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group; one that is gone is no error."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _kill(known: Mapping[int, int]) -> bool:
    """Kill those that are still the same process; return whether there was one."""
    found = False
    for pid, started in known.items():
        if not _lives(pid, started):
            continue
        found = True
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return found


def _lives(pid: int, started: int) -> bool:
    """Return whether the process of that start still runs."""
    status = _status(pid)
    return status is not None and status.started == started and status.state not in "ZX"


@dataclass(frozen=True, slots=True)
class _Status:
    state: str
    parent: int
    group: int
    session: int
    started: int  # clock ticks since boot: tells a process from a later one of its id


def _status(pid: int) -> _Status | None:
    try:
        line = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    part = line.rpartition(")")[2].split()
    return _Status(part[0], int(part[1]), int(part[2]), int(part[3]), int(part[19]))


def _family(root: int, key: str) -> dict[int, int]:
    """Return the processes that belong to `root`, with their start; elsewhere: none.

    A process belongs by its group or session, by its parent, or by the key of the act
    in its environment, which also finds one that became a daemon.
    """
    found: dict[int, _Status] = {}
    for name in [path.name for path in PROC.iterdir()] if PROC.is_dir() else []:
        status = _status(int(name)) if name.isdigit() else None
        if status is not None and int(name) != os.getpid():
            found[int(name)] = status
    mark = f"RUNBOOK_KEY={key}".encode() if key else b""
    members = {
        pid
        for pid, status in found.items()
        if root in (pid, status.group, status.session) or _has_mark(pid, mark)
    }
    while grown := {
        pid
        for pid, status in found.items()
        if status.parent in members and pid not in members
    }:
        members |= grown
    return {pid: found[pid].started for pid in members}


def _has_mark(pid: int, mark: bytes) -> bool:
    if not mark:
        return False
    try:
        return mark in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
