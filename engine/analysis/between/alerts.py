"""Alerts that start two runbooks of one severity: only the names decide which runs.

The intake takes the runbook of the worse severity; of one severity the first by name.
Two triggers fit one alert where they share a source and no label that both name
contradicts: a label that only one names may come along.

Called by: between.
"""

from collections.abc import Iterator
from typing import Any

from engine.analysis.between.members import Member
from engine.core.intake import labels_fit
from engine.language.problems import Problem
from engine.model.runbook import AlertMatch


def same_alert(one: Member, other: Member) -> Iterator[Problem]:
    """Yield a problem where an alert can start both, and nothing but names decides."""
    if one.runbook.severity != other.runbook.severity:
        return
    first, second = sorted((one, other), key=lambda member: member.name)
    for index, mine in enumerate(one.runbook.trigger):
        for number, theirs in enumerate(other.runbook.trigger):
            if mine.alert is None or theirs.alert is None:
                continue
            if not both_fit(mine.alert, theirs.alert):
                continue
            yield one.problem(
                ("trigger", index, "alert"),
                "same-alert",
                f"an alert with {_labels(mine.alert, theirs.alert)} fits "
                f"'{other.name}' too ({other.place(('trigger', number, 'alert'))}); "
                f"both are {one.runbook.severity}, so '{first.name}' runs and "
                f"'{second.name}' does not, by their names alone",
                "Give the one that is to run a worse `severity`, or tell them apart by "
                "a label.",
                "warning",
            )
            return


def both_fit(one: AlertMatch, other: AlertMatch) -> bool:
    """Return whether there can be an alert that fits both triggers."""
    if not set(_sources(one)) & set(_sources(other)):
        return False
    shared = one.match.keys() & other.match.keys()
    return all(_agree(one.match[label], other.match[label]) for label in shared)


def _agree(one: Any, other: Any) -> bool:
    """Return whether a label can be what both want; two patterns are not compared."""
    mine, theirs = _wanted(one), _wanted(other)
    return any(_both(a, b) for a in mine for b in theirs)


def _both(one: Any, other: Any) -> bool:
    if _is_pattern(one) and _is_pattern(other):
        return True
    if _is_pattern(one):
        return _both(other, one)
    return labels_fit({"": other}, {"": _value(one)})


def _wanted(wanted: Any) -> list[Any]:
    return wanted if isinstance(wanted, list) else [wanted]


def _is_pattern(wanted: Any) -> bool:
    return (
        isinstance(wanted, str) and len(wanted) > 1 and wanted[0] == wanted[-1] == "/"
    )


def _value(wanted: Any) -> str:
    if isinstance(wanted, bool):
        return str(wanted).lower()
    return wanted if isinstance(wanted, str) else f"{wanted:g}"


def _sources(trigger: AlertMatch) -> list[str]:
    return [trigger.source] if isinstance(trigger.source, str) else trigger.source


def _labels(one: AlertMatch, other: AlertMatch) -> str:
    """Return labels that fit both, as words."""
    found = []
    for label in sorted({**one.match, **other.match}):
        wanted = [_wanted(it.match[label]) for it in (one, other) if label in it.match]
        options = wanted[0]
        if len(wanted) > 1:
            options = [
                b if _is_pattern(a) else a
                for a in wanted[0] for b in wanted[1] if _both(a, b)
            ]  # fmt: skip
        found.append(f"{label} {_value(options[0])}")
    return ", ".join(found) or f"any labels from {_sources(one)[0]}"
