"""Copies of a journal that is written, and how one takes its place."""

import asyncio
import shutil
import time
from pathlib import Path

import apsw
import pytest
from journal_pieces import behind_its_back, everything, written

from engine import __version__
from engine.adapters.sqlite import Copied, JournalFile, SqliteStore
from engine.adapters.sqlite.schema import MIGRATIONS
from engine.errors import StoreDamaged, StoreNewer, StoreUnavailable
from tests.journal_entries import entry, summary
from tests.small_disk import small_disk

KNOWN = MIGRATIONS[-1].number


async def test_f26_copy_taken_while_others_write_is_whole(tmp_path: Path) -> None:
    """
    A copy made between appends opens, and has each timeline up to one instant.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")
    written_then: list[int] = []

    async def write() -> None:
        for number in range(1, 301):
            run = f"r-{number}"
            await store.append([entry(1, run), entry(2, run)], summary(run))

    writing = asyncio.create_task(write())
    file = JournalFile(store.path)
    for number in range(3):
        made = await asyncio.to_thread(file.back_up, tmp_path / f"copy-{number}.db")
        copy = await SqliteStore.open(made.path, create=False)
        runs = len(await copy.runs(limit=1000))
        written_then.append(runs)
        assert Copied(made.path, made.size, runs, 2 * runs) == made
        assert ([], []) == (await copy.verify(), await copy.integrity())
        await copy.close()
    await writing
    await store.close()

    assert sorted(written_then) == written_then
    assert "600" == f"{made.path.stat().st_mode & 0o777:o}"


async def test_backup_replaces_only_an_older_copy(tmp_path: Path) -> None:
    """
    A file of another kind, and the journal itself, are refused and stay as they are.
    """
    path, other = tmp_path / "journal.db", tmp_path / "letter.txt"
    await written(path)
    other.write_text("dear ana")
    file, told = JournalFile(path), []
    for target in (other, path):
        with pytest.raises(StoreUnavailable) as refused:
            file.back_up(target)
        told.append(str(refused.value))
    file.back_up(tmp_path / "copy.db")
    file.back_up(tmp_path / "copy.db")

    no_copy = "that is no copy of a journal, and it would be replaced. Name another"
    assert [
        f"{other}: {no_copy} file.",
        f"{path}: that is the journal itself. Name a copy.",
    ] == told
    assert "dear ana" == other.read_text()
    assert ["copy.db", "journal.db", "letter.txt"] == sorted(
        one.name for one in tmp_path.iterdir() if not one.name.startswith("journal.db-")
    )


async def test_f21_full_disk_leaves_the_older_copy(tmp_path: Path) -> None:
    """
    Where a new copy finds no room, the older one is whole, and no half is left.
    """
    path = tmp_path / "journal.db"
    await written(path)
    file = JournalFile(path)
    with small_disk(tmp_path / "disk") as disk:
        file.back_up(disk / "copy.db")
        before = everything(disk / "copy.db")
        store = await SqliteStore.open(path)
        await store.append([entry(1, "r-big", size=3_000_000)], summary("r-big"))
        await store.close()
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            file.back_up(disk / "copy.db")
        after = everything(disk / "copy.db")

    assert before == after


async def test_restored_journal_keeps_the_old_one_aside(tmp_path: Path) -> None:
    """
    The copy has the name, the old journal is whole in a folder of its own.
    """
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    await written(path, runs=2)
    file = JournalFile(path)
    file.back_up(copy)
    store = await SqliteStore.open(path)
    await store.append([entry(1, "r-later")], summary("r-later"))
    await store.close()
    draft = file.take_copy(copy)
    aside = file.put_in_place(draft, "20261124T103000Z")
    found = []
    assert aside is not None
    for one in (path, aside / "journal.db"):
        opened = await SqliteStore.open(one, create=False)
        found.append(sorted(run.run for run in await opened.runs()))
        assert [] == await opened.verify()
        await opened.close()

    assert [["r-1", "r-2"], ["r-1", "r-2", "r-later"]] == found
    assert tmp_path / "journal.db.replaced-20261124T103000Z" == aside
    assert ([], 2, 10, 2) == (
        list(draft.faults), draft.runs, draft.entries, len(draft.open),
    )  # fmt: skip
    assert not list(tmp_path.glob(".journal.db.restored*"))


async def test_damaged_journal_is_kept_with_its_log(tmp_path: Path) -> None:
    """
    What cannot be opened is set aside byte for byte, its write-ahead log with it.
    """
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    await written(path)
    file = JournalFile(path)
    file.back_up(copy)
    path.write_bytes(b"no journal" * 1000)
    Path(f"{path}-wal").write_bytes(b"a log")
    aside = file.put_in_place(file.take_copy(copy), "now")
    store = await SqliteStore.open(path, create=False)
    runs = await store.runs()
    await store.close()

    assert aside is not None
    assert ["r-1"] == [one.run for one in runs]
    kept = everything(aside / "journal.db")
    assert b"no journal" * 1000 == kept["journal.db"]


async def test_journal_that_is_open_is_not_replaced(tmp_path: Path) -> None:
    """
    While another connection has it open, nothing is exchanged.
    """
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    await written(path)
    file = JournalFile(path)
    file.back_up(copy)
    draft = file.take_copy(copy)
    store = await SqliteStore.open(path)
    with pytest.raises(StoreUnavailable, match="another process has it open"):
        await asyncio.to_thread(file.put_in_place, draft, "now")
    await store.append([entry(6)], summary())
    entries = await store.entries("r-1")
    await store.close()

    assert 6 == len(entries)
    assert not (tmp_path / "journal.db.replaced-now").exists()


async def test_copy_with_its_log_beside_it_is_taken_whole(tmp_path: Path) -> None:
    """
    A journal copied with its -wal, as after a crash, loses none of it; it is only read.
    """
    path, copied = tmp_path / "journal.db", tmp_path / "dead/journal.db"
    store = await SqliteStore.open(path)
    await store.append([entry(1)], summary())
    copied.parent.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", f"{copied}{suffix}")
    await store.close()
    before = everything(copied)
    draft = JournalFile(tmp_path / "new/journal.db").take_copy(copied)

    assert (1, 1, []) == (draft.runs, draft.entries, list(draft.faults))
    assert before == everything(copied)


async def test_what_is_no_good_copy_is_refused(tmp_path: Path) -> None:
    """
    Nothing, another file, half a copy and the journal itself: each has its words, and
    no draft is left.
    """
    path = tmp_path / "journal.db"
    await written(path, entries=400)
    file = JournalFile(path)
    file.back_up(tmp_path / "half.db")
    raw = (tmp_path / "half.db").read_bytes()
    (tmp_path / "half.db").write_bytes(raw[: len(raw) // 2])
    (tmp_path / "empty.db").touch()
    apsw.Connection(str(tmp_path / "other.db")).execute("CREATE TABLE t (x)")
    told = {}
    for name in ("gone.db", "empty.db", "other.db", "half.db", "journal.db"):
        with pytest.raises((StoreUnavailable, StoreDamaged)) as refused:
            file.take_copy(tmp_path / name)
        told[name] = str(refused.value)

    half = told.pop("half.db")
    assert "is damaged: " in half
    assert {
        "gone.db": f"{tmp_path}/gone.db: there is no copy, or it has no bytes.",
        "empty.db": f"{tmp_path}/empty.db: there is no copy, or it has no bytes.",
        "other.db": f"{tmp_path}/other.db: it is not a journal of this engine.",
        "journal.db": f"{path}: that is the journal itself. Name a copy.",
    } == told
    assert [] == list(tmp_path.glob(".*"))


async def test_f14_copy_of_a_newer_engine_is_refused(tmp_path: Path) -> None:
    """
    Both versions are named, and what to do; nothing was changed.
    """
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    await written(path)
    file = JournalFile(path)
    file.back_up(copy)
    connection = apsw.Connection(str(copy))
    connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    connection.execute("UPDATE meta SET value = '9.1.0' WHERE key = 'engine'")
    connection.close()
    with pytest.raises(StoreNewer) as refused:
        file.take_copy(copy)

    assert str(refused.value) == (
        f"{copy} has schema 99, written by engine 9.1.0; this is engine {__version__}, "
        f"which knows schemas up to {KNOWN}. Nothing was changed. Restore it with "
        "engine 9.1.0 or later."
    )


async def test_changed_timeline_in_a_copy_is_told(tmp_path: Path) -> None:
    """
    A copy whose chain is broken says where.
    """
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    await written(path)
    file = JournalFile(path)
    file.back_up(copy)
    with behind_its_back(copy) as connection:
        connection.execute("DELETE FROM entries WHERE seq = 3")
    draft = file.take_copy(copy)

    assert [("r-1", 3, "entry 3 is missing")] == [
        (one.run, one.seq, one.problem) for one in draft.faults[:1]
    ]


async def test_f26_a_copy_put_in_place_by_hand_says_so_once(tmp_path: Path) -> None:
    """
    Whoever opens it to act is told; the old engines have no place in it, and fences go
    on above all that were ever given.
    """
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    store = await SqliteStore.open(path)
    old = await store.engines.enrol("serve", "somebody", lambda token: None)
    await store.append([entry(1)], summary())
    await store.copy_to(copy)
    await store.close()
    told: list[str] = []
    before = int(time.time())
    for _ in range(2):
        again = await SqliteStore.open(copy, on_copy=told.append)
        found = await again.engines.others(), await again.engines.orphans()
        await again.close()
    again = await SqliteStore.open(copy)
    fence = await again.engines.enrol("serve", "somebody", lambda token: None)
    faults = await again.verify()
    await again.close()

    assert (1, ([], ["r-1"]), []) == (old, found, faults)
    assert fence is not None
    assert fence > before
    assert [True] == ["the journal is a copy, taken at " in one for one in told]


async def test_f26_no_journal_says_that_it_is_a_copy(tmp_path: Path) -> None:
    """
    The journal that was copied goes on as before.
    """
    told: list[str] = []
    store = await SqliteStore.open(tmp_path / "journal.db", on_copy=told.append)
    await store.copy_to(tmp_path / "copy.db")
    await store.close()
    await (await SqliteStore.open(tmp_path / "journal.db", on_copy=told.append)).close()

    assert [] == told
