"""Typed answers and retyped names: at a terminal, and from another one."""

import json
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
      ids: {type: list, of: integer, max: 2}
      note: string
      more: string
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
SOON = """
format: 1
runbook: soon
title: Asked and not answered
owner: ops
severity: sev3
isolate:
  - {ask: Anybody?, name: here, who: ops, within: 4s, fields: {note: string}}
restore: [{undo: all}]
"""
GATE = """
format: 1
runbook: gate
title: Nobody says yes
owner: ops
severity: sev3
actions:
  drop: {risk: high, command: {argv: [touch, dropped]}, leaves_nothing: true}
restore:
  - {approve: Drop it?, from: {group: ops}, retype: db-2, within: 4s}
  - {act: drop}
"""
ANSWERS = {
    "fixed": True, "hosts": 3, "load": 0.5, "where": "there", "ids": [1, 2],
    "note": "no = yes", "more": "",
}  # fmt: skip
TYPED = {**ANSWERS, "fixed": "true", "ids": "1,2"}


@pytest.fixture
def form(place: Place) -> Place:
    """Add the runbooks that ask."""
    asking = {"form": FORM, "both": BOTH, "soon": SOON, "gate": GATE}
    for name, text in asking.items():
        (place.folder / f"runbooks/{name}.yaml").write_text(text)
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
        for field, slip, expected, said in (
            ("fixed (true or false)", "perhaps", "true or false", "true"),
            ("hosts (integer)", "10", "a number of at most 9", "3"),
            ("hosts (integer)", "3.5", "a whole number such as 5", "3"),
            ("load (number)", "much", "a number such as 1.5", "0.5"),
            ("where (here or there)", "nowhere", "one of here, there", "there"),
            ("ids (list)", "1,x", "a list whose members are each a whole", "1,2"),
            ("ids (list)", "1,2,3", "a list with a length of at most 2", "1,2"),
        ):
            if not terminal.seen.endswith(f"{field}, or later: "):
                terminal.wait_for(f"{field}, or later: ")
            terminal.type(f"{slip}\n")
            terminal.wait_for(f"'{slip}' does not fit; expected {expected}")
            terminal.wait_for(f"{field}, or later: ")
            if slip not in ("10", "1,x"):  # these are tried once more
                terminal.type(f"{said}\n")
        terminal.wait_for("note (string), or later: ")
        terminal.type("no = yes\n")
        terminal.wait_for("more (string), or later: ")
        terminal.type('""\n')
        terminal.wait_for("approve, reject or later? ")
        run = json.loads(form.runbook("runs", "--json")[1])[0]["run"]
    finally:
        terminal.close()

    assert ANSWERS == given(form, run)


def test_an_empty_line_answers_nothing(form: Place) -> None:
    """
    Enter alone is told and asked again, for a text too; it neither approves nor rejects.
    """
    asked = Terminal(form, "run", "soon")
    gate = Terminal(form, "run", "gate")
    try:
        asked.wait_for("note (string), or later: ")
        asked.type("\n")
        asked.wait_for("nothing was typed, so nothing is answered")
        asked.wait_for("note (string), or later: ")
        gate.wait_for("approve, reject or later? ")
        gate.type("\n")
        gate.wait_for("'' is none of: approve, reject, later")
        gate.wait_for("approve, reject or later? ")
        gate.type("yes\n")
        gate.wait_for("type db-2 to approve: ")
        gate.type("\n")
        gate.wait_for("that is not the same; nothing was approved")
        gate.wait_for("approve, reject or later? ")
    finally:
        asked.close()
        gate.close()


@pytest.mark.parametrize("typed", ["", "\x04", "yes\n", "yes\n\x04"])
def test_silence_at_the_terminal_is_never_consent(form: Place, typed: str) -> None:
    """
    Nobody types, or stops halfway: the question expires, and the act is not done.
    """
    terminal = Terminal(form, "run", "gate")
    try:
        terminal.wait_for("approve, reject or later? ")
        terminal.type(typed)
        terminal.wait_for("ended as handed over")
        assert terminal.end() == 1
    finally:
        terminal.close()

    assert not (form.folder / "dropped").exists()


def test_an_answer_that_nobody_gives_hands_over(form: Place) -> None:
    """
    A question whose time is over is taken away, and the run goes to its owner.
    """
    terminal = Terminal(form, "run", "soon")
    try:
        terminal.wait_for("note (string), or later: ")
        terminal.wait_for("(no longer asked)")
        terminal.wait_for("ended as handed over")
        run = json.loads(form.runbook("runs", "--all", "--json")[1])[0]["run"]
    finally:
        terminal.close()

    assert {} == given(form, run)


def test_another_name_than_the_one_to_retype_approves_nothing(form: Place) -> None:
    """
    Only the exact name counts, at the terminal and with --type from another one.
    """
    terminal = Terminal(form, "run", "form")
    try:
        terminal.wait_for("fixed (true or false), or later: ")
        run = json.loads(form.runbook("runs", "--json")[1])[0]["run"]
        words = [f"{name}={value}" for name, value in TYPED.items()]
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


def test_what_is_to_be_typed_stands_in_the_command_that_is_shown(
    form: Place, until: Until
) -> None:
    """
    Whoever copies the command from a run that is followed has to add only a name.
    """
    line = until(form.begin("run", "gate"), "waits for ops")
    run = line.split()[0]

    assert f"[runbook approve {run} restore/1 --type db-2 --as NAME]" in line
