"""One process's place among those that drive runs: taken, kept, lost."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from engine.adapters.sqlite import SqliteStore
from engine.errors import LeaseLost, StoreUnavailable
from engine.hosts.lease import Lease, LeaseTimes
from engine.model.run import RunSummary
from engine.model.timeline import Entry

QUICK = LeaseTimes(beat=0.05, acts_for=0.3, dead_after=0.6, look=0.02)
PATIENT = LeaseTimes(beat=0.05, acts_for=1.0, dead_after=2.0, look=0.02)
CHILD = """
import asyncio, sys, time
skew = float(sys.argv[3])
real = time.time
time.time = lambda: real() + skew
from pathlib import Path
from engine.adapters.sqlite import SqliteStore
from engine.hosts.lease import Lease, LeaseTimes

async def main():
    store = await SqliteStore.open(sys.argv[1])
    times = LeaseTimes(beat=0.05, acts_for=1.0, dead_after=2.0, look=0.02)
    lease = Lease(store.engines, Path(sys.argv[2]), times)
    await lease.enrol("local")
    await lease.claim(["r-1"])
    print(lease.fence, flush=True)
    await lease.keep()

asyncio.run(main())
"""


def entry(seq: int) -> Entry:
    """Return one entry."""
    return Entry("r-1", seq, 100.0 + seq, float(seq), "note", "something")


def summary(state: str = "running") -> RunSummary:
    """Return the run's line."""
    return RunSummary(
        "r-1", "delay", "f", "Delay", "sev2", state, "isolate", "", "live", 1.0, 2.0  # type: ignore[arg-type]
    )  # fmt: skip


@asynccontextmanager
async def opened(
    folder: Path, times: LeaseTimes = QUICK
) -> AsyncIterator[tuple[SqliteStore, Lease]]:
    """Open the journal in the folder once more, with a lease of its own."""
    store = await SqliteStore.open(folder / "journal.db")
    lease = Lease(store.engines, folder / "engines", times)
    try:
        yield store, lease
    finally:
        await lease.leave()
        await store.close()


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[list[tuple[SqliteStore, Lease]]]:
    """Return two engines on one journal."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(opened(tmp_path)) for _ in range(2)]


async def buried(lease: Lease) -> list[int]:
    """Look at the others until one is found dead; return the tokens."""
    async with asyncio.timeout(10):
        while not (dead := await lease.bury(by_beats=True)):
            await asyncio.sleep(QUICK.look)
    return [one.token for one in dead]


def test_times_under_which_two_could_act_are_refused() -> None:
    """
    Who may act for longer than the others wait is not let do so.
    """
    with pytest.raises(ValueError, match="acts_for < dead_after"):
        LeaseTimes(acts_for=15.0, dead_after=15.0)


async def test_the_fence_grows_with_every_engine(tmp_path: Path) -> None:
    """
    No token is given twice, also where those before it left in order.
    """
    fences = []
    for _ in range(3):
        async with opened(tmp_path) as (_store, lease):
            await lease.enrol("local")
            fences.append(lease.fence)

    assert [1, 2, 3] == fences
    assert [] == list((tmp_path / "engines").iterdir())


async def test_many_acts_at_once_take_one_place(
    two: list[tuple[SqliteStore, Lease]],
) -> None:
    """
    Who acts before it enrolled does so once, however many acts begin together.
    """
    (_, first), (_, second) = two
    may = await asyncio.gather(*(first.may_act() for _ in range(20)))

    assert [True] * 20 == may
    assert [1] == [one.token for one in await second.engines.others()]


async def test_f16_one_serves_and_the_other_is_told_who(
    two: list[tuple[SqliteStore, Lease]],
) -> None:
    """
    A second server gets no place and the first one's name; a command gets a place.
    """
    (_, first), (_, second) = two
    found = await first.enrol("serve"), await second.enrol("serve")
    refused = second.fence
    await second.enrol("local")

    assert found[0] is None
    assert found[1] is not None
    assert (1, "serve") == (found[1].token, found[1].role)
    assert (0, 2) == (refused, second.fence)


async def test_g19_whoever_does_not_beat_is_replaced_and_refused(
    two: list[tuple[SqliteStore, Lease]],
) -> None:
    """
    After its place was taken it stores nothing, claims nothing and never acts, although
    nothing of its runs was written meanwhile.
    """
    (store, first), (other, second) = two
    await first.enrol("local")
    await store.append([entry(1)], summary())
    await second.enrol("local")
    dead = await buried(second)
    taken = await second.claim(["r-1"])
    refused = []
    for work in (
        store.append([entry(2)], summary()),
        store.lock("r-1", ["region"]),
        store.post("r-1", object()),  # type: ignore[arg-type]
        first.claim(["r-1"]),
    ):
        with pytest.raises(LeaseLost) as error:
            await work
        refused.append(str(error.value))
    await other.append([entry(2)], summary())

    assert ([1], ["r-1"], False) == (dead, taken, await first.may_act())
    assert {"another engine took the place of this one (token 1)"} == {
        one.partition(":")[0] for one in refused
    }
    assert "another engine took the place" in first.lost


async def test_g18_a_run_is_never_in_two_hands(
    two: list[tuple[SqliteStore, Lease]],
) -> None:
    """
    While its owner lives nobody claims or writes it; once it has ended, it is nobody's.
    """
    (store, first), (other, second) = two
    await first.enrol("local")
    await store.append([entry(1)], summary())
    claimed = await second.claim(["r-1"])
    with pytest.raises(LeaseLost) as refused:
        await other.append([entry(2)], summary())
    await store.append([entry(2)], summary("resolved"))
    await other.append([entry(3)], summary("resolved"))

    assert [] == claimed
    assert "run r-1: it is driven by " in str(refused.value)


async def test_an_orphan_is_an_open_run_that_nobody_drives(
    two: list[tuple[SqliteStore, Lease]],
) -> None:
    """
    Not while its engine lives, but when that has left, and until somebody claims it.
    """
    (store, first), (other, second) = two
    await first.enrol("local")
    await second.enrol("local")
    await store.append([entry(1)], summary())
    driven = await other.engines.orphans()
    await first.leave()
    left = await other.engines.orphans()
    await second.claim(["r-1"])

    assert ([], ["r-1"], []) == (driven, left, await other.engines.orphans())


async def test_an_old_beat_is_renewed_before_an_act(
    two: list[tuple[SqliteStore, Lease]],
) -> None:
    """
    Without a beat for longer than `acts_for` the journal is asked first.
    """
    (_, first), (_, second) = two
    await first.enrol("local")
    before = await second.engines.others()
    await asyncio.sleep(QUICK.acts_for + 0.05)
    may = await first.may_act()
    after = await second.engines.others()

    assert (True, [0], [1]) == (may, [x.beat for x in before], [x.beat for x in after])


async def test_f23_no_act_begins_while_the_file_is_gone(
    two: list[tuple[SqliteStore, Lease]], tmp_path: Path
) -> None:
    """
    A deleted journal stops acting at once and is said; put back, it goes on.
    """
    (_, first), _ = two
    told: list[str] = []
    first.on_change = lambda: told.append(first.trouble)
    await first.enrol("local")
    (tmp_path / "journal.db").rename(tmp_path / "gone.db")
    asked = asyncio.create_task(first.may_act())
    await asyncio.sleep(0.2)
    waits = not asked.done()
    (tmp_path / "gone.db").rename(tmp_path / "journal.db")

    assert (True, True) == (waits, await asyncio.wait_for(asked, 10))
    assert "the file was deleted or replaced" in told[0]
    assert "" == told[-1]


async def test_f20_no_act_begins_while_nothing_can_be_stored(tmp_path: Path) -> None:
    """
    Where the beat cannot be written no act begins, until it can.
    """
    async with opened(tmp_path) as (store, lease):
        await lease.enrol("local")
        connection = store._writer._connection
        connection.pragma("query_only", "ON")
        await lease.doubt()
        asked = asyncio.create_task(lease.may_act())
        await asyncio.sleep(0.2)
        waits = not asked.done(), "it cannot be written" in lease.trouble
        connection.pragma("query_only", "OFF")

        assert (True, True) == waits
        assert (True, "") == (await asyncio.wait_for(asked, 10), lease.trouble)


async def test_no_folder_for_the_locks_is_no_place(tmp_path: Path) -> None:
    """
    An engine that cannot show that it lives does not enrol.
    """
    (tmp_path / "engines").write_text("a file is in the way")
    async with opened(tmp_path) as (store, lease):
        with pytest.raises(StoreUnavailable) as refused:
            await lease.enrol("local")

        assert f"{tmp_path / 'engines' / '1.lock'}: " in str(refused.value)
        assert [] == await store.engines.others()


def begun(folder: Path, skew: float = 0.0) -> "subprocess.Popen[str]":
    """Begin an engine in a process whose wall clock is off by so many seconds."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder / "journal.db"),
         str(folder / "engines"), str(skew)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().strip().isdigit()
    return process


