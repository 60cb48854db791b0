"""The global hold as a file."""

import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.adapters.hold_file import HoldFile

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def a_hold(folder: Path) -> HoldFile:
    return HoldFile(folder / "data" / "HOLD", now=lambda: NOON)


def test_it_is_off_until_it_is_set(tmp_path: Path) -> None:
    """No file, no hold, also where the folder is not there yet."""
    assert a_hold(tmp_path).reason() is None


def test_g16_set_is_seen_by_another_engine_and_after_a_restart(tmp_path: Path) -> None:
    """The reason says who, why and since when, to whoever opens the file."""
    a_hold(tmp_path).set("ops", "storage is melting")

    assert a_hold(tmp_path).reason() == (
        "ops: storage is melting (since 2026-03-01T12:00:00+00:00)"
    )


def test_g16_lift_switches_it_off(tmp_path: Path) -> None:
    """Lifted is off; lifting twice is no error."""
    hold = a_hold(tmp_path)
    hold.set("ops", "why")
    hold.lift()
    hold.lift()

    assert hold.reason() is None


def test_new_reason_replaces_the_old_one(tmp_path: Path) -> None:
    """Setting it again says the newest reason, and leaves no other file."""
    hold = a_hold(tmp_path)
    hold.set("ops", "first")
    hold.set("lead", "second")

    assert (hold.reason() or "").startswith("lead: second")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["HOLD"]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"by": "x"}', b"[" * 60_000]
)
def test_g16_damaged_file_counts_as_on(raw: bytes, tmp_path: Path) -> None:
    """What cannot be understood holds: `touch HOLD` is enough."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "HOLD").write_bytes(raw)

    assert a_hold(tmp_path).reason() == (
        f"{tmp_path}/data/HOLD is there without a reason, so it counts as on"
    )


def test_g16_unreadable_file_counts_as_on(tmp_path: Path) -> None:
    """What cannot be read holds."""
    (tmp_path / "data" / "HOLD").mkdir(parents=True)

    assert a_hold(tmp_path).reason() == (
        f"{tmp_path}/data/HOLD cannot be read (Is a directory), so it counts as on"
    )


def test_f95_only_the_engines_own_account_reads_the_reason(tmp_path: Path) -> None:
    """What people wrote is nobody else's to read."""
    a_hold(tmp_path).set("ops", "why")
    mode = (tmp_path / "data" / "HOLD").stat().st_mode

    assert stat.S_IMODE(mode) == 0o600


def test_reader_never_sees_half_a_reason(tmp_path: Path) -> None:
    """While it is set again and again, each look finds one whole reason."""
    hold = a_hold(tmp_path)
    hold.set("ops", "0")
    done = threading.Event()

    def setting() -> None:
        for number in range(100):
            hold.set("ops", "x" * number)
        done.set()

    thread = threading.Thread(target=setting)
    thread.start()
    seen = set()
    while not done.is_set():
        seen.add((hold.reason() or "off").split(":")[0])
    thread.join()

    assert seen == {"ops"}


def test_odd_characters_survive(tmp_path: Path) -> None:
    """A reason may hold any text."""
    hold = a_hold(tmp_path)
    hold.set("ops", 'quote " newline \n \u202e ünï \ud800')

    assert hold.reason() == (
        'ops: quote " newline \n \u202e ünï ? (since 2026-03-01T12:00:00+00:00)'
    )
