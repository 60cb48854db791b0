"""Runs whose engine died, taken up by the next process: what was left, what was missed."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest
from cli_place import Place

Until = Callable[["Popen[str]", str], str]
SLOW = """\
format: 1
runbook: slow
title: Slow
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
      argv: [sh, -c, 'echo begun >> "$1/log"; sleep 4; touch "$1/done"; echo did >> "$1/log"', sh, '{{ folder }}']
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
  - act: slowly
restore:
  - undo: all
"""
WAITS = SLOW.replace(
    "  - act: slowly\n", "  - {wait: 4s, name: pause}\n  - act: later\n"
).replace("runbook: slow", "runbook: waits")


def begun(place: Place, text: str, name: str) -> "Popen[str]":
    """Begin a run of a runbook."""
    (place.folder / f"runbooks/{name}.yaml").write_text(text)
    return place.begin("run", name, "--set", f"folder={place.world}")


def seen(path: Path, text: str) -> None:
    """Wait until a file holds the text."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if path.exists() and text in path.read_text():
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} never held: {text}")


def killed(process: "Popen[str]") -> None:
    """Kill an engine at once."""
    process.kill()
    process.wait()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_g5_what_a_killed_engine_left_running_is_ended_first(place: Place) -> None:
    """
    A program in flight at a kill -9 does not go on beside the one that is begun anew.
    """
    process = begun(place, SLOW, "slow")
    seen(place.world / "log", "begun")
    killed(process)
    code, out, _ = place.runbook("resume")

    assert (0, ["begun", "begun", "did"]) == (
        code,
        (place.world / "log").read_text().split(),
    )
    assert "slowly: what the dead engine left running was ended" in out


def test_f85_a_hold_lifted_while_nobody_drives_frees_the_run(
    place: Place, until: Until
) -> None:
    """
    A run that waited for the hold goes on once it is taken up without one.
    """
    place.runbook("hold", "on", "--reason", "drill")
    process = begun(place, WAITS.replace("  - {wait: 4s, name: pause}\n", ""), "waits")
    until(process, "waits: the global hold is set")
    killed(process)
    place.runbook("hold", "off")
    code, out, _ = place.runbook("resume")

    assert (0, True) == (code, (place.world / "later").exists())
    assert "global hold lifted" in out


def test_f85_a_hold_set_while_nobody_drives_stops_the_run(
    place: Place, until: Until
) -> None:
    """
    A run that is taken up under a hold says so, and records no intent.
    """
    process = begun(place, WAITS, "waits")
    until(process, "phase isolate")
    killed(process)
    place.runbook("hold", "on", "--reason", "drill")
    again = place.begin("resume")
    until(again, "act later waits: the global hold is set")
    place.runbook("hold", "off")
    out, _ = again.communicate(timeout=30)

    assert "about to do later" in out
    assert (0, True) == (again.returncode, (place.world / "later").exists())


def test_f65_three_who_answer_at_once_are_each_heard_or_told(
    place: Place, until: Until
) -> None:
    """
    With nobody driving, notes left at the same moment all stand in the timeline.
    """
    process = place.begin("run", "flag", "--set", f"folder={place.world}")
    run = until(process, "waits for ops").split()[0]
    killed(process)
    notes = [place.begin("note", run, f"note {number}") for number in range(4)]
    codes = [subprocess.Popen.wait(one, 60) for one in notes]
    _, story, _ = place.runbook("timeline", run)

    assert [0, 0, 0, 0] == codes
    assert [True] * 4 == [f"note {number}" in story for number in range(4)]
