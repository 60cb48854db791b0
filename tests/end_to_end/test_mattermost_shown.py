"""A run in Mattermost, end to end: the engine a process, HTTP, websocket, disk real."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from mattermost import Mattermost, Post

from tests.real_parts import free_port

FLAG = Path(__file__).parents[1] / "entrypoints/places/flag.yaml"
CONFIG = """\
data: ./state
runbooks: [./runbooks]
people:
  ana: {groups: [ops], mattermost: ANA}
  bo: {groups: [ops], mattermost: BO}
me: ana
network: {allow: [127.0.0.0/8]}
secrets:
  token: {env: MATTERMOST_TOKEN}
  command: {env: MATTERMOST_COMMAND}
  ana: {env: ANA_TOKEN}
sources:
  alertmanager: {token: {secret: ana}}
server:
  listen: 127.0.0.1:PORT
  tokens:
    ana: {secret: ana, role: commander}
chat:
  mattermost:
    url: URL
    team: ops
    channel: incidents
    token: {secret: token}
    commands: {secret: command}
    callback: http://127.0.0.1:PORT
  own_channel: []
"""
WITHIN_SECONDS = 20.0
ENDED = ("resolved", "cleared", "handed_over", "cancelled")


@dataclass
class Place:
    """One folder with an engine, beside a Mattermost."""

    folder: Path
    server: Mattermost
    url: str
    engine: asyncio.subprocess.Process | None = None

    async def begin(self) -> None:
        """Start the engine; return once it is ready."""
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        with (self.folder / "log").open("ab") as log:
            self.engine = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "engine", "serve", cwd=self.folder,
                stdout=log, stderr=log, env=kept | {
                    "MATTERMOST_TOKEN": self.server.token,
                    "MATTERMOST_COMMAND": self.server.command_token,
                    "ANA_TOKEN": "ana-token",
                },
            )  # fmt: skip
        await self.until(lambda: self.answers("/readyz"))

    async def kill(self) -> None:
        """End the engine as a power cut would."""
        assert self.engine is not None
        self.engine.send_signal(signal.SIGKILL)
        await self.engine.wait()

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Ask the engine as ana."""
        headers = {"authorization": "Bearer ana-token"}
        async with httpx.AsyncClient(headers=headers) as client:
            return await client.request(method, self.url + path, json=body)

    async def answers(self, path: str) -> bool:
        """Return whether it answers 200."""
        return (await self.ask("GET", path)).status_code == 200

    async def runs(self) -> list[dict[str, Any]]:
        """Return every run, newest first."""
        found: list[dict[str, Any]] = (await self.ask("GET", "/api/v1/runs")).json()
        return found

    async def state(self, run: str) -> str:
        """Return the state of a run."""
        found = (await self.ask("GET", f"/api/v1/runs/{run}")).json()
        return str(found["run"]["state"])

    async def alert(self) -> str:
        """Let the flag's alert come; return the run that it starts."""
        world = self.folder / "world"
        world.mkdir()
        (world / "broken").touch()
        labels = {"alertname": "FlagUp", "severity": "page", "folder": str(world)}
        one = {"status": "firing", "labels": labels, "startsAt": "2026-11-24T04:20:36Z"}
        told = {"version": "4", "alerts": [one]}
        await self.ask("POST", "/alerts/alertmanager", told)
        return str((await self.until(self.runs))[0]["run"])

    def keys(self) -> list[str]:
        """Return the keys of the engine's posts, in order."""
        posts = self.server.posts("incidents")
        return [one.props["runbook_key"] for one in posts if "runbook_key" in one.props]

    async def post(self, kind: str) -> Post:
        """Return the newest post of a kind; wait for it."""

        async def found() -> Post | None:
            for one in reversed(self.server.posts("incidents")):
                if f"/{kind}/" in str(one.props.get("runbook_key", "")):
                    return one
            return None

        made: Post = await self.until(found)
        return made

    async def buttons(self) -> Post:
        """Return the open question; wait for it."""

        async def found() -> Post | None:
            asks = await self.post("asks")
            return asks if asks.actions else None

        made: Post = await self.until(found)
        return made

    async def approve(self, who: str, asks: Post) -> int:
        """Press Approve, and say yes to what is asked once more; return its status."""
        pressed = await self.server.press(who, asks, "Approve")
        if pressed.status != 200:
            return pressed.status
        await self.server.until(lambda it: it.dialog(who))
        return (await self.server.submit(who, where="incidents")).status

    async def told(self, run: str, kind: str) -> list[str]:
        """Return what and why of the entries of a kind."""
        found = (await self.ask("GET", f"/api/v1/runs/{run}/timeline")).json()
        rows = found["entries"] if isinstance(found, dict) else found
        return [
            f"{one.get('what', '')} {one.get('why', '')}".strip()
            for one in rows if one["kind"] == kind
        ]  # fmt: skip

    async def whispered(self, who: str) -> list[str]:
        """Return what only this person was told; wait for something."""

        async def found() -> list[str]:
            return [one.said for one in self.server.whispers("incidents", who)]

        made: list[str] = await self.until(found)
        return made

    async def ended(self, run: str) -> str:
        """Return how a run ended; wait for it."""

        async def end() -> str:
            found = await self.state(run)
            return found if found in ENDED else ""

        return str(await self.until(end))

    async def until(self, true: Callable[[], Any]) -> Any:
        """Wait until it is true; what cannot be asked yet is not."""
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                while True:
                    try:
                        if found := await true():
                            return found
                    except (httpx.HTTPError, KeyError):
                        pass
                    await asyncio.sleep(0.05)
        except TimeoutError:
            log = (self.folder / "log").read_text()
            raise AssertionError(f"never true; the log:\n{log[-4000:]}") from None


