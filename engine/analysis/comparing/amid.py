"""What is wrong between the runbooks of one side, and was not between the other's.

Held against each other by what is said, the places left out: a folder may be another.
Called by: runtime.comparing, for folders.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from engine.analysis.between import Member, between
from engine.analysis.comparing.changes import Change, Place
from engine.analysis.comparing.sides import Side
from engine.language.problems import Problem

PLACE: Final = re.compile(r" ?\([^()\s]+:\d+:\d+\)")


def between_changed(
    old: Mapping[str, Side], new: Mapping[str, Side]
) -> Iterator[Change]:
    """Yield what is wrong between runbooks now, and what no longer is."""
    before, after = _found(old), _found(new)
    for key, one in before.items():
        if key not in after:
            told = f"no longer found: {one.message}"
            yield Change(key[0], "between", "safer", told, _place(one), None)
    for key, one in after.items():
        if key not in before:
            told = f"found: {one.message}"
            yield Change(key[0], "between", "riskier", told, None, _place(one))


def _found(sides: Mapping[str, Side]) -> dict[tuple[str, str, str], Problem]:
    members = {
        name: Member(side.file, side.runbook, side.tree) for name, side in sides.items()
    }
    if not sides:
        return {}
    kinds = next(iter(sides.values())).compiled.kinds
    names = {one.file: name for name, one in members.items()}
    return {
        (names[one.file], one.code, PLACE.sub("", one.message)): one
        for one in between(list(members.values()), members, kinds)
    }


def _place(problem: Problem) -> Place:
    return Place(problem.file, problem.line)
