"""How the attempts of one look wait for a provider that asks for it."""

import asyncio
import time
from typing import Any

import pytest

from engine.model.effects import CheckCall
from engine.model.evidence import Observation
from engine.model.values import Model
from engine.ports import Call
from engine.registry import Registry
from engine.runtime.assembly import SystemClock
from engine.runtime.perform import LiveChecks
from engine.runtime.redact import Redactor


class Nothing(Model):
    """No parameters."""


async def looked(
    answers: list[Observation], *, attempts: int, timeout_seconds: float
) -> tuple[Any, list[float]]:
    """Return the evidence, and when each attempt began."""
    began, starts = time.monotonic(), list[float]()

    async def look(params: Nothing, call: Call) -> Observation:
        starts.append(time.monotonic() - began)
        await asyncio.sleep(0)
        return answers[min(len(starts), len(answers)) - 1]

    registry = Registry()
    registry.add_check("mine", Nothing, look, sees=("value",))
    checks = LiveChecks(
        registry, SystemClock(), lambda run: lambda name: name, Redactor(list)
    )
    call = CheckCall(
        "a",
        "a",
        "mine",
        {},
        "value > 0",
        timeout_seconds=timeout_seconds,
        attempts=attempts,
    )
    return await checks.look(call, run="r1", tick=lambda: 0.0), starts


async def test_f29_attempt_waits_as_long_as_it_is_asked() -> None:
    """
    The next attempt begins after the wait, not half a second later.
    """
    limited = Observation(unknown="HTTP 429", wait_seconds=1.2)
    good = Observation(seen={"value": 1.0})
    found, starts = await looked([limited, good], attempts=3, timeout_seconds=1)

    assert (found.state, found.attempts) == ("pass", 2)
    assert 1.2 <= starts[1] < 1.8


@pytest.mark.parametrize(("attempts", "wait"), [(3, 5.1), (2, 2.6), (10, 3600.0)])
async def test_f29_wait_beyond_the_limits_of_the_look_ends_it(
    attempts: int, wait: float
) -> None:
    """
    Where the wait does not fit into timeout times attempts, it is unknown at once:
    the proved worst case stays.
    """
    limited = Observation(unknown="HTTP 429", wait_seconds=wait)
    found, starts = await looked([limited], attempts=attempts, timeout_seconds=0.01)

    fits = (attempts - 1) * 2.51
    assert wait > fits
    assert (found.state, found.why, len(starts)) == ("unknown", "HTTP 429", 1)


async def test_attempts_without_a_wait_follow_as_before() -> None:
    """
    A provider that asks for nothing is asked again half a second later.
    """
    found, starts = await looked(
        [Observation(unknown="HTTP 503")], attempts=2, timeout_seconds=0.01
    )

    assert (found.state, len(starts)) == ("unknown", 2)
    assert 0.5 <= starts[1] < 1.0
