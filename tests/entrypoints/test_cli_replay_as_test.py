"""`replay --as-test`: a recorded run, printed as a test or put into its runbook."""

import json
from pathlib import Path
from typing import Final

from cli_place import Place

from engine.analysis.replaying.history import read_history

KILLED: Final = Path(__file__).parents[1] / "histories/0.1.0-killed.jsonl"
TEXT: Final = json.loads(read_history(KILLED.read_bytes(), "x").texts)["texts"][
    "killed"
]
ITEM: Final = """\
  - name: "as r-2u33m9 on 2026-11-24 16:57:21 UTC"
    checks:
      needed: [{exit_code: 0}, {exit_code: 0}, {exit_code: 1}]
      opened: [{exit_code: 1}, {exit_code: 0}]
      count: [{exit_code: 0, stdout: "7\\n"}]
    actions:
      open: [lost]
    people: [{many: 3}, approve]
    events: [{at: "1s", do: crash}]
    expect: {end: resolved, cause: doors, did: [open, close, close, close, fix], \
undone: [close, close, close, open], held: [], asked: 2}
"""


def test_it_is_printed_as_it_would_stand(place: Place) -> None:
    """Nothing is written where nobody asked for it."""
    assert (0, ITEM, "") == place.runbook("replay", str(KILLED), "--as-test")


def test_it_is_put_into_the_file_and_passes_there(place: Place) -> None:
    """The rest of the file stays; `rehearse` plays it with the others."""
    file = place.folder / "runbooks/killed.yaml"
    file.write_text(TEXT)
    told = place.runbook("replay", str(KILLED), "--as-test", "--write")
    code, out, errors = place.runbook("rehearse", str(file))

    assert (0, "", "written: runbooks/killed.yaml\n") == told
    assert f"{TEXT}\ntests:\n{ITEM}" == file.read_text()
    assert (0, "") == (code, errors)
    assert "1 rehearsal, 0 failed" == out.splitlines()[-1]


def test_a_test_that_fails_there_is_not_written(place: Place) -> None:
    """The runbook was changed since: the difference is told, and the file stays."""
    file = place.folder / "runbooks/killed.yaml"
    file.write_text(TEXT.replace("name: doors, when: '!", "name: doors, when: '"))
    before = file.read_text()
    words = ("replay", str(KILLED), "--as-test", "--write", "--format", "json")
    code, out, errors = place.runbook(*words)
    told = json.loads(out)

    assert (1, None, before) == (code, told["written"], file.read_text())
    assert "end: expected resolved, was handed_over" == told["problems"][0]
    assert errors.startswith("its rehearsal differs: end: expected resolved, was ")


def test_write_stands_alone_nowhere(place: Place) -> None:
    """Words that do not fit together are refused."""
    code, out, errors = place.runbook("replay", str(KILLED), "--write")
    unknown = place.runbook("replay", str(KILLED), "--as-test", "--write")

    assert (2, "") == (code, out)
    assert "--write stands beside --as-test; nothing else is written" in errors
    assert 2 == unknown[0]
    assert "no file of 'killed' is configured; name it: --with FILE" in unknown[2]
