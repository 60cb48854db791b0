"""A watch that meets a defect, or a journal that is full, looks again."""

import asyncio
import itertools
from collections.abc import Iterator

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
