"""What is left of a command when its output, its input or its folder is not there."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from cli_place import Place

QUICK = """\
format: 1
runbook: quick
title: Quick
owner: ops
severity: sev3
inputs:
  folder: {type: string, pattern: '[a-z0-9/_.-]+'}
actions:
  leave:
    command: {argv: [touch, '{{ folder }}/left']}
    leaves_nothing: true
    timeout: 5s
isolate:
  - act: leave
"""
pytestmark = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="needs a device that is always full"
)


def quick(place: Place) -> list[str]:
    """Return the command that runs a runbook which leaves a file."""
    (place.folder / "runbooks/quick.yaml").write_text(QUICK)
    return [
        sys.executable,
        "-m",
        "engine",
        "run",
        "quick",
        "--set",
        f"folder={place.world}",
    ]


def shell(place: Place, line: str) -> int:
    """Return the exit code of a shell line."""
    return subprocess.run(
        ["sh", "-c", line], cwd=place.folder, env=place.environment(), timeout=60,
        check=False,
    ).returncode  # fmt: skip


@pytest.mark.parametrize(
    "end", ["| head -n 1 >/dev/null", ">/dev/full 2>&1", "<&- >&- 2>&-"]
)
def test_f81_a_run_goes_on_when_nobody_reads(place: Place, end: str) -> None:
    """
    Output that nobody takes stops no run: it acts, and it ends.
    """
    shell(place, f"{shlex.join(quick(place))} {end}")

    assert (place.world / "left").exists()
    assert place.runbook("runs")[2] == "No run is open.\n"


@pytest.mark.parametrize("words", [["runs", "--all"], ["hold"], ["schema"]])
def test_a_full_output_is_said_in_one_line(place: Place, words: list[str]) -> None:
    """
    What cannot be written is a message and exit code 1, never a traceback.
    """
    shell(place, shlex.join(quick(place)) + " >/dev/null")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "engine", *words], cwd=place.folder, check=False,
            env=place.environment(), stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    assert (
        1,
        "runbook: standard output cannot be written: No space left on device\n",
    ) == (
        done.returncode,
        done.stderr,
    )


def test_a_data_folder_that_cannot_be_made_is_named(place: Place) -> None:
    """
    Where no journal can be, the run does not begin, and the folder is named.
    """
    code, _, told = place.runbook(*quick(place)[3:], RUNBOOK_DATA=os.devnull)
    wanted = (
        "runbook: the data folder /dev/null cannot be made: File exists. Name another "
        "one with `data` in the configuration, or make it.\n"
    )

    assert (1, wanted) == (code, told)


def test_f86_two_runbooks_of_one_name_are_told(place: Place) -> None:
    """
    The second file of a name is refused, at its place, with the first one named.
    """
    (place.folder / "runbooks/more").mkdir()
    (place.folder / "runbooks/more/flag.yaml").write_text(
        (place.folder / "runbooks/flag.yaml").read_text()
    )
    code, out, _ = place.runbook("validate", "runbooks")

    assert code == 1
    assert (
        "runbooks/more/flag.yaml:1:1: error[name]: the runbook 'flag' is also in "
        "runbooks/flag.yaml\n" in out
    )


def test_f98_an_argument_moves_no_cursor(place: Place) -> None:
    """
    Control characters of what was typed stand in the message as their escapes.
    """
    shell(place, shlex.join(quick(place)) + " >/dev/null")
    _, _, told = place.runbook("timeline", "r-\x1b[31mx")
    _, _, path = place.runbook("validate", "a\x1b]0;t\x07")

    assert "\\x1b[31mx" in told
    assert "\\x1b]0;t\\x07" in path
    assert "\x1b" not in told + path
