"""What is left of a runbook without its wrong values, so that lint can say more.

Somebody who repairs a misspelt key should not learn only then of the misspelt check ten
lines below. What lint says of the rest is told, unless it may be a consequence of what
was taken out. The result is never run.

Read by: load.
"""

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from engine.language.problems import Problem
from engine.language.pydantic_problems import holds, located
from engine.language.shape import Path, file_keys
from engine.language.tree import Node, Tree
from engine.model.runbook import PHASES, Runbook
from engine.model.vocabulary import Input

ROUNDS: Final = 6  # taking out a required key takes out its owner in the next round
STAND_INS: Final = {
    "format": 1, "runbook": "x", "title": "x", "owner": "x", "severity": "sev5",
    "restore": [{"wait": "1s"}],
}  # fmt: skip
STEP: Final = {"wait": "1s"}
STEP_LISTS: Final = frozenset({"isolate", "diagnose", "restore", "all", "do"})
MEMBERS: Final[dict[str, dict[str, Any]]] = {  # of lists at the top, so none moves up
    "trigger": {"chat": {}},
    "raise": {"to": "sev1", "when": "false"},
    "stop_when": {"when": "false"},
    "tests": {"name": "x"},
    "always": {"never": "false"},
}
REQUIRED: Final[dict[str, Any]] = {  # keys that say little of what they stand in
    "from": [{"group": "x"}], "to": "sev1", "when": "false", "name": "x",
}  # fmt: skip
ANY_TYPE: Final = "choice"  # of an input: nothing is said of its values and uses
WAY_BACK: Final = frozenset({"undo", "leaves_nothing", "why_no_undo"})
OF_INPUT: Final = frozenset(file_keys(Input))
ABOUT_PAIRS: Final[dict[str, frozenset[str]]] = {  # a rule of keys side by side
    "pass": frozenset({"pass"}),
    "undo": WAY_BACK,
    "done-when": frozenset({"done_when", "after_crash"}),
    "input": OF_INPUT,
    "default": OF_INPUT,
    "cause": frozenset({"name", "when", "cause"}),
}
ABOUT_ENTRIES: Final = frozenset({"undo", "phase"})  # of the vocabulary, by name
ABOUT_NAMES: Final = frozenset(
    {"expression", "unbound-name", "always", "unknown-name", "unreached"}
)
VOCABULARY: Final = ("checks", "inputs", "actions", "impact", "workaround")
NAMELESS: Final = frozenset(  # sections that give no name to others
    {"title", "owner", "severity", "description", "links", "autonomy", "trigger",
     "limits", "raise", "stop_when", "chat", "tests", "always"}
)  # fmt: skip
QUOTED: Final = re.compile(r"'([^']*)'")
WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Left:
    """A runbook, without its wrong values where there were any."""

    runbook: Runbook
    removed: list[Path] = field(default_factory=list)
    late: list[Any] = field(
        default_factory=list
    )  # errors of rules over several keys, told only once each key reads


def what_is_left(raw: dict[str, Any], error: ValidationError) -> Left | None:
    """Return what is left, or None where no runbook can be made of it."""
    left, removed, late = copy.deepcopy(raw), list[Path](), list[Any]()
    for turn in range(ROUNDS):
        found = [(it, located(it["loc"], Runbook, left)) for it in error.errors()]
        late += [it for it, path in found if turn and _is_a_rule(it, path, removed)]
        paths = {path for it, path in found if not _filled(left, it, path)}
        if () in paths:
            left |= {key: it for key, it in STAND_INS.items() if key not in left}
        removed += [path for path in paths - {()} if _take_out(left, path)]
        try:
            runbook = Runbook.model_validate(left, by_alias=True, by_name=False)
        except ValidationError as again:
            error = again
        else:
            return Left(runbook, removed, late)
    return None


def _is_a_rule(error: Any, path: Path, removed: Sequence[Path]) -> bool:
    """Whether an error is of a whole from which nothing was taken out."""
    if error["type"] != "value_error":
        return False
    if path == ():
        return not any(one[0] in PHASES for one in removed)
    return not any(one[: len(path)] == path for one in removed)


def _filled(raw: dict[str, Any], error: Any, path: Path) -> bool:
    """Put in a required key that is missing, where any value is as good."""
    key = error["loc"][-1] if path else None
    if error["type"] != "missing" or key not in REQUIRED:
        return False
    owner: Any = raw
    for part in path:
        owner = owner[part]
    owner[key] = REQUIRED[key]
    return True


def _take_out(raw: dict[str, Any], path: Path) -> bool:
    """Take the value out, a whole list for a member that has no stand-in."""
    *way, last = path
    parent: Any = raw
    for part in way:
        if not holds(parent, part):
            return False  # gone with what it stood in
        parent = parent[part]
    if isinstance(parent, list):
        stand_in = _stand_in(raw, way)
        members: Any = parent
        if stand_in is None or members[last] == stand_in:
            return _take_out(raw, tuple(way))
        members[last] = stand_in
    elif way[:1] == ["inputs"] and last == "type":
        parent[last] = ANY_TYPE
    else:
        parent.pop(last, None)
    return True


def _stand_in(raw: dict[str, Any], way: list[str | int]) -> dict[str, Any] | None:
    """Return what may stand in the list for a member, or None."""
    if way == ["confirm"]:
        checks = raw.get("checks")
        return {"check": next(iter(checks))} if isinstance(checks, dict) else None
    if way[-1] in STEP_LISTS or (way[0] == "workaround" and len(way) == 2):
        return STEP
    return MEMBERS.get(str(way[0])) if len(way) == 1 else None


def not_a_consequence(
    found: Sequence[Problem],
    removed: Sequence[Path],
    dropped: Sequence[Any],
    tree: Tree,
) -> list[Problem]:
    """Return what lint found that would also be found in the repaired runbook.

    Held back: what stands where something was taken out and is about a pair of keys; a
    name that only what was taken out could have given.
    """
    lost = {word for path in removed for word in _lost(path, tree)}
    lost |= set(_words(list(dropped)))
    touched = {path[1] for path in removed if WAY_BACK & {*path[2:3]}}
    keys = frozenset[str]().union(*ABOUT_PAIRS.values())
    spans = [(path[-1], *_span(path, tree)) for path in removed if path[-1] in keys]
    return [
        it
        for it in found
        if not _is_about_a_pair(it, spans)
        and not (it.code in ABOUT_ENTRIES and touched & _quoted(it))
        and not (it.code in ABOUT_NAMES and lost & _quoted(it))
    ]


def _quoted(problem: Problem) -> set[str]:
    """Return the words that a message has in quotes: the names it is about."""
    return set(WORD.findall(" ".join(QUOTED.findall(problem.message))))


def _lost(path: Path, tree: Tree) -> Iterator[str]:
    """Yield every word that what was taken out may have given to others."""
    if path[0] in NAMELESS:
        return
    yield str(path[-1])
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


def _is_about_a_pair(
    problem: Problem, spans: Sequence[tuple[str | int, int, int]]
) -> bool:
    """Whether one of the keys that the problem is about was taken out."""
    keys = ABOUT_PAIRS.get(problem.code, frozenset())
    return any(
        key in keys and first <= problem.line <= last for key, first, last in spans
    )
