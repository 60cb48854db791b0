"""What must hold after any drill, judged from outside the engine.

The judge reads what is left: the journal's entries, what the world was asked for, who
was paged, and what the runbook says of its actions. It calls no code that decided
anything, so a defect there cannot judge itself. Each rule returns what breaks it.

Called by: engine.testing.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from engine.analysis.rehearsal.drill import Call, Told
from engine.model.events import Answered, Cancelled, HoldChanged, Looked, Voted
from engine.model.kinds import Kinds
from engine.model.runbook import Runbook
from engine.model.steps import ApproveStep, HandOverStep, Step
from engine.model.timeline import Entry
from engine.model.vocabulary import Action

NAMED: Final = re.compile(
    r"checks(?:\.([A-Za-z_]\w*)|\[\s*[\"']([\w-]+)[\"']\s*\])"
)  # the checks that a condition names
DID_NOT: Final = "it did not happen"
AS_IT_IS: Final = " as it is"


class Broken(NamedTuple):
    """One thing that does not hold."""

    rule: str
    told: str


@dataclass(frozen=True, slots=True)
class Promise:
    """What the runbook says of one action."""

    holds: bool  # it takes something that is to be given back
    approved: bool  # people say yes before it, on every path
    repeats: bool  # twice is once
    probes: frozenset[str]  # the checks that say whether it is done


@dataclass(frozen=True, slots=True)
class Promises:
    """What the runbooks of one run say: their actions, and who may take over."""

    actions: Mapping[str, Promise]
    groups: frozenset[str]

    def of(self, action: str) -> Promise:
        """Return what is said of an action."""
        return self.actions[action]


def promises(runbooks: Sequence[Runbook], kinds: Kinds) -> Promises:
    """Return what the judge holds a run against: of a runbook and those it runs."""
    found: dict[str, Promise] = {}
    groups = {one.owner for one in runbooks}
    for runbook in runbooks:
        steps = list(_steps(runbook))
        opens = any(isinstance(one, ApproveStep) and one.unless for one in steps)
        groups |= {one.hand_over for one in steps if isinstance(one, HandOverStep)}
        groups |= {one.page for one in runbook.stop_when if one.page}
        for name, action in runbook.actions.items():
            promise = _promise(action, kinds, opens=opens)
            known = found.get(name, promise)
            found[name] = promise if known == promise else _least(known, promise)
    return Promises(found, frozenset(groups))


def _promise(action: Action, kinds: Kinds, *, opens: bool) -> Promise:
    kind = kinds.actions[action.kind]
    way_back = action.undo_body is not None or kind.built_in_undo
    nothing = action.leaves_nothing or kind.leaves_nothing or action.undo == "none"
    probed = NAMED.findall(action.done_when or "")
    return Promise(
        way_back and not nothing and action.slot is None,
        (action.risk == "high" or action.undo == "none") and not opens,
        action.after_crash == "repeat",
        frozenset(one or other for one, other in probed),
    )


def _least(one: Promise, other: Promise) -> Promise:
    """Return what two actions of one name, in two runbooks, both promise."""
    return Promise(
        one.holds and other.holds,
        one.approved and other.approved,
        one.repeats or other.repeats,
        one.probes | other.probes,
    )


def _steps(runbook: Runbook) -> Iterator[Step]:
    lists = [runbook.isolate, runbook.diagnose, *runbook.workaround.values()]
    left: list[Step] = [one for steps in lists for one in steps]
    left += runbook.restore or []
    while left:
        step = left.pop()
        yield step
        for key in ("all", "do"):
            inside = getattr(step, key, None)
            left += inside if isinstance(inside, list) else []


def broken(told: Told, promised: Promises) -> list[Broken]:
    """Return everything that does not hold after a drill."""
    return [
        *_without_intent(told),
        *_twice(told, promised),
        *_forgotten(told, promised),
        *_unlike_the_world(told),
        *_without_owner(told, promised),
        *_unapproved(told, promised),
        *_while_on_hold(told),
        *_no_end(told),
    ]


def _without_intent(told: Told) -> Iterator[Broken]:
    """No act without its intent in the journal, written before it."""
    intents: dict[str, int] = {}
    for index, entry in enumerate(told.entries):
        if entry.kind in ("intent", "undoing"):
            intents.setdefault(str(entry.refs.get("key")), index)
    for call in told.calls:
        written = intents.get(call.key, len(told.entries))
        if written >= call.entries:
            yield Broken("intent", f"{_named(call)} was done before its intent stood")


def _twice(told: Told, promised: Promises) -> Iterator[Broken]:
    """No effect twice, unless somebody looked, or it is safe to repeat."""
    last: dict[str, Call] = {}
    for call in told.calls:
        if not call.effect:
            continue
        before = last.get(call.key)
        last[call.key] = call
        if before is None:
            continue
        between = told.entries[before.entries : call.entries]
        if call.undo:
            if any(_says_undone(one, call) for one in between):
                yield Broken("twice", f"{_named(call)} was given back twice")
        elif not _licensed(call.action, between, promised):
            yield Broken(
                "twice", f"{_named(call)} was done twice, and nobody looked between"
            )


def _says_undone(entry: Entry, call: Call) -> bool:
    about = (entry.subject, entry.target)
    return entry.kind == "undone" and about == (call.action, call.target)


def _licensed(action: str, between: Iterable[Entry], promised: Promises) -> bool:
    promise = promised.of(action)
    if promise.repeats:
        return True
    for entry in between:
        event = entry.event
        if isinstance(event, Looked):
            if promise.probes & {one.check for one in event.evidence}:
                return True
        elif isinstance(event, Answered) and event.answers.get("happened") is False:
            return True
    return False


def _forgotten(told: Told, promised: Promises) -> Iterator[Broken]:
    """What was taken is held at the end, or given back, or let go for a reason."""
    if told.summary is None or told.summary.ended_at is None:
        return
    taken = _taken(told.entries, promised)
    for held in told.summary.held:
        taken[held.action, held.target] -= 1
    for (action, target), many in taken.items():
        if many > 0:
            name = f"{action} {target}".strip()
            yield Broken("forgotten", f"{name} was taken, and nobody holds it")


def _taken(entries: Sequence[Entry], promised: Promises) -> Counter[tuple[str, str]]:
    """Return how many of each act are taken when all entries are written."""
    taken: Counter[tuple[str, str]] = Counter()
    keys: set[str] = set()
    by_step: dict[tuple[str, str], tuple[str, str]] = {}
    for entry in entries:
        about = (entry.subject, entry.target)
        if entry.kind == "intent" and str(entry.refs.get("key")) not in keys:
            keys.add(str(entry.refs.get("key")))
            by_step[entry.step, entry.target] = about
            taken[about] += promised.of(entry.subject).holds
        elif entry.kind == "undone" or _as_it_is(entry):
            taken[about] -= 1
        elif entry.kind == "failed" and DID_NOT in f"{entry.what} {entry.why}":
            taken[by_step.get((entry.step, entry.target), about)] -= 1
        elif entry.kind == "settled":
            for one in [one for one in taken if one[0] == entry.subject]:
                del taken[one]
    return taken


def _as_it_is(entry: Entry) -> bool:
    return entry.kind == "answered" and entry.what.endswith(AS_IT_IS)


def _unlike_the_world(told: Told) -> Iterator[Broken]:
    """What is said to be given back was given back, or a check said that it was."""
    back = {call.key for call in told.calls if call.undo and call.effect}
    mine = {call.key: call for call in told.calls if not call.undo and call.effect}
    names = Counter((call.action, call.target) for call in mine.values())
    given = Counter(
        (call.action, call.target)
        for call in mine.values()
        if f"{call.key}/undo" in back
    )
    for entry in told.entries:
        about = (entry.subject, entry.target)
        if entry.kind == "undone" and "undone_when" in entry.why:
            names[about] -= 1
    said = Counter(
        (entry.subject, entry.target)
        for entry in told.entries
        if entry.kind == "undone" and "undone_when" not in entry.why
    )
    for (action, target), many in said.items():
        done = names[action, target]
        if many > given[action, target] and done > given[action, target]:
            name = f"{action} {target}".strip()
            yield Broken("undone", f"{name} is said to be given back, and was not")


def _without_owner(told: Told, promised: Promises) -> Iterator[Broken]:
    """No end without a why; none with something held and nobody who was paged."""
    summary = told.summary
    if summary is None or summary.ended_at is None:
        return
    if not summary.why:
        yield Broken("why", f"it ended {summary.state} without a why")
    if summary.why.startswith("dead letter: "):
        yield Broken("engine", summary.why)
        return
    names = ", ".join(sorted({one.action for one in summary.held}))
    if names and summary.state in ("resolved", "cleared"):
        yield Broken("owner", f"it ended {summary.state}, and {names} is still held")
    people = {
        entry.event.by.id for entry in told.entries
        if isinstance(entry.event, Cancelled)
    }  # fmt: skip
    paged = {page.group for page in told.pages} & (promised.groups | people)
    if (names or summary.state == "handed_over") and not paged:
        what = f"{names} held" if names else "nothing held"
        yield Broken("owner", f"it ended {summary.state} with {what}: nobody was paged")


def _unapproved(told: Told, promised: Promises) -> Iterator[Broken]:
    """No act that needs an approval before a person said yes."""
    for entry in told.entries:
        if isinstance(entry.event, Voted) and entry.event.vote == "approve":
            return
        if entry.kind == "intent" and promised.of(entry.subject).approved:
            yield Broken("approval", f"{entry.subject} was done, and nobody said yes")


def _while_on_hold(told: Told) -> Iterator[Broken]:
    """No act begins while the global hold is set."""
    on = False
    for entry in told.entries:
        if isinstance(entry.event, HoldChanged):
            on = entry.event.on
        elif entry.kind == "intent" and on:
            yield Broken("hold", f"{entry.subject} began while the global hold was set")


def _no_end(told: Told) -> Iterator[Broken]:
    """Every run ends, unless it is on hold."""
    state = told.summary.state if told.summary is not None else "nothing"
    if told.over and state != "on_hold":
        yield Broken("end", f"{told.over}; it is {state}")


def _named(call: Call) -> str:
    undo = "the undo of " if call.undo else ""
    return f"{undo}{call.action} {call.target}".strip()
