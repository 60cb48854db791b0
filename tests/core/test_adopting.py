"""What was done by hand before a run began: it counts as done, and is given back."""

from typing import Any, Final

import pytest

from engine.core.adopting import refusals
from engine.core.advance import replay
from engine.core.code import CompiledRunbook
from engine.model.effects import Act, Ask, Lock, Look
from engine.model.events import (
    Acted,
    Adopted,
    Event,
    Locked,
    Looked,
    Started,
    TimerFired,
    Voted,
)
from engine.model.evidence import Evidence
from engine.model.people import Actor
from engine.model.run import Held
from engine.runtime.session import Session
from tests.rehearsing import compiled

RUNBOOK: Final = """
inputs: {hosts: {type: list, default: [a, b]}, region: {type: string, default: eu}}
checks:
  there: {probe: {}, pass: value > 0}
  size: {probe: {}, pass: value > 0}
  wiped: {probe: {}, pass: value > 0}
actions:
  drain: {do: {host: '{{ host }}'}, undo: {do: {back: '{{ host }}'}}}
  lock: {do: {}, undo: {do: {unlock: '{{ region }}'}}, done_when: checks.there.ok}
  grow: {do: {}, undo: {do: {to: '{{ was }}'}}, remember: {was: {check: size, value: value}}}
  quiet: {silence: {}}
  wipe: {do: {}, undo: none, why_no_undo: gone, done_when: checks.wiped.ok}
  idle: {do: {}, undo: {do: {}}}
isolate:
  - {act: lock}
  - {act: grow}
  - {each: hosts, as: host, do: [{act: drain}]}
  - {act: quiet, when: 'region == "us"'}
workaround:
  only:
    - {approve: 'Wipe?', name: sure, from: {group: a}}
    - {act: wipe}
restore: [{undo: all}]
"""
SEEN: Final = {"lock": "there", "wipe": "wiped"}  # an act and what shows it
ANA: Final = Actor("ana", groups=("a",))
GIVEN: Final = {"hosts": ["a", "b"], "region": "eu"}


@pytest.fixture(scope="module")
def code() -> CompiledRunbook:
    """Compile the runbook once."""
    return compiled(RUNBOOK)


class Played:
    """A run whose acts work, whose checks say what is given, whose people approve."""

    def __init__(
        self, code: CompiledRunbook, did: list[Adopted], **checks: str
    ) -> None:
        self.session, self.checks = Session("r", code), checks
        self.events: list[Event] = []
        self.acts: list[str] = []
        self.asked: list[str] = []
        self.notes: list[tuple[str, str, str, str]] = []
        self.tell(Started(run="r", revision="x", inputs=GIVEN, by=ANA, did=tuple(did)))
        self.held = self.session.record.held

    def to_the_end(self) -> "Played":
        """Answer whatever is asked for, until the run is over."""
        while not self.session.record.end:
            key = min(
                self.session.pending, key=lambda one: (one.startswith("limits"), one)
            )
            self.tell(self.answer(key, self.session.pending[key].effect))
        assert self.session.record == replay(self.session.compiled, self.events)
        return self

    def tell(self, event: Event) -> None:
        """Advance by one event."""
        self.events.append(event)
        for entry in self.session.apply(event).entries:
            if entry.event is None and entry.kind in ("adopted", "already", "approved"):
                self.notes.append((entry.kind, entry.actor, entry.what, entry.why))

    def answer(self, key: str, effect: Any) -> Event:
        """Return what the world says."""
        if isinstance(effect, Look):
            seen = [
                Evidence(
                    one.check, one.slot, self.checks.get(one.check, "pass"), "given",
                    {"value": 7.0},
                )
                for one in effect.checks
            ]  # fmt: skip
            return Looked(key=key, evidence=tuple(seen))
        if isinstance(effect, Act):
            self.acts.append(
                f"{'undo ' * effect.undo}{effect.action} {effect.target}".strip()
            )
            self.checks.pop(SEEN.get(effect.action, ""), None)
            return Acted(key=key, outcome="ok")
        if isinstance(effect, Ask):
            self.asked.append(effect.question.text)
            assert effect.question.plan is not None
            plan = effect.question.plan.hash
            return Voted(key=key, by=ANA, vote="approve", plan=plan)
        return Locked(key=key) if isinstance(effect, Lock) else TimerFired(key=key)


