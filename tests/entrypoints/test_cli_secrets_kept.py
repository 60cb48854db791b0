"""What stays on the disk of the secrets and the odd bytes that a command brings."""

import os
import subprocess
import sys

from cli_place import Place

PRIVATE = """\
format: 1
runbook: private
title: Private
owner: ops
severity: sev3
inputs:
  key: {type: string, secret: true}
checks:
  right:
    command: {argv: [sh, -c, 'echo "$KEY" | grep -qx Canary.fTheInput'], env: {KEY: '{{ key }}'}}
    pass: exit_code == 0
isolate:
  - check: right
    expect: pass
"""


def test_f95_a_secret_input_is_gone_once_its_run_has_ended(place: Place) -> None:
    """
    The run used it; afterwards no file of the data folder holds it.
    """
    (place.folder / "runbooks/private.yaml").write_text(PRIVATE)
    code, _, _ = place.runbook("run", "private", "--set", "key=CanaryOfTheInput")
    files = [file for file in (place.folder / "state").rglob("*") if file.is_file()]

    assert (0, []) == (
        code,
        [f for f in files if b"CanaryOfTheInput" in f.read_bytes()],
    )


def test_f95_a_note_keeps_no_secret(place: Place) -> None:
    """
    A secret that this process never needed is hidden all the same.
    """
    (place.folder / "runbooks/private.yaml").write_text(PRIVATE)
    _, out, _ = place.runbook("run", "private", "--set", "key=CanaryOfTheInput")
    run = next(word for word in out.split() if word.startswith("r-"))
    place.runbook("note", run, "it is CanaryOfTheToken", TOKEN="CanaryOfTheToken")

    assert "it is [redacted]" in place.runbook("timeline", run)[1]


def test_f50_a_note_of_odd_bytes_ends_no_run(place: Place) -> None:
    """
    A byte that is no text is replaced; the run stays as it was.
    """
    process = place.begin("run", "flag", "--set", f"folder={place.world}")
    assert process.stdout is not None
    run = next(line for line in process.stdout if "waits for" in line).split()[0]
    process.kill()
    process.wait()
    done = subprocess.run(
        [sys.executable, "-m", "engine", "note", run, os.fsdecode(b"odd \xff byte")],
        cwd=place.folder, env=place.environment(), capture_output=True, check=False,
    )  # fmt: skip

    assert (0, b"") == (done.returncode, done.stderr)
    assert "odd \ufffd byte" in place.runbook("timeline", run)[1]
    assert run in place.runbook("runs")[1]