@asynccontextmanager
async def beside(folder: Path) -> AsyncIterator[Place]:
    """Give a Mattermost and an engine that shows its runs there."""
    (folder / "runbooks").mkdir()
    (folder / "runbooks/flag.yaml").write_text(FLAG.read_text())
    port = free_port()
    async with Mattermost() as server:
        url = f"http://127.0.0.1:{port}"
        server.callback(url)
        text = CONFIG.replace("PORT", str(port)).replace("URL", server.url)
        for name in ("ana", "bo"):
            told = server.world.user(name).id
            text = text.replace(f"mattermost: {name.upper()}", f"mattermost: {told}")
        (folder / "engine.yaml").write_text(text)
        place = Place(folder, server, url)
        try:
            await place.begin()
            yield place
        finally:
            if place.engine is not None and place.engine.returncode is None:
                await place.kill()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with beside(tmp_path) as one:
        yield one


@pytest.mark.slow
async def test_a_run_stands_in_mattermost_from_its_alert_to_its_end(
    place: Place,
) -> None:
    """
    Its root, its news, its question, its pictures, its end, each once, in one thread.
    """
    run = await place.alert()
    asks = await place.buttons()
    pressed = await place.approve("bo", asks)
    ended = await place.ended(run)
    await place.post("ended")
    keys, posts = place.keys(), place.server.posts("incidents")

    assert ("resolved", 200) == (ended, pressed)
    assert ([], True) == (asks.actions, "Approved by" in asks.said)
    assert len(keys) == len(set(keys))
    assert [f"{run}/pinned/0", f"{run}/ended/0"] == [keys[0], keys[-1]]
    assert {posts[0].id} == {one.root for one in posts[1:]}
    assert [] != [one for one in posts if one.files]


@pytest.mark.slow
async def test_f57_killed_and_killed_again_no_post_is_lost_or_doubled(
    place: Place,
) -> None:
    """
    kill -9 as soon as a post stands in Mattermost; whoever comes next finds it. Who
    presses meanwhile is told so by Mattermost, and presses again.
    """
    run = await place.alert()
    await place.post("pinned")
    await place.kill()
    await place.begin()
    asks = await place.buttons()
    await place.kill()
    nobody = await place.approve("ana", asks)
    await place.begin()
    pressed = await place.approve("ana", asks)
    ended = await place.ended(run)
    await place.post("ended")
    keys = place.keys()

    assert (0, 200, "resolved") == (nobody, pressed, ended)
    assert len(keys) == len(set(keys))
    assert [f"{run}/pinned/0", f"{run}/ended/0"] == [keys[0], keys[-1]]


@pytest.mark.slow
async def test_people_steer_a_run_from_mattermost(place: Place) -> None:
    """
    A command and a mention are answered to whoever asked; a note and a marked message
    are in the timeline, and so is what becomes of that message; two press at the same
    moment, and one approval is enough.
    """
    server = place.server
    run = await place.alert()
    asks = await place.buttons()
    root = asks.root
    listed = await server.command("bo", "incidents", "/runbook list", root=root)
    whispers = await place.whispered("bo")
    await server.say("ana", "incidents", "@runbook note traffic is odd", root=root)
    seen = await server.say("bo", "incidents", "the flag went up at 04:19", root=root)
    await server.react("ana", seen, "pushpin")

    async def noted(text: str) -> bool:
        return any(text in one for one in await place.told(run, "note"))

    await place.until(lambda: noted("traffic is odd"))
    await place.until(lambda: noted("the flag went up at 04:19"))
    await server.edit("bo", seen, "the flag went up at 04:21")
    await place.until(lambda: noted("04:21"))
    both = await asyncio.gather(*(place.approve(who, asks) for who in ("ana", "bo")))
    ended = await place.ended(run)

    assert (200, True) == (listed.status, "flag" in whispers[0])
    assert [200, 200] == both
    assert "resolved" == ended


@pytest.mark.slow
async def test_f57_mattermost_is_gone_for_a_while_and_is_caught_up_with(
    place: Place,
) -> None:
    """
    Words that were said while nobody could hear them count; what happened meanwhile
    stands there afterwards, once and in order.
    """
    server = place.server
    run = await place.alert()
    asks = await place.buttons()
    await server.go_away()
    await place.ask("POST", f"/api/v1/runs/{run}/note", {"text": "chat is gone"})
    text = "@runbook note said in the dark"
    await server.say("ana", "incidents", text, root=asks.root)
    await server.come_back()

    async def heard() -> bool:
        notes = await place.told(run, "note")
        return any("said in the dark" in one for one in notes)

    await place.until(heard)
    pressed = await place.approve("bo", asks)
    ended = await place.ended(run)
    await place.post("ended")
    keys, notes = place.keys(), await place.told(run, "note")

    assert (200, "resolved") == (pressed, ended)
    assert len(keys) == len(set(keys))
    assert f"{run}/ended/0" == keys[-1]
    assert [] != [one for one in notes if "chat is gone" in one]
