"""How ready a runbook is: which reason gives which word."""

from typing import Any

import pytest

from engine.analysis.readiness import Known, readiness
from engine.model.health import Rehearsal
from engine.model.run import RunSummary

NOW = 1_764_000_000.0
DAY = 86_400.0
REHEARSED = Rehearsal(NOW - DAY, "a1", 3, 0)


def known(**more: Any) -> Known:
    """Return a runbook that is ready, but for what is given."""
    plain: dict[str, Any] = {
        "tests": 3, "revision": "a1", "rehearsed": REHEARSED, "fresh_seconds": 30 * DAY,
    }  # fmt: skip
    return Known("flag", NOW, **(plain | more))


def run(state: str, days: float, why: str = "") -> RunSummary:
    """Return a run that ended so many days ago."""
    at = NOW - days * DAY
    return RunSummary(
        "r-1", "flag", "b", "x", "sev3", state, "", "", "live", at, at, at, why  # type: ignore[arg-type]
    )  # fmt: skip


CASES: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "all is there": ({}, "ready", []),
    "problems": (
        {"broken": "the file has problems", "tests": 0}, "not ready",
        ["the file has problems"],
    ),
    "an empty group": (
        {"empty_groups": ["ops"]}, "not ready", ["group 'ops' has no member"],
    ),
    "a secret": ({"no_value": ["key"]}, "not ready", ["secret 'key' has no value"]),
    "a program": (
        {"no_program": ["kubectl"]}, "not ready", ["program 'kubectl' is not installed"],
    ),
    "a target": (
        {"unreached": {"target a:80": "no answer within 3s"}}, "not ready",
        ["target a:80: no answer within 3s"],
    ),
    "failed rehearsals": (
        {"rehearsed": Rehearsal(NOW, "a1", 3, 1)}, "not ready",
        ["1 of 3 rehearsals failed"],
    ),
    "failed before it was changed": (
        {"rehearsed": Rehearsal(NOW, "a0", 3, 1)}, "doubtful",
        ["it was neither rehearsed nor run since it was changed"],
    ),
    "nobody is there that is only looked for": (
        {"refused": ["target a:80"]}, "doubtful", ["target a:80 refuses connections"],
    ),
    "no tests": (
        {"tests": 0, "rehearsed": None}, "doubtful",
        ["it has no rehearsals", "it was neither rehearsed nor run"],
    ),
    "no pin": (
        {"unpinned": "autonomy: auto is not pinned"}, "doubtful",
        ["autonomy: auto is not pinned"],
    ),
    "long ago": (
        {"rehearsed": Rehearsal(NOW - 40 * DAY, "a1", 3, 0)}, "doubtful",
        ["rehearsed or run 40 d ago, more than 30 d"],
    ),
    "a run counts": (
        {"rehearsed": None, "last_run": run("resolved", 2.0)}, "ready", [],
    ),
    "its last run was handed over": (
        {"last_run": run("handed_over", 2.0, "the target set is empty")}, "doubtful",
        ["its last run r-1 was handed over: the target set is empty"],
    ),
    "the worst comes first": (
        {"unpinned": "not pinned", "no_value": ["key"]}, "not ready",
        ["secret 'key' has no value", "not pinned"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_grade_has_its_reasons(case: str) -> None:
    """
    One bad reason is enough; every reason is told, the worst first.
    """
    more, grade, reasons = CASES[case]
    found = readiness(known(**more))

    assert ("flag", grade, tuple(reasons)) == (
        found.runbook, found.grade, found.reasons,
    )  # fmt: skip


def test_g20_what_was_tried_too_long_ago_is_overdue() -> None:
    """
    The last rehearsal or run decides; of what was never tried nothing is too old.
    """
    old = Rehearsal(NOW - 31 * DAY, "a1", 3, 0)
    told = [
        readiness(known(rehearsed=old)).overdue,
        readiness(known(rehearsed=old, last_run=run("resolved", 2.0))).overdue,
        readiness(known(rehearsed=None)).overdue,
        readiness(known(rehearsed=old, broken="the file has problems")).overdue,
        readiness(known(rehearsed=Rehearsal(NOW, "a0", 3, 0))).overdue,
        readiness(known(rehearsed=Rehearsal(NOW, "a1", 3, 1))).overdue,
    ]

    why = "rehearsed or run 31 d ago, more than 30 d"
    changed = "it was neither rehearsed nor run since it was changed"
    assert [why, "", "", why, changed, "its last rehearsal failed"] == told
