"""The disk fails, another process is in the way: nothing half stored, and on it goes."""

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path

import apsw
import pytest
from journal_pieces import (
    behind_its_back,
    everything,
    locked_by_another_process,
    remount,
    written,
)

from engine.adapters.sqlite import SqliteSettings, SqliteStore
from engine.errors import StoreConflict, StoreUnavailable
from tests.journal_entries import entry, summary
from tests.small_disk import fill, small_disk

IMPATIENT = SqliteSettings(busy_seconds=0.3)


@pytest.mark.timed
async def test_f18_a_short_lock_is_waited_for(tmp_path: Path) -> None:
    """
    Another process that holds the file for a second delays an append, no more.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)
    with locked_by_another_process(path, 1.0):
        began = time.monotonic()
        await store.append([entry(1)], summary())
        took = time.monotonic() - began
    await store.close()

    assert 0.5 < took < 4.0


async def test_f18_a_long_lock_is_reported_and_forgotten(tmp_path: Path) -> None:
    """
    A lock longer than the wait is StoreUnavailable for every append of the group;
    nothing is stored, reading goes on, and the next append works once it is free.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path, settings=IMPATIENT)
    await store.append([entry(1)], summary())
    with locked_by_another_process(path, 60.0):
        outcomes = await asyncio.gather(
            store.append([entry(2)], summary()),
            store.append([entry(1, "r-2")], summary("r-2")),
            return_exceptions=True,
        )
        during = await store.entries("r-1")
    await store.append([entry(2)], summary())
    after = await store.entries("r-1"), await store.entries("r-2")
    await store.close()

    assert [str(o) for o in outcomes] == [
        (
            f"{path}: another process holds it locked; end that process, or wait "
            "(SQLite: database is locked). Nothing was stored; the engine goes on by "
            "itself once the cause is gone."
        )
    ] * 2
    assert {type(o) for o in outcomes} == {StoreUnavailable}
    assert [e.seq for e in during] == [1]
    assert [[e.seq for e in run] for run in after] == [[1, 2], []]


