"""Locks in the world that two runs, or more, take in orders that cross.

The engine's own locks cannot: see locks. But an act may take one: an action with an
undo whose name, words or URL say that it is a lock, and it is held until it is given
back. A deadlock is possible where one run can hold lock X while it takes, or waits for,
lock Y, the next one holds Y and wants Z, and the last one holds what the last wants and
wants X; and no path of `limits.lock` keeps two of these runs apart. Every wait of a run
is bounded, so in the end all of them are handed over, holding.

The order: `isolate`, `diagnose`, one workaround list and those that it jumps to,
`restore`; side by side (`all`, a batch of `each` above 1) is both orders; an `undo`
ends the holding.

Called by: between.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple

from engine.analysis.between.effects import Effect, target_of
from engine.analysis.between.locks import apart
from engine.analysis.between.members import Member, holds, steps_of
from engine.analysis.between.naming import at_step, inputs_of
from engine.analysis.between.texts import (
    Open,
    Part,
    Same,
    Text,
    joined,
    segments,
    shown,
)
from engine.analysis.between.words import names_lock
from engine.language.problems import Problem
from engine.language.shape import Path
from engine.language.walk import Placed
from engine.model.kinds import Kinds
from engine.model.steps import ApproveStep, AskStep, EachStep, UndoStep, WaitForStep

MOST_RUNS: Final = 4  # in one circle
MOST_TARGETS: Final = 8  # of a list whose orders are compared
HINT: Final = (
    "Take them in one order everywhere, or give all the same path in `limits.lock`."
)


class Lock(NamedTuple):
    """A lock in the world, as one runbook names it."""

    action: str  # of the act that takes it; of a wait, the check
    target: Text
    member: Member
    path: Path


class Wants(NamedTuple):
    """A moment at which a run holds one lock and wants another."""

    holds: Lock
    wants: Lock
    waits: bool = False  # for the other to be free, by a `wait_for`


def crossings(
    done: Mapping[str, Sequence[Effect]], members: Sequence[Member], kinds: Kinds
) -> Iterator[Problem]:
    """Yield a problem for each circle of runs that can wait for each other.

    Args:
        done: What a run of each does, by name.
        members: The runbooks.
        kinds: What is known of each kind.
    """
    moments = [one for it in members for one in moments_of(it, done[it.name], kinds)]
    told: set[frozenset[str]] = set()
    for first in moments:
        for circle, sure in _circles([first], moments):
            names = frozenset(it.holds.member.name for it in circle)
            if names not in told:
                told.add(names)
                yield _problem(circle, sure=sure)


def moments_of(
    member: Member, effects: Sequence[Effect], kinds: Kinds
) -> Iterator[Wants]:
    """Yield each pair of locks of which a run can hold one while it wants the other."""
    found = [one for one in effects if not one.undo]
    takes = {one.path: _lock(one) for one in found if _is_lock(one, kinds)}
    waits = dict(_waits(member, [it.target for it in takes.values()]))
    if not takes:
        return
    for way in _ways(member):
        yield from _along(way, takes, waits)
    for placed in steps_of(member):
        if placed.path in takes and placed.each:
            yield from _one_after_another(placed, takes[placed.path], member)


def _along(
    way: list[Placed], takes: Mapping[Path, Lock], waits: Mapping[Path, Lock]
) -> Iterator[Wants]:
    held: list[tuple[Placed, Lock]] = []
    for placed in way:
        if isinstance(placed.step, UndoStep):
            name = placed.step.undo
            held = [it for it in held if name not in ("all", it[1].action)]
        if placed.path in waits:
            wanted = waits[placed.path]
            yield from (Wants(lock, wanted, waits=True) for _, lock in held)
        if placed.path not in takes:
            continue
        wanted = takes[placed.path]
        for other, lock in held:
            if lock.target != wanted.target:
                yield Wants(lock, wanted)
                if _side_by_side(other, placed):
                    yield Wants(wanted, lock)
        held.append((placed, wanted))


def _one_after_another(placed: Placed, lock: Lock, member: Member) -> Iterator[Wants]:
    """Yield the pairs of targets of one `each`, in each order they can be taken in."""
    step = next(
        (
            one.step
            for one in steps_of(member)
            if isinstance(one.step, EachStep)
            and one.path == placed.path[: len(one.path)]
        ),
        None,
    )
    free = [
        one for one in lock.target if isinstance(one, Open) and one.shown in placed.each
    ]
    if step is None or not free:
        return
    of: Sequence[Part] = free[0].choices[:MOST_TARGETS] or (
        free[0],
        free[0].another(),
    )
    for one, other in combinations(of, 2):
        first, second = (
            lock._replace(target=_put(lock.target, free[0], it)) for it in (one, other)
        )
        yield Wants(first, second)
        if step.batch != 1:
            yield Wants(second, first)


def _put(text: Text, what: Open, value: Part) -> Text:
    return joined([value if one == what else one for one in text])


def _is_lock(effect: Effect, kinds: Kinds) -> bool:
    action = effect.holder.runbook.actions[effect.action]
    words = [effect.action, *(key for key, _ in effect.target)]
    for _, text in effect.target:
        words += [
            part for one in segments(text) for part in one if isinstance(part, str)
        ]
    return holds(action, kinds) and any(names_lock(word) for word in words)


def _lock(effect: Effect) -> Lock:
    return Lock(effect.action, _one_text(effect.target), effect.member, effect.path)


def _one_text(target: tuple[tuple[str, Text], ...]) -> Text:
    """Return what is locked: the address, or the words, without the key of the kind."""
    made: list[Part] = []
    for _, text in target:
        made += [" ", *text] if made else text
    return joined(made)


def _waits(member: Member, own: list[Text]) -> Iterator[tuple[Path, Lock]]:
    """Yield what each `wait_for` looks at, where it is none of its own locks."""
    names = inputs_of(member)
    for placed in steps_of(member):
        if not isinstance(placed.step, WaitForStep):
            continue
        bound = at_step(placed, names, member)
        for name, check in member.runbook.checks.items():
            named = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
            if not re.search(named, placed.step.wait_for):
                continue
            here = f"{member.file} {placed.path} {name}"
            target, _ = target_of(check.kind, check.params, bound, here)
            text = _one_text(target)
            if text and text not in own:
                yield placed.path, Lock(name, text, member, placed.path)


def _ways(member: Member) -> Iterator[list[Placed]]:
    """Yield the ways through a runbook: one for each workaround, or the one without."""
    placed = steps_of(member)
    before = [it for it in placed if it.phase in ("confirm", "isolate", "diagnose")]
    after = [it for it in placed if it.phase == "restore"]
    for name in member.runbook.workaround or [""]:
        lists = list(_jumped(name, member, ())) if name else []
        middle = [it for one in lists for it in placed if it.group == one]
        yield [*before, *middle, *after]


def _jumped(name: str, member: Member, seen: tuple[str, ...]) -> Iterator[str]:
    """Yield a workaround and those that a step of it jumps to."""
    yield name
    for placed in steps_of(member):
        if placed.group != name:
            continue
        step = placed.step
        jumps = [step.on_fail]
        if isinstance(step, ApproveStep | AskStep):
            jumps.append(step.on_expire)
        if isinstance(step, ApproveStep):
            jumps.append(step.on_reject)
        for other in jumps:
            if other in member.runbook.workaround and other not in (name, *seen):
                yield from _jumped(str(other), member, (*seen, name))


def _side_by_side(one: Placed, other: Placed) -> bool:
    """Return whether two acts are members of one `all`."""
    if "all" not in one.path:
        return False
    block = one.path[: one.path.index("all")]
    return other.path[: len(block) + 1] == (*block, "all")


def _circles(
    circle: list[Wants], moments: Sequence[Wants]
) -> Iterator[tuple[list[Wants], bool]]:
    """Yield the circles that begin so, the short ones first, and if they are sure."""
    longer = []
    for one in moments:
        if any(one.holds.member.name == it.holds.member.name for it in circle):
            continue
        row = [*circle, one]
        if _meet(row, closed=False) is None:
            continue
        same = _meet(row, closed=True)
        if same is not None:
            yield row, same.sure
        elif len(row) < MOST_RUNS:
            longer.append(row)
    for row in longer:
        yield from _circles(row, moments)


def _meet(row: list[Wants], *, closed: bool) -> Same | None:
    """Return what has to be the same so that each wants what the next one holds.

    None: it cannot be, or a path of `limits.lock` keeps two of the runs apart.
    """
    same = Same()
    after = [*row[1:], row[0]] if closed else row[1:]
    for one, other in zip(row, after, strict=False):
        if not same.meets(one.wants.target, other.holds.target):
            return None
    runs = [one.holds.member for one in row]
    if any(apart(a, b, same) for a, b in combinations(runs, 2)):
        return None
    return same


def _problem(circle: list[Wants], *, sure: bool) -> Problem:
    first, *others = circle
    told = f"this one {_said(first)}"
    for one in others:
        at = one.holds.member.place(one.wants.path)
        told += f", '{one.holds.member.name}' {_said(one)} ({at})"
    certain = sure and not any(one.waits for one in circle)
    return first.holds.member.problem(
        first.wants.path,
        "deadlock",
        f"runs can wait for each other: {told}",
        HINT,
        "error" if certain else "warning",
    )


def _said(one: Wants) -> str:
    verb = "waits for" if one.waits else "takes"
    return f"holds {shown(one.holds.target)} and {verb} {shown(one.wants.target)}"
