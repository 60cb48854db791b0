"""The command lines that people are told are taken by the command line as it is."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from engine.entrypoints.cli.app import build
from engine.entrypoints.cli.attending import _elsewhere
from engine.model.people import Question
from engine.model.run import RunSummary
from engine.views.message import answering_command
from tests.docs.blocks import blocks, commands

DOCS = Path(__file__).parents[2] / "docs"
GATE = Question("k1", "approve", "isolate[0]", "Take it?", name="take-it")
TYPED = Question("k2", "approve", "isolate[1]", "Drop it?", retype="the 'db 2'")
HAND = Question(
    "k3", "ask", "isolate[2]", "Seen?", fields={"fixed": "boolean", "note": "string"}
)
HAPPENED = Question(
    "k4", "happened", "isolate[3]", "Did it?", fields={"happened": "boolean"}
)
RUN = RunSummary(
    "r-1", "delay", "f", "Delay", "sev2", "waiting", "isolate", "", "live", 1.0, 2.0
)


def parsed(line: str) -> dict[str, Any]:
    """Return what the command line understands; it raises for what it does not."""
    program, name, *words = shlex.split(line)
    assert "runbook" == program
    top: Any = typer.main.get_command(build())
    with top.make_context("runbook", ["--server", "", name], resilient_parsing=True):
        return dict(top.commands[name].make_context(name, words).params)


@pytest.mark.parametrize(
    ("question", "understood"),
    [
        (GATE, {"step": "take-it", "typed": ""}),
        (TYPED, {"step": "isolate[1]", "typed": "the 'db 2'"}),
        (HAND, {"answers": ["isolate[2]", "fixed=…", "note=…"]}),
        (HAPPENED, {"answers": ["isolate[3]", "happened=…"]}),
    ],
    ids=lambda one: one.key if isinstance(one, Question) else "",
)
def test_what_answers_a_question_is_told_in_words_that_are_taken(
    question: Question, understood: dict[str, Any]
) -> None:
    """
    Step, word to retype and fields stand where the command looks for them.
    """
    line = answering_command("r-1", question, who="ana")

    assert {"run": "r-1", "as_": "ana"} | understood == parsed(line)


def test_a_terminal_that_is_not_asked_tells_the_same_command() -> None:
    """
    One wording for whoever is told that a run waits.
    """
    told = _elsewhere(RUN, GATE)

    assert f"[{answering_command('r-1', GATE)}]" == told.partition("  ")[2]


def _shown() -> list[str]:
    """Return every command for an answer that a page shows."""
    return sorted(
        {
            line
            for page in DOCS.rglob("*.md")
            for block in blocks(page)
            if block.language == "console"
            for line, _ in commands(block.text)
            if line.split()[1:2] and line.split()[1] in ("approve", "reject", "answer")
        }
    )


@pytest.mark.parametrize("line", _shown())
def test_answers_that_pages_show_are_taken(line: str) -> None:
    """
    What stands in the manual for an hour without chat is no guess.
    """
    assert parsed(line)["run"].startswith("r-")
