"""An engine that takes alerts and kills itself: the child of test_killed_intake.

    killed_intake.py  reads one job a line: folder, url, when, count

The first job is done in this process, so that all the others find the engine loaded.
`when` is "after" (the n-th commit is on disk, nobody was told of it), "before" (it is
about to be written) or "never". Each job is a forked process. The sender in it sends
again what was never answered, as Alertmanager does.
"""

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import engine.adapters.sqlite.writer as writing
from engine.bootstrap import Engine, engine, kinds
from engine.config import Config, Settings
from engine.model.alert import Alert, AlertStatus, Delivery
from engine.model.run import ENDS
from engine.runtime.library import Library

AT = "2026-11-24T04:20:36Z"


def killing(when: str, left: int) -> None:
    """Kill this process at the n-th commit of its journal."""
    commits = [left]
    transact = writing.Writer._transact

    def counted(self: Any, group: Any) -> Any:
        commits[0] -= 1
        if when == "before" and commits[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        done = transact(self, group)
        if when == "after" and commits[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    writing.Writer._transact = counted  # type: ignore[method-assign]


def delivery(status: AlertStatus, url: str) -> Delivery:
    """Return three alerts about two hosts."""
    hosts = (("a", "1"), ("a", "2"), ("b", "1"))
    return Delivery(
        "alertmanager",
        tuple(
            Alert(
                "alertmanager",
                status,
                {"alertname": "Down", "host": host, "url": url},
                fingerprint=host + number,
                starts_at=AT,
            )
            for host, number in hosts
        ),
    )


async def until(true: Callable[[], Any]) -> None:
    """Wait until it is true."""
    ends = time.monotonic() + 20.0
    while not await true():
        if time.monotonic() > ends:
            raise TimeoutError("never true")
        await asyncio.sleep(0.01)


async def send(opened: Engine, folder: Path, status: AlertStatus, url: str) -> None:
    """Send a body unless it was answered before."""
    answered = folder / status
    if not answered.exists():
        body = delivery(status, url)
        await opened.intake.receive(body, status.encode(), at=time.time())
        answered.touch()


async def live(folder: Path, url: str) -> None:
    """Take up what is there, send what was not answered, stay to the end."""
    config = Config(
        Settings(
            data=str(folder / "data"),
            network={"allow": ["127.0.0.0/8"]},  # type: ignore[arg-type]
        )
    )
    library = Library(kinds(config))
    library.add_paths([folder / "down.yaml"])
    async with engine(config, library, write=lambda line: None) as opened:
        await opened.host.start(await opened.store.runs(open_only=True))
        await opened.intake.start()

        async def acted() -> bool:
            runs = await opened.store.runs()
            there = [one.phase == "workaround" or one.state in ENDS for one in runs]
            return len(there) == 2 and all(there)

        async def over() -> bool:
            runs = await opened.store.runs()
            return await opened.intake.settled() and all(
                one.state in ENDS for one in runs
            )

        await send(opened, folder, "firing", url)
        await until(acted)
        await send(opened, folder, "resolved", url)
        await until(over)


def main() -> None:
    """Fork one engine for each line; answer with how it ended."""
    folder, url, *_ = sys.stdin.readline().split()
    asyncio.run(live(Path(folder), url))
    gc.freeze()
    print("exit 0", flush=True)
    for line in sys.stdin:
        folder, url, when, count = line.split()
        pid = os.fork()
        if pid == 0:
            killing(when, int(count))
            asyncio.run(live(Path(folder), url))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        ended = "killed" if killed else f"exit {os.waitstatus_to_exitcode(status)}"
        print(ended, flush=True)


if __name__ == "__main__":
    main()
