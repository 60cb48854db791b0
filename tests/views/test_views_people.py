"""What people read while it happens: the runbook's page, questions, the live view."""

import msgspec
import pytest
import views_story as story
from views_golden import golden
from views_machine import machine
from views_runbook import full

from engine.model.people import Question
from engine.model.steps import VERBS, Step
from engine.views.message import question_text
from engine.views.page import runbook_text
from engine.views.terminal import progress_line, status_lines
from engine.views.wording import inner_steps


def steps_within(steps: list[Step]) -> list[Step]:
    """Return the steps with those inside them."""
    return [one for step in steps for one in (step, *steps_within(inner_steps(step)))]


def test_a_page_says_every_verb_in_plain_words() -> None:
    """
    Who, when, limits, and each step with its way back, risk, gate and failure.
    """
    runbook = full()
    lists = [runbook.confirm, runbook.isolate, runbook.diagnose,
             *runbook.workaround.values(), runbook.restore or []]  # fmt: skip
    used = {type(one) for steps in lists for one in steps_within(list(steps))}

    assert runbook_text(runbook, machine()) == golden("page.txt")
    assert [verb for verb, kind in VERBS.items()
            if not any(issubclass(one, kind) for one in used)] == []  # fmt: skip


def test_a_page_without_restore_tells_what_happens_instead() -> None:
    """
    Nothing that the engine does by itself is left unsaid.
    """
    lines = runbook_text(story.runbook(), machine()).splitlines()

    assert lines[lines.index("Restore") + 1] == (
        "  as confirm looks, then give back everything held, newest first, looking after"
        " each"
    )


def test_f95_the_default_of_a_secret_input_is_not_on_the_page() -> None:
    """
    A secret is never shown, also not where a runbook gives it a default.
    """
    inputs = {"token": {"type": "string", "default": "hunter2", "secret": True}}

    assert "hunter2" not in runbook_text(story.runbook(inputs=inputs), machine())


def test_a_question_shows_everything_the_answer_is_bound_to() -> None:
    """
    Targets, commands, the way back, values before, evidence, plan, revision, time.
    """
    text = question_text(story.question(), until=story.START + 633)

    assert text == golden("question.txt")


def test_a_question_asked_again_says_what_differs() -> None:
    """
    Whoever said yes before sees what is no longer as it was.
    """
    again = msgspec.structs.replace(
        story.question(), changed="lag was fail, is pass", round=1, plan=None,
        retype=None, not_by=(), worst_case_seconds=150.0,
    )  # fmt: skip

    assert question_text(again) == (
        "Roll the router back in eu-west?\n"
        "Changed since it was approved: lag was fail, is pass\n"
        "Asked: 1 of messaging-oncall and 1 of incident-commanders, escalation 1\n"
        "Within: 10 min from asking; silence is no consent\n"
        "After a yes it takes at most 2 min 30 s.\n"
        "Answer approve or reject.\n"
    )


def test_a_question_for_typed_answers_lists_its_fields() -> None:
    """
    Each field has its name, its type and its choices.
    """
    fields = {
        "fixed": {"type": "boolean"},
        "how": {"type": "choice", "of": ["restart", "move"]},
        "note": "string",
    }
    asked = Question("k", "ask", "s", "What was done?", (("oncall", 1),),
                     within_seconds=900.0, fields=fields)  # fmt: skip

    assert question_text(asked) == (
        "What was done?\n"
        "Asked: 1 of oncall\n"
        "Within: 15 min from asking; silence is no consent\n"
        "Fields:\n"
        "  fixed: boolean\n"
        '  how: choice, one of ["restart", "move"]\n'
        "  note: string\n"
        "Answer with the fields above.\n"
    )


def test_the_live_view_shows_what_a_person_needs_now() -> None:
    """
    Title, state, phase and step, cause, held, who is asked and how long, evidence.
    """
    entries = story.middle(story.beginning()).entries()[:-4]
    summary = story.summary(
        "waiting", held=(story.held_lane(),), questions=(story.question(),),
        phase="workaround", why="waits for people",
    )  # fmt: skip
    lines = status_lines(summary, entries, story.START + 200, width=84)

    assert lines == [
        "Messages arrive late in eu-west  [sev1]",
        "run r-7f3  waiting for people  for 3 min 20 s",
        "phase: workaround  step: workaround.roll-back/1",
        "cause: bad-rollout",
        "why: waits for people",
        "held: open_quarantine_lane for 3 min 16 s",
        "? 7 min 13 s left: Roll the router back in eu-west?  1 of messaging-oncall and 1 of…",
        "seen 02:10:22: lag fail, value < 10000.0: 51000",
        "seen 02:10:22: rollout fail, json.age_minutes > 60.0: 9",
    ]


def test_the_live_view_of_a_run_that_is_over_says_who_has_what() -> None:
    """
    A rehearsal is marked, a stuck undo is loud, many held things are counted.
    """
    held = (story.held_lane(stuck=True), *[story.held_lane()] * 6)
    summary = msgspec.structs.replace(
        story.handed_summary(), held=held, taken_by="may", why="", phase=""
    )
    lines = status_lines(summary, [], story.START + 64, width=10)

    assert lines == [
        "[REHEARSAL] Messages arrive late in eu-…",
        "run r-7f3  handed over, taken by may  a…",
        "held: open_quarantine_lane for 1 min  I…",
        *["      open_quarantine_lane for 1 min"] * 4,
        "      and 2 more",
    ]


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (story.START + 632, "? 1 s left: Roll the router back in eu-west?"),
        (story.START + 633, "? time is over: Roll the router back in eu-west?"),
    ],
)
def test_a_question_out_of_time_says_so(now: float, told: str) -> None:
    """
    No negative time: the last second, then that it is over.
    """
    entries = story.middle(story.beginning()).entries()
    summary = story.summary(
        "waiting", questions=(story.question(),), cause="", phase=""
    )
    asked = [
        one for one in status_lines(summary, entries, now, width=200) if one[0] == "?"
    ]

    assert asked == [told + "  1 of messaging-oncall and 1 of incident-commanders"]


def test_progress_is_a_line_for_what_happens_and_none_for_bookkeeping() -> None:
    """
    Phases, acts, people, failures and the end; no looks, timers or told events.
    """
    lines = [progress_line(entry) for entry in story.handed_over()]

    assert [line for line in lines if line is not None] == [
        "+00:00 02:10:00 run started by alertmanager",
        "+00:00 02:10:00 phase confirm",
        "+00:01 02:10:01 phase isolate",
        "+00:04 02:10:04 about to do open_quarantine_lane",
        "+00:06 02:10:06 did open_quarantine_lane (HTTP 201 in 1.8 s)",
        (
            "+00:20 02:10:20 guard of add_consumers refused on h3 (guard: checks.room.ok is"
            " false)"
        ),
        "+00:21 02:10:21 act add_consumers skipped (checks.lag.ok is false)",
        "+00:30 02:10:30 asked messaging-oncall: What was done by hand? (within 900s)",
        "+01:30 02:11:30 may answered note=moved the leader, fixed=False",
        (
            "+02:00 02:12:00 the undo of open_quarantine_lane failed: HTTP 500 (messaging is"
            " paged as sev1)"
        ),
        "+02:10 02:12:10 ended: handed_over (not fixed by hand)",
    ]
