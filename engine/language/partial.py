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
from engine.language.tree import Node, Tree
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
ABOUT_STEPS: Final = frozenset({"gate"})
ABOUT_NAMES: Final = frozenset(
    {"expression", "unbound-name", "always", "unknown-name", "unreached"}
)
VOCABULARY: Final = ("checks", "inputs", "actions", "impact", "workaround")
QUOTED: Final = re.compile(r"'([^']*)'")
WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


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
    found: Sequence[Problem], removed: Sequence[Path], tree: Tree
) -> list[Problem]:
    """Return what lint found that would also be found in the repaired runbook.

    Held back: what stands where something was taken out and is about a pair of keys; a
    name that only what was taken out could have given; a gate, where a step is missing.
    """
    lost = {word for path in removed for word in _lost(path, tree)}
    spans = [_span(path, tree) for path in removed]
    stepless = any(isinstance(path[-1], int) for path in removed)
    return [
        it
        for it in found
        if not (it.code in ABOUT_PAIRS and _inside(it.line, spans))
        and not (it.code in ABOUT_STEPS and stepless)
        and not (it.code in ABOUT_NAMES and lost & set(WORD.findall(_told(it))))
    ]


def _told(problem: Problem) -> str:
    """Return where a name stands that may be lost: in quotes, or in a condition."""
    quoted = " ".join(QUOTED.findall(problem.message))
    return quoted if problem.code != "expression" else f"{quoted} {problem.source_line}"


def _lost(path: Path, tree: Tree) -> Iterator[str]:
    """Yield every word that what was taken out may have given to others."""
    yield from (str(part) for part in path[:3] if isinstance(part, str))
    yield from _words(tree.at(path))
    for length in range(1, len(path)):  # the step or entry it belonged to
        owner = tree.at(path[:length])
        if isinstance(owner, dict) and isinstance(path[length - 1], int):
            yield from _words({key: owner.get(key) for key in ("name", "as")})


def _words(value: Any) -> Iterator[str]:
    """Yield every key and every text: a name, or what leads to one."""
    if isinstance(value, list):
        for item in value:
            yield from _words(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            if isinstance(item, str):
                yield item
            yield from _words(item)


def _span(path: Path, tree: Tree) -> tuple[int, int]:
    """Return the first and last line of what a removed value belonged to."""
    owner = path[:2] if path[0] in VOCABULARY and path[0] != "workaround" else path[:-1]
    if not owner:
        return (0, 0)
    node = tree.nearest(owner)
    return tree.position(owner, key=True).line, _last_line(node)


def _last_line(node: Node) -> int:
    return max([node.place.line, *(_last_line(one) for one in node.children.values())])


def _inside(line: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(first <= line <= last for first, last in spans)
