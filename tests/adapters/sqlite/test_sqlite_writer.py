"""Group commit: who shares a commit, who is spared, who is told."""

import asyncio
from pathlib import Path

import apsw
import pytest

from engine.adapters.sqlite import SqliteSettings, SqliteStore
from engine.adapters.sqlite.appending import Batch
from engine.adapters.sqlite.opening import connect
from engine.errors import StoreUnavailable
from tests.journal_entries import entry, summary


def commits(path: Path) -> int:
    """Return how many commits the write-ahead log holds."""
    log = Path(f"{path}-wal").read_bytes()
    frames = range(32, len(log), 24 + 4096)
    salt = log[16:24]
    return sum(
        1
        for at in frames
        if log[at + 8 : at + 16] == salt and log[at + 4 : at + 8] != b"\0\0\0\0"
    )


async def test_appends_that_wait_share_a_commit(tmp_path: Path) -> None:
    """
    A hundred appends at once cost a handful of commits, not a hundred.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)
    await asyncio.gather(
        *(store.append([entry(1, f"r-{n}")], summary(f"r-{n}")) for n in range(100))
    )
    found = commits(path)
    await store.close()

    assert 1 <= found <= 20


async def test_a_group_is_not_larger_than_allowed(tmp_path: Path) -> None:
    """
    `group_max` bounds how much one commit holds, and so how long it takes.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path, settings=SqliteSettings(group_max=10))
    await asyncio.gather(
        *(store.append([entry(1, f"r-{n}")], summary(f"r-{n}")) for n in range(100))
    )
    found = commits(path)
    await store.close()

    assert found >= 10


async def test_an_acknowledged_append_is_in_the_log(tmp_path: Path) -> None:
    """
    When `append` returns, another connection reads the entries from the disk.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)
    [kept] = await store.append([entry(1)], summary())
    other = connect(path, SqliteSettings(), reading=True)
    rows = other.execute("SELECT seq, hash FROM entries").fetchall()
    other.close()
    await store.close()

    assert rows == [(1, kept.hash)]


async def test_a_job_that_sqlite_refuses_spares_its_group(tmp_path: Path) -> None:
    """
    A constraint broken by one job rolls the group back; the others are done again,
    one by one, each exactly once.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")

    def broken(batch: Batch) -> None:
        batch.connection.execute("INSERT INTO locks VALUES (NULL, NULL)")

    outcomes = await asyncio.gather(
        store.append([entry(1)], summary()),
        store.lock("r-1", ["a"]),
        store._writer.do(broken),
        store.append([entry(2)], summary()),
        store.append([entry(3)], summary()),
        return_exceptions=True,
    )
    entries, faults = await store.entries("r-1"), await store.verify()
    await store.close()

    assert [isinstance(o, Exception) for o in outcomes] == [
        False,
        False,
        True,
        *[False] * 2,
    ]
    assert isinstance(outcomes[2], StoreUnavailable)
    assert [e.seq for e in entries] == [1, 2, 3]
    assert faults == []


async def test_a_mistake_in_our_own_code_does_not_end_the_writer(
    tmp_path: Path,
) -> None:
    """
    Whatever a job raises comes back to its caller; the thread goes on.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")

    def mistaken(batch: Batch) -> None:
        batch.connection.execute("INSERT INTO locks VALUES ('x', 'r-9')")
        raise KeyError("x")

    with pytest.raises(KeyError):
        await store._writer.do(mistaken)
    free = await store.lock("r-1", ["x"])
    await store.close()

    assert free is None


async def test_close_finishes_what_was_given(tmp_path: Path) -> None:
    """
    Appends that were asked for before `close` are stored and acknowledged.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)
    tasks = [
        asyncio.create_task(store.append([entry(n)], summary())) for n in range(1, 51)
    ]
    await asyncio.sleep(0)
    await store.close()
    outcomes = await asyncio.gather(*tasks)

    assert [kept.seq for [kept] in outcomes] == list(range(1, 51))


async def test_a_cancelled_append_leaves_the_writer_well(tmp_path: Path) -> None:
    """
    Who stops waiting gets no answer; the entry may be there, and the chain is whole.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")
    task = asyncio.create_task(store.append([entry(1)], summary()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.append([entry(1, "r-2")], summary("r-2"))
    found = await store.entries("r-1"), await store.verify()
    await store.close()

    assert [e.seq for e in found[0]] == [1]
    assert found[1] == []


async def test_the_loop_is_not_blocked_by_the_disk(tmp_path: Path) -> None:
    """
    While another connection holds the file, the event loop goes on turning.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(store.append([entry(1)], summary()))
    turns = 0
    for _ in range(20):
        await asyncio.sleep(0.01)
        turns += 1
    still_waiting = not waiting.done()
    other.execute("ROLLBACK")
    other.close()
    await waiting
    await store.close()

    assert (turns, still_waiting) == (20, True)


async def test_f95_a_forgotten_secret_is_in_no_file(tmp_path: Path) -> None:
    """
    After `forget_secrets` neither the file nor its log holds the value.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)
    await store.put_secret("r-1", "token", "canary-4711")
    kept = await store.secret("r-1", "token")
    before = [b"canary-4711" in p.read_bytes() for p in tmp_path.iterdir()]
    await store.forget_secrets("r-1")
    after = [b"canary-4711" in p.read_bytes() for p in tmp_path.iterdir()]
    await store.close()

    assert (kept, any(before), any(after)) == ("canary-4711", True, False)
