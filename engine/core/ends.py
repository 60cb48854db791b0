"""How a run begins and ends.

Begin: the locks, in sorted order. End: `resolved`, `cleared`, `handed_over` or
`cancelled`, each with a note that says why; what is still held stays on the ledger of
its owner, who is paged. Nothing ends while an act is in flight.
"""

from collections.abc import Mapping
from typing import Any, Final

from engine.core.asking import answer_counts
from engine.core.names import evidence_of, rendered_text
from engine.core.record import MAIN, Outcome, Thread, Winding
from engine.core.turn import Resume, Turn, replace
from engine.model.effects import Ask, End, Lock, Page, Say, Unlock
from engine.model.events import Answered, Event, Locked
from engine.model.people import Question

LAST_LOOK_SECONDS: Final = 60.0  # a hand-over before diagnose still looks so long
PERSON_SECONDS: Final = 900.0


def begin_start(turn: Turn, thread: Thread) -> None:
    """Take the locks before anything else."""
    limits = turn.compiled.runbook.limits
    paths = sorted(rendered_text(turn, thread, path) for path in limits.lock)
    if not paths:
        turn.passed(thread)
        return
    key = turn.key(thread, "lock")
    turn.effects.append(Lock(key, tuple(paths)))
    over = turn.timer(thread, "lock_wait", limits.lock_wait.total_seconds())
    turn.note("lock", f"waiting for {', '.join(paths)}", thread, refs={"paths": paths})
    turn.wait(thread, "start.lock", (key, over))


def locked(turn: Turn, thread: Thread, event: Event | None) -> None:
    """The locks are ours, or somebody else keeps them too long."""
    if isinstance(event, Locked):
        turn.note("lock", "the locks are ours", thread)
        turn.passed(thread)
    else:
        wait = turn.compiled.runbook.limits.lock_wait
        turn.failed(thread, f"the locks were not free within {wait}")


def begin(turn: Turn) -> None:
    """Begin the ending: a last look, giving back, or the end itself."""
    winding = turn.record.winding
    assert winding is not None
    turn.change(winding=replace(winding, started=True))
    compiled = turn.compiled
    if winding.give_back:
        pc = compiled.give_back
    elif winding.last_look and compiled.nodes[compiled.last_look].step.all:
        pc = compiled.last_look
    else:
        pc = compiled.end
    thread = Thread(MAIN, pc, top=True, since=turn.tick)
    turn.put(thread)
    turn.ready.append(MAIN)


def begin_last_look(turn: Turn, thread: Thread) -> None:
    """Look once more at what diagnose would look at, for whoever takes over."""
    checks = [step.check for step in turn.node(thread).step.all]
    over = turn.timer(thread, "last_look", LAST_LOOK_SECONDS)
    turn.look(thread, checks, "last_look.seen", keep=(over,))


