"""`replay --with`: what a changed runbook makes of a recorded run."""

import json
from pathlib import Path
from typing import Final

from cli_place import Place

from engine.analysis.replaying.history import read_history

ROOT: Final = Path(__file__).parents[2]
STALL: Final = ROOT / "tests/histories/0.1.0-consumer-stall.jsonl"
RUNBOOK: Final = "message-delivery-delay"
RECORDED: Final = read_history(STALL.read_bytes(), str(STALL))
RUN: Final = RECORDED.summary.run
TOLD: Final = """\
RUN of message-delivery-delay, with new.yaml (ff20b6d04f23)
8 of 22 decisions are the same; they part at +00:01 16:58:50 UTC
  then  entry 25: cause: too-few-consumers
        !checks.lag.ok && !checks.consumers.ok is true; the others are ruled out
  now   cause: not-found
        none of the others; the others are ruled out
What was seen later is not what this version would have seen.
From there it can end in these ways (26 states; the shortest of each):
  handed over, cause not-found
     1. hand: answer note: other, fixed: False
  resolved, cause not-found; does undo lock_pipeline
     1. hand: answer note: other, fixed: True
     2. wait_for delivery_p99: delivery_p99 passes
     3. wait_for delivery_p99: 4s are over (hold)
     4. undo all: pipeline_locked fails
     5. undo all: delivery_p99 passes
     6. wait_for delivery_p99: delivery_p99 passes
     7. wait_for delivery_p99: 4s are over (hold)
"""


def changed(place: Place, before: str, after: str) -> None:
    """Write the runbook of that run as new.yaml, with one edit."""
    text = json.loads(RECORDED.texts)["texts"][RUNBOOK]
    assert before in text
    (place.folder / "new.yaml").write_text(text.replace(before, after, 1))


def test_where_they_part_and_what_can_come_is_told(place: Place) -> None:
    """Another threshold finds another cause; from there every end is told."""
    changed(place, "pass: value < 25.0", "pass: value < 1000.0")

    assert (1, TOLD.replace("RUN", RUN), "") == place.runbook(
        "replay", str(STALL), "--with", "new.yaml"
    )


def test_the_same_decisions_are_no_parting(place: Place) -> None:
    """A change that matters to no decision is fine, for programs too."""
    changed(place, "title: Messages", "title: All messages")
    code, out, errors = place.runbook(
        "replay", str(STALL), "--with", "new.yaml", "--format", "json"
    )
    told = json.loads(out)

    assert (0, "") == (code, errors)
    assert {
        "run": RUN,
        "runbook": RUNBOOK,
        "revision": told["revision"],
        "with": "new.yaml",
        "with_revision": told["with_revision"],
        "decisions": 22,
        "same": 22,
        "parts": False,
        "problems": [],
        "then": None,
        "now": None,
        "unseen": [],
        "left_open": [],
        "branches": None,
    } == told
    assert told["revision"] != told["with_revision"]


def test_both_sides_are_there_for_programs(place: Place) -> None:
    """The entry that told it then, and the decision of now."""
    changed(place, "pass: value < 25.0", "pass: value < 1000.0")
    words = ("replay", str(STALL), "--with", "new.yaml", "--format", "json")
    code, out, errors = place.runbook(*words)
    told = json.loads(out)

    assert (1, "") == (code, errors)
    assert (8, 25, "too-few-consumers", None, "not-found") == (
        told["same"],
        told["then"]["entry"],
        told["then"]["subject"],
        told["now"]["entry"],
        told["now"]["subject"],
    )
    assert ["handed_over", "resolved"] == [
        one["end"] for one in told["branches"]["ends"]
    ]


def test_a_version_with_problems_is_refused(place: Place) -> None:
    """It is told at its place in that file, as `validate` does."""
    changed(place, "checks.rollout.ok", "checks.rolout.ok")
    told = (
        "new.yaml:139:37: error[expression]: 'checks.rolout.ok' is not declared. Did "
        "you mean checks.rollout.ok?\n"
        "          - {name: bad-rollout, when: '!checks.rolout.ok && "
        "!checks.delivery_p99.ok', workaround: roll-back}\n"
        "                                        ^\n"
    )

    assert (1, "", told) == place.runbook("replay", str(STALL), "--with", "new.yaml")


def test_another_runbook_is_refused(place: Place) -> None:
    """What happened to one says nothing of another."""
    code, out, errors = place.runbook(
        "replay", str(STALL), "--with", str(ROOT / "runbooks/media-saturation.yaml")
    )

    assert (1, "") == (code, out)
    assert "is called 'media-saturation', the file 'message-delivery-delay'" in errors
