"""F27: a journal of years opens and is listed in time.

Ten thousand runs here; a hundred thousand, as F27 names them, are measured by
`python -m tests.benchmarks --only storing`.
"""

import time
from pathlib import Path

import pytest

from engine.adapters.sqlite import SqliteStore
from tests.benchmarks.storing import LISTS_MS, START_S, fill

RUNS = 10_000  # with ten entries each


@pytest.mark.slow
@pytest.mark.timed
async def test_f27_a_large_journal_opens_and_is_listed_in_time(tmp_path: Path) -> None:
    """
    It opens in under 5 s; the newest runs and the open ones are there in under 200 ms.
    """
    path = tmp_path / "journal.db"
    await fill(path, RUNS)
    began = time.perf_counter()
    store = await SqliteStore.open(path)
    opened = time.perf_counter()
    newest = await store.runs()
    listed = time.perf_counter()
    still_open = await store.runs(open_only=True, limit=RUNS)
    ended = time.perf_counter()
    await store.close()

    assert [f"r-{number:06d}" for number in range(RUNS - 1, RUNS - 101, -1)] == [
        one.run for one in newest
    ]
    assert RUNS // 100 == len(still_open)
    assert opened - began < START_S
    assert max(listed - opened, ended - listed) * 1000 < LISTS_MS
