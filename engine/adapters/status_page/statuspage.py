"""Atlassian Statuspage: incidents that are found again, components that are given back.

What is here: the look for an open incident with our key before one is opened; what it
remembers of its components; the way back, which leaves alone what somebody else has
changed since. What is not: requests (server). Called by the package.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from engine.adapters.status_page.parameters import StatusPageAct
from engine.adapters.status_page.server import Server, act_key, incident_key
from engine.ports import ActResult, Call

PLACE: Final = "incident_runbook"  # in an incident's metadata
ROWS: Final = 100  # the most on one page of a list
PAGES: Final = 5

Incident = Mapping[str, Any]


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an incident knows of us."""

    key: str
    run: str = ""
    opened_by: str = ""
    acts: list[str] = []
    wanted: dict[str, str] = {}  # component to the state we gave it
    before: dict[str, str] = {}  # and to the one it had


async def tell(server: Server, params: StatusPageAct, call: Call) -> ActResult:
    """Act once, or find that it was done; with `call.built_in`, give back.

    Raises:
        Ended: it could not, or cannot tell.
    """
    if not params.is_incident:
        back = params.restored if call.built_in else None
        return await _components(server, params, back)
    if call.built_in:
        return await _resolve(server, params, call)
    return await _write(server, params, call)


async def _write(server: Server, params: StatusPageAct, call: Call) -> ActResult:
    key, act = incident_key(params, call), call.key
    found = await _open(server, key)
    if found is not None:
        mark = _mark(found) or Mark(key)
        if act in mark.acts:
            return ActResult("ok", f"incident {found['id']} says so already")
        return await _update(server, params, call, found, mark)
    if await _was_open(server, act):
        return ActResult("ok", "the incident was opened, and somebody has resolved it")
    if params.status == "resolved":
        return ActResult("ok", "no incident of ours is open: it is over already")
    if params.name is None:
        raise server.ended(
            "failed",
            f"no open incident with key '{params.key}' of this run, and no `name` to "
            "open one with",
            retryable=False,
        )
    before = await _states(server, params.components)
    mark = Mark(key, call.run, act, [act], dict(params.components), before)
    made = await server.json("POST", _path(server), _body(params, mark))
    name = made.get("id") if isinstance(made, dict) else None
    if not isinstance(name, str):
        raise server.ended("unknown", "the answer names no incident")
    return ActResult("ok", f"incident {name} is {params.status}")


async def _update(
    server: Server, params: StatusPageAct, call: Call, found: Incident, mark: Mark
) -> ActResult:
    new = {it: to for it, to in params.components.items() if it not in mark.before}
    mark = msgspec.structs.replace(
        mark,
        acts=[*mark.acts, call.key],
        wanted={**mark.wanted, **params.components},
        before={**mark.before, **await _states(server, new)},
    )
    await server.json("PATCH", _path(server, found["id"]), _body(params, mark))
    return ActResult("ok", f"incident {found['id']} is {params.status}")


async def _resolve(server: Server, params: StatusPageAct, call: Call) -> ActResult:
    found = await _open(server, incident_key(params, call))
    mark = None if found is None else _mark(found)
    if found is None or mark is None:
        return ActResult("ok", "no incident of ours is open: it is over already")
    if mark.opened_by != act_key(call):
        words = f"incident {found['id']} stays open: the undo of the act that opened it"
        return ActResult("ok", f"{words} resolves it")
    now = await _states(server, mark.wanted)
    back = {
        it: mark.before.get(it, params.restored) if now[it] == state else now[it]
        for it, state in mark.wanted.items()
    }
    changed = [it for it, state in mark.wanted.items() if now[it] != state]
    incident: dict[str, Any] = {
        "status": "resolved",
        "body": params.closing,
        "deliver_notifications": params.notify,
    }
    incident |= {"components": back} if back else {}
    await server.json("PATCH", _path(server, found["id"]), {"incident": incident})
    left = f"; left as somebody set it: {', '.join(changed)}" if changed else ""
    return ActResult("ok", f"incident {found['id']} is resolved{left}")


async def _components(
    server: Server, params: StatusPageAct, back: str | None
) -> ActResult:
    """Set components, or give back those that are still as the act set them."""
    now = await _states(server, params.components)
    target: dict[str, str] = {}
    left = []
    for name, state in params.components.items():
        if back is None and now[name] not in (state, params.restored):
            raise server.ended(
                "failed",
                f"component {name} is {now[name]}, which would be given back as "
                f"{params.restored}: correct `restored`",
                retryable=False,
            )
        if back is not None and now[name] not in (state, back):
            left.append(name)
        elif now[name] != (back or state):
            target[name] = back or state
    for name, wanted in target.items():
        body = {"component": {"status": wanted}}
        await server.json("PATCH", f"/v1/pages/{server.page}/components/{name}", body)
    told = ", ".join(f"{name} is {it}" for name, it in target.items())
    changed = f"; left as somebody set it: {', '.join(left)}" if left else ""
    return ActResult("ok", f"{told or 'nothing to change'}{changed}")


def _body(params: StatusPageAct, mark: Mark) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "name": params.name,
        "status": params.status,
        "body": params.body,
        "impact_override": params.impact,
        "deliver_notifications": params.notify,
        "metadata": {PLACE: msgspec.to_builtins(mark)},
    }
    if params.components:
        wanted |= {"components": params.components}
        wanted |= {"component_ids": sorted(mark.wanted)}
    return {"incident": {key: it for key, it in wanted.items() if it is not None}}


def _path(server: Server, incident: str = "") -> str:
    tail = f"/{incident}" if incident else ""
    return f"/v1/pages/{server.page}/incidents{tail}"


async def _open(server: Server, key: str) -> Incident | None:
    """Return the open incident with this key, or None."""
    for page in range(1, PAGES + 1):
        path = f"{_path(server, 'unresolved')}?page={page}&per_page={ROWS}"
        rows = await _listed(server, path)
        for row in rows:
            mark = _mark(row)
            if mark is not None and mark.key == key:
                return row
        if len(rows) < ROWS:
            return None
    raise server.ended("failed", f"more than {ROWS * PAGES} open incidents")


async def _was_open(server: Server, act: str) -> bool:
    """Return whether a newer incident, open or not, knows this act."""
    rows = await _listed(server, f"{_path(server)}?limit={ROWS}")
    marks = [_mark(row) for row in rows]
    return any(mark is not None and act in mark.acts for mark in marks)


async def _listed(server: Server, path: str) -> list[Incident]:
    found = await server.json("GET", path)
    if not isinstance(found, list):
        raise server.ended("failed", "the answer is no list of incidents")
    return [
        it for it in found if isinstance(it, dict) and isinstance(it.get("id"), str)
    ]


async def _states(server: Server, names: Mapping[str, str]) -> dict[str, str]:
    """Return the state that each component has now. Raises Ended."""
    states = {}
    for name in names:
        path = f"/v1/pages/{server.page}/components/{name}"
        found = await server.json("GET", path)
        state = found.get("status") if isinstance(found, dict) else None
        if not isinstance(state, str):
            raise server.ended("failed", f"component {name} has no status")
        states[name] = state
    return states


def _mark(incident: Incident) -> Mark | None:
    """Return what the incident knows of us; None: it is not ours, or not readable."""
    metadata = incident.get("metadata")
    found = metadata.get(PLACE) if isinstance(metadata, dict) else None
    try:
        return None if found is None else msgspec.convert(found, Mark)
    except msgspec.ValidationError:
        return None
