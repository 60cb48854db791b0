"""A dry run at a moment of the past: what would have been seen, diagnosed, and done.

The run's clock begins at that moment and goes on virtually, so a wait of an hour takes
no time and the next look is at what was there an hour later. Prometheus is asked about
that time; no other kind of check can be, and each is unknown and says so. No action has
any code in the process.

Called by the command `run --dry-run --at`.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from engine.bootstrap.kinds import door, kinds
from engine.bootstrap.parts import empty_store, secrets
from engine.model.evidence import Observation

if TYPE_CHECKING:
    from engine.config import Config
    from engine.model.alert import Alert
    from engine.model.run import RunSummary
    from engine.model.runbook import Runbook
    from engine.model.timeline import Entry
    from engine.ports import Call, LookCode, Web
    from engine.registry import Registry
    from engine.runtime.library import Bundle, Library
    from engine.runtime.virtual_time import RealTime, VirtualClock

ASKED: Final = "prometheus"  # the kind that can be asked about the past
ANSWERS: Final = 1000  # more than any run asks


def not_asked(kind: str) -> str:
    """Return why a check of another kind is unknown."""
    return f"{kind} cannot be asked about the past"


def played_at(
    config: "Config",
    library: "Library",
    bundle: "Bundle",
    given: Mapping[str, Any],
    who: str,
    *,
    at: float,
    people: str = "approve",
    alert: "Alert | None" = None,
) -> "tuple[RunSummary, list[Entry]]":
    """Return how the run would have ended, and its timeline.

    Args:
        config: Where Prometheus is, and its secrets.
        library: The runbooks that it may run.
        bundle: The runbook.
        given: Its inputs.
        who: Who starts it.
        at: The moment at which it begins, epoch seconds.
        people: What everybody who is asked answers: approve, reject or silence.
        alert: What started it.

    Raises:
        DoesNotApply: an input is missing or wrong. EngineError: it would never end.
    """
    from engine.errors import EngineError
    from engine.runtime.virtual_time import (
        NeverEnds,
        RealTime,
        VirtualClock,
        run_virtual,
    )

    clock = VirtualClock(at)
    with RealTime() as real:
        web = door(config)
        seen = past_registry(config, web, real, clock)
        work = _played(config, library, bundle, given, who, seen, clock, people, alert)
        try:
            return run_virtual(work)
        except NeverEnds as error:
            raise EngineError(f"the run would never have ended: {error}") from error
        finally:
            real.done(web.aclose())


async def _played(
    config: "Config",
    library: "Library",
    bundle: "Bundle",
    given: Mapping[str, Any],
    who: str,
    seen: "Registry",
    clock: "VirtualClock",
    people: str,
    alert: "Alert | None",
) -> "tuple[RunSummary, list[Entry]]":
    from engine.runtime.assembly import Outside, dry_service
    from engine.runtime.dry_run import HeldActions
    from engine.runtime.scripted import NoHold, ScriptedPeople
    from engine.runtime.service import new_run_id

    over = asyncio.Event()

    def listen(summary: "RunSummary", entries: "list[Entry]") -> None:
        if summary.ended_at is not None:
            over.set()

    asked = ScriptedPeople([] if people == "silence" else [people] * ANSWERS)
    outside = Outside(seen, empty_store(), secrets(config), NoHold(), asked)
    service = dry_service(
        outside, library, config.groups, HeldActions(), clock=clock, listener=listen
    )
    asked.driver, run = service.driver, new_run_id()
    by = service.actor(who, "cli", bundle.compiled.runbook)
    form = _past_bundle(bundle, library)
    await service.start(form, given, by, alert=alert, mode="dry-run", run=run)
    await over.wait()
    return await service.summary(run), await service.timeline(run)


def _past_bundle(bundle: "Bundle", library: "Library") -> "Bundle":
    from engine.core.compile import compile_runbook
    from engine.runtime.dry_run import past_form
    from engine.runtime.library import Bundle

    compiled = bundle.compiled
    others: dict[str, Runbook] = {
        name: past_form(one) for name, one in library.runbooks.items()
    }
    form = compile_runbook(
        past_form(compiled.runbook), compiled.kinds, revision=compiled.revision,
        library=others,
    )  # fmt: skip
    return Bundle(form, bundle.revision, bundle.stored, bundle.file)


def past_registry(
    config: "Config", web: "Web", real: "RealTime", clock: "VirtualClock"
) -> "Registry":
    """Return every kind of check as it can be asked about the past, and no action."""
    from engine.adapters import prometheus
    from engine.adapters.patience import PatientWeb
    from engine.registry import Registry

    moment, alone, made = _Moment(clock), Registry(), Registry()
    url = config.settings.prometheus.url
    prometheus.register(alone, PatientWeb(web), url, past=moment.read)
    for name, kind in kinds(config).checks.items():
        code = _Unasked(name)
        look: LookCode = code
        if name == ASKED:
            look = _Asked(alone.check(name)[1], real, moment)
        made.add_check(
            name, kind.params, look, judges_itself=kind.judges_itself,
            places=kind.places, sees=kind.sees, missing=kind.missing,
        )  # fmt: skip
    return made.freeze()


class _Moment:
    """The run's time, for code that runs beside its loop."""

    def __init__(self, clock: "VirtualClock") -> None:
        self._clock, self._at = clock, 0.0

    def take(self) -> None:
        """Keep the time as it is now; it stands still while a look is waited for."""
        self._at = self._clock.now()

    def read(self) -> float:
        """Return what was kept, epoch seconds."""
        return self._at


class _Asked:
    """Looks in real time while the run's own time stands still."""

    def __init__(self, look: "LookCode", real: "RealTime", moment: _Moment) -> None:
        self._look, self._real, self._moment = look, real, moment

    async def __call__(self, params: Any, call: "Call", /) -> Observation:
        self._moment.take()
        return await self._real.ask(self._within(params, call))

    async def _within(self, params: Any, call: "Call") -> Observation:
        async with asyncio.timeout(call.timeout_seconds):
            return await self._look(params, call)


class _Unasked:
    """Sees nothing, and says why."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    async def __call__(self, params: Any, call: "Call", /) -> Observation:
        return Observation(unknown=not_asked(self._kind), retryable=False)
