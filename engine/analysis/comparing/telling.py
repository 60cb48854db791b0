"""Changes as text, as values for programs, and as a comment in Markdown.

Pure. Called by the command `diff`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from engine.analysis.comparing.changes import WEIGHTS, Change, Place
from engine.views.escape import code, markdown, visible

MARK: Final = "<!-- runbook diff -->"  # by which a comment is found again
NOBODY: Final = "@<!-- -->"  # a name in a runbook calls nobody to a comment
TITLES: Final = {"riskier": "Riskier", "neutral": "Neither", "safer": "Safer"}


def counted(changes: Sequence[Change]) -> str:
    """Return how many changes there are of each weight: `2 riskier, 1 safer`."""
    many = {name: sum(one.weight == name for one in changes) for name in WEIGHTS}
    told = [f"{count} {name}" for name, count in many.items() if count]
    return ", ".join(told) or "nothing changed"


def as_text(changes: Sequence[Change]) -> list[str]:
    """Return the lines for people: each runbook, its changes, what is riskier first."""
    rows: list[str] = []
    for name, own in _by_runbook(changes):
        rows += [f"{name}: {counted(own)}"]
        for one in own:
            rows.append(f"  {one.weight:<8} {one.kind:<10} {visible(one.words)}")
            rows.append(f"  {'':<19} {_where(one)}")
    return [*rows, f"in all: {counted(changes)}"]


def as_object(changes: Sequence[Change]) -> dict[str, Any]:
    """Return the changes for programs, with the count of each weight."""
    return {
        "riskier": sum(one.weight == "riskier" for one in changes),
        "neutral": sum(one.weight == "neutral" for one in changes),
        "safer": sum(one.weight == "safer" for one in changes),
        "changes": [
            {
                "runbook": one.runbook,
                "kind": one.kind,
                "weight": one.weight,
                "words": one.words,
                "old": _place(one.old),
                "new": _place(one.new),
            }
            for one in changes
        ],
    }


def as_markdown(changes: Sequence[Change]) -> list[str]:
    """Return a comment for a pull request; it begins with MARK."""
    rows = [MARK, f"### Runbooks: {counted(changes)}"]
    for name, own in _by_runbook(changes):
        rows += ["", f"**{markdown(name)}**: {counted(own)}"]
        for weight in WEIGHTS:
            some = [one for one in own if one.weight == weight]
            if not some:
                continue
            rows += ["", f"| {TITLES[weight]} | what it means | before | now |"]
            rows += ["|---|---|---|---|"]
            rows += [_row(one) for one in some]
    return rows


def _row(one: Change) -> str:
    words = re.sub(r"@(?=\w)", NOBODY, markdown(one.words))
    cells = one.kind, words, _cell(one.old), _cell(one.new)
    return f"| {' | '.join(map(str, cells))} |"


def _cell(place: Place | None) -> str:
    return "" if place is None else str(code(str(place)))


def _by_runbook(changes: Sequence[Change]) -> Iterator[tuple[str, list[Change]]]:
    for name in dict.fromkeys(one.runbook for one in changes):
        yield name, [one for one in changes if one.runbook == name]


def _where(one: Change) -> str:
    if one.old is None:
        return f"new at {one.new}"
    if one.new is None:
        return f"was at {one.old}"
    return f"{one.old} -> {one.new}"


def _place(place: Place | None) -> dict[str, Any] | None:
    return None if place is None else {"file": place.file, "line": place.line}
