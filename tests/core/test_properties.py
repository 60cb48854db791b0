"""Whatever happens, in whatever order: the tables hold, and the timeline tells it all."""

import copy
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from engine.core.advance import advance, replay
from engine.core.machine import machine_graph, moved, run_life, step_life
from engine.core.record import MAIN, Record, waited_for
from engine.core.tables import STAGE_EVENT, STAGE_STATE, STEP_TABLE
from engine.model.effects import Act, Ask, Lock, Look, Timer
from engine.model.events import (
    Acted,
    Adopted,
    AlertResolved,
    Answered,
    Cancelled,
    Event,
    GroupPaged,
    HoldChanged,
    Locked,
    LockLost,
    Looked,
    Noted,
    Restarted,
    RetryAsked,
    RoleTaken,
    RunHeld,
    SeveritySet,
    Started,
    Stopped,
    TimerFired,
    Voted,
)
from engine.model.evidence import Evidence
from engine.model.people import Actor
from engine.model.run import ENDS
from engine.runtime.session import Session
from tests.rehearsing import compiled

replace = msgspec.structs.replace
CHECKS = """
checks:
  bad: {probe: {}, pass: value > 0, fresh_for: 10s}
  there: {probe: {}, pass: value > 0}
  host_up: {probe: {host: '{{ host }}'}, pass: value > 0}
  both: {agree: {of: [bad, there], need: 2}}
"""
RUNBOOKS = [
    CHECKS
    + """
trigger: [{alert: {source: x}, when_resolved: ask}]
limits: {lock: [a/b]}
impact: {users: {probe: {}}, every: 30s}
raise: [{to: sev1, when: checks.users.value > 100.0}]
stop_when: [{when: '!checks.both.ok', every: 45s, then: undo, page: owners}]
actions:
  take: {do: {}, undo: {do: {}}, done_when: checks.there.ok, guard: checks.bad.ok,
         after_crash: verify, retry: {times: 1, wait: 5s}}
  keep: {do: {}, undo: {do: {}}, undo_if: checks.bad.ok, undone_when: checks.there.ok}
  drop: {do: {}, undo: none, why_no_undo: gone, settles: [keep]}
  note: {page: {}}
confirm: [{check: bad, expect: fail}]
isolate:
  - {act: take, on_fail: by-hand}
  - {act: keep, when: '!checks.there.ok'}
diagnose:
  - all: [{check: bad}, {check: both, expect: pass, on_fail: continue}]
  - cause: [{name: one, when: checks.bad.ok, workaround: fix}, {name: none, workaround: by-hand}]
workaround:
  fix:
    - {approve: 'Sure?', from: [{group: a}, {group: b}], within: 5m,
       then: {group: c, within: 1m}, on_reject: by-hand, on_expire: undo}
    - {act: drop, on_fail: by-hand}
    - {wait_for: both, within: 2m, hold: 20s}
  by-hand:
    - {ask: 'What?', name: hand, who: a, fields: {note: string, fixed: boolean}}
    - {hand_over: owners, when: '!answers.hand.fixed'}
    - {act: note}
restore: [{undo: all, pause: 10s, check: bad}, {wait: 30s}]
""",
    CHECKS
    + """
inputs: {hosts: {type: list, default: [a, b, c]}}
actions:
  drain: {do: {host: '{{ host }}'}, undo: {do: {host: '{{ host }}'}}, guard: checks.bad.ok,
          after_crash: repeat}
  step: {do: {}, undo: {do: {}}, slot: ramp, verify: checks.there.ok, verify_within: 20s}
isolate:
  - {each: hosts, as: host, max_errors: 1, pause: 5s,
     do: [{act: drain, when: '!checks.host_up.ok'}, {check: host_up}]}
workaround:
  only:
    - all: [{act: step}, {wait: 10s}, {check: bad, expect: fail}]
      need: 2
      on_fail: undo
    - {repeat: 3, every: 10s, while: checks.bad.ok, do: [{act: step}], on_fail: continue}
    - {run: inner, within: 5m}
""",
]
INNER = """
format: 1
runbook: inner
title: inner
owner: o
severity: sev4
checks: {ok: {probe: {}, pass: value > 0}}
actions: {inside: {do: {}, undo: {do: {}}}}
confirm: [{check: ok, expect: fail}]
isolate: [{act: inside, on_fail: other}]
workaround: {other: [{wait: 1m}]}
"""
CODES = [compiled(text, {"inner": INNER}) for text in RUNBOOKS]
BY_HAND = [  # some of it no step does, or not to that target
    Adopted("take"), Adopted("keep"), Adopted("drop"), Adopted("drain", "a"),
    Adopted("drain"), Adopted("step"), Adopted("inside"), Adopted("take", "x"),
]  # fmt: skip
PEOPLE = [
    Actor(name, groups=(name, "owners", "o")) for name in ("a", "b", "c", "owners")
]


