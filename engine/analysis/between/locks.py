"""Which runs keep each other apart, and the locks that a sub-runbook leaves out.

A run takes all paths of its `limits.lock` at once, all or none, before anything else
and while it holds nothing; a runbook that is run as a step takes none. So no two runs
wait for each other's paths, in whatever order they are written.

Called by: between, opposing, deadlocks.
"""

from collections.abc import Iterator, Mapping
from itertools import product

from engine.analysis.between.members import Inner, Member, inner_of, steps_of
from engine.analysis.between.naming import Names, at_step, inputs_of, inside, text_of
from engine.analysis.between.texts import Same, Text, segments, shown
from engine.language.problems import Problem
from engine.model.kinds import Kinds
from engine.model.steps import ActStep


def locks_of(member: Member, names: Names | None = None) -> list[Text]:
    """Return the paths that a run takes, in the order of the file."""
    known = inputs_of(member) if names is None else names
    return [
        text_of(path.strip("/"), known, f"{member.file} lock")
        for path in member.runbook.limits.lock
    ]


def apart(one: Member, other: Member, same: Same) -> bool:
    """Return whether two runs can never be at work at once, by what is the same."""
    return any(
        _above(a, b, same) or _above(b, a, same)
        for a, b in product(locks_of(one), locks_of(other))
    )


def _above(one: Text, other: Text, same: Same) -> bool:
    """Return whether a path is surely another one, or a parent of it."""
    mine, theirs = segments(one), segments(other)
    return len(mine) <= len(theirs) and all(
        same.is_same(a, b) for a, b in zip(mine, theirs, strict=False)
    )


def left_out(
    caller: Member, library: Mapping[str, Member], kinds: Kinds
) -> Iterator[Problem]:
    """Yield the locks of sub-runbooks that none of the caller's covers."""
    names = inputs_of(caller)
    own = locks_of(caller)
    placed = {one.path: one for one in steps_of(caller)}
    for inner in inner_of(caller, library):
        if not _acts(inner, library):
            continue
        given = inside(inner, at_step(placed[inner.path], names, caller))
        for index, path in enumerate(locks_of(inner.member, given)):
            if any(_above(mine, path, Same()) for mine in own):
                continue
            yield _uncovered(caller, inner, index, path)


def _uncovered(caller: Member, inner: Inner, index: int, path: Text) -> Problem:
    at = inner.member.place(("limits", "lock", index))
    told = (
        f"'{inner.member.name}' locks '{shown(path)}' ({at}) when it runs by itself; "
        "as a step it takes no lock, and none of this runbook covers that"
    )
    hint = "Add the path to `limits.lock` here: a run takes its locks in the beginning."
    return caller.problem((*inner.path, "run"), "lock-left-out", told, hint, "warning")


def _acts(inner: Inner, library: Mapping[str, Member]) -> bool:
    steps = steps_of(inner.member)
    return any(isinstance(one.step, ActStep) for one in steps) or any(
        one.member.name != inner.member.name and _acts(one, library)
        for one in inner_of(inner.member, library)
    )
