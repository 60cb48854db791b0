"""Changing an object once: look, plan, patch; again where someone was faster.

A patch holds for the state that was planned for, or not at all (409); then it is
planned anew, until the limit. Where the answer to a patch is lost, the object is looked
at: our mark on it says that it was done.

Called by the package.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from engine.adapters.kubernetes.marks import act_key, found_by, marks_of
from engine.adapters.kubernetes.parameters import KubernetesAction
from engine.adapters.kubernetes.plans import (
    NODES,
    Now,
    plan_act,
    plan_undo,
    verb_of,
)
from engine.adapters.kubernetes.rollouts import rollout_of
from engine.adapters.kubernetes.server import Refused, Server
from engine.ports import ActResult, Call

FIRST_WAIT_SECONDS: Final = 0.05  # after a conflict; doubled each time
LONGEST_WAIT_SECONDS: Final = 1.0
LEAST_SECONDS: Final = 0.25  # for another try: one cut off cannot be told from a done


async def act_on(
    server: Server, params: KubernetesAction, call: Call, clock: Callable[[], float]
) -> ActResult:
    """Act, or give back; say what is known of it. Raises Refused: nothing was done."""
    wait = FIRST_WAIT_SECONDS
    path = _path(server, params)
    while True:
        now = await _now(server, path, params, clock)
        plan = (plan_undo if call.built_in else plan_act)(now, params, call)
        if plan.patch is None:
            return ActResult("ok", plan.words)
        try:
            await server.patch(path, plan.patch)
            return ActResult("ok", plan.words)
        except Refused as refused:
            if refused.what == "lost":
                return await _looked_for(server, path, call, plan.words, refused)
            if refused.what != "conflict":
                raise
            if server.left() < wait + LEAST_SECONDS:
                raise
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)


def _path(server: Server, params: KubernetesAction) -> str:
    verb, name = verb_of(params)
    if verb in NODES:
        return server.path("nodes", name, core=True, whole=True)
    return server.path("deployments", name)


async def _now(
    server: Server, path: str, params: KubernetesAction, clock: Callable[[], float]
) -> Now:
    found, _ = await server.get(path)
    at = datetime.fromtimestamp(clock(), UTC).isoformat(timespec="seconds")
    if params.rollout_undo is None:
        return Now(found, at)
    return Now(found, at, await rollout_of(server, found))


async def _looked_for(
    server: Server, path: str, call: Call, words: str, lost: Refused
) -> ActResult:
    """Return whether a patch without an answer has arrived."""
    try:
        found, _ = await server.get(path)
        mark = found_by(marks_of(found), act_key(call))
    except Refused:
        mark = None
    if mark is not None and mark.undone == call.built_in:
        return ActResult("ok", f"{words} (the answer was lost, and it is done)")
    why = f"{server.shown}: {lost.why}; it may have been done"
    return ActResult("unknown", server.unsealed.hide(why))
