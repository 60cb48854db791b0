"""The chore that looks at what is held: a real target, changed behind our back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from engine.bootstrap import opening
from engine.bootstrap.opening import Engine
from engine.config import load_config
from engine.entrypoints.cli.choosing import known_library
from engine.runtime.drift import Drift

FILES = {
    "engine.yaml": """\
data: ./state
runbooks: [./runbooks]
network: {allow: [127.0.0.0/8]}
""",
    "runbooks/cut.yaml": """\
format: 1
runbook: cut
title: cut
owner: ops
severity: sev3
checks:
  cut: {http: {get: 'URL/state'}, pass: 'json.state == "cut"'}
actions:
  cut:
    http: {put: 'URL/state', json: {state: cut}}
    undo: {http: {put: 'URL/state', json: {state: open}}}
    done_when: checks.cut.ok
isolate:
  - act: cut
  - wait: 10m
""",
}


class Target:
    """An HTTP server whose whole state is one word."""

    def __init__(self) -> None:
        self.state, self.puts = "open", 0

    async def answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one request: PUT changes the word, GET tells it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = head.partition("content-length:")[2].split("\r\n")[0].strip()
        body = await reader.readexactly(int(size or 0))
        if head.startswith("put"):
            self.state, self.puts = json.loads(body)["state"], self.puts + 1
        raw = json.dumps({"state": self.state}).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(raw), raw)
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def cut(tmp_path: Path) -> AsyncIterator[tuple[Engine, Target, str, list[str]]]:
    """Drive a run of this folder until it holds the cut."""
    target, said = Target(), list[str]()
    server = await asyncio.start_server(target.answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    (tmp_path / "runbooks").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text.replace("URL", url))
    config = load_config(tmp_path / "engine.yaml")
    library = known_library(config)
    async with server, opening.engine(config, library, write=said.append) as opened:
        await opened.host.start()
        by = opened.service.actor("ana", "cli")
        opened.host.begins("r-1")
        await opened.service.start(library.bundle("cut"), {}, by, run="r-1")
        async with asyncio.timeout(10):
            while "did" not in [one.kind for one in await opened.store.entries("r-1")]:
                await asyncio.sleep(0.02)
        yield opened, target, "r-1", said


async def told(opened: Engine, run: str) -> list[str]:
    """Return the notes of drift in the journal."""
    entries = await opened.store.entries(run)
    return [one.what for one in entries if one.kind == "drift"]


async def test_g17_a_change_behind_our_back_is_told_once(tmp_path: Path) -> None:
    """
    The target is changed by another hand: one entry, one message, one page, no act.
    """
    async with cut(tmp_path) as (opened, target, run, said):
        ports, host = opened.service.driver.ports, opened.host
        chore = Drift(
            ports.store, ports.checks, ports.compiled, lambda: host.ours, host.told,
            every_seconds=0.1,
        )  # fmt: skip
        chore.start()
        await asyncio.sleep(0.5)
        quiet = await told(opened, run)
        target.state = "changed"
        await asyncio.sleep(2.0)
        await chore.stop()
        what = "cut is held, but somebody else changed it"

        assert [] == quiet
        assert [what] == await told(opened, run)
        assert (1, "changed") == (target.puts, target.state)
        assert 2 == len([line for line in said if what in line])


async def test_g17_every_engine_looks_by_itself(tmp_path: Path) -> None:
    """What `runbook run` and `runbook serve` open has the chore."""
    async with cut(tmp_path) as (opened, _, _, _):
        names = [str(task.get_coro()) for task in asyncio.all_tasks()]

        assert [True] == [True for name in names if "Drift._for_ever" in name]
        assert [] == await told(opened, "r-1")
