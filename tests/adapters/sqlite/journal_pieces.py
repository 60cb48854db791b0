"""What the tests of the journal write, and how they get at the file behind its back."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from engine.adapters.sqlite import SqliteStore
from tests.journal_entries import entry, summary

_TRIGGERS = ("entries_keep_their_text", "entries_stay")


async def written(path: Path, *, entries: int = 5, runs: int = 1) -> None:
    """Leave a closed journal with that many entries in each run."""
    store = await SqliteStore.open(path)
    for number in range(1, runs + 1):
        run = f"r-{number}"
        await store.append(
            [entry(seq, run) for seq in range(1, entries + 1)], summary(run)
        )
    await store.close()


@contextmanager
def behind_its_back(path: Path) -> Iterator[apsw.Connection]:
    """Yield a connection that may change what is append-only."""
    connection = apsw.Connection(str(path))
    for trigger in _TRIGGERS:
        connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    yield connection
    connection.close()


def everything(path: Path) -> dict[str, bytes]:
    """Return each file of the journal's directory, byte for byte, without -shm."""
    files = (p for p in path.parent.iterdir() if p.is_file())
    return {p.name: p.read_bytes() for p in files if not p.name.endswith("-shm")}


@contextmanager
def locked_by_another_process(path: Path, seconds: float) -> Iterator[None]:
    """Let a real process hold the write lock for so long, from now on."""
    code = (
        "import sys, time, apsw\n"
        "c = apsw.Connection(sys.argv[1])\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        "print('locked', flush=True)\n"
        "time.sleep(float(sys.argv[2]))\n"
        "c.execute('ROLLBACK')\n"
    )
    command = [sys.executable, "-c", code, str(path), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def remount(place: Path, mode: str) -> None:
    """Make a small disk `ro` or `rw`."""
    subprocess.run(["mount", "-o", f"remount,{mode}", str(place)], check=True)
