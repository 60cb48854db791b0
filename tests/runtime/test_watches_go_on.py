"""A watch that meets a defect, or a journal that is full, looks again."""

import asyncio
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.errors import StoreUnavailable
from engine.runtime.watches import Watched, Watches


class Failing(Watches):
    """Looks that fail in two ways before one is well."""

    troubles: Iterator[Exception | None] = iter(())
    looked = 0

    async def look(self, one: Watched) -> None:
        """Fail as the next trouble says."""
        self.looked += 1
        trouble = next(self.troubles, None)
        if trouble is not None:
            raise trouble


async def test_a_watch_outlives_what_goes_wrong_in_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """
    Neither a defect nor a full disk ends a watch, and both are logged.
    """
    one = Watched({"alertname": "x"}, every_seconds=0.01, for_seconds=1.0)
    watches = Failing([one], None, None, None)  # type: ignore[arg-type]
    watches.troubles = itertools.chain([StoreUnavailable("full"), KeyError("defect")])
    task = asyncio.create_task(watches._watch(one))
    async with asyncio.timeout(5):
        while watches.looked < 4:
            await asyncio.sleep(0.01)
    task.cancel()

    assert ["a watch was not kept error=full", "a watch failed alert=x"] == [
        record.getMessage() for record in caplog.records
    ]


class Sundial:
    """A clock whose wall time is set by hand."""

    def __init__(self) -> None:
        self.wall, self.mono = 1_764_000_000.0, 50.0

    def now(self) -> float:
        """Return epoch seconds."""
        return self.wall

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self.mono


class Raising(Watches):
    """Keeps what it would raise."""

    def __init__(self, one: Watched, clock: Sundial) -> None:
        super().__init__([one], None, None, clock)  # type: ignore[arg-type]
        self.raised: list[tuple[str, str]] = []
        self._beats[one.fingerprint] = clock.monotonic()

    async def _raise(self, one: Watched, status: str, why: str) -> None:
        self.raised.append((status, self._began[one.fingerprint]))


@pytest.mark.parametrize("jump", [7200.0, -7200.0])
async def test_f40_a_clock_that_is_set_makes_and_hides_no_alert(jump: float) -> None:
    """
    Silence is counted by a clock that never goes back; its beginning is told by the wall.
    """
    one = Watched({"alertname": "x"}, every_seconds=1.0, for_seconds=2.0)
    clock = Sundial()
    watches = Raising(one, clock)
    clock.wall += jump
    clock.mono += 1.0
    await watches.look(one)
    assert [] == watches.raised
    clock.wall += 1.5
    clock.mono += 1.5
    await watches.look(one)

    assert [("firing", _told(1_764_000_001.5 + jump))] == watches.raised


def _told(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + "500Z"
