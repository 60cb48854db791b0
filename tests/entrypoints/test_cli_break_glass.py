"""Break-glass: two sealed codes, loud, over by itself; no server and no network."""

import json
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

from cli_place import Place

from engine.adapters.break_glass import GrantFile

Until = Callable[["Popen[str]", str], str]
GLASS = """\
break_glass: {codes: [{secret: one}, {secret: two}], lasts: 30m}
"""
WHY = "sign-on is down"


def sealed(place: Place) -> Place:
    """Configure two codes; bo is not in the group that the gate asks."""
    text = (place.folder / "engine.yaml").read_text()
    secrets = "secrets: {token: {env: TOKEN}, one: {file: one}, two: {file: two}}"
    text = text.replace("secrets: {token: {env: TOKEN}}", secrets) + GLASS
    (place.folder / "engine.yaml").write_text(text)
    (place.folder / "one").write_text("anemone-41\n")
    (place.folder / "two").write_text("basalt-77\n")
    for name in ("one", "two"):
        (place.folder / name).chmod(0o600)
    return place


def broken(place: Place, codes: str, *words: str) -> tuple[int, str, str]:
    """Call `break-glass` with these lines as its input."""
    done = subprocess.run(
        [sys.executable, "-m", "engine", "break-glass", *words],
        cwd=place.folder, env=place.environment(), input=codes, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_f70_break_glass_lets_another_person_approve_and_says_so(
    place: Place, until: Until
) -> None:
    """
    Nobody of the group can be reached: with both codes bo approves, and it is told.
    """
    run_by = sealed(place).begin("run", "flag", "--set", f"folder={place.world}")
    run = until(run_by, "waits for ops").split()[0]
    before = place.runbook("approve", run, "--as", "bo")[0]
    codes = "anemone-41\nbasalt-77\n"
    opened = broken(place, codes, "--why", WHY, "--as", "bo")
    until(run_by, f"{run}: the glass is broken by bo for 1800 s: {WHY}")
    listed = place.runbook("runs")[2]
    looked = place.runbook("doctor")[1]
    after = place.runbook("approve", run, "--as", "bo")[0]
    until(run_by, "resolved")
    told = place.runbook("timeline", run)[1]

    assert (1, 0, 0) == (before, opened[0], after)
    assert "the glass is broken by bo until" in listed
    assert "break-glass: the glass is broken by bo until" in looked
    assert "bo said yes (break-glass)" in told
    file = place.folder / "state/BREAK-GLASS"
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert not any(code in file.read_text() for code in codes.split())


def test_g15_a_wrong_code_opens_nothing_and_is_written_down(place: Place) -> None:
    """One of two codes is wrong, or missing: refused after a second, and recorded."""
    sealed(place)
    began = time.monotonic()
    refused = broken(place, "anemone-41\nbasalt-78\n", "--why", WHY)
    took = time.monotonic() - began
    alone = broken(place, "anemone-41\n", "--why", WHY)
    error = "runbook: the codes are not right; this is written down\n"

    assert [(1, "", error)] * 2 == [refused, alone]
    assert took >= 1.0
    assert not (place.folder / "state/BREAK-GLASS").exists()
    assert ["refused: a wrong code"] * 2 == recorded(place)


def test_g15_it_can_be_ended_early(place: Place) -> None:
    """--close ends it, needs no code, and is written down."""
    opened = broken(sealed(place), "anemone-41\nbasalt-77\n", "--why", WHY)
    closed = broken(place, "", "--close")

    assert (0, (0, "closed\n", "")) == (opened[0], closed)
    assert [f"break-glass: {WHY}", "break-glass: "] == recorded(place)
    assert "glass" not in place.runbook("doctor")[1]


def test_g15_it_lasts_at_most_an_hour(place: Place) -> None:
    """A longer time is refused as the configuration is read."""
    sealed(place)
    file = place.folder / "engine.yaml"
    file.write_text(file.read_text().replace("lasts: 30m", "lasts: 61m"))
    code, _, told = place.runbook("doctor")

    assert 1 == code
    assert "`lasts` is more than 0s, and at most 1h" in told


def recorded(place: Place) -> list[str]:
    """Return the engine's own entries."""
    import asyncio

    from engine.adapters.sqlite import SqliteStore

    async def read() -> list[str]:
        store = await SqliteStore.open(place.folder / "state/journal.db")
        try:
            return [f"{one.kind}: {one.why}" for one in await store.records()]
        finally:
            await store.close()

    return asyncio.run(read())


def test_g15_a_clock_set_back_prolongs_nothing(tmp_path: Path) -> None:
    """It is over by the wall clock or by the time since boot, whichever is first."""
    wall, boot = [1000.0], [50.0]
    file = GrantFile(tmp_path / "G", now=lambda: wall[0], since_boot=lambda: boot[0])
    grant = file.open("ana", WHY, seconds=60.0)

    def at(wall_is: float, boot_is: float) -> bool:
        wall[0], boot[0] = wall_is, boot_is
        return file.current() == grant

    assert [True, False, False, False, False] == [
        at(1059.0, 109.0), at(1060.0, 109.0), at(1000.0, 110.0),
        at(900.0, 60.0), at(1030.0, 40.0),
    ]  # fmt: skip


def test_g15_a_spoilt_file_opens_nothing(tmp_path: Path) -> None:
    """No JSON, another form, another boot, or no file at all: closed."""
    file = GrantFile(tmp_path / "G")
    found = [file.current()]
    file.open("ana", WHY, seconds=60.0)
    kept = json.loads((tmp_path / "G").read_text())
    for text in ("", "{}", json.dumps(kept | {"boot": "another"})):
        (tmp_path / "G").write_text(text)
        found.append(file.current())

    assert [None] * 4 == found
    assert ["G"] == [one.name for one in tmp_path.iterdir()]