def answer(effect: Any, draw: Any) -> Event:
    """Return one possible answer of the world to what was asked for."""
    if isinstance(effect, Look):
        states = [
            draw(st.sampled_from(["pass", "fail", "unknown"])) for _ in effect.checks
        ]
        return Looked(
            key=effect.key,
            evidence=tuple(
                Evidence(call.check, call.slot, state, "drawn")
                for call, state in zip(effect.checks, states, strict=True)
            ),
        )
    if isinstance(effect, Act):
        outcome = draw(st.sampled_from(["ok", "failed", "unknown"]))
        return Acted(key=effect.key, outcome=outcome, retryable=draw(st.booleans()))
    if isinstance(effect, Timer):
        return TimerFired(key=effect.key)
    if isinstance(effect, Lock):
        return Locked(key=effect.key)
    assert isinstance(effect, Ask)
    by = draw(st.sampled_from(PEOPLE))
    question = effect.question
    if question.kind == "approve":
        assert question.plan is not None
        vote = draw(st.sampled_from(["approve", "reject"]))
        return Voted(key=effect.key, by=by, vote=vote, plan=question.plan.hash)
    yes = draw(st.booleans())
    answers = dict.fromkeys(question.fields, yes) | {"note": "text"}
    return Answered(key=effect.key, by=by, answers=answers)