def test_what_was_done_by_hand_is_held_and_given_back(code: CompiledRunbook) -> None:
    """Passed by, and undone newest first, as if the run had done it."""
    did = [Adopted("lock"), Adopted("drain", "b"), Adopted("grow", before={"was": 5})]
    run = Played(code, did)
    ways = [(one.action, one.target, one.params) for one in run.held]
    run.to_the_end()

    assert [
        ("lock", "", {"unlock": "eu"}),
        ("drain", "b", {"back": "b"}),
        ("grow", "", {"to": 5}),
    ] == ways
    assert ["drain a", "undo drain a", "undo grow", "undo drain b", "undo lock"] == [
        one for one in run.acts if "wipe" not in one
    ]
    assert [
        ("adopted", "ana", "lock was done by hand", "ana says so"),
        ("adopted", "ana", "drain b was done by hand", "ana says so"),
        ("adopted", "ana", "grow was done by hand", "ana says so"),
        ("already", "engine", "lock: done by hand", "ana says so; done_when is true"),
        ("already", "engine", "grow: done by hand", "ana says so"),
        ("already", "engine", "drain: done by hand", "ana says so"),
    ] == run.notes[:6]
    assert ("resolved", ()) == (run.session.record.end, run.session.record.held)


def test_nobody_approves_what_was_done_by_hand(code: CompiledRunbook) -> None:
    """The gate opens by itself, and the act is passed by."""
    run = Played(code, [Adopted("wipe")]).to_the_end()

    assert ([], True) == (run.asked, "wipe" not in run.acts)
    assert [
        ("approved", "engine", "sure: nothing to approve", "what it covers was done by hand"),
        ("already", "engine", "wipe: done by hand", "ana says so; done_when is true"),
    ] == run.notes[-2:]  # fmt: skip


def test_what_is_not_there_is_done_after_an_approval(code: CompiledRunbook) -> None:
    """`done_when` is false: the word does not stand in for the act, nor for the yes."""
    run = Played(code, [Adopted("wipe"), Adopted("lock")], there="fail", wiped="fail")
    held_first = [one.action for one in run.held]
    run.to_the_end()

    assert ["lock"] == held_first
    assert ["Wipe?"] == run.asked
    assert ["lock", "grow", "drain a", "drain b", "wipe"] == [
        one for one in run.acts if not one.startswith("undo")
    ]
    assert ["lock"] == [one[5:] for one in run.acts if one == "undo lock"]


def test_what_cannot_be_seen_counts_as_done(code: CompiledRunbook) -> None:
    """Unknown does not make a liar of whoever says so."""
    run = Played(code, [Adopted("lock")], there="unknown").to_the_end()

    assert "lock" not in run.acts
    assert "undo lock" in run.acts


@pytest.mark.parametrize(
    ("did", "told"),
    [
        (Adopted("lokc"), ("lokc: no such action of 'small'; it has: drain, grow, idle, "
         "lock, quiet, wipe")),
        (Adopted("idle"), "idle: no step of the runbook does it"),
        (Adopted("drain"), "drain: it is done to each host: say to which, drain=TARGET"),
        (Adopted("drain", "c"), ("drain c: its way back cannot be told: no target 'c'; it "
         "is done to: a, b")),
        (Adopted("lock", "a"), "lock a: it has no targets: leave the target out"),
        (Adopted("grow"), "grow: say what it was before: was"),
        (Adopted("grow", before={"is": 1}), ("grow: it does not remember is; it "
         "remembers: was")),
        (Adopted("quiet"), ("quiet: the way back of kind silence gives back only what it "
         "did itself; give it back by hand, or write an `undo`")),
    ],
    ids=lambda one: one.split(":")[0] if isinstance(one, str) else "",
)  # fmt: skip
def test_what_cannot_be_taken_over_is_refused(
    code: CompiledRunbook, did: Adopted, told: str
) -> None:
    """Before the run begins; and a run that is begun all the same holds nothing."""
    run = Played(code, [did])
    nothing: tuple[Held, ...] = ()

    assert [told] == refusals(code, [did], GIVEN)
    assert (nothing, ()) == (run.held, run.session.record.by_hand)


def test_named_twice_is_refused(code: CompiledRunbook) -> None:
    """One act is one obligation."""
    lock = Adopted("lock")

    grown = [Adopted("grow", before={"was": 1}), Adopted("grow", before={"was": 2})]
    run = Played(code, grown)

    assert ["lock: it is named twice"] == refusals(code, [lock, lock], GIVEN)
    assert ["grow: it is named twice"] == refusals(code, grown, GIVEN)
    assert [{"to": 1}] == [one.params for one in run.held]
