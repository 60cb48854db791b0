"""Any service that takes incidents as JSON: told apart by `key`, safe to repeat.

What is here: a POST that opens, a PATCH that writes on or gives back. The receiver
keeps the key: the same Idempotency-Key is the same request, the same `key` the same
incident. What is not: Statuspage. Called by the package.
"""

from typing import Any, Final

from engine.adapters.status_page.parameters import StatusPageAct
from engine.adapters.status_page.server import Server, incident_key
from engine.ports import ActResult, Call

GONE: Final = frozenset({404, 410})


async def tell(server: Server, params: StatusPageAct, call: Call) -> ActResult:
    """Send the incident; with `call.built_in`, that it is over. Raises Ended."""
    method, body = "POST" if params.name is not None else "PATCH", _told(params, call)
    if call.built_in:
        method, body = "PATCH", _over(params, call)
    headers = {"idempotency-key": call.key}
    headers |= {"x-fencing-token": str(call.fence)} if call.fence else {}
    answer = await server.ask(method, "", body, headers)
    if 200 <= answer.status < 300:
        return ActResult("ok", f"{method} taken (HTTP {answer.status})")
    if call.built_in and answer.status in GONE:
        return ActResult("ok", f"gone already (HTTP {answer.status})")
    raise server.refused(answer, changes=True)


def _told(params: StatusPageAct, call: Call) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "key": incident_key(params, call),
        "run": call.run,
        "name": params.name,
        "status": params.status if params.is_incident else None,
        "body": params.body,
        "impact": params.impact,
        "components": params.components or None,
        "notify": params.notify,
    }
    return {key: value for key, value in wanted.items() if value is not None}


def _over(params: StatusPageAct, call: Call) -> dict[str, Any]:
    told: dict[str, Any] = {"key": incident_key(params, call), "run": call.run}
    if params.name is not None:
        told |= {"status": "resolved", "body": params.closing}
    if params.components:
        told["components"] = dict.fromkeys(params.components, params.restored)
    return told | {"notify": params.notify}
