"""One turn of the core: a record being advanced by one event.

A Turn is made from a record, changed by the step functions, and frozen into the next
record with the effects that were asked for. It lives for one call of `advance`. What
any step may do stands here: look, ask for a time, write a note, pass, fail, skip, fork.
What the single verbs do stands in looking, acting, undoing, gates, blocks and ends.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from engine.core.code import END_OF_BLOCK, CompiledRunbook, Node, Policy, Scope
from engine.core.names import bindings, check_call, slot_of, target_in, text_names
from engine.core.record import Frame, Outcome, Record, Thread, Winding
from engine.core.tables import STAGE_STATE, STEP_MOVES, STEP_TABLE
from engine.errors import TemplateProblem
from engine.expressions import UNKNOWN, Expression
from engine.model.effects import Close, Effect, Look, Note, Say, Timer
from engine.model.events import Event, Looked
from engine.model.evidence import Evidence
from engine.model.run import Held, RunState
from engine.templating import render

Resume = Callable[["Turn", Thread, Event | None], None]
MOST_MOVES: Final = 10_000  # of one run; far above what any bounded runbook takes
BESIDE: Final = ("impact", "raise", "limits")  # watched to the very end
IN_FLIGHT: Final = ("act.acting", "undo.undoing")
replace = msgspec.structs.replace


class Defect(Exception):
    """The core left its tables: a defect of the engine, never of a runbook."""


class Turn:
    """One record on its way to the next."""

    def __init__(
        self,
        compiled: CompiledRunbook,
        record: Record,
        event: Event,
        stages: Mapping[str, Resume],
    ) -> None:
        self.compiled = compiled
        self.record = record
        self.stages = stages
        self.at = event.at
        self.tick = event.tick
        self.threads = dict(record.threads)
        self.frames = dict(record.frames)
        self.held = list(record.held)
        self.evidence: dict[str, Evidence] = record.evidence
        self.effects: list[Effect] = []
        self.ready: list[str] = []
        self.steps = record.steps

    # What there is

    def node(self, thread: Thread) -> Node:
        """Return the step the thread stands on."""
        return self.compiled.nodes[thread.pc]

    def frame(self, thread: Thread) -> Frame:
        """Return the (sub-)runbook the thread is in."""
        return self.frames[thread.frame]

    def scope(self, thread: Thread) -> Scope:
        """Return the code of the (sub-)runbook the thread is in."""
        return self.compiled.scopes[self.frames[thread.frame].scope]

    def bindings(self, thread: Thread, names: Iterable[str]) -> dict[str, Any]:
        """Return those of the names that have a value here."""
        return bindings(self, thread, names)

    def judge(self, thread: Thread, expression: Expression) -> Any:
        """Return what the expression gives here: a value, or UNKNOWN."""
        return expression.evaluate(bindings(self, thread, expression.names))

    def is_true(self, thread: Thread, expression: Expression) -> bool | None:
        """Return True, False, or None for unknown."""
        value = self.judge(thread, expression)
        return None if value is UNKNOWN else bool(value)

    # What a step may do

    def change(self, **fields: Any) -> None:
        """Change fields of the record itself."""
        self.record = replace(self.record, **fields)

    def put(self, thread: Thread) -> Thread:
        """Keep the thread as it is now; return it."""
        self.threads[thread.id] = thread
        return thread

    def wait(
        self, thread: Thread, stage: str, waits: tuple[str, ...], **fields: Any
    ) -> Thread:
        """Let the thread wait in a stage for keys; return it.

        Raises:
            Defect: STEP_TABLE has no such move.
        """
        if (STAGE_STATE[thread.stage], STAGE_STATE[stage]) not in STEP_MOVES:
            raise Defect(f"{thread.id}: no way from {thread.stage} to {stage}")
        return self.put(replace(thread, stage=stage, waits=waits, **fields))

    def key(self, thread: Thread, what: str) -> str:
        """Return the key of something the thread asks for at this step."""
        return f"{thread.id}@{thread.pc}:{what}"

    def look(
        self,
        thread: Thread,
        checks: Iterable[str],
        stage: str,
        *,
        anew: bool = False,
        keep: tuple[str, ...] = (),
    ) -> None:
        """Look at the checks side by side, then go on in `stage`.

        Answers younger than their `fresh_for` count, unless `anew`. With nothing to
        look at, the stage goes on at once. `keep`: keys still waited for beside it.
        """
        wanted = [
            name
            for name in sorted(set(checks))
            if self._can_look(thread, name) and (anew or self._stale(thread, name))
        ]
        if not wanted:
            self.stages[stage](self, thread, None)
            return
        key = self.key(thread, stage)
        self.wait(thread, stage, (key, *keep))
        calls = tuple(check_call(self, thread, name) for name in wanted)
        self.effects.append(Look(key, calls))

    def _can_look(self, thread: Thread, name: str) -> bool:
        """A check that needs a name nobody bound here keeps its last answer."""
        return self.scope(thread).checks[name].names <= thread.names.keys()

    def _stale(self, thread: Thread, name: str) -> bool:
        seen = self.evidence.get(slot_of(self, thread, name))
        if seen is None:
            return True
        fresh = self.scope(thread).checks[name].model.fresh_for.total_seconds()
        return self.tick - seen.tick > fresh

    def timer(self, thread: Thread, what: str, seconds: float) -> str:
        """Ask for a time; return its key."""
        key = self.key(thread, what)
        self.effects.append(Timer(key, seconds))
        return key

    def note(
        self, kind: str, what: str, thread: Thread | None = None, **more: Any
    ) -> None:
        """Write a fact or a decision into the timeline."""
        if thread is not None:
            node = self.compiled.nodes[thread.pc]
            more.setdefault("step", node.id)
            more.setdefault("phase", node.phase or self.record.phase)
        self.effects.append(Note(kind, what, **more))

    def text_value(self, thread: Thread, raw: Any) -> Any:
        """Return a value of `with`: text is rendered once, the rest is as it stands."""
        if not isinstance(raw, str):
            return raw
        try:
            return render(raw, text_names(self, thread))
        except TemplateProblem:
            return None

    def close_key(self, key: str, outcome: str) -> None:
        """Say that a question is over."""
        self.effects.append(Close(key, outcome))

    def say_loud(self, thread: Thread, text: str) -> None:
        """Post what people must not miss."""
        self.effects.append(Say(f"{self.record.run}: {text}"))

    def policy_of(self, thread: Thread, name: str) -> Policy:
        """Return what `on_fail: name` means in this (sub-)runbook."""
        if name in ("hand_over", "undo", "continue"):
            return Policy(name)  # type: ignore[arg-type]
        return Policy("jump", self.scope(thread).workarounds[name], name)

    def early(self) -> bool:
        """Whether diagnose has not begun: a hand-over still looks then."""
        return self.record.phase in ("", "confirm", "isolate")

    # How a step ends

    def enter(self, thread: Thread, pc: int) -> None:
        """Let the thread begin the step at `pc`."""
        self.put(
            replace(
                thread,
                pc=pc,
                stage="ready",
                waits=(),
                n=0,
                since=self.tick,
                box={},
                results=(),
                names=thread.base,
                held="",
            )
        )
        self.ready.append(thread.id)

    def _left(self, thread: Thread, event: str) -> Thread:
        """Return the thread with its step over: nothing is in flight or waited for.

        Raises:
            Defect: STEP_TABLE has no such end of a step in that stage.
        """
        state = STAGE_STATE[thread.stage]
        if event not in STEP_TABLE[state]:
            raise Defect(f"{thread.id}: a step that is {state} cannot {event}")
        if thread.stage == "ready":
            return thread
        return self.put(replace(thread, stage="ready", waits=()))

    def passed(self, thread: Thread) -> None:
        """The step is done: go on with the next, or end the thread."""
        node = self.node(thread)
        thread = self._left(thread, "pass")
        if thread.back != END_OF_BLOCK and node.verb == "approve":
            self.enter(replace(thread, back=END_OF_BLOCK), thread.back)
        elif node.next == END_OF_BLOCK:
            target = target_in(thread.base)
            self.finish(thread, Outcome(thread.id, ok=True, target=target))
        else:
            self.enter(thread, node.next)

    def skipped(
        self, thread: Thread, kind: str, what: str, why: str, **more: Any
    ) -> None:
        """The step is not taken; say so and go on."""
        self.note(kind, what, thread, why=why, **more)
        self.passed(thread)

    def failed(
        self, thread: Thread, why: str, policy: Policy | None = None, *, mark: str = ""
    ) -> None:
        """The step failed: do what it says is to be done then; `mark`: of its note."""
        node = self.node(thread)
        thread = self._left(thread, "fail")
        policy = node.on_fail if policy is None else policy
        does = {
            "hand_over": "hand over",
            "undo": "give everything back, then hand over",
            "continue": "go on",
            "jump": f"go to workaround {policy.name}",
        }[policy.kind]
        target = target_in(thread.base)
        told = f"{node.name}: {why}"
        more: dict[str, Any] = {"target": target, "mark": mark}
        self.note("failed", told, thread, why=f"on failure: {does}", **more)
        if policy.kind == "continue":
            self.passed(thread)
        elif thread.top:
            self.take(thread, policy, f"{node.name}: {why}")
        else:
            way = (thread.pc, policy.kind, policy.pc)
            self.finish(thread, Outcome(thread.id, False, why, *way, target))

    def take(self, thread: Thread, policy: Policy, why: str) -> None:
        """Do what a policy says, on the main line of a frame."""
        if policy.kind == "jump":
            self.enter(replace(thread, back=END_OF_BLOCK), policy.pc)
        elif policy.kind == "continue":
            self.passed(thread)
        elif thread.frame:
            self._leave_frame(thread, policy, why)
        else:
            undo, early = policy.kind == "undo", self.early()
            self.wind(Winding("handed_over", why, give_back=undo, last_look=early))

    def cleared(self, thread: Thread, why: str) -> None:
        """The trouble is gone before anything was done."""
        if thread.frame:
            self.finish(thread, Outcome(thread.id, ok=True, why=why))
        else:
            self.wind(Winding("cleared", why))

    def leave(self, thread: Thread, why: str) -> None:
        """End a sub-runbook as failed."""
        self.finish(thread, Outcome(thread.id, ok=False, why=why, pc=thread.pc))

    def _leave_frame(self, thread: Thread, policy: Policy, why: str) -> None:
        if policy.kind == "undo":
            self.enter(thread, self.scope(thread).undo_out)
        else:
            self.finish(thread, Outcome(thread.id, False, why, thread.pc))

    def finish(self, thread: Thread, outcome: Outcome) -> None:
        """End a child thread and tell its parent, or end the run's main line."""
        del self.threads[thread.id]
        parent = self.threads.get(thread.parent)
        if parent is None:
            return
        self.put(replace(parent, results=(*parent.results, outcome)))
        self.stages[f"{parent.stage}.child"](self, self.threads[parent.id], None)

    def fork(
        self, parent: Thread, starts: list[tuple[str, int, dict[str, Any]]]
    ) -> None:
        """Begin child threads: (suffix of the id, where, further names)."""
        for suffix, pc, names in starts:
            child = Thread(
                f"{parent.id}.{parent.pc}{suffix}",
                pc,
                frame=parent.frame,
                parent=parent.id,
                names=parent.names | names,
                base=parent.names | names,
                since=self.tick,
            )
            self.put(child)
            self.ready.append(child.id)

    def orphan(self, thread: Thread) -> bool:
        """Whether nobody waits for how this thread ends: its parent went on."""
        parent = self.threads.get(thread.parent)
        if parent is None or f"{parent.stage}.child" not in self.stages:
            return bool(thread.parent)
        return not thread.id.startswith(f"{parent.id}.{parent.pc}")

    def siblings(self, thread: Thread) -> list[Thread]:
        """Return the other living children of the thread's parent, in order."""
        return [
            other
            for other in self.threads.values()
            if thread.parent and other.parent == thread.parent and other.id != thread.id
        ]

    def children(self, thread: Thread) -> list[Thread]:
        """Return the living children of a thread, in order."""
        return [child for child in self.threads.values() if child.parent == thread.id]

    # What is held

    def let_go(self, held_id: str) -> None:
        """Forget something that was given back, or never happened."""
        self.held = [held for held in self.held if held.id != held_id]

    def held_by_id(self, held_id: str) -> Held | None:
        """Return what is held under the id."""
        found = [held for held in self.held if held.id == held_id]
        return found[0] if found else None

    # How a run ends

    def wind(self, winding: Winding) -> None:
        """Bring the run to its end: what is in flight ends first, then ends.begin."""
        self.change(winding=winding)
        self.ready.clear()
        self.threads = {
            thread.id: thread
            for thread in self.threads.values()
            if thread.stage in IN_FLIGHT or thread.id.startswith(BESIDE)
        }

    def in_flight(self) -> bool:
        """Whether an act or an undo is going on."""
        return any(thread.stage in IN_FLIGHT for thread in self.threads.values())

    def ending(self, thread: Thread) -> bool:
        """Whether what the thread does is only to be ended, not gone on with."""
        winding = self.record.winding
        waiting = winding is not None and not winding.started
        return waiting or self.orphan(thread)

    def drop(self, thread: Thread) -> None:
        """End a thread that nobody waits for."""
        self.threads.pop(thread.id, None)

    def saw(self, event: Looked) -> None:
        """Keep the evidence of a look."""
        fresh = {seen.slot: seen for seen in event.evidence}
        self.evidence = self.evidence | fresh

    def freeze(self, state: RunState) -> Record:
        """Return the next record, in the state that the run shows."""
        return replace(
            self.record,
            state=state,
            threads=self.threads,
            frames=self.frames,
            held=tuple(self.held),
            evidence=self.evidence,
            steps=self.steps,
        )
