"""A virtual loop that asks the real world: its time stands still until the answer."""

import asyncio
import time

import pytest

from engine.runtime.virtual_time import RealTime, VirtualClock, run_virtual


async def answered(after: float) -> str:
    """Return something after so many real seconds."""
    await asyncio.sleep(after)
    return "answer"


def test_time_stands_still_while_the_real_world_is_asked() -> None:
    """A limit of a virtual second does not cut a question of real tenths."""

    async def ask(real: RealTime) -> tuple[str, float, float]:
        clock = VirtualClock(1000.0)
        await asyncio.sleep(3600)
        async with asyncio.timeout(0.05):
            told = await real.ask(answered(0.2))
        asked_at = clock.now()
        await asyncio.sleep(60)
        return told, asked_at, clock.now()

    began = time.monotonic()
    with RealTime() as real:
        told = run_virtual(ask(real))

    assert ("answer", 4600.0, 4660.0) == told
    assert 0.2 <= time.monotonic() - began < 30


def test_several_questions_are_asked_side_by_side() -> None:
    """Each gets its own answer, and what fails fails where it was asked."""

    async def failing() -> str:
        raise LookupError("not there")

    async def ask(real: RealTime) -> list[object]:
        questions = [real.ask(answered(0.01)), real.ask(failing())]
        told = await asyncio.gather(*questions, return_exceptions=True)
        return [str(one) for one in told]

    with RealTime() as real:
        assert ["answer", "not there"] == run_virtual(ask(real))


def test_what_is_still_asked_at_the_end_is_cancelled() -> None:
    """Leaving waits for nothing."""
    seen: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            seen.append("ended")

    async def ask(real: RealTime) -> None:
        task = asyncio.create_task(real.ask(forever()))
        await real.ask(answered(0.05))
        task.cancel()

    with RealTime() as real:
        run_virtual(ask(real))

    assert ["ended"] == seen


def test_a_real_failure_of_the_virtual_side_is_told() -> None:
    """What is raised in virtual time comes out; the thread is ended."""

    async def ask(real: RealTime) -> None:
        await real.ask(answered(0))
        raise LookupError("in vain")

    with pytest.raises(LookupError, match="in vain"), RealTime() as real:
        run_virtual(ask(real))
