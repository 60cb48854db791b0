"""What is left of a runbook without its wrong values, so that lint can say more.

Somebody who repairs a misspelt key should not learn only then of the misspelt check ten
lines below. What lint says of the rest is told, unless it may be a consequence of what
was taken out. The result is never run.

Read by: load.
"""

import copy
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic import ValidationError

from engine.language.problems import Problem
from engine.language.pydantic_problems import holds, located
from engine.language.shape import Path
from engine.model.runbook import Runbook

ROUNDS: Final = 6  # taking out a required key takes out its owner in the next round
STAND_INS: Final = {
    "format": 1, "runbook": "x", "title": "x", "owner": "x", "severity": "sev5",
    "restore": [{"wait": "1s"}],
}  # fmt: skip
STEP_LISTS: Final = frozenset(
    {"isolate", "diagnose", "restore", "confirm", "all", "do"}
)
ABOUT_PAIRS: Final = frozenset(  # of keys, one of which may have been taken out
    {"pass", "undo", "done-when", "input", "default", "answer", "phase", "cause"}
)
ABOUT_NAMES: Final = frozenset({"expression", "unbound-name", "always", "gate"})
VOCABULARY: Final = ("checks", "inputs", "actions", "impact", "workaround")
QUOTED: Final = re.compile(r"'([^']*)'")


def what_is_left(
    raw: dict[str, Any], error: ValidationError
) -> tuple[Runbook | None, list[Path]]:
    """Return a runbook without the wrong values, and the paths that were taken out."""
    left, removed = copy.deepcopy(raw), list[Path]()
    for _ in range(ROUNDS):
        paths = {located(it["loc"], Runbook, left) for it in error.errors()}
        if () in paths:
            left |= {key: it for key, it in STAND_INS.items() if key not in left}
        removed += [path for path in paths - {()} if _take_out(left, path)]
        try:
            return Runbook.model_validate(left, by_alias=True, by_name=False), removed
        except ValidationError as again:
            error = again
    return None, removed


def _take_out(raw: dict[str, Any], path: Path) -> bool:
    """Take the value out, a whole list for a member that has no stand-in."""
    *way, last = path
    parent: Any = raw
    for part in way:
        if not holds(parent, part):
            return False  # gone with what it stood in
        parent = parent[part]
    if isinstance(parent, list):
        if not (way[-1] in STEP_LISTS or way[:1] == ["workaround"]):
            return _take_out(raw, tuple(way))
        members: Any = parent
        members[last] = {"wait": "1s"}
    else:
        parent.pop(last, None)
    return True


def not_a_consequence(
    found: Sequence[Problem], removed: Sequence[Path], tree_value: Any
) -> list[Problem]:
    """Return what lint found that would also be found in the repaired runbook."""
    whole = any(
        isinstance(path[-1], int) or (len(path) <= 2 and path[0] in VOCABULARY)
        for path in removed
    )
    words = set(_words(tree_value))
    return [
        it
        for it in found
        if it.code not in ABOUT_PAIRS
        and not (whole and it.code in ABOUT_NAMES)
        and not (it.code == "unknown-name" and set(QUOTED.findall(it.message)) & words)
    ]


def _words(value: Any) -> Iterator[str]:
    """Yield every key, and every value of `name` and `as`: what can be referred to."""
    if isinstance(value, list):
        for item in value:
            yield from _words(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            if key in ("name", "as") and isinstance(item, str):
                yield item
            yield from _words(item)
