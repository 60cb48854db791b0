"""Typed answers, retyped names and completion: at a terminal, and from another one."""

import json
import subprocess
import sys
from collections.abc import Callable
from subprocess import Popen

import pytest
from cli_place import Place
from test_cli_terminal import Terminal

Until = Callable[["Popen[str]", str], str]

FORM = """
format: 1
runbook: form
title: A form
owner: ops
severity: sev3
actions:
  drop:
    risk: high
    command: {argv: ['true']}
    undo: {command: {argv: ['true']}}
isolate:
  - ask: What is seen?
    name: seen
    who: ops
    within: 5m
    fields:
      fixed: boolean
      hosts: {type: integer, min: 1, max: 9}
      load: number
      where: {type: choice, of: [here, there]}
      note: string
  - {approve: Drop it?, from: {group: ops}, retype: db-2, within: 5m}
  - {act: drop}
restore: [{undo: all}]
"""
BOTH = """
format: 1
runbook: both
title: Two questions at once
owner: ops
severity: sev3
isolate:
  - all:
      - {ask: First?, name: first, who: ops, within: 5m, fields: {n: integer}}
      - {ask: Second?, name: second, who: ops, within: 5m, fields: {on: boolean}}
restore: [{undo: all}]
"""
ANSWERS = {"fixed": True, "hosts": 3, "load": 0.5, "where": "there", "note": "no = yes"}


@pytest.fixture
def form(place: Place) -> Place:
    """Add the two runbooks that ask."""
    (place.folder / "runbooks/form.yaml").write_text(FORM)
    (place.folder / "runbooks/both.yaml").write_text(BOTH)
    return place


def given(place: Place, run: str) -> dict[str, object]:
    """Return every answer that stands in the run's timeline."""
    entries = json.loads(place.runbook("timeline", run, "--format", "json")[1])
    events = [one["event"] for one in entries if one["event"]]
    return {
        name: value
        for event in events
        if event["type"] == "Answered"
        for name, value in event["answers"].items()
    }


def test_each_field_takes_its_own_type_and_nothing_else(form: Place) -> None:
    """
    A slip is named with what was expected and asked again; the types are kept.
    """
    terminal = Terminal(form, "run", "form")
    try:
        for field, slip, said in (
            ("fixed (true or false)", "perhaps", "yes"),
            ("hosts (integer)", "10", "3"),
            ("load (number)", "much", "0.5"),
            ("where (here or there)", "nowhere", "there"),
        ):
            terminal.wait_for(f"{field}, or later: ")
            terminal.type(f"{slip}\n")
            terminal.wait_for(f"'{slip}' does not fit; expected ")
            terminal.wait_for(f"{field}, or later: ")
            terminal.type(f"{'true' if said == 'yes' else said}\n")
        terminal.wait_for("note (string), or later: ")
        terminal.type("no = yes\n")
        terminal.wait_for("approve, reject or later? ")
        run = json.loads(form.runbook("runs", "--json")[1])[0]["run"]
    finally:
        terminal.close()

    assert ANSWERS == given(form, run)


def test_another_name_than_the_one_to_retype_approves_nothing(form: Place) -> None:
    """
    Only the exact name counts, at the terminal and with --type from another one.
    """
    terminal = Terminal(form, "run", "form")
    try:
        terminal.wait_for("fixed (true or false), or later: ")
        run = json.loads(form.runbook("runs", "--json")[1])[0]["run"]
        words = [f"{name}={value}" for name, value in ANSWERS.items()]
        assert 0 == form.runbook("answer", run, *words)[0]
        terminal.wait_for("approve, reject or later? ")
        terminal.type("approve\n")
        terminal.wait_for("type db-2 to approve: ")
        terminal.type("db-1\n")
        terminal.wait_for("that is not the same; nothing was approved")
        code, out, err = form.runbook("approve", run, "--type", "db-1")
        assert (True, 1) == ("db-2" in out + err, code), out + err
        terminal.wait_for("approve, reject or later? ")
        terminal.type("approve\n")
        terminal.wait_for("type db-2 to approve: ")
        terminal.type("db-2\n")
        terminal.wait_for("ended as resolved")
    finally:
        terminal.close()


def test_of_two_questions_the_one_that_is_named_is_answered(
    form: Place, until: Until
) -> None:
    """
    Unnamed both are listed; a wrong, missing or unknown field is named, none is guessed.
    """
    process = form.begin("run", "both")
    until(process, "waits for ops")
    run = until(process, "waits for ops").split()[0]
    _, _, which = form.runbook("answer", run, "n=1")
    _, _, wrong = form.runbook("answer", run, "first", "n=one", "m=2")
    one = form.runbook("answer", run, "first", "n=1")[0]
    two = form.runbook("answer", run, "on=false")[0]
    until(process, "ended as resolved")
    _, _, late = form.runbook("answer", run, "on=true")

    assert "asks more than one thing; name the step: 'first' (ask), 'second'" in which
    assert "'m' is not asked; it asks: n" in wrong
    assert "'n': 'one' does not fit; expected" in wrong
    assert (0, 0) == (one, two)
    assert f"run '{run}' has ended: resolved" in late
    assert {"n": 1, "on": False} == given(form, run)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_tab_completes_commands_runs_and_runbooks(
    form: Place, until: Until, shell: str
) -> None:
    """
    What a shell asks for is answered with the ids of runs and the names of runbooks.
    """
    process = form.begin("run", "both")
    run = until(process, "waits for ops").split()[0]

    def completed(*words: str) -> str:
        line = " ".join(("runbook", *words))
        asked = {
            "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words))},
            "zsh": {"_TYPER_COMPLETE_ARGS": line},
        }[shell]
        done = subprocess.run(
            [sys.executable, "-c", "from engine.entrypoints.cli import main; main()"],
            cwd=form.folder,
            env=form.environment() | asked | {"_RUNBOOK_COMPLETE": f"complete_{shell}"},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert "" == done.stderr
        return done.stdout

    assert run in completed("approve", "r-")
    assert run in completed("answer", "r-")
    assert run not in completed("approve", "x-")
    assert "approve" in completed("appr")
    assert "form" in completed("run", "fo")
