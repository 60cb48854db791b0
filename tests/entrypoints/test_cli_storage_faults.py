"""The disk fails under a running command: no act without a stored intent, and words."""

import signal
import subprocess
import sys
import time
from subprocess import Popen

import pytest
from cli_place import Place

from tests.small_disk import fill, small_disk

PAUSED = """\
format: 1
runbook: paused
title: Paused
owner: ops
severity: sev3
inputs:
  folder: {type: string, pattern: '[a-z0-9/_.-]+'}
checks:
  done:
    command: {argv: [test, -e, '{{ folder }}/done']}
    pass: exit_code == 0
actions:
  slowly:
    command:
      argv: [sh, -c, 'touch "$1/begun"; sleep 3; touch "$1/done"', sh, '{{ folder }}']
    undo:
      command: {argv: [rm, -f, '{{ folder }}/done']}
    done_when: checks.done.ok
    after_crash: verify
    timeout: 20s
  later:
    command: {argv: [touch, '{{ folder }}/later']}
    leaves_nothing: true
    timeout: 5s
isolate:
  - PAUSE
  - act: later
restore:
  - undo: all
"""


def begun(place: Place, pause: str) -> "Popen[str]":
    """Begin a run; its acts come after the pause."""
    text = PAUSED.replace("PAUSE", pause)
    (place.folder / "runbooks/paused.yaml").write_text(text)
    return place.begin("run", "paused", "--set", f"folder={place.world}")


def heard(process: "Popen[str]", text: str) -> float:
    """Read until a line has the text; return the seconds."""
    began = time.monotonic()
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return time.monotonic() - began
    raise AssertionError(f"it ended without: {text}")


@pytest.mark.timed
def test_f23_a_deleted_journal_stops_the_acts(place: Place) -> None:
    """
    Deleted while a run goes on: said within five seconds, and nothing is done until the
    file is back; then the run goes on by itself.
    """
    process = begun(place, "{wait: 2s}")
    heard(process, "phase isolate")
    journal = place.folder / "state/journal.db"
    journal.rename(place.folder / "gone.db")
    took = heard(process, "the file was deleted or replaced while the engine runs")
    time.sleep(3)
    before = (place.world / "later").exists()
    (place.folder / "gone.db").rename(journal)
    process.communicate(timeout=40)

    assert took < 5.0
    assert (False, True) == (before, (place.world / "later").exists())
    assert 0 == process.returncode


def test_f20_a_full_disk_stops_the_acts_until_there_is_space(place: Place) -> None:
    """
    On a disk that is really full nothing is done, loudly; with space it goes on.
    """
    with small_disk(place.folder / "state") as disk:
        process = begun(place, "{wait: 2s}")
        heard(process, "phase isolate")
        fill(disk / "filler")
        heard(process, "the disk is full; free space on it")
        time.sleep(3)
        before = (place.world / "later").exists()
        (disk / "filler").unlink()
        process.communicate(timeout=40)

    assert (False, True) == (before, (place.world / "later").exists())
    assert 0 == process.returncode


def test_f21_a_full_disk_of_the_output_stops_no_run(place: Place) -> None:
    """
    Nothing can be written where its output goes: the run is played to its end.
    """
    text = PAUSED.replace("PAUSE", "{wait: 1s}")
    (place.folder / "runbooks/paused.yaml").write_text(text)
    with small_disk(place.folder / "out") as disk:
        fill(disk / "filler")
        with (disk / "log").open("wb") as log:
            subprocess.run(
                [sys.executable, "-m", "engine", "run", "paused", "--set",
                 f"folder={place.world}"],
                cwd=place.folder, env=place.environment(), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, timeout=60, check=False,
            )  # fmt: skip
    ends = place.runbook("runs", "--all")[1]

    assert (place.world / "later").exists()
    assert "resolved" in ends


@pytest.mark.timed
def test_f10_sigterm_lets_an_act_end(place: Place) -> None:
    """
    The act in flight has its grace; what became of it is on disk, and nothing is undone.
    """
    process = begun(place, "act: slowly")
    ends = time.monotonic() + 30
    while not (place.world / "begun").exists():
        assert time.monotonic() < ends
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    told, _ = process.communicate(timeout=40)
    run = next(word for word in told.split() if word.startswith("r-"))
    story = place.runbook("timeline", run)[1]

    assert (True, False) == (
        (place.world / "done").exists(),
        (place.world / "later").exists(),
    )
    assert "did slowly" in story
    assert f"Go on with: runbook resume {run}" in told


def test_f26_a_copy_put_in_place_by_hand_starts_in_hold(place: Place) -> None:
    """
    Nothing is done a second time: its open run waits until a person lifts the hold.
    """
    process = begun(place, "{wait: 3s}")
    heard(process, "phase isolate")
    assert 0 == place.runbook("backup", "copy.db")[0]
    process.kill()
    process.wait()
    state = place.folder / "state"
    for file in state.glob("journal.db*"):
        file.unlink()
    (place.folder / "copy.db").rename(state / "journal.db")
    again = place.begin("resume")
    heard(again, "later waits: the global hold is set")
    time.sleep(1)
    before, hold = (place.world / "later").exists(), place.runbook("hold")[1]
    place.runbook("hold", "off")
    again.communicate(timeout=40)

    assert (False, True) == (before, (place.world / "later").exists())
    assert "the journal is a copy, taken at " in hold