class AnyOrder(RuleBasedStateMachine):
    """One run, told anything at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.life = run_life()
        self.tick = 0.0

    @initialize(
        index=st.integers(0, len(CODES) - 1), did=st.lists(st.sampled_from(BY_HAND))
    )
    def begin(self, index: int, did: list[Adopted]) -> None:
        code = CODES[index]
        self.session = Session("r", code)
        self.events: list[Event] = []
        self.edges = {(edge.source, edge.target) for edge in machine_graph(code).edges}
        inputs = {name: one.default for name, one in code.runbook.inputs.items()}
        start = Started(run="r", revision="rev", inputs=inputs, by=Actor("ana"))
        self.tell(replace(start, did=tuple(did)))

    def tell(self, event: Event) -> None:
        before = self.session.record
        frozen = copy.deepcopy(before)
        again, effects_again = advance(self.session.compiled, before, event)
        step = self.session.apply(event)
        assert frozen == before  # advance changes nothing it was given
        assert again == self.session.record  # and gives the same each time
        assert effects_again == step.effects
        if not before.end:
            moved(self.life, before.state, self.session.record.state)
        self.events.append(event)

    @property
    def open(self) -> bool:
        return not self.session.record.end

    @precondition(lambda self: self.session.pending)
    @rule(data=st.data())
    def the_world_answers(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.session.pending)))
        event = answer(self.session.pending[key].effect, data.draw)
        self.tick += data.draw(st.sampled_from([0.0, 1.0, 60.0, 600.0]))
        self.tell(type(event)(**_fields(event) | {"tick": self.tick}))

    @rule(
        event=st.sampled_from(
            [
                TimerFired(key="nobody"),
                Looked(key="nobody", evidence=()),
                Acted(key="0@3:act", outcome="ok"),
                Locked(key="0@0:nothing"),
                Voted(key="0@9:approve0", by=PEOPLE[0], vote="reject", plan=""),
                Answered(key="x", by=PEOPLE[0], answers={}),
                AlertResolved(),
                HoldChanged(on=True, by=PEOPLE[0]),
                HoldChanged(on=False, by=PEOPLE[0]),
                Restarted(),
                Stopped(),
                Noted(by=PEOPLE[0], text="hm"),
                Noted(by=PEOPLE[0], text="hm", ref="x:1:2", change="deleted"),
                RoleTaken(by=PEOPLE[0], role="commander"),
                RoleTaken(by=PEOPLE[1], role="commander"),
                SeveritySet(by=PEOPLE[0], to="sev1"),
                SeveritySet(by=PEOPLE[1], to="sev5"),
                GroupPaged(by=PEOPLE[0], group="owners"),
                RunHeld(by=PEOPLE[0], on=True, reason="wait"),
                RunHeld(by=PEOPLE[0], on=False),
                RetryAsked(by=PEOPLE[0]),
                Started(run="r", revision="x", by=PEOPLE[0]),
            ]
        )
    )
    def something_happens(self, event: Event) -> None:
        self.tell(event)

    @precondition(lambda self: len(self.events) > 12)
    @rule(
        event=st.sampled_from(
            [
                Cancelled(by=PEOPLE[0]),
                Cancelled(by=PEOPLE[0], keep=True),
                LockLost(why="gone"),
            ]
        )
    )
    def somebody_stops_it(self, event: Event) -> None:
        self.tell(event)

    @invariant()
    def the_tables_hold(self) -> None:
        if not hasattr(self, "session"):
            return
        record = self.session.record
        assert {thread.stage for thread in record.threads.values()} <= set(STAGE_STATE)
        assert waited_for(record) == set(self.session.pending)
        assert bool(record.end) == (record.state in ENDS)

    @invariant()
    def an_open_run_waits_for_something(self) -> None:
        if not hasattr(self, "session"):
            return
        record = self.session.record
        held_up = any(one.stage == "act.hold" for one in record.threads.values())
        assert (
            record.end
            or self.session.pending
            or ((record.hold or record.hold_here) and held_up)
        )
        assert not (record.end and record.threads)

    @invariant()
    def the_main_line_moves_along_the_machine(self) -> None:
        if not hasattr(self, "session"):
            return
        main = self.session.record.threads.get(MAIN)
        if main is None:
            return
        here = self.session.compiled.nodes[main.pc]
        if here.verb in ("end", "last_look", "undo") and here.id.startswith("end/"):
            return
        reachable = {target for _, target in self.edges} | {"start", "isolate/1"}
        assert here.id in reachable

    def teardown(self) -> None:
        if hasattr(self, "session"):
            assert self.session.record == replay(self.session.compiled, self.events)


def _fields(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


AnyOrder.TestCase.settings = settings(
    max_examples=80,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
test_any_order = AnyOrder.TestCase


@pytest.mark.parametrize("code", CODES, ids=["linear", "blocks"])
def test_every_state_of_a_step_is_in_the_table(code: Any) -> None:
    """Every stage has a state, every state a row, and every row leads somewhere known."""
    targets = {to for row in STEP_TABLE.values() for to in row.values()}

    assert set(STEP_TABLE) == targets | {"ready"}
    assert set(STAGE_STATE.values()) <= set(STEP_TABLE)
    assert set(STAGE_EVENT.values()) <= {
        event for row in STEP_TABLE.values() for event in row
    }


def test_the_machines_agree_with_the_tables() -> None:
    """`transitions` moves exactly where the tables say, and nowhere else."""
    life = step_life()
    events = {event for row in STEP_TABLE.values() for event in row}
    moves = {
        (state, event): life.after(state, event)
        for state, row in STEP_TABLE.items()
        for event in row
    }
    refused = [
        (state, event)
        for state in STEP_TABLE
        for event in events
        if event not in STEP_TABLE[state] and not _refuses(life, state, event)
    ]

    assert {
        (state, event): to
        for state, row in STEP_TABLE.items()
        for event, to in row.items()
    } == moves
    assert [] == refused


def _refuses(life: Any, state: str, event: str) -> bool:
    with pytest.raises(Exception, match="no way from"):
        life.after(state, event)
    return True


def test_a_new_record_has_not_begun() -> None:
    """Before its first event a run is nothing but waiting."""
    assert ("", "waiting", {}) == (Record().run, Record().state, Record().threads)
