"""Opening a journal: begun whole, closed to others, refused untouched."""

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from journal_pieces import behind_its_back, everything, written

from engine import __version__
from engine.adapters.sqlite import SqliteSettings, SqliteStore
from engine.adapters.sqlite.opening import connect, open_journal
from engine.adapters.sqlite.schema import MIGRATIONS
from engine.errors import StoreDamaged, StoreNewer, StoreUnavailable
from engine.model.effects import Say
from tests.journal_entries import entry, summary


def rights(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


async def test_a_new_journal_is_closed_to_others(tmp_path: Path) -> None:
    """
    The directory is made 0700 and every file 0600, whatever the umask.
    """
    before = os.umask(0)
    try:
        store = await SqliteStore.open(tmp_path / "state" / "journal.db")
        await store.append([entry(1)], summary())
        found = {p.name: rights(p) for p in (tmp_path / "state").iterdir()}
        await store.close()
    finally:
        os.umask(before)

    assert rights(tmp_path / "state") == "0700"
    assert found == dict.fromkeys(
        ("journal.db", "journal.db-wal", "journal.db-shm"), "0600"
    )
    assert store.notices == (f"{store.path}: a new, empty journal was begun",)


async def test_f11_a_commit_reaches_the_disk(tmp_path: Path) -> None:
    """
    The writing connection syncs on every commit; a reading one cannot write.
    """
    path = tmp_path / "journal.db"
    await written(path)
    writing = connect(path, SqliteSettings())
    reading = connect(path, SqliteSettings(), reading=True)
    names = ("journal_mode", "synchronous", "wal_autocheckpoint", "secure_delete")
    found = [writing.pragma(name) for name in names]
    with pytest.raises(apsw.ReadOnlyError):
        reading.execute("DELETE FROM locks")
    writing.close()
    reading.close()

    assert found == ["wal", 2, 8000, 1]


async def test_a_closed_journal_is_one_file(tmp_path: Path) -> None:
    """
    After close nothing is left beside the file, and what was written is in it.
    """
    path = tmp_path / "journal.db"
    await written(path, entries=3)
    store = await SqliteStore.open(path)
    found = await store.entries("r-1")
    await store.close()

    assert [p.name for p in tmp_path.iterdir()] == ["journal.db"]
    assert [e.seq for e in found] == [1, 2, 3]


async def test_everything_survives_a_restart(tmp_path: Path) -> None:
    """
    Locks, messages, texts and secrets are there after closing and opening again.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)
    await store.append([entry(1)], summary(), outbox=[Say("hello")])
    await store.lock("r-1", ["region/x"])
    await store.put_revision("abc", "delay", "format: 1")
    await store.put_secret("r-1", "token", "s3cret")
    await store.close()
    store = await SqliteStore.open(path)
    found = (
        [message for _, _, message in await store.unsent()],
        await store.lock("r-2", ["region"]),
        await store.revision("abc"),
        await store.secret("r-1", "token"),
        await store.summary("r-1"),
    )
    await store.append([entry(2)], summary())
    faults = await store.verify()
    await store.close()

    assert found == ([Say("hello")], "r-1", "format: 1", "s3cret", summary())
    assert faults == []


async def test_an_absent_journal_is_not_begun_without_leave(tmp_path: Path) -> None:
    """
    With create=False an absent file is an error, and stays absent.
    """
    path = tmp_path / "journal.db"

    with pytest.raises(StoreUnavailable) as refused:
        await SqliteStore.open(path, create=False)

    assert str(refused.value) == (
        f"{path}: there is no journal. Name the right file, or start the engine once "
        "to begin one."
    )
    assert list(tmp_path.iterdir()) == []


async def test_f100_a_file_that_others_can_read_is_closed_and_reported(
    tmp_path: Path,
) -> None:
    """
    A database left 0644 is 0600 after opening, and the owner is told.
    """
    path = tmp_path / "journal.db"
    await written(path)
    path.chmod(0o644)
    store = await SqliteStore.open(path)
    await store.close()

    assert rights(path) == "0600"
    assert store.notices == (f"{path}: others could read it (0644); it is 0600 now",)


async def test_f100_a_directory_that_others_can_write_is_reported(
    tmp_path: Path,
) -> None:
    """
    A directory that is not ours to change is named, with the command that closes it.
    """
    path = tmp_path / "journal.db"
    await written(path)
    tmp_path.chmod(0o777)
    store = await SqliteStore.open(path)
    await store.close()

    assert store.notices == (
        (
            f"{tmp_path}: others can put files there (0777). "
            f"Close it: chmod go-w '{tmp_path}'"
        ),
    )
    assert rights(tmp_path) == "0777"


async def test_f14_a_newer_journal_is_refused_untouched(tmp_path: Path) -> None:
    """
    A schema of a newer engine stops the start; both versions are named, and no byte
    of the file changes.
    """
    path = tmp_path / "journal.db"
    await written(path)
    with behind_its_back(path) as connection:
        connection.execute("UPDATE meta SET value = '700' WHERE key = 'schema'")
        connection.execute("UPDATE meta SET value = '9.1.0' WHERE key = 'engine'")
    before = everything(path)

    with pytest.raises(StoreNewer) as refused:
        await SqliteStore.open(path)

    assert str(refused.value) == (
        f"{path} has schema 700, written by engine 9.1.0; this is engine {__version__}, "
        f"which knows schemas up to {MIGRATIONS[-1].number}. The file was not changed. "
        "Start engine 9.1.0 or a later one."
    )
    assert {n: b for n, b in everything(path).items() if b} == before


async def refused_as_damaged(path: Path) -> str:
    """Open; return the message. The files are the same before and after."""
    before = everything(path)
    with pytest.raises(StoreDamaged) as refused:
        await SqliteStore.open(path)
    assert {n: b for n, b in everything(path).items() if b or n in before} == before
    return str(refused.value)


async def test_f22_a_damaged_header_is_refused(tmp_path: Path) -> None:
    """
    A file whose header is not SQLite's is refused with the command to restore.
    """
    path = tmp_path / "journal.db"
    await written(path)
    content = path.read_bytes()
    path.write_bytes(b"X" * 16 + content[16:])
    message = await refused_as_damaged(path)

    assert message == (
        f"{path} is damaged: file is not a database. It was not changed, and no empty "
        "journal was begun in its place. Stop the engine, then put a copy back:\n"
        "  runbook restore YOUR-LAST-COPY"
    )


async def test_f22_a_damaged_page_is_refused(tmp_path: Path) -> None:
    """
    Rubbish in the middle of the file is found at the start, not at first use.
    """
    path = tmp_path / "journal.db"
    await written(path, entries=200)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xa5" * 4096
    path.write_bytes(content)

    assert (await refused_as_damaged(path)).startswith(f"{path} is damaged: ")


@pytest.mark.parametrize("kept", [0, 100, 4096, 5000, 40960])
async def test_f22_a_cut_file_is_refused(tmp_path: Path, kept: int) -> None:
    """
    A file that ends too early is refused, also one that was cut to nothing.
    """
    path = tmp_path / "journal.db"
    await written(path, entries=200)
    path.write_bytes(path.read_bytes()[:kept])

    assert (await refused_as_damaged(path)).startswith(f"{path} is damaged: ")


async def test_f22_a_lost_file_is_not_begun_anew_beside_its_log(tmp_path: Path) -> None:
    """
    Where only the write-ahead log is left, the journal was lost: no empty one begins.
    """
    path = tmp_path / "journal.db"
    Path(f"{path}-wal").write_bytes(b"left over")
    message = await refused_as_damaged(path)

    assert "it is gone, while its write-ahead log is still there" in message


async def test_f22_text_and_foreign_databases_are_refused(tmp_path: Path) -> None:
    """
    A file of another kind, or another program's database, is never written to.
    """
    text, foreign = tmp_path / "notes.txt", tmp_path / "browser.db"
    text.write_text("not a database, but longer than a header would be\n" * 50)
    other = apsw.Connection(str(foreign))
    other.execute("CREATE TABLE cookies (a)")
    other.close()

    assert "file is not a database" in await refused_as_damaged(text)
    assert "it is not a journal of this engine" in await refused_as_damaged(foreign)


async def test_f22_the_command_to_restore_works(tmp_path: Path) -> None:
    """
    The shell line of the message, run as it stands, keeps the damaged file aside and
    gives back the newest copy; odd characters in the path included.
    """
    path = tmp_path / "my 'state'" / "journal.db"
    await written(path)
    store = await SqliteStore.open(path)
    await store.copy_to(f"{path}.before-v2")
    await store.close()
    path.write_bytes(b"X" * 8192)
    (tmp_path / "engine.yaml").write_text("data: \"./my 'state'\"\n")
    message = await refused_as_damaged(path)
    await asyncio.to_thread(
        subprocess.run,
        ["sh", "-c", message.splitlines()[-1]],
        check=True, cwd=tmp_path, capture_output=True,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
    )  # fmt: skip
    store = await SqliteStore.open(path)
    found = await store.entries("r-1")
    await store.close()
    kept = [one.read_bytes() for one in path.parent.glob("*.replaced-*/journal.db")]

    assert [e.seq for e in found] == [1, 2, 3, 4, 5]
    assert [b"X" * 8192] == kept


async def test_two_processes_may_begin_the_same_journal(tmp_path: Path) -> None:
    """
    Begun by several processes at one moment there is one journal, and nothing else.
    """
    path = tmp_path / "state" / "journal.db"
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from engine.adapters.sqlite.opening import open_journal\n"
        "open_journal(Path(sys.argv[1])).connection.close()\n"
    )
    started = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(path))
        for _ in range(4)
    ]
    codes = [await process.wait() for process in started]
    journal = open_journal(path, create=False)
    journal.connection.close()

    assert codes == [0, 0, 0, 0]
    assert journal.notices == []
    assert [p.name for p in path.parent.iterdir()] == ["journal.db"]


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """
    After close every call is refused in plain words; closing twice is fine.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")
    await store.close()
    await store.close()

    for call in (store.append([entry(1)], summary()), store.entries("r-1")):
        with pytest.raises(StoreUnavailable) as refused:
            await call
        assert str(refused.value) == f"{store.path}: the journal is closed already."
