"""Runbooks made wrong in one place each: what a tired author might do to a good one.

Six kinds of mistakes: an undo is dropped, branches are swapped, an approval is removed, a
target is widened, a time is removed, unknown counts as pass. Read by: test_mutants.
"""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final

Book = dict[str, Any]
Mutant = tuple[str, Book]
PHASES: Final = ("isolate", "diagnose", "workaround", "restore")
TIMES: Final = ("within", "timeout", "verify_within", "lock_wait")


def mutants(book: Book) -> Iterator[Mutant]:
    """Yield each wrong form of a runbook, with a name that says what and where."""
    for kind, make in KINDS.items():
        for where, mutant in make(book):
            yield f"{kind}: {where}", mutant


def _lists(book: Book) -> Iterator[tuple[str, list[Any]]]:
    """Yield every list of steps with the place where it stands."""
    for phase in PHASES:
        found = book.get(phase) or []
        named = found.items() if isinstance(found, dict) else [("", found)]
        for name, steps in named:
            yield from _inside(f"{phase}.{name}".rstrip("."), steps)


def _inside(place: str, steps: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    yield place, steps
    for number, step in enumerate(steps, 1):
        for key in ("all", "do"):
            if isinstance(step.get(key), list):
                yield from _inside(f"{place}/{number}.{key}", step[key])


def _without_steps(book: Book, verb: str) -> Iterator[Mutant]:
    for place, steps in _lists(book):
        for index, step in enumerate(steps):
            if verb in step:
                copy = deepcopy(book)
                del dict(_lists(copy))[place][index]
                yield f"{place}/{index + 1}", copy


def undo_dropped(book: Book) -> Iterator[Mutant]:
    """Yield the runbook without one `undo`: of an action, or as a step."""
    yield from _without_steps(book, "undo")
    for name, action in book.get("actions", {}).items():
        if "undo" in action:
            copy = deepcopy(book)
            del copy["actions"][name]["undo"]
            yield f"actions.{name}", copy


def branches_swapped(book: Book) -> Iterator[Mutant]:
    """Yield the runbook with the workarounds of two neighbouring causes swapped."""
    for place, steps in _lists(book):
        for index, step in enumerate(steps):
            causes = step.get("cause", [])
            for first in range(len(causes) - 1):
                copy = deepcopy(book)
                one, other = dict(_lists(copy))[place][index]["cause"][
                    first : first + 2
                ]
                ways = one.pop("workaround", None), other.pop("workaround", None)
                if ways[0] == ways[1]:
                    continue
                other |= {"workaround": ways[0]} if ways[0] else {}
                one |= {"workaround": ways[1]} if ways[1] else {}
                yield f"{place}/{index + 1}#{first}", copy


def approval_removed(book: Book) -> Iterator[Mutant]:
    """Yield the runbook without one of its gates."""
    yield from _without_steps(book, "approve")


def target_widened(book: Book) -> Iterator[Mutant]:
    """Yield the runbook with no limit of targets, or one `each` over everything."""
    if "targets" in book.get("limits", {}):
        copy = deepcopy(book)
        del copy["limits"]["targets"]
        yield "limits.targets", copy
    for place, steps in _lists(book):
        for index, step in enumerate(steps):
            if "each" in step:
                copy = deepcopy(book)
                dict(_lists(copy))[place][index]["each"] = "['*']"
                yield f"{place}/{index + 1}", copy
    for name, one in book.get("inputs", {}).items():
        if "pattern" in one:
            copy = deepcopy(book)
            del copy["inputs"][name]["pattern"]
            yield f"inputs.{name}", copy


def time_removed(book: Book) -> Iterator[Mutant]:
    """Yield the runbook without one of its times: the default counts then."""
    for place, steps in _lists(book):
        for index, step in enumerate(steps):
            if "within" in step:
                copy = deepcopy(book)
                del dict(_lists(copy))[place][index]["within"]
                yield f"{place}/{index + 1}.within", copy
    for part in ("checks", "actions"):
        for name, one in book.get(part, {}).items():
            for key in TIMES:
                if key in one:
                    copy = deepcopy(book)
                    del copy[part][name][key]
                    yield f"{part}.{name}.{key}", copy


def unknown_passes(book: Book) -> Iterator[Mutant]:
    """Yield the runbook with one condition for which unknown is as good as pass."""
    for place, steps in _lists(book):
        for index, step in enumerate(steps):
            for key, worse in _worse_keys(step):
                copy = deepcopy(book)
                dict(_lists(copy))[place][index][key] = worse
                yield f"{place}/{index + 1}.{key}", copy
            for number, cause in enumerate(step.get("cause", [])):
                if (worse := _worse(cause.get("when"))) is not None:
                    copy = deepcopy(book)
                    found = dict(_lists(copy))[place][index]["cause"][number]
                    found["when"] = worse
                    yield f"{place}/{index + 1}#{number}.when", copy
    for name, action in book.get("actions", {}).items():
        for key in CONDITIONS:
            if (worse := _worse(action.get(key))) is not None:
                copy = deepcopy(book)
                copy["actions"][name][key] = worse
                yield f"actions.{name}.{key}", copy


def _worse_keys(step: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the keys of a step that can be made to take unknown as true, and how."""
    for key in ("when", "while", "unless"):
        if (worse := _worse(step.get(key))) is not None:
            yield key, worse
    waits = step.get("wait_for")
    if isinstance(waits, str) and "." not in waits:
        yield "wait_for", f'checks["{waits}"].state != "fail"'
    if step.get("expect") == "pass" and "when" not in step:
        yield "on_unknown", "do"


def _worse(rule: Any) -> str | None:
    """Return a condition in which what cannot be told counts as true, or None."""
    if not isinstance(rule, str) or ".ok" not in rule:
        return None
    bad = re.sub(r"!checks\.([\w-]+)\.ok", r'checks.\1.state != "pass"', rule)
    worse = re.sub(r"checks\.([\w-]+)\.ok", r'checks.\1.state != "fail"', bad)
    return worse if worse != rule else None


CONDITIONS: Final = ("done_when", "guard", "verify", "undone_when", "undo_if")
KINDS: Final[dict[str, Callable[[Book], Iterator[Mutant]]]] = {
    "undo dropped": undo_dropped,
    "branches swapped": branches_swapped,
    "approval removed": approval_removed,
    "target widened": target_widened,
    "time removed": time_removed,
    "unknown passes": unknown_passes,
}
