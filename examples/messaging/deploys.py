"""The deploy process: which router version runs on which ring, and since when.

It really changes the router (over its /internal endpoints) and forgets nothing: the
latest deploy keeps its time when it is rolled back. A locked pipeline refuses
rollouts, also those of the fault, but never a rollback.

Fault: `bad-rollout` (rolls v42 out to every ring).
"""

import json
import time
from typing import Any

from .admin import Ask, BadAsk, Reply
from .lanes import CANDIDATE, RINGS, STABLE
from .process import Process, Setup
from .wire import call

FIRST_DEPLOY_AGE_SECONDS = 7200.0
FLAGS = ("batch-routing",)


class Deploys:
    """What was deployed, and the door to the router."""

    def __init__(self, process: Process) -> None:
        self._port = process.setup.ports["router.http"]
        self.region = process.setup.region
        self.rings = dict.fromkeys(RINGS, STABLE)
        self.flags = dict.fromkeys(FLAGS, True)
        self.locked_by: str | None = None
        self.version = STABLE
        self.previous = STABLE
        self.finished_at = time.time() - FIRST_DEPLOY_AGE_SECONDS
        self._finished = process.metrics.gauge("deploy_last_finished_timestamp_seconds")
        self._locked = process.metrics.gauge("deploy_pipeline_locked")
        process.metrics.before_scrape(self._refresh)

    def _refresh(self) -> None:
        self._finished.set(self.finished_at, service="router")
        self._locked.set(1 if self.locked_by is not None else 0, service="router")

    async def roll_out(self, version: str, rings: list[str]) -> None:
        """Put a version on rings, one after another.

        Raises:
            BadAsk: the pipeline is locked (409), or the router did not do it (502).
        """
        if self.locked_by is not None:
            raise BadAsk(f"the pipeline is locked: {self.locked_by}", status=409)
        for ring in rings:
            await self.pin(ring, version)
        self.version, self.previous = version, STABLE
        self.finished_at = time.time()

    async def pin(self, ring: str, version: str) -> None:
        """Put a version on one ring; raises as `roll_out`, but heeds no lock."""
        await self._tell_router("version", {"ring": ring, "version": version})
        self.rings[ring] = version

    async def set_flag(self, flag: str, enabled: bool) -> None:
        """Switch a feature flag; raises as `pin`."""
        await self._tell_router("flag", {"enabled": enabled})
        self.flags[flag] = enabled

    async def _tell_router(self, what: str, body: dict[str, Any]) -> None:
        path, text = f"/internal/{what}", json.dumps(body).encode()
        try:
            status, answer = await call(
                "127.0.0.1", self._port, "PUT", path, text, timeout=5.0
            )
        except OSError as error:
            raise BadAsk(f"the router did not answer: {error}", status=502) from None
        if status != 200:
            raise BadAsk(f"the router answered {status}: {answer!r}", status=502)


class DeploysAdmin:
    """The admin endpoints of the deploy process."""

    def __init__(self, process: Process, deploys: Deploys) -> None:
        self._deploys = deploys
        admin = process.admin
        admin.route("GET", "/admin/deploys/latest", self.latest)
        admin.route("POST", "/admin/deploys", self.deploy)
        admin.route("POST", "/admin/rollback", self.roll_back)
        admin.route("GET", "/admin/rings", self.rings)
        admin.route("PUT", "/admin/rings/{name}", self.set_ring)
        admin.route("GET", "/admin/pipeline/lock", self.lock)
        admin.route("PUT", "/admin/pipeline/lock", self.set_lock)
        admin.route("DELETE", "/admin/pipeline/lock", self.end_lock)
        admin.route("GET", "/admin/flags/{name}", self.flag)
        admin.route("PUT", "/admin/flags/{name}", self.set_flag)
        admin.fault("bad-rollout", on=self._bad_rollout, off=self._end_rollout)

    async def _bad_rollout(self, body: dict[str, Any]) -> None:
        await self._deploys.roll_out(CANDIDATE, list(RINGS))

    async def _end_rollout(self, body: dict[str, Any]) -> None:
        for ring in RINGS:
            await self._deploys.pin(ring, STABLE)

    async def latest(self, ask: Ask) -> Reply:
        """Return the latest deploy of the router, and how long ago it ended."""
        deploys = self._deploys
        live = [ring for ring, ran in deploys.rings.items() if ran == deploys.version]
        age = time.time() - deploys.finished_at
        return 200, {
            "service": "router",
            "region": deploys.region,
            "version": deploys.version,
            "previous": deploys.previous,
            "state": "live" if live else "rolled_back",
            "rings": live,
            "finished_at": deploys.finished_at,
            "age_seconds": round(age, 1),
            "age_minutes": round(age / 60, 3),
            "irreversible_migration": False,
        }

    async def deploy(self, ask: Ask) -> Reply:
        """Roll a version out to one ring, or to all."""
        version = ask.choice("version", (STABLE, CANDIDATE))
        await self._deploys.roll_out(version, _rings(ask))
        return await self.latest(ask)

    async def roll_back(self, ask: Ask) -> Reply:
        """Put one ring, or all, back to the version before the latest deploy."""
        for ring in _rings(ask):
            await self._deploys.pin(ring, self._deploys.previous)
        return await self.rings(ask)

    async def rings(self, ask: Ask) -> Reply:
        """Return which version each ring runs."""
        rings = self._deploys.rings
        return 200, {"rings": rings, "versions": sorted(set(rings.values()))}

    async def set_ring(self, ask: Ask) -> Reply:
        """Pin one ring to a version."""
        ring = ask.path["name"]
        if ring not in RINGS:
            raise BadAsk(f"there is no ring '{ring}'; there are {', '.join(RINGS)}")
        version = ask.choice("version", (STABLE, CANDIDATE))
        await self._deploys.pin(ring, version)
        return await self.rings(ask)

    async def lock(self, ask: Ask) -> Reply:
        """Return whether the pipeline is locked, and why."""
        why = self._deploys.locked_by
        return 200, {"locked": why is not None, "why": why or ""}

    async def set_lock(self, ask: Ask) -> Reply:
        """Lock the pipeline; the body may say why."""
        self._deploys.locked_by = str(ask.body.get("why", "no reason given"))
        return await self.lock(ask)

    async def end_lock(self, ask: Ask) -> Reply:
        """Unlock the pipeline."""
        self._deploys.locked_by = None
        return await self.lock(ask)

    async def flag(self, ask: Ask) -> Reply:
        """Return one feature flag."""
        name = _flag(ask)
        return 200, {"name": name, "enabled": self._deploys.flags[name]}

    async def set_flag(self, ask: Ask) -> Reply:
        """Switch one feature flag."""
        await self._deploys.set_flag(_flag(ask), ask.boolean("enabled"))
        return await self.flag(ask)


def _rings(ask: Ask) -> list[str]:
    if "ring" not in ask.body:
        return list(RINGS)
    return [ask.choice("ring", tuple(RINGS))]


def _flag(ask: Ask) -> str:
    name = ask.path["name"]
    if name not in FLAGS:
        raise BadAsk(f"there is no flag '{name}'; there are {', '.join(FLAGS)}")
    return name


async def start(setup: Setup) -> None:
    """Start the deploy process on its socket."""
    process = Process(setup)
    DeploysAdmin(process, Deploys(process))
    await process.listen_http()
