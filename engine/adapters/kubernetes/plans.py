"""What each act would change on an object as it is now: pure, and refused in words.

What is here: `plan_act` and `plan_undo`, from the object and the marks on it to a merge
patch. Every patch carries the object's resourceVersion, so it holds for this state or
not at all. What is not: sending it (acting), finding templates (rollouts).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.adapters.kubernetes.looking import count
from engine.adapters.kubernetes.marks import (
    Mark,
    act_key,
    found_by,
    is_full,
    marks_of,
    refuse_older,
    with_mark,
)
from engine.adapters.kubernetes.parameters import ACTS, KubernetesAction
from engine.adapters.kubernetes.rollouts import Rollout
from engine.adapters.kubernetes.server import Refused
from engine.ports import Call

RESTARTED_AT: Final = "kubectl.kubernetes.io/restartedAt"
RESTARTED_BY: Final = "incident-runbook/restarted-by"
NODES: Final = ("cordon", "uncordon")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do: a merge patch, or nothing; and what is true then."""

    words: str
    patch: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """The change itself, without its mark."""

    words: str
    body: dict[str, Any]
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class Now:
    """An object as it is, with what is needed beside it."""

    found: dict[str, Any]
    at: str  # the time, for a restart
    rollout: Rollout | None = None  # of a rollout_undo


def verb_of(params: KubernetesAction) -> tuple[str, str]:
    """Return what is done, and to which object."""
    for verb in ACTS:
        name = getattr(params, verb)
        if name is not None:
            return verb, name
    raise ValueError("no verb")  # the model lets none through


def plan_act(now: Now, params: KubernetesAction, call: Call) -> Plan:
    """Return what an act is to do now. Raises Refused."""
    verb, name = verb_of(params)
    marks = marks_of(now.found)
    mine = found_by(marks, act_key(call))
    if mine is not None and mine.undone:
        raise Refused(f"{verb} {name} was given back already; a late act is not done")
    if mine is not None:
        return Plan(f"{verb} {name}: done already under this key")
    refuse_older(marks, call)
    step = _step(verb, now, params, call)
    mark = Mark(
        act_key(call), verb, step.before, step.after, call.run, call.fence
    )  # fmt: skip
    return Plan(
        f"{verb} {name}: {step.words}", _patch(now.found, step.body, marks, mark)
    )


def plan_undo(now: Now, params: KubernetesAction, call: Call) -> Plan:
    """Return how an act is to be given back now. Raises Refused: someone changed it."""
    verb, name = verb_of(params)
    marks = marks_of(now.found)
    mine = found_by(marks, act_key(call))
    if mine is not None and mine.undone:
        return Plan(f"{verb} {name} was given back already")
    refuse_older(marks, call)
    if mine is None and is_full(marks):
        raise Refused(
            f"too many acts stand on {name} to tell what it was before; set it by hand"
        )
    if mine is None:
        words = "nothing of ours is there to give back"
        body: dict[str, Any] = {}
        mine = Mark(act_key(call), verb)
    else:
        words, body = _back(verb, now, mine)
    mark = Mark(
        mine.key, verb, mine.before, mine.after, call.run, call.fence, undone=True
    )
    return Plan(f"{verb} {name}: {words}", _patch(now.found, body, marks, mark))


def _step(verb: str, now: Now, params: KubernetesAction, call: Call) -> Step:
    if verb == "scale":
        return _scale(now.found, params)
    if verb == "rollout_restart":
        return _restart(now, call)
    if verb == "rollout_undo":
        assert now.rollout is not None
        refuse_paused(now.found)
        source, target = now.rollout.choose(params.revision)
        words = f"back to revision {target.revision} from {source.revision}"
        body = {"spec": {"template": now.rollout.change_to(target)}}
        return Step(words, body, source.name, target.name)
    closed = verb == "cordon"
    before = is_closed(now.found)
    words = f"already {verb}ed" if before == closed else f"{verb}ed"
    return Step(words, {"spec": {"unschedulable": closed or None}}, before, closed)


def _scale(found: Mapping[str, Any], params: KubernetesAction) -> Step:
    assert params.replicas is not None
    before = count(found.get("spec") or {}, "replicas", default=1)
    words = f"{params.replicas} replicas, {before} before"
    body = {"spec": {"replicas": params.replicas}}
    return Step(words, body, before, params.replicas)


def _restart(now: Now, call: Call) -> Step:
    refuse_paused(now.found)
    notes = {RESTARTED_AT: now.at, RESTARTED_BY: call.key}
    body = {"spec": {"template": {"metadata": {"annotations": notes}}}}
    return Step("its pods are being replaced", body)


def _back(verb: str, now: Now, mine: Mark) -> tuple[str, dict[str, Any]]:
    """Return how an act is given back, in words and as a change. Raises Refused."""
    if verb == "scale":
        replicas = count(now.found.get("spec") or {}, "replicas", default=1)
        body: dict[str, Any] = {"spec": {"replicas": mine.before}}
        return _compared(replicas, mine, f"{mine.before} replicas", body)
    if verb == "rollout_restart":
        return "a restart leaves nothing to give back", {}
    if verb == "rollout_undo":
        return _forward(now, mine)
    body = {"spec": {"unschedulable": True if mine.before else None}}
    state = "cordoned" if mine.before else "open for pods"
    return _compared(is_closed(now.found), mine, state, body)


def _forward(now: Now, mine: Mark) -> tuple[str, dict[str, Any]]:
    """Return the way back of a `rollout_undo`: the template before it."""
    assert now.rollout is not None
    refuse_paused(now.found)
    target = now.rollout.named(mine.before)
    body = {"spec": {"template": now.rollout.change_to(target)}}
    here = now.rollout.current.name
    return _compared(here, mine, f"the template of {target.name}", body)


def _compared(
    here: Any, mine: Mark, words: str, body: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return the way back where the value is still ours. Raises Refused: it is not."""
    if here == mine.before:
        return f"{words}, as before already", {}
    if here != mine.after:
        raise Refused(
            f"someone else changed it: it is {here}, we had set {mine.after}, and it "
            f"was {mine.before} before; nothing was done. Decide, and set it by hand"
        )
    return f"{words} again", body


def is_closed(found: Mapping[str, Any]) -> bool:
    """Return whether a node takes no new pods."""
    return (found.get("spec") or {}).get("unschedulable") is True


def refuse_paused(found: Mapping[str, Any]) -> None:
    """Raise Refused where a deployment is paused: nothing would be rolled out."""
    if (found.get("spec") or {}).get("paused") is True:
        raise Refused("its rollout is paused, so nothing would happen; resume it first")


def _patch(
    found: Mapping[str, Any], body: dict[str, Any], marks: list[Mark], mark: Mark
) -> dict[str, Any]:
    meta: dict[str, Any] = {"annotations": with_mark(marks, mark)}
    version = found["metadata"].get("resourceVersion")
    if version is not None:
        meta["resourceVersion"] = version
    return {**body, "metadata": meta}
