"""The examination again and again: one at a time, the latest kept, changes logged."""

import asyncio
import logging

import pytest

from engine.model.health import Examined, Finding, Readiness
from engine.runtime.doctor import Doctor

HOLD = Finding("warn", "hold", "on: ana: storm")
FINE = Finding("ok", "hold", "off")
READY = Readiness("flag", "ready")
NOT = Readiness("flag", "not ready", ("secret 'key' has no value",))


def found(*parts: Finding | Readiness) -> Examined:
    """Return an examination that found these."""
    findings = tuple(one for one in parts if isinstance(one, Finding))
    return Examined(
        1.0, 0.1, findings, tuple(o for o in parts if isinstance(o, Readiness))
    )


async def test_what_changed_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """
    What is in the way when it is first seen and when it changes, and that it is over.
    """
    caplog.set_level(logging.INFO)
    several = iter([found(FINE, READY), found(HOLD, NOT), found(HOLD, NOT), found(FINE, READY)])  # fmt: skip

    async def look() -> Examined:
        return next(several)

    doctor = Doctor(look, 1800.0)
    for _ in range(4):
        await doctor.examine()

    assert [
        "doctor what=hold state=warn told=on: ana: storm",
        "doctor what=runbook flag state=not ready told=secret 'key' has no value",
    ] == [one.message for one in caplog.records if one.levelname == "WARNING"]
    assert {"doctor what=hold state=ok", "doctor what=runbook flag state=ok"} == {
        one.message for one in caplog.records if one.levelname == "INFO"
    }


async def test_many_who_ask_at_once_get_one_examination() -> None:
    """
    Five who ask while one goes on share the next one; a later one examines anew.
    """
    looked = 0

    async def look() -> Examined:
        nonlocal looked
        looked += 1
        await asyncio.sleep(0.01)
        return found(FINE)

    doctor = Doctor(look, 1800.0)
    first = asyncio.create_task(doctor.examine())
    await asyncio.sleep(0)
    await asyncio.gather(first, *(doctor.examine() for _ in range(5)))
    at_once = looked
    await doctor.examine()

    assert [2, 3] == [at_once, looked]


async def test_a_failure_stops_no_later_examination(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """
    A defect is logged with its trace, and the next one comes all the same.
    """
    again = asyncio.Event()
    looked = 0

    async def look() -> Examined:
        nonlocal looked
        looked += 1
        if looked == 1:
            raise ZeroDivisionError("a defect")
        again.set()
        return found(FINE)

    doctor = Doctor(look, 0.01, first_seconds=0.0)
    watching = asyncio.create_task(doctor.watch())
    await asyncio.wait_for(again.wait(), 5.0)
    await asyncio.sleep(0)
    watching.cancel()

    assert ["the examination failed and is tried again"] == [
        one.message for one in caplog.records if one.levelname == "ERROR"
    ]
