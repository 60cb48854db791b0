"""From an older schema to a newer one, with a copy before, killed or not."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from journal_pieces import behind_its_back, everything, written

from engine.adapters.sqlite import SqliteStore
from engine.adapters.sqlite.migrations import what_is_written
from engine.adapters.sqlite.opening import open_journal, quick_check
from engine.adapters.sqlite.schema import MIGRATIONS, Migration
from engine.errors import StoreUnavailable
from tests.journal_entries import entry, summary

LAST = MIGRATIONS[-1].number
NEXT = LAST + 1
LATER = (
    *MIGRATIONS,
    Migration(
        NEXT,
        "who is on call",
        "CREATE TABLE rota (person TEXT); INSERT INTO rota VALUES ('ana')",
    ),
    Migration(LAST + 2, "and until when", "ALTER TABLE rota ADD COLUMN until REAL"),
)
BROKEN = (*LATER[:-1], Migration(LAST + 2, "a mistake", "CREATE TABLE x (a); NONSENSE"))

# A real process runs the migrations and is killed inside the one that says so.
CHILD = """
import os, signal, sys
from pathlib import Path
import apsw
from engine.adapters.sqlite import opening
from engine.adapters.sqlite.schema import MIGRATIONS, Migration

def die():
    os.kill(os.getpid(), signal.SIGKILL)

plain = opening.connect
def connect(*given, **named):
    connection = plain(*given, **named)
    connection.create_scalar_function("die", die)
    return connection
opening.connect = connect

last = MIGRATIONS[-1].number
steps = (
    *MIGRATIONS,
    Migration(last + 1, "two", "CREATE TABLE rota (person TEXT); "
              "INSERT INTO rota VALUES ('ana')" + sys.argv[2]),
    Migration(last + 2, "three", "ALTER TABLE rota ADD COLUMN until REAL" + sys.argv[3]),
)
opening.open_journal(Path(sys.argv[1]), migrations=steps)
"""


def columns(connection: apsw.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]


async def test_f15_a_journal_is_brought_forward_with_a_copy_before(
    tmp_path: Path,
) -> None:
    """
    Each pending migration runs once, in order; the copy is the journal as it was.
    """
    path = tmp_path / "journal.db"
    await written(path)
    journal = open_journal(path, migrations=LATER)
    after = what_is_written(journal.connection).schema
    found = columns(journal.connection, "rota")
    journal.connection.close()
    again = open_journal(path, migrations=LATER)
    again.connection.close()
    copy = await SqliteStore.open(f"{path}.before-v{NEXT}", create=False)
    kept = await copy.entries("r-1")
    await copy.close()

    assert (after, found) == (LAST + 2, ["person", "until"])
    assert journal.notices == [
        f"{path}: copied to {path}.before-v{NEXT} before the schema was changed",
        f"{path}: schema {NEXT}: who is on call",
        f"{path}: schema {LAST + 2}: and until when",
    ]
    assert again.notices == []
    assert [e.seq for e in kept] == [1, 2, 3, 4, 5]
    assert f"{Path(f'{path}.before-v{NEXT}').stat().st_mode & 0o777:o}" == "600"


async def test_f15_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    """
    A mistake in a migration takes back all of it, and keeps the ones before.
    """
    path = tmp_path / "journal.db"
    await written(path)

    with pytest.raises(StoreUnavailable) as refused:
        open_journal(path, migrations=BROKEN)

    journal = open_journal(path, migrations=BROKEN[:-1])
    tables = columns(journal.connection, "rota"), columns(journal.connection, "x")
    journal.connection.close()

    assert str(refused.value) == (
        f'{path}: SQLite refuses: SQLError: near "NONSENSE": syntax error. '
        "Nothing was stored."
    )
    assert tables == (["person"], [])


@pytest.mark.parametrize(
    ("second", "third", "reached"),
    [("; SELECT die()", "", LAST), ("", "; SELECT die()", NEXT)],
    ids=["in the first", "in the second"],
)
async def test_f15_killed_half_way_the_restart_completes(
    tmp_path: Path, second: str, third: str, reached: int
) -> None:
    """
    Killed inside a migration the journal is at the number before it, whole; the next
    start goes on from there and loses no entry.
    """
    path = tmp_path / "journal.db"
    await written(path)
    command = [sys.executable, "-c", CHILD, str(path), second, third]
    killed = await asyncio.to_thread(subprocess.run, command, check=False)
    between = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    at = what_is_written(between).schema, quick_check(between)
    between.close()
    journal = open_journal(path, migrations=LATER)
    after = what_is_written(journal.connection).schema
    people = journal.connection.execute("SELECT person FROM rota").fetchall()
    count = journal.connection.execute("SELECT count(*) FROM entries").fetchall()
    journal.connection.close()

    assert killed.returncode == -signal.SIGKILL
    assert at == (reached, [])
    assert (after, people, count) == (LAST + 2, [("ana",)], [(5,)])
    assert Path(f"{path}.before-v{NEXT}").exists()


async def test_f15_a_copy_that_was_cut_is_made_anew(tmp_path: Path) -> None:
    """
    A half-written copy of a killed start is no copy: it is written again, whole.
    """
    path = tmp_path / "journal.db"
    await written(path)
    Path(f"{path}.before-v{NEXT}.half").write_bytes(b"half a copy")
    open_journal(path, migrations=LATER).connection.close()
    copy = apsw.Connection(f"{path}.before-v{NEXT}", flags=apsw.SQLITE_OPEN_READONLY)
    findings = quick_check(copy)
    copy.close()

    assert findings == []
    assert sorted(everything(path)) == ["journal.db", f"journal.db.before-v{NEXT}"]


async def test_f26_a_copy_taken_while_writing_is_whole(tmp_path: Path) -> None:
    """
    A copy made while the engine writes opens, and its chains are whole.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")
    for seq in range(1, 200):
        await store.append([entry(seq)], summary())
        if seq == 100:
            await store.copy_to(tmp_path / "copy.db")
    await store.close()
    copy = await SqliteStore.open(tmp_path / "copy.db", create=False)
    faults = await copy.integrity(), await copy.verify()
    entries = await copy.entries("r-1")
    await copy.close()

    assert faults == ([], [])
    assert [e.seq for e in entries] == list(range(1, 101))


async def test_the_timeline_is_append_only(tmp_path: Path) -> None:
    """
    SQLite itself refuses to change or delete an entry, whoever asks.
    """
    path = tmp_path / "journal.db"
    await written(path)
    connection = apsw.Connection(str(path))
    for statement in (
        "UPDATE entries SET kind = 'x'",
        "DELETE FROM entries WHERE seq = 5",
    ):
        with pytest.raises(apsw.ConstraintError):
            connection.execute(statement)
    connection.close()
    with behind_its_back(path) as connection:
        connection.execute("DELETE FROM entries WHERE seq = 5")  # after dropping them
