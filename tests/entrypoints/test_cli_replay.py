"""`replay` on a recorded run: the same, or the first entry where it parts."""

import json
from pathlib import Path
from typing import Final

import msgspec
from cli_place import Place

from engine import __version__
from engine.analysis.replaying.history import History, history_lines, read_history
from engine.model.timeline import GENESIS, seal

HISTORIES: Final = Path(__file__).parents[1] / "histories"
STALL: Final = HISTORIES / "0.1.0-consumer-stall.jsonl"
KILLED: Final = HISTORIES / "0.1.0-killed.jsonl"
QUICK: Final = """
format: 1
runbook: quick
title: quick
owner: ops
severity: sev3
checks:
  up: {command: {argv: [test, -e, 'world/broken']}, pass: exit_code == 0}
actions:
  mark:
    command: {argv: [touch, 'world/mark']}
    undo: {command: {argv: [rm, -f, 'world/mark']}}
confirm: [{check: up, expect: pass}]
isolate: [{act: mark}]
"""
replace = msgspec.structs.replace


def history_of(file: Path) -> History:
    """Return a recorded run."""
    return read_history(file.read_bytes(), str(file))


def changed(history: History, seq: int, **fields: object) -> bytes:
    """Return a history with one entry as another engine had written it, chain whole."""
    prev, sealed = GENESIS, []
    for entry in history.entries:
        entry = replace(entry, prev_hash=GENESIS, hash="")
        if entry.seq == seq:
            entry = replace(entry, **fields)
        sealed.append(seal(entry, prev))
        prev = sealed[-1].hash
    return history_lines(replace(history, entries=sealed), __version__)


def test_a_run_of_the_journal_comes_out_the_same(place: Place) -> None:
    """What was run here is replayed from the journal, and from the file of it."""
    (place.folder / "runbooks/quick.yaml").write_text(QUICK)
    place.runbook("run", "quick")
    (run,) = json.loads(place.runbook("runs", "--all", "--json")[1])
    name = run["run"]
    written = place.runbook("timeline", name, "--format", "history", "-o", "x.jsonl")
    entries = len((place.folder / "x.jsonl").read_text().splitlines()) - 1
    told = json.loads(place.runbook("replay", name, "--format", "json")[1])

    assert (0, "", "written: x.jsonl\n") == written
    assert {
        "run": name,
        "runbook": "quick",
        "revision": run["revision"],
        "entries": entries,
        "events": told["events"],
        "same": entries,
        "parts": False,
        "why": "",
        "then": None,
        "now": None,
    } == told
    assert (
        0,
        (
            f"{name} of quick: {entries} entries from {told['events']} events, the same "
            "entry for entry\n"
        ),
        "",
    ) == place.runbook("replay", "x.jsonl")


def test_the_first_entry_that_parts_is_shown_with_both_sides(place: Place) -> None:
    """Another engine named another cause: both are told, and the exit code is 1."""
    history = history_of(STALL)
    (cause,) = (one for one in history.entries if one.kind == "cause")
    raw = changed(history, cause.seq, what="cause: full-moon", subject="full-moon")
    (place.folder / "other.jsonl").write_bytes(raw)
    run, at = history.summary.run, "+00:01 16:58:50"

    assert (
        1,
        (
            f"{run} of message-delivery-delay: 24 of 78 entries are the same; it parts at "
            f"entry 25, {at} UTC\n"
            "  then  kind     cause\n"
            "        what     cause: full-moon\n"
            "        subject  full-moon\n"
            "  now   kind     cause\n"
            "        what     cause: too-few-consumers\n"
            "        subject  too-few-consumers\n"
        ),
        "",
    ) == place.runbook("replay", "other.jsonl")


def test_an_entry_that_was_lost_is_refused(place: Place) -> None:
    """The chain of a file is looked at before anything is said of it."""
    rows = STALL.read_text().splitlines(keepends=True)
    (place.folder / "cut.jsonl").write_text("".join([*rows[:5], *rows[6:]]))

    assert (
        1,
        "",
        (
            "runbook: cut.jsonl:6: entry 5 is missing. Write it anew: runbook timeline RUN "
            "--format history -o FILE\n"
        ),
    ) == place.runbook("replay", "cut.jsonl")


def test_what_is_no_history_is_refused(place: Place) -> None:
    """Any other file gets a message that says what to do."""
    (place.folder / "runbooks/quick.yaml").write_text(QUICK)
    place.runbook("run", "quick")
    (place.folder / "no.jsonl").write_text("{}\n")
    rows = KILLED.read_text().splitlines(keepends=True)
    newer = rows[0].replace('"history":1', '"history":2')
    (place.folder / "new.jsonl").write_text("".join([newer, *rows[1:]]))
    (place.folder / "bad.jsonl").write_text("".join([rows[0], "{\n"]))
    again = "Write it anew: runbook timeline RUN --format history -o FILE"

    assert [
        (
            1,
            "",
            (
                "runbook: no.jsonl:1: this is no recorded run (Object missing required "
                f"field `history`). {again}\n"
            ),
        ),
        (
            1,
            "",
            (
                "runbook: new.jsonl:1: the form is 2, this engine reads 1; engine 0.1.0 "
                "wrote it\n"
            ),
        ),
        (
            1,
            "",
            (
                "runbook: bad.jsonl:2: this is no entry (Input data was truncated). "
                f"{again}\n"
            ),
        ),
        (1, "", "runbook: gone.jsonl cannot be read: No such file or directory\n"),
        (1, "", "runbook: no run 'r-none'. See `runbook runs --all`.\n"),
    ] == [
        place.runbook("replay", "no.jsonl"),
        place.runbook("replay", "new.jsonl"),
        place.runbook("replay", "bad.jsonl"),
        place.runbook("replay", "gone.jsonl"),
        place.runbook("replay", "r-none"),
    ]
