"""Looking and acting for real: what turns a kind's code into evidence and outcomes.

`LiveChecks` and `LiveActions` are the two ports of a live run. A rehearsal has scripted
ones, a dry run has no `LiveActions` at all. Every look and every act ends within its
limit here, whatever the adapter does, and nothing it says contains a secret.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

import msgspec
from pydantic import ValidationError

from engine.core.forbidden import forbidden_by
from engine.core.judge import agree, judge
from engine.errors import LeaseLost, SecretMissing
from engine.model.effects import Act, CheckCall
from engine.model.evidence import Evidence, Observation
from engine.ports import ActResult, Call, Clock, Ownership
from engine.registry import Registry
from engine.runtime.redact import Redactor

PAUSE_SECONDS: Final = 0.5  # between two attempts of one look
GRACE_SECONDS: Final = 2.0  # an adapter ends by itself within its limit; then it is cut

Tick = Callable[[], float]
SecretOf = Callable[[str], Callable[[str], str]]  # run to (name to value)


class Checks(Protocol):
    """How a run looks."""

    def look(self, call: CheckCall, *, run: str, tick: Tick) -> Awaitable[Evidence]:
        """Return the judged answer of one check."""
        ...


class Actions(Protocol):
    """How a run acts."""

    def act(self, act: Act, *, run: str) -> Awaitable[ActResult]:
        """Act once; return what is known of it."""
        ...


class LiveChecks:
    """Looks through the registry's adapters."""

    def __init__(
        self, registry: Registry, clock: Clock, secrets: SecretOf, redactor: Redactor
    ) -> None:
        self._registry, self._clock = registry, clock
        self._secrets, self._redactor = secrets, redactor

    async def look(self, call: CheckCall, *, run: str, tick: Tick) -> Evidence:
        """Look, again while the answer is unknown and another attempt may help."""
        if call.parts:
            parts = [self.look(part, run=run, tick=tick) for part in call.parts]
            seen = await asyncio.gather(*parts)
            return agree(
                call.check,
                call.slot,
                seen,
                call.need,
                tick=tick(),
                at=self._clock.now(),
            )
        attempt, began = 0, self._clock.monotonic()
        while True:
            attempt += 1
            observation = await self._once(call, run)
            evidence = self._judged(call, observation, tick, attempt)
            again = evidence.state == "unknown" and observation.retryable
            if not again or attempt >= call.attempts:
                return evidence
            wait = observation.wait_seconds
            if wait and self._clock.monotonic() - began + wait > _last_start(call):
                return evidence  # the provider asks for more time than there is
            await asyncio.sleep(max(PAUSE_SECONDS, wait))

    def _judged(
        self, call: CheckCall, seen: Observation, tick: Tick, attempt: int
    ) -> Evidence:
        at = self._clock.now()
        evidence = judge(call, seen, tick=tick(), at=at, attempts=attempt)
        hide = self._redactor
        seen_, why, source = hide.value((evidence.seen, evidence.why, evidence.source))
        return msgspec.structs.replace(evidence, seen=seen_, why=why, source=source)

    async def _once(self, call: CheckCall, run: str) -> Observation:
        if call.problem:
            return Observation(unknown=call.problem, retryable=False)
        try:
            kind, look = self._registry.check(call.kind)
            params = kind.params.model_validate(call.params)
        except KeyError:
            return Observation(unknown=f"no check kind '{call.kind}'", retryable=False)
        except ValidationError as error:
            return Observation(unknown=f"parameters: {_told(error)}", retryable=False)
        ask = Call(f"{run}/{call.slot}", call.timeout_seconds, self._secrets(run), run)
        try:
            async with asyncio.timeout(call.timeout_seconds + GRACE_SECONDS):
                return await look(params, ask)
        except TimeoutError:
            return Observation(unknown=f"no answer within {call.timeout_seconds:g}s")
        except SecretMissing as missing:
            return Observation(unknown=str(missing), retryable=False)
        except Exception as error:  # noqa: BLE001  # an adapter's defect ends no run
            told = f"check kind '{call.kind}' failed: {type(error).__name__}: {error}"
            return Observation(unknown=told, retryable=False)


class LiveActions:
    """Acts through the registry's adapters: all here that changes the world."""

    def __init__(
        self,
        registry: Registry,
        secrets: SecretOf,
        redactor: Redactor,
        *,
        fence: int = 0,
        ownership: Ownership | None = None,
        forbidden: Sequence[str] = (),
    ) -> None:
        self._registry, self._secrets = registry, secrets
        self._redactor, self._fence = redactor, fence
        self._ownership = ownership
        self._forbidden = forbidden

    async def act(self, act: Act, *, run: str) -> ActResult:
        """Act once; a defect or a cut leaves it unknown whether it happened.

        Raises:
            LeaseLost: another engine took our place; nothing was done.
        """
        result = await self._act(act, run)
        return ActResult(
            result.outcome, self._redactor.text(result.detail), result.retryable
        )

    async def _act(self, act: Act, run: str) -> ActResult:
        rule = forbidden_by(self._forbidden, act.kind, act.params)
        if rule:
            told = f"forbidden here by {rule} (limits.forbidden); nothing was done"
            return ActResult("failed", told, retryable=False)
        try:
            kind, code = self._registry.action(act.kind)
            params = kind.params.model_validate(act.params)
        except KeyError:
            return ActResult("failed", f"no action kind '{act.kind}'", retryable=False)
        except ValidationError as error:
            return ActResult("failed", f"parameters: {_told(error)}", retryable=False)
        if self._ownership is not None and not await self._ownership.may_act():
            raise LeaseLost(f"run {run}: another engine drives it; nothing was done")
        call = Call(
            act.idempotency_key,
            act.timeout_seconds,
            self._secrets(run),
            run,
            act.undo,
            self._ownership.fence if self._ownership is not None else self._fence,
            act.built_in,
        )
        try:
            async with asyncio.timeout(act.timeout_seconds + GRACE_SECONDS):
                return await code(params, call)
        except TimeoutError:
            return ActResult("unknown", f"cut after {act.timeout_seconds:g}s")
        except SecretMissing as missing:
            return ActResult("failed", str(missing), retryable=False)
        except Exception as error:  # noqa: BLE001  # an adapter's defect ends no run
            told = f"action kind '{act.kind}' failed: {type(error).__name__}: {error}"
            return ActResult("unknown", told, retryable=False)


def _last_start(call: CheckCall) -> float:
    """Return when the last attempt may begin at the latest: analysis.bounds counts so.

    A wait that a server asks for uses time that other attempts left, never more.
    """
    each = call.timeout_seconds + GRACE_SECONDS
    return (call.attempts - 1) * (each + PAUSE_SECONDS)


def _told(error: ValidationError) -> str:
    first: Any = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}"
