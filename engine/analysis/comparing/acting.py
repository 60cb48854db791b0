"""The acts of each branch: who has to say yes, how many targets, under what conditions.

An act is known by where it stands: its phase or workaround, its action, and which of
several of that action it is. What its gate asks is what stands before it in its list,
or around it; a gate under a condition of its own, or with `unless`, is one that may
open without people.

Called by: comparing.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from engine.analysis.bounds import most_targets
from engine.analysis.comparing.changes import Change, Weight, less, more
from engine.analysis.comparing.conditions import compared
from engine.analysis.comparing.sides import Pair, Side, by_key
from engine.core.code import END_OF_BLOCK, ActionCode, Node
from engine.core.policy import batch_sizes
from engine.language.shape import Path
from engine.language.walk import Placed
from engine.model.steps import ActStep, ApproveStep, EachStep
from engine.model.values import format_duration
from engine.views.escape import pairs_text, value_text

WEIGHT_OF: Final[dict[str, Weight]] = {
    "more": "safer", "less": "riskier", "other": "riskier"
}  # fmt: skip


class Spot(NamedTuple):
    """Where an act stands, for both sides the same."""

    branch: str
    action: str
    number: int


@dataclass(frozen=True, slots=True)
class Done:
    """One act of one side, with what keeps it in bounds."""

    step: ActStep
    path: Path
    action: ActionCode
    gate: ApproveStep | None
    gate_path: Path
    targets: int
    at_once: int  # of the first batch
    max_errors: int
    each: frozenset[str]  # names that an `each` around it binds

    @property
    def gated(self) -> int:
        """2: people have to say yes; 1: perhaps; 0: nobody is asked."""
        if self.gate is None:
            return 0
        free = self.gate.when is not None and self.gate.when != self.step.when
        return 1 if free or self.gate.unless is not None else 2


def acts_changed(pair: Pair) -> Iterator[Change]:
    """Yield what changed of acts, of their approvals and of their targets."""
    old, new = acts_of(pair.old), acts_of(pair.new)
    gates: set[tuple[Path, Path]] = set()
    for spot, was, now in by_key(old, new):
        if was is None:
            yield _new(pair, spot, now)
        elif now is None:
            words = f"'{spot.action}' is no longer done in {spot.branch}"
            yield pair.change("act", "neutral", words, was.path, None)
        else:
            yield from _approval(pair, spot, was, now)
            yield from _bounds(pair, spot, was, now)
            yield from _step(pair, spot, was, now)
            if was.gate is not None and now.gate is not None:
                gates.add((was.gate_path, now.gate_path))
    yield from _order(pair, old, new)
    for before, after in sorted(gates, key=str):
        yield from _gate(pair, before, after)


def _order(
    pair: Pair, old: dict[Spot, Done], new: dict[Spot, Done]
) -> Iterator[Change]:
    """Yield each branch whose acts are the same, one after another in another order."""
    before = [spot for spot in old if spot in new]
    after = [spot for spot in new if spot in old]
    for branch in dict.fromkeys(spot.branch for spot in before):
        was = [spot for spot in before if spot.branch == branch]
        now = [spot for spot in after if spot.branch == branch]
        if was != now:
            names = [", ".join(spot.action for spot in some) for some in (now, was)]
            words = f"{branch} does, in this order: {names[0]}; it was {names[1]}"
            paths = old[was[0]].path, new[now[0]].path
            yield pair.change("act", "riskier", words, *paths)


def acts_of(side: Side) -> dict[Spot, Done]:
    """Return the acts of a file by where they stand."""
    seen: Counter[tuple[str, str]] = Counter()
    found = {}
    paths = {id(one.step): one.path for one in side.placed}
    for placed in side.placed:
        if not isinstance(placed.step, ActStep):
            continue
        branch = f"workaround '{placed.group}'" if placed.group else placed.phase
        seen[branch, placed.step.act] += 1
        spot = Spot(branch, placed.step.act, seen[branch, placed.step.act])
        found[spot] = _done(side, placed.step, placed, paths)
    return found


def _done(side: Side, step: ActStep, placed: Placed, paths: dict[int, Path]) -> Done:
    nodes = side.compiled.nodes
    node = side.nodes[id(step)]
    gate = nodes[node.gate].step if node.gate != END_OF_BLOCK else None
    targets, at_once, errors = 1, 1, 0
    block = node
    while block.each != END_OF_BLOCK:
        block = nodes[block.each]
        many, first = _batch(side, block)
        targets, at_once = targets * many, at_once * first
        errors = max(errors, block.step.max_errors)
    action = side.compiled.scopes[0].actions[step.act]
    gate_path = paths[id(gate)] if gate is not None else ()
    return Done(
        step=step,
        path=placed.path,
        action=action,
        gate=gate,
        gate_path=gate_path,
        targets=targets,
        at_once=at_once,
        max_errors=errors,
        each=frozenset(placed.each),
    )


def _batch(side: Side, node: Node) -> tuple[int, int]:
    step: EachStep = node.step
    many = most_targets(side.compiled.scopes[0], node)
    return many, (batch_sizes(many, step.batch) or [many])[0]


def _new(pair: Pair, spot: Spot, now: Done) -> Change:
    asks = ("nobody is asked", "people may be asked", "after an approval")[now.gated]
    back = _way_back(now.action)
    targets = f", on {now.targets} targets" if now.targets > 1 else ""
    words = f"{spot.branch} does '{spot.action}'{targets}: {back}, {asks}"
    calm = now.action.holds and now.gated == 2
    weight: Weight = "neutral" if calm else "riskier"
    return pair.change("act", weight, words, None, now.path)


def _way_back(action: ActionCode) -> str:
    if action.holds:
        return "it can be given back"
    if action.model.undo == "none":
        return "WITHOUT an undo"
    return "it leaves nothing to give back"


def _approval(pair: Pair, spot: Spot, was: Done, now: Done) -> Iterator[Change]:
    if was.gated == now.gated:
        return
    words = f"'{spot.action}' in {spot.branch}: "
    words += (
        "nobody is asked any more",
        f"is done without people {_free(now)}",
        f"only after {needs_text(now.gate)}",
    )[now.gated]
    before = (
        "nobody was asked",
        f"it was done without people {_free(was)}",
        f"it was only after {needs_text(was.gate)}",
    )[was.gated]
    old = was.gate_path if was.gate is not None else was.path
    new = now.gate_path if now.gate is not None else now.path
    weight = less(was.gated, now.gated)
    yield pair.change("approval", weight, f"{words}; {before}", old, new)


def _free(done: Done) -> str:
    gate = done.gate
    if gate is None:
        return ""
    if gate.unless == "auto":
        return "where autonomy is auto"
    if gate.unless is not None:
        return f"when {value_text(gate.unless)}"
    return f"unless {value_text(gate.when)}"


def needs_text(gate: ApproveStep | None) -> str:
    """Return who has to say yes: `1 of ops and 2 of leads`."""
    if gate is None:
        return "nobody"
    return "a yes of " + " and ".join(
        f"{one.need} of {one.group}" for one in gate.from_
    )


def _bounds(pair: Pair, spot: Spot, was: Done, now: Done) -> Iterator[Change]:
    where = f"'{spot.action}' in {spot.branch}"
    for key, what in (
        ("targets", "may touch so many targets"),
        ("at_once", "begins with so many targets at once"),
        ("max_errors", "goes on after so many failed targets"),
    ):
        before, after = getattr(was, key), getattr(now, key)
        if before != after:
            words = f"{where} {what}: {after}, was {before}"
            weight = more(before, after)
            yield pair.change("targets", weight, words, was.path, now.path)


def _step(pair: Pair, spot: Spot, was: Done, now: Done) -> Iterator[Change]:
    where = f"'{spot.action}' in {spot.branch}"
    how = compared(was.step.when, now.step.when)
    if how != "same":
        after = value_text(now.step.when) if now.step.when is not None else "always"
        before = value_text(was.step.when) if was.step.when is not None else "always"
        words = f"{where} is done when: {after}, was: {before}"
        yield pair.change("act", WEIGHT_OF[how], words, was.path, now.path)
    given = [_given(was, now.each), _given(now, was.each)]
    if given[0] != given[1]:
        before, after = (pairs_text(one) or "nothing" for one in given)
        words = f"{where} is given {after}, was {before}"
        yield pair.change("act", "riskier", words, was.path, now.path)
    if was.step.on_unknown != now.step.on_unknown:
        before, after = (one.step.on_unknown or "skip" for one in (was, now))
        words = f"{where}, where its `when` is unknown: {after}, was {before}"
        weight: Weight = "riskier" if after == "do" else "neutral"
        yield pair.change("act", weight, words, was.path, now.path)


def _given(done: Done, each: frozenset[str]) -> dict[str, Any]:
    """Return what is bound at an act, without what an `each` binds there."""
    return {name: one for name, one in done.step.with_.items() if name not in each}


def _gate(pair: Pair, before: Path, after: Path) -> Iterator[Change]:
    was = next(it.step for it in pair.old.placed if it.path == before)
    now = next(it.step for it in pair.new.placed if it.path == after)
    assert isinstance(was, ApproveStep)
    assert isinstance(now, ApproveStep)
    for weight, words in _gate_changes(was, now):
        told = f"the approval in {_branch(after)}: {words}"
        yield pair.change("approval", weight, told, before, after)


def _branch(path: Path) -> str:
    return f"workaround '{path[1]}'" if path[0] == "workaround" else str(path[0])


def _asked(was: ApproveStep, now: ApproveStep) -> Weight:
    """Safer is only more of the same groups: of another one nobody knows."""
    old = {one.group: one.need for one in was.from_}
    new = {one.group: one.need for one in now.from_}
    if any(new.get(group, 0) < need for group, need in old.items()):
        return "riskier"
    return less(sum(old.values()), sum(new.values()))


def _gate_changes(was: ApproveStep, now: ApproveStep) -> Iterator[tuple[Weight, str]]:
    if was.from_ != now.from_:
        yield _asked(was, now), f"{needs_text(now)}, was {needs_text(was)}"
    gone = sorted(set(was.not_by) - set(now.not_by))
    come = sorted(set(now.not_by) - set(was.not_by))
    if gone:
        yield "riskier", f"also by {', '.join(gone)}, who might not before"
    if come:
        yield "safer", f"not by {', '.join(come)}"
    if was.unless != now.unless and was.unless is not None and now.unless is not None:
        how = compared(was.unless, now.unless)
        yield (
            "safer" if how == "more" else "riskier",
            (
                f"opens by itself when {value_text(now.unless)}, "
                f"was {value_text(was.unless)}"
            ),
        )
    if was.retype != now.retype:
        kept = now.retype is not None
        word = "has to be typed" if kept else "need not be typed any more"
        yield ("safer" if kept else "riskier"), f"a word {word}"
    if was.within != now.within:
        lengths = [format_duration(one.within) for one in (now, was)]
        yield "neutral", f"within {lengths[0]}, was {lengths[1]}"
    if was.then != now.then:
        yield "neutral", "others are asked when nobody answers"
    for key in ("on_reject", "on_expire"):
        old, new = (
            getattr(one, key) or one.on_fail or "hand_over" for one in (was, now)
        )
        if old != new:
            yield "neutral", f"{key} {new}, was {old}"
