"""`runbook diff`: files, folders, standard input; text, JSON, Markdown; exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli_place import Place

BOOK = """\
format: 1
runbook: web
title: Web
owner: ops
severity: sev3
actions:
  clean:
    command: {argv: [clean, all]}
    undo: none
    why_no_undo: gone is gone
    timeout: 10s
workaround:
  wipe:
    - approve: Clean?
      from: ops
    - act: clean
      on_fail: hand_over
"""
GATE = "    - approve: Clean?\n      from: ops\n"
OTHER = BOOK.replace("runbook: web", "runbook: other")
SAFER = ("--format", "json")


@pytest.fixture
def both(place: Place) -> Place:
    """Write the runbook as it was, and without its approval; another that is new."""
    for folder in ("old", "new"):
        (place.folder / folder).mkdir()
    (place.folder / "old/web.yaml").write_text(BOOK)
    (place.folder / "new/web.yaml").write_text(BOOK.replace(GATE, ""))
    (place.folder / "new/other.yaml").write_text(OTHER)
    return place


TEXT = """\
other: 1 neutral
  neutral  runbook    a new runbook
                      new at new/other.yaml:1
web: 2 riskier, 3 safer
  riskier  approval   'clean' in workaround 'wipe': nobody is asked any more; it was \
only after a yes of 1 of ops
                      old/web.yaml:14 -> new/web.yaml:14
  riskier  proof      found: 'clean' has no undo: put an `approve` before it in the \
same list
                      new at new/web.yaml:14
  safer    time       -10m12s in total at worst: 0s, was 10m12s
                      old/web.yaml:1 -> new/web.yaml:1
  safer    time       -10m12s of silence at worst: 0s, was 10m12s
                      old/web.yaml:1 -> new/web.yaml:1
  safer    time       -10m12s to mitigated at worst: 0s, was 10m12s
                      old/web.yaml:1 -> new/web.yaml:1
in all: 2 riskier, 1 neutral, 3 safer
"""


def test_diff_of_folders_as_text(both: Place) -> None:
    """
    Each runbook with its changes, what is riskier first; 0 unless it is asked to fail.
    """
    code, out, err = both.runbook("diff", "old", "new")
    failed, again, _ = both.runbook("diff", "old", "new", "--fail-on", "riskier")

    assert (0, "") == (code, err)
    assert TEXT == out
    assert (1, out) == (failed, again)


def test_diff_of_files_for_programs(both: Place) -> None:
    """
    A file may have any name; every change has kind, weight, words and both places.
    """
    old = both.folder / "web-as-it-was.yaml"
    old.write_text(BOOK.replace("owner: ops", "owner: web"))
    new = both.folder / "web.yaml"
    new.write_text(BOOK.replace("severity: sev3", "severity: sev2"))
    words = "diff", old.name, new.name, "--format", "json", "--fail-on", "riskier"
    code, out, err = both.runbook(*words)

    assert (0, "") == (code, err)
    assert {
        "riskier": 0,
        "neutral": 2,
        "safer": 0,
        "changes": [
            {
                "runbook": "web",
                "kind": "severity",
                "weight": "neutral",
                "words": "sev2, was sev3",
                "old": {"file": "web-as-it-was.yaml", "line": 5},
                "new": {"file": "web.yaml", "line": 5},
            },
            {
                "runbook": "web",
                "kind": "owner",
                "weight": "neutral",
                "words": "owned by 'ops', was 'web': they are paged and take over",
                "old": {"file": "web-as-it-was.yaml", "line": 4},
                "new": {"file": "web.yaml", "line": 4},
            },
        ],
    } == json.loads(out)


def test_diff_reads_one_side_from_standard_input(both: Place) -> None:
    """
    `git show main:runbooks/web.yaml | runbook diff - runbooks/web.yaml`, as a comment.
    """
    text = BOOK.replace("timeout: 10s", "timeout: 10s\n    risk: high")
    done = subprocess.run(
        [sys.executable, "-m", "engine", "diff", "-", "old/web.yaml",
         "--format", "markdown"],
        input=text, capture_output=True, text=True, cwd=both.folder, check=False,
        env=both.environment(),
    )  # fmt: skip

    assert (
        0,
        (
            "<!-- runbook diff -->\n"
            "### Runbooks: 1 riskier\n"
            "\n"
            "**web**: 1 riskier\n"
            "\n"
            "| Riskier | what it means | before | now |\n"
            "|---|---|---|---|\n"
            "| action | 'clean' counts as low risk, was high | `stdin:12` | `old/web.yaml:7` |\n"
        ),
        "",
    ) == (done.returncode, done.stdout, done.stderr)


def test_diff_of_a_file_and_a_folder_is_of_that_runbook(both: Place) -> None:
    """
    What else the folder holds is neither new nor gone.
    """
    code, out, _ = both.runbook("diff", "new", "old/web.yaml", *SAFER)

    assert 0 == code
    assert {"web"} == {one["runbook"] for one in json.loads(out)["changes"]}


def test_diff_of_what_does_not_load_tells_its_problems(both: Place) -> None:
    """
    On either side: all problems at their places, nothing compared, and 1.
    """
    (both.folder / "old/web.yaml").write_text(BOOK.replace("owner:", "ownr:"))
    told = (
        "old/web.yaml:4:1: error[unknown-key]: unknown key 'ownr' in the file\n"
        "  Did you mean 'owner'?\n"
        "    ownr: ops\n"
        "    ^\n"
    )

    assert (1, "", told) == both.runbook("diff", "old", "new")


def test_diff_used_wrongly_is_2(both: Place) -> None:
    """
    Two sides from one input, or two folders without a runbook.
    """
    empty = Path(both.folder / "empty")
    empty.mkdir()

    assert [2, 2, 2] == [
        both.runbook("diff", *words)[0]
        for words in (("-", "-"), ("empty", "empty"), ("old",))
    ]