def last_looked(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Say what was seen; then the end."""
    for step in turn.node(thread).step.all:
        seen = evidence_of(turn, thread, step.check)
        state, why = (
            (seen.state, seen.why) if seen is not None else ("unknown", "cut at 60s")
        )
        turn.note(
            "check", f"{step.check}: {state}", thread, why=why, subject=step.check
        )
    turn.passed(thread)


def begin_finish(turn: Turn, thread: Thread) -> None:
    """Restore is through: resolved, if nothing is held any more."""
    runbook = turn.compiled.runbook
    held = [one.action for one in turn.held]
    if thread.frame:
        turn.finish(thread, Outcome(thread.id, ok=True))
    elif held:
        why = f"restore is through, but {', '.join(held)} is still held"
        turn.wind(Winding("handed_over", why, through=True))
    elif not runbook.confirm and runbook.restore is None:
        turn.wind(
            Winding("resolved", "everything is given back; unverified: no confirm")
        )
    elif not runbook.restore and runbook.restore is not None:
        turn.wind(Winding("resolved", "nothing is held; unverified: restore is empty"))
    else:
        turn.wind(Winding("resolved", "restore is through and nothing is held"))


def begin_leave(turn: Turn, thread: Thread) -> None:
    """A sub-runbook failed and has given back what it took."""
    turn.leave(thread, "gave back what it took")


def begin_end(turn: Turn, thread: Thread) -> None:
    """The end: say which and why, hand over what is held."""
    winding = turn.record.winding
    assert winding is not None
    end, why = winding.end, winding.why
    if turn.held and end in ("resolved", "cleared"):
        end, why = "handed_over", f"{why}; still held"
    if end == "cancelled" and turn.held and winding.give_back:
        end, why = "handed_over", f"{why}; could not give everything back"
    _hand_over_held(turn, winding)
    turn.change(end=end, why=why, state=turn.record.state)
    refs: dict[str, Any] = {
        "held": [one.id for one in turn.held],
        "cause": _cause(turn),
    }
    turn.note("end", f"ended: {end}", why=why, subject=end, refs=refs)
    if end == "handed_over" or turn.held:
        _page_owner(turn, winding, why)
    turn.effects.append(Say(f"Run {turn.record.run} ended: {end} ({why})"))
    turn.threads.clear()
    turn.ready.clear()
    if end != "handed_over" and not turn.held:
        turn.effects.append(Unlock())  # else kept until somebody takes it by name
    turn.effects.append(End(end, why))


def _cause(turn: Turn) -> str:
    return turn.frames[""].cause if "" in turn.frames else ""


def _hand_over_held(turn: Turn, winding: Winding) -> None:
    to = winding.to or turn.compiled.runbook.owner
    for held in turn.held:
        turn.note(
            "step",
            f"{held.action} {held.target} stays held, in the hands of {to}",
            why="its undo failed" if held.stuck else winding.why,
            subject=held.action,
            target=held.target,
            refs={
                "since": held.since,
                "kind": held.kind,
                "command": held.params,
                "to": to,
            },
        )


def _page_owner(turn: Turn, winding: Winding, why: str) -> None:
    to = winding.to or turn.compiled.runbook.owner
    held = (
        ", ".join(f"{one.action} {one.target}".strip() for one in turn.held)
        or "nothing"
    )
    text = f"{turn.compiled.runbook.runbook} is in your hands: {why}. Held: {held}."
    turn.effects.append(Page(to, text, turn.record.severity, f"{turn.record.run}/end"))


def begin_resolved(turn: Turn, thread: Thread) -> None:
    """The alert is over: ask whether to go on."""
    owner = turn.compiled.runbook.owner
    key = turn.key(thread, "resolved")
    question = Question(
        key,
        "resolved",
        turn.node(thread).id,
        "The alert is resolved. Restore now? (no: go on as before)",
        ((owner, 1),),
        within_seconds=PERSON_SECONDS,
        fields={"restore": {"type": "boolean"}},
    )
    turn.effects.append(Ask(key, question))
    turn.note("asked", question.text, thread, subject=key, refs={"who": [[owner, 1]]})
    over = turn.timer(thread, "resolved_within", PERSON_SECONDS)
    turn.wait(thread, "resolved.ask", (key, over), box={"question": question})


def resolved_told(turn: Turn, thread: Thread, event: Event | None) -> None:
    """Restore, or go on: silence goes on."""
    if not answer_counts(turn, thread, thread.box["question"], event):
        return
    turn.drop(thread)
    if isinstance(event, Answered) and event.answers.get("restore"):
        turn.note("decision", "restore now", why=f"{event.by.id} says so")
        go_to_restore(turn)


def go_to_restore(turn: Turn) -> None:
    """Leave what goes on, and begin restore; what is in flight ends first."""
    main = turn.threads.get(MAIN)
    scope = turn.compiled.scopes[0]
    if (
        main is None
        or turn.node(main).phase == "restore"
        or turn.record.winding is not None
    ):
        return
    for thread in list(turn.threads.values()):
        ours = thread.id.startswith(MAIN + ".")
        if ours and thread.stage not in ("act.acting", "undo.undoing"):
            turn.drop(thread)
    if main.stage == "act.acting":
        turn.put(replace(main, box=main.box | {"then": scope.restore}))
    else:
        turn.enter(main, scope.restore)


def too_many_moves(turn: Turn) -> None:
    """A run that never ends is a defect of the engine; it ends in people's hands."""
    turn.threads.clear()
    turn.ready.clear()
    turn.change(winding=Winding("handed_over", "too many moves", started=True), end="")
    thread = Thread(MAIN, turn.compiled.end, top=True)
    turn.put(thread)
    begin_end(turn, thread)


STAGES: Final[Mapping[str, Resume]] = {
    "start.lock": locked,
    "last_look.seen": last_looked,
    "resolved.ask": resolved_told,
}
