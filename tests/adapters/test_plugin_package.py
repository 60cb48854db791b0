"""The example plug-in, built and installed as a third party's would be."""

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.real_parts import free_port, need, strict

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "examples" / "plugin-redis-role"
USE: Final = """
import asyncio, json, sys
from engine.ports import Call
from engine.registry import Registry

registry = Registry()
loaded = registry.add_plugins()
port, undo, password = int(sys.argv[1]), sys.argv[2] == "undo", sys.argv[3]
node = {"host": "127.0.0.1", "port": port}
node |= {"password": {"secret": "REDIS"}} if password else {}
call = Call("k", 2.0, lambda name: password, "r", undo=undo)


async def main():
    check, look = registry.check("redis_role")
    action, act = registry.action("redis_pause_writes")
    seen = await look(check.params.model_validate(node), call)
    pause = action.params.model_validate({**node, "duration": "90s"})
    result = await act(pause, call)
    return {
        "loaded": loaded,
        "kinds": [sorted(registry.kinds.checks), sorted(registry.kinds.actions)],
        "built_in_undo": action.built_in_undo,
        "json": seen.seen.get("json"),
        "unknown": seen.unknown,
        "again": seen.retryable,
        "outcome": result.outcome,
        "detail": result.detail,
    }

print(json.dumps(asyncio.run(main())))
"""


def need_module(name: str) -> None:
    """Skip, or fail where STRICT_TESTS=1 is set, without this module."""
    if importlib.util.find_spec(name) is None:
        reason = f"the module '{name}' is not installed"
        if strict():
            pytest.fail(f"{reason}, and STRICT_TESTS=1 is set")
        pytest.skip(reason)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the plug-in is installed in, and nothing else."""
    for module in ("pip", "hatchling", "redis"):
        need_module(module)
    source = tmp_path_factory.mktemp("source") / "plugin"
    shutil.copytree(PACKAGE, source)  # a build leaves no traces in the tree
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, "--target", str(target), str(source)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return target


async def use(
    installed: Path, port: int, *, undo: bool = False, password: str = ""
) -> Any:
    """Use both kinds in a fresh process that finds the plug-in by its entry point."""
    paths = os.pathsep.join([str(installed), str(ROOT)])
    arguments = [str(port), "undo" if undo else "do", password]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        USE,
        *arguments,
        env={**os.environ, "PYTHONPATH": paths},
        cwd=installed,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, err.decode()
    return json.loads(out)


@asynccontextmanager
async def resp(answers: dict[str, bytes]) -> AsyncIterator[tuple[int, list[str]]]:
    """Run a server that speaks Redis' protocol; give its port and what it was told."""
    told: list[str] = []

    async def connection(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                length = int((await reader.readline())[1:])
                words.append((await reader.readexactly(length + 2))[:-2].decode())
            told.append(" ".join(words))
            writer.write(answers.get(words[0], b"-ERR unknown command\r\n"))
        writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], told


MASTER = b"*3\r\n$6\r\nmaster\r\n:7\r\n*1\r\n*3\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\n7\r\n"
REPLICA = b"*5\r\n$5\r\nslave\r\n$3\r\nc-1\r\n:6379\r\n$9\r\nconnected\r\n:7\r\n"


async def test_plugin_is_found_and_its_kinds_work(installed: Path) -> None:
    """
    An installed package needs nothing but its entry point: its check sees, its action
    acts.
    """
    async with resp({"ROLE": MASTER, "CLIENT": b"+OK\r\n"}) as (port, told):
        used = await use(installed, port)

    assert used == {
        "loaded": ["redis"],
        "kinds": [["redis_role"], ["redis_pause_writes"]],
        "built_in_undo": True,
        "json": {"role": "master", "links": 1},
        "unknown": None,
        "again": True,
        "outcome": "ok",
        "detail": f"127.0.0.1:{port}: writes wait for 90000 ms at most",
    }
    assert told == ["ROLE", "CLIENT PAUSE 90000 WRITE"]


async def test_plugin_gives_back_and_uses_its_secret(installed: Path) -> None:
    """
    The undo is built in; the password reaches the node and no word of the result.
    """
    answers = {"ROLE": REPLICA, "CLIENT": b"+OK\r\n", "AUTH": b"+OK\r\n"}
    async with resp(answers) as (port, told):
        used = await use(installed, port, undo=True, password="canary-7f3")

    assert used["json"] == {"role": "replica", "of": "c-1", "links": 1}
    assert (used["outcome"], used["detail"]) == (
        "ok",
        f"127.0.0.1:{port}: writes go on",
    )
    assert told == ["AUTH canary-7f3", "ROLE", "AUTH canary-7f3", "CLIENT UNPAUSE"]
    assert "canary" not in json.dumps(used)


@pytest.mark.parametrize(
    ("answer", "unknown", "outcome"),
    [
        (b"-ERR unknown command\r\n", "unknown command", "failed"),
        (b"-NOAUTH Authentication required.\r\n", "Authentication required.", "failed"),
    ],
)
async def test_node_that_refuses_is_unknown_and_failed(
    installed: Path, answer: bytes, unknown: str, outcome: str
) -> None:
    """
    A refusal is unknown for the check and failed for the act, and final for both.
    """
    async with resp({"ROLE": answer, "CLIENT": answer}) as (port, _):
        used = await use(installed, port)

    assert used["unknown"] == f"ROLE at 127.0.0.1:{port}: {unknown}"
    assert (used["again"], used["outcome"]) == (False, outcome)


async def test_nobody_there_is_unknown_and_failed(installed: Path) -> None:
    """
    Where nobody listens nothing is seen, and surely nothing was done.
    """
    used = await use(installed, free_port())

    assert used["json"] is None
    assert (used["again"], used["outcome"]) == (True, "failed")


async def test_foreign_role_is_unknown(installed: Path) -> None:
    """
    An answer in another form is no role.
    """
    async with resp({"ROLE": b"$2\r\nhi\r\n", "CLIENT": b"+OK\r\n"}) as (port, _):
        used = await use(installed, port)

    words = f"ROLE at 127.0.0.1:{port}: ROLE answers in another form"
    assert used["unknown"] == words


@contextmanager
def redis_server(folder: Path) -> Iterator[int]:
    """Run a real Redis for the block; give its port."""
    program = need("redis-server")
    port = free_port()
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen(
        [program, *arguments], cwd=folder, stdout=subprocess.DEVNULL
    )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


async def test_plugin_on_a_real_redis(installed: Path, tmp_path: Path) -> None:
    """
    A real node says that it is a master, pauses its writes and goes on.
    """
    with redis_server(tmp_path) as port:
        for _ in range(50):
            paused = await use(installed, port)
            if paused["json"] is not None:
                break
            await asyncio.sleep(0.1)
        resumed = await use(installed, port, undo=True)

    assert paused["json"] == {"role": "master", "links": 0}
    assert (paused["outcome"], resumed["outcome"]) == ("ok", "ok")