async def test_f19_a_write_from_outside_does_not_break_the_next_append(
    tmp_path: Path,
) -> None:
    """
    Another connection commits between two of ours: no BUSY_SNAPSHOT, the append is
    done on what is there now.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)
    await store.append([entry(1)], summary())
    other = apsw.Connection(str(path))
    other.execute("INSERT INTO revisions VALUES ('a', 'b', 'c')")
    other.close()
    await store.append([entry(2)], summary())
    found = await store.revision("a"), await store.verify()
    await store.close()

    assert found == ("c", [])


async def test_f16_a_second_engine_is_noticed(tmp_path: Path) -> None:
    """
    Two stores on one file: the one that comes second with the same number is refused,
    although it had the run's head in memory.
    """
    path = tmp_path / "journal.db"
    first, second = await SqliteStore.open(path), await SqliteStore.open(path)
    await first.append([entry(1)], summary())
    await second.append([entry(2)], summary())
    with pytest.raises(StoreConflict):
        await first.append([entry(2)], summary())
    await first.append([entry(3)], summary())
    faults = await second.verify()
    await first.close()
    await second.close()

    assert faults == []


async def test_f20_a_full_disk_stores_nothing_and_recovers(tmp_path: Path) -> None:
    """
    On a disk that is really full appends fail whole, reading goes on, what was
    acknowledged stays, and with space again the same append works.
    """
    with small_disk(tmp_path / "disk") as disk:
        store = await SqliteStore.open(disk / "journal.db")
        seq = 0
        (disk / "filler").write_bytes(b"x" * 300_000)
        refused = None
        while refused is None:
            seq += 1
            refused = await _trouble(store.append([entry(seq, size=3000)], summary()))
        during = await store.entries("r-1"), await store.integrity()
        (disk / "filler").unlink()
        await store.append([entry(seq), entry(seq + 1)], summary())
        after = (
            await store.entries("r-1"),
            await store.verify(),
            await store.integrity(),
        )
        await store.close()

    assert "the disk is full; free space on it" in str(refused)
    assert [e.seq for e in during[0]] == list(range(1, seq))
    assert [e.seq for e in after[0]] == list(range(1, seq + 2))
    assert (during[1], after[1:]) == ([], ([], []))


async def test_f20_the_reserve_is_given_up_and_made_again(tmp_path: Path) -> None:
    """
    The first refusal for want of space frees the reserve, and the append is stored; it
    is said, and with room again there is a new reserve.
    """
    settings = SqliteSettings(reserve_bytes=256 * 1024)
    with small_disk(tmp_path / "disk", size="4m") as disk:
        store = await SqliteStore.open(disk / "journal.db", settings=settings)
        await store.engines.enrol("local", "somebody", lambda token: None)
        reserve = disk / "journal.db.reserve"
        kept = reserve.stat().st_size
        fill(disk / "filler")
        seq, refused = 0, None
        while store.engines.low() == "" and refused is None:
            seq += 1
            refused = await _trouble(store.append([entry(seq, size=3000)], summary()))
        given_up = store.engines.low(), reserve.exists()
        (disk / "filler").unlink()
        await store.engines.beat()
        found = await store.entries("r-1"), store.engines.low(), reserve.exists()
        await store.close()

    assert (256 * 1024, None) == (kept, refused)
    assert "the disk is full. The reserve of 0 MiB was given up" in given_up[0]
    assert (False, "", True) == (given_up[1], *found[1:])
    assert list(range(1, seq + 1)) == [one.seq for one in found[0]]


async def _trouble(work: Awaitable[object]) -> StoreUnavailable | None:
    try:
        await work
    except StoreUnavailable as error:
        return error
    return None


async def test_f20_sqlite_full_hits_the_whole_group(tmp_path: Path) -> None:
    """
    SQLITE_FULL in the middle of a group: each of its appends is told, none is stored.
    """
    path = tmp_path / "journal.db"
    await written(path)
    store = await SqliteStore.open(path)
    pages = await _limit(store, more=20)
    outcomes = await asyncio.gather(
        *(store.append([entry(1, f"x-{n}", size=9000)], summary(f"x-{n}"))
          for n in range(30)),
        return_exceptions=True,
    )  # fmt: skip
    kept = [r.run for r in await store.runs()]
    await _limit(store, more=10_000)
    await store.append([entry(6)], summary())
    faults = await store.verify()
    await store.close()
    stored = [f"x-{n}" for n, o in enumerate(outcomes) if isinstance(o, list)]

    assert pages > 0
    assert {type(o) for o in outcomes} - {list} == {StoreUnavailable}
    assert sorted(kept) == sorted(["r-1", *stored])
    assert faults == []


async def _limit(store: SqliteStore, *, more: int) -> int:
    """Let the file grow by so many pages and no further; return its pages now."""

    def limit(batch: object) -> int:
        connection: apsw.Connection = batch.connection  # type: ignore[attr-defined]
        pages = int(connection.pragma("page_count"))
        connection.pragma("max_page_count", pages + more)
        return pages

    return await store._writer.do(limit)


async def test_f24_a_read_only_file_system_is_named(tmp_path: Path) -> None:
    """
    On a disk that became read-only the journal does not open, nothing changes, and
    it opens again once the disk can be written.
    """
    with small_disk(tmp_path / "disk") as disk:
        path = disk / "journal.db"
        await written(path)
        before = everything(path)
        remount(disk, "ro")
        with pytest.raises(StoreUnavailable) as refused:
            await SqliteStore.open(path)
        with pytest.raises(StoreUnavailable) as absent:
            await SqliteStore.open(disk / "other.db")
        during = everything(path)
        remount(disk, "rw")
        store = await SqliteStore.open(path)
        await store.append([entry(6)], summary())
        await store.close()

    assert str(refused.value).startswith(f"{path}: it cannot be ")
    assert "Read-only file system" in str(absent.value)
    assert during == before


async def test_f24_read_only_while_running_is_reported_and_forgotten(
    tmp_path: Path,
) -> None:
    """
    SQLITE_READONLY from the running writer is StoreUnavailable; then it goes on.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")
    await _query_only(store, "ON")
    with pytest.raises(StoreUnavailable) as refused:
        await store.append([entry(1)], summary())
    store._writer._connection.pragma("query_only", "OFF")
    await store.append([entry(1)], summary())
    await store.close()

    assert "it cannot be written: a read-only file system" in str(refused.value)


async def _query_only(store: SqliteStore, mode: str) -> None:
    store._writer._connection.pragma("query_only", mode)


@pytest.mark.parametrize("replaced", [False, True])
async def test_f23_a_deleted_file_stops_the_writing(
    tmp_path: Path, replaced: bool
) -> None:
    """
    A file deleted (or another put in its place) under a running engine still takes
    writes and keeps none: appends are refused instead of acknowledged.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)
    await store.append([entry(1)], summary())
    path.rename(tmp_path / "gone.db")
    if replaced:
        path.write_bytes((tmp_path / "gone.db").read_bytes())
    with pytest.raises(StoreUnavailable) as refused:
        await store.append([entry(2)], summary())
    path.unlink(missing_ok=True)
    (tmp_path / "gone.db").rename(path)
    await store.append([entry(2)], summary())
    await store.close()

    assert str(refused.value) == (
        f"{path}: the file was deleted or replaced while the engine runs. Nothing more "
        "is stored. Put the file back, then restart the engine."
    )


async def test_damage_while_running_is_reported_by_reading(tmp_path: Path) -> None:
    """
    An entry that cannot be read any more is named, with the command that looks.
    """
    path = tmp_path / "journal.db"
    await written(path)
    with behind_its_back(path) as connection:
        connection.execute("UPDATE entries SET body = x'7b' WHERE seq = 2")
    store = await SqliteStore.open(path)
    with pytest.raises(StoreUnavailable) as refused:
        await store.entries("r-1")
    await store.close()

    assert str(refused.value) == (
        "run r-1: entry 2 cannot be read: Input data was truncated. It was changed "
        "after it was written; see: runbook verify-timeline r-1"
    )
