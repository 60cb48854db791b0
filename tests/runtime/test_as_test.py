"""A recorded run made into a test passes when it is rehearsed."""

from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from engine.adapters.memory_store import MemoryStore
from engine.analysis.replaying.history import History, read_history
from engine.bootstrap.replaying import made_test, rehearsed_in
from engine.config import load_config
from engine.model.runbook import Test
from engine.runtime.as_test import as_test
from engine.runtime.rehearsal import rehearse
from tests.analysis.proof.random_runbooks import scripts, texts
from tests.rehearsing import compiled, play

FILES: Final = sorted((Path(__file__).parents[1] / "histories").glob("*.jsonl"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_recorded_run_passes_as_a_test(file: Path) -> None:
    """Nothing is left out, and its rehearsal shows what the run showed."""
    config = load_config(None, environ={})
    history = read_history(file.read_bytes(), str(file))
    made = made_test(config, history)
    _, problems = rehearsed_in(config, history, made, None, "x.yaml")

    assert ([], []) == (made.left_out, problems)


def test_a_killed_run_is_told_whole() -> None:
    """Values, the crash in the middle of an act, answers of people, and the end."""
    (file,) = (one for one in FILES if one.stem == "0.1.0-killed")
    made = made_test(
        load_config(None, environ={}), read_history(file.read_bytes(), str(file))
    )

    assert {
        "name": "as r-2u33m9 on 2026-11-24 16:57:21 UTC",
        "checks": {
            "needed": [{"exit_code": 0}, {"exit_code": 0}, {"exit_code": 1}],
            "opened": [{"exit_code": 1}, {"exit_code": 0}],
            "count": [{"exit_code": 0, "stdout": "7\n"}],
        },
        "actions": {"open": ["lost"]},
        "people": [{"many": 3}, "approve"],
        "events": [{"at": "1s", "do": "crash"}],
        "expect": {
            "end": "resolved",
            "cause": "doors",
            "did": ["open", "close", "close", "close", "fix"],
            "undone": ["close", "close", "close", "open"],
            "held": [],
            "asked": 2,
        },
    } == made.test


SMALL: Final = """
checks: {a: {probe: {}, pass: value > 0}}
actions: {take: {do: {}, undo: {do: {}}}}
confirm: [{check: a}]
isolate: [{act: take}]
diagnose: [{ask: 'Well?', within: 5m, fields: {sure: boolean}}]
"""


def test_what_a_script_cannot_say_is_told() -> None:
    """An undo that failed has no place in a file; the test is made without it."""
    run = play(
        SMALL,
        {
            "checks": {"a": ["fail", "pass"]},
            "actions": {"undo take": ["fail"]},
            "people": [{"sure": True}],
        },
    )
    history = History(run.summary, "", run.entries)
    made = as_test(history, compiled(SMALL), MemoryStore())

    assert ["undo take: fail"] == made.left_out


def test_a_cancel_comes_when_it_came() -> None:
    """While people are asked, so long after the question."""
    events = [{"at": "3m", "do": "cancel"}]
    run = play(SMALL, {"checks": {"a": "fail"}, "events": events})
    history = History(run.summary, "", run.entries)
    made = as_test(history, compiled(SMALL), MemoryStore())

    assert (events, "cancelled") == (made.test["events"], made.test["expect"]["end"])


@settings(
    max_examples=25,
    derandomize=True,
    phases=[Phase.generate],  # what fails is small enough
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(text=texts(), script=scripts())
def test_any_run_passes_as_a_test(text: str, script: dict[str, Any]) -> None:
    """
    Unless it says itself what it left out, a test made of a run shows what that showed.
    """
    run, code = play(text, script), compiled(text)
    made = as_test(History(run.summary, "", run.entries), code, MemoryStore())
    again = rehearse(code, Test.model_validate(made.test), MemoryStore())

    assert [] == again.problems or made.left_out
