"""Rehearsals shown: what was expected beside what happened, and the path.

Read by: rehearsals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree as ET

from engine.bootstrap.rehearsing import Show
from engine.model.values import format_duration
from engine.views.escape import visible

FIELDS: Final = ("end", "cause", "did", "undone", "held", "skipped", "asked", "within")
GREEN, RED, OFF = "\x1b[32m", "\x1b[31m", "\x1b[0m"


def as_text(shows: Sequence[Show], *, width: int, colour: bool) -> str:
    """Return one line for each rehearsal, a failure with all that explains it."""
    rows: list[str] = []
    for show in shows:
        rows.append(_headline(show, colour=colour))
        if show.problems:
            rows += _explained(show, width)
    failed = sum(bool(show.problems) for show in shows)
    count = f"{len(shows)} rehearsal" + ("" if len(shows) == 1 else "s")
    rows.append(f"{count}, {failed} failed")
    return "\n".join(rows)


def _headline(show: Show, *, colour: bool) -> str:
    word, paint = ("FAILED", RED) if show.problems else ("ok", GREEN)
    shown = f"{paint}{word:<6}{OFF}" if colour else f"{word:<6}"
    told = ""
    if show.rehearsed is not None and not show.problems:
        seen = show.rehearsed.seen
        cause = f", cause {seen.cause}" if seen.cause else ""
        told = f"  ({seen.end}{cause}, {_length(seen.seconds)})"
    return f"{shown}  {show.runbook}: {visible(show.name)}{told}"


def _explained(show: Show, width: int) -> list[str]:
    if show.rehearsed is None or not show.rehearsed.entries or show.expect is None:
        return [f"        {visible(problem)}" for problem in show.problems]
    pairs = side_by_side(show)
    left = max(len("expected"), *(len(one[1]) for one in pairs))
    left = min(left, max(20, (width - 26) // 2))
    rows = [f"          {'':<8} {'expected':<{left}}  what happened"]
    for name, wanted, seen, same in pairs:
        mark = " " if same else ">"
        rows.append(f"        {mark} {name:<8} {wanted:<{left}}  {seen}")
    path = " > ".join(show.rehearsed.seen.path) or "none"
    rows.append(f"          path     {path}")
    why = show.rehearsed.summary.why
    return rows + ([f"          why      {visible(why)}"] if why else [])


def side_by_side(show: Show) -> list[tuple[str, str, str, bool]]:
    """Return (field, expected, what happened, as expected) of what the test names."""
    assert show.rehearsed is not None
    assert show.expect is not None
    seen, rows = show.rehearsed.seen, []
    told = {problem.partition(":")[0] for problem in show.problems}
    actual: dict[str, Any] = {
        "within": seen.seconds,
        "asked": [names[0] for names in seen.asked],
    }
    for name in FIELDS:
        wanted = getattr(show.expect, name)
        if wanted is None and name not in ("end", "cause"):
            continue
        was = actual[name] if name in actual else getattr(seen, name)
        shown = _length(was) if name == "within" else _shown(was)
        rows.append((name, "" if wanted is None else _wanted(wanted), shown,
                     name not in told))  # fmt: skip
    return rows


def _wanted(wanted: Any) -> str:
    return (
        format_duration(wanted) if hasattr(wanted, "total_seconds") else _shown(wanted)
    )


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(visible(one) for one in value) + "]"
    return visible(value) or "none"


def _length(seconds: float) -> str:
    from datetime import timedelta

    return format_duration(timedelta(seconds=round(seconds, 3)))


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a JUnit report that is no test of a runbook."""

    runbook: str
    file: str
    name: str
    seconds: float
    problems: Sequence[str] = ()


def junit_xml(shows: Sequence[Show], more: Sequence[Case] = ()) -> bytes:
    """Return a JUnit report: one suite for each runbook.

    Times are virtual seconds for tests, real ones for what is more.
    """
    top = ET.Element("testsuites")
    found = [*(_case_of(show) for show in shows), *more]
    for name in dict.fromkeys(one.runbook for one in found):
        cases = [one for one in found if one.runbook == name]
        failed = sum(bool(one.problems) for one in cases)
        suite = ET.SubElement(
            top, "testsuite", name=name, tests=str(len(cases)), failures=str(failed)
        )
        for one in cases:
            case = ET.SubElement(
                suite, "testcase", classname=name, name=visible(one.name),
                file=one.file, time=f"{one.seconds:g}",
            )  # fmt: skip
            if one.problems:
                first = visible(one.problems[0])
                told = ET.SubElement(case, "failure", message=first)
                told.text = "\n".join(visible(row) for row in one.problems)
    ET.indent(top)
    made: bytes = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return made + b"\n"


def _case_of(show: Show) -> Case:
    seconds = show.rehearsed.seen.seconds if show.rehearsed else 0.0
    return Case(show.runbook, show.file, show.name, seconds, show.problems)