@pytest.fixture
def beside(tmp_path: Path) -> "AsyncIterator[Callable[[float], subprocess.Popen[str]]]":
    """Return a way to begin engines beside; they end with the test."""
    made: list[subprocess.Popen[str]] = []

    def begin(skew: float = 0.0) -> "subprocess.Popen[str]":
        made.append(begun(tmp_path, skew))
        return made[-1]

    yield begin
    for process in made:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def test_f16_a_killed_engine_is_known_dead_at_once(
    beside: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    """
    kill -9 frees its lock file: its run is claimed without waiting for its beats.
    """
    process = beside()
    async with opened(tmp_path) as (_store, lease):
        alive = await lease.claim(["r-1"])
        process.kill()
        process.wait()
        dead = await lease.claim(["r-1"])

    assert ([], ["r-1"]) == (alive, dead)


@pytest.mark.parametrize("skew", [-600.0, 600.0])
async def test_f88_clocks_that_differ_kill_nobody(
    beside: Callable[..., "subprocess.Popen[str]"], tmp_path: Path, skew: float
) -> None:
    """
    Ten minutes apart, and both live on: only a counter that stands still is death.
    """
    beside(skew)
    async with opened(tmp_path, PATIENT) as (_store, lease):
        await lease.enrol("local")
        keeping = asyncio.create_task(lease.keep())
        dead = []
        for _ in range(int(1.5 * PATIENT.dead_after / PATIENT.look)):
            dead += await lease.bury(by_beats=True)
            await asyncio.sleep(QUICK.look)
        keeping.cancel()

        assert ([], "", True) == (dead, lease.lost, await lease.may_act())
