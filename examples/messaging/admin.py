"""The admin side of each process: state, changes, faults, metrics, and the writes.

Rule: a change under /admin/ takes effect once for each Idempotency-Key. A repeated
key gets the first answer again (header `Idempotent-Replay: true`) and only counts
as a repeat; the same key for another request is refused with 422.
`GET /admin/writes` shows every effect that was had, in order.

Two faults belong to every process: `lost-answer` (the effect is had, the connection
is cut instead of an answer; body `{"times": 1}`) and `slow-answer` (the answer to a
change comes late; body `{"seconds": 5}`).

Used by: process.py, which serves it; each process registers its endpoints here.
"""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .metrics import Metrics
from .wire import Request, Response


class BadAsk(Exception):
    """The request cannot be done as asked; `status` and text go back to the caller."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Ask:
    """One admin request: the path's parts and the JSON body."""

    path: dict[str, str]
    body: dict[str, Any]

    def number(
        self, name: str, *, low: float, high: float, default: float | None = None
    ) -> float:
        """Return a number of the body, `low` to `high`."""
        value = self.body.get(name, default)
        if isinstance(value, str):
            value = _number(value)  # templates of callers may render text
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadAsk(f"'{name}' must be a number from {low:g} to {high:g}")
        if not low <= value <= high:
            raise BadAsk(f"'{name}' is {value:g}, not from {low:g} to {high:g}")
        return value

    def boolean(self, name: str) -> bool:
        """Return a boolean of the body."""
        value = self.body.get(name)
        if not isinstance(value, bool):
            raise BadAsk(f"'{name}' must be true or false")
        return value

    def choice(self, name: str, among: Sequence[str]) -> str:
        """Return a text of the body that is one of `among`."""
        value = self.body.get(name)
        if not isinstance(value, str) or value not in among:
            raise BadAsk(f"'{name}' must be one of {', '.join(among)}")
        return value


Reply = tuple[int, dict[str, Any]]
Endpoint = Callable[[Ask], Awaitable[Reply]]
Switch = Callable[[dict[str, Any]], Awaitable[None]]


def _number(text: str) -> float | str:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what switching it on and off does."""

    on: Switch
    off: Switch


class Admin:
    """The endpoints of one process."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._routes: list[tuple[str, re.Pattern[str], Endpoint]] = []
        self._faults: dict[str, Fault] = {}
        self._active: dict[str, dict[str, Any]] = {}
        self._writes: list[dict[str, Any]] = []
        self._answers: dict[str, tuple[str, asyncio.Future[Reply]]] = {}
        self._healthy: Callable[[], bool] = lambda: True
        self._answers_to_lose = 0
        self._answer_delay_seconds = 0.0
        self.route("GET", "/admin/writes", self._list_writes)
        self.route("GET", "/faults", self._list_faults)
        self.route("POST", "/faults/{name}", self._fault_on)
        self.route("DELETE", "/faults/{name}", self._fault_off)
        self.route("GET", "/health", self._health)
        self.fault("lost-answer", on=self._lose_answers, off=self._lose_none)
        self.fault("slow-answer", on=self._slow_down, off=self._speed_up)

    def route(self, method: str, path: str, endpoint: Endpoint) -> None:
        """Register an endpoint; `{name}` in the path stands for one segment."""
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
        self._routes.append((method, pattern, endpoint))

    def fault(self, name: str, *, on: Switch, off: Switch) -> None:
        """Register a fault that can be switched on and off."""
        self._faults[name] = Fault(on, off)

    def healthy_when(self, healthy: Callable[[], bool]) -> None:
        """Have /health answer 503 until `healthy()` is true."""
        self._healthy = healthy

    async def answer(self, request: Request) -> Response:
        """Return the answer to one HTTP request; bad input never raises."""
        if request.path == "/metrics":
            text = self._metrics.render().encode()
            return Response(200, text, "text/plain; version=0.0.4")
        try:
            endpoint, ask = self._find(request)
            if request.method == "GET" or not request.path.startswith("/admin/"):
                return _json(await endpoint(ask))
            return await self._write(request, endpoint, ask)
        except BadAsk as error:
            return _json((error.status, {"error": str(error)}))

    def _find(self, request: Request) -> tuple[Endpoint, Ask]:
        allowed = []
        for method, pattern, endpoint in self._routes:
            if match := pattern.fullmatch(request.path):
                if method == request.method:
                    return endpoint, Ask(match.groupdict(), _body(request))
                allowed.append(method)
        if allowed:
            raise BadAsk(f"{request.path} takes {', '.join(allowed)}", status=405)
        raise BadAsk(f"there is no {request.path} here", status=404)

    async def _write(self, request: Request, endpoint: Endpoint, ask: Ask) -> Response:
        key = request.headers.get("idempotency-key", "")
        same = f"{request.method} {request.path} {json.dumps(ask.body, sort_keys=True)}"
        if key and key in self._answers:
            first, answer = self._answers[key]
            if first != same:
                raise BadAsk(f"key '{key}' was used for {first}", status=422)
            self._count_repeat(key)
            return _json(await asyncio.shield(answer), {"Idempotent-Replay": "true"})
        reply: asyncio.Future[Reply] = asyncio.Future()
        if key:
            self._answers[key] = (same, reply)
        try:
            status, state = await endpoint(ask)
        except BadAsk as error:  # no effect was had: the next try is a first one
            self._answers.pop(key, None)
            status, state = error.status, {"error": str(error)}
        else:
            self._record(request, ask, key, status)
        reply.set_result((status, state))
        await self._hold_back()
        return _json((status, state))

    async def _hold_back(self) -> None:
        """Do to an answer what the faults say; the effect has been had by now."""
        await asyncio.sleep(self._answer_delay_seconds)
        if self._answers_to_lose:
            self._answers_to_lose -= 1
            raise ConnectionResetError("lost-answer is on")

    async def _lose_answers(self, body: dict[str, Any]) -> None:
        times = Ask({}, body).number("times", low=1, high=1000, default=1)
        self._answers_to_lose = int(times)

    async def _lose_none(self, body: dict[str, Any]) -> None:
        self._answers_to_lose = 0

    async def _slow_down(self, body: dict[str, Any]) -> None:
        seconds = Ask({}, body).number("seconds", low=0, high=120, default=5)
        self._answer_delay_seconds = float(seconds)

    async def _speed_up(self, body: dict[str, Any]) -> None:
        self._answer_delay_seconds = 0.0

    def _record(self, request: Request, ask: Ask, key: str, status: int) -> None:
        self._writes.append(
            {
                "method": request.method,
                "path": request.path,
                "key": key,
                "fence": request.headers.get("x-fencing-token", ""),
                "at": time.time(),
                "status": status,
                "body": ask.body,
                "repeats": 0,
            }
        )

    def _count_repeat(self, key: str) -> None:
        for write in self._writes:
            if write["key"] == key:
                write["repeats"] += 1

    async def _list_writes(self, ask: Ask) -> Reply:
        return 200, {"writes": self._writes, "count": len(self._writes)}

    async def _list_faults(self, ask: Ask) -> Reply:
        known = sorted(self._faults)
        return 200, {"faults": {name: name in self._active for name in known}}

    async def _fault_on(self, ask: Ask) -> Reply:
        name = ask.path["name"]
        fault = self._known(name)
        if name not in self._active:
            await fault.on(ask.body)
            self._active[name] = ask.body
        return 200, {"fault": name, "on": True}

    async def _fault_off(self, ask: Ask) -> Reply:
        name = ask.path["name"]
        fault = self._known(name)
        if name in self._active:
            await fault.off(self._active.pop(name))
        return 200, {"fault": name, "on": False}

    def _known(self, name: str) -> Fault:
        if name not in self._faults:
            here = ", ".join(sorted(self._faults)) or "none"
            raise BadAsk(f"no fault '{name}' here; there are: {here}", status=404)
        return self._faults[name]

    async def _health(self, ask: Ask) -> Reply:
        return (200, {"ok": True}) if self._healthy() else (503, {"ok": False})


def _body(request: Request) -> dict[str, Any]:
    if not request.body:
        return {}
    try:
        body = json.loads(request.body)
    except ValueError:
        raise BadAsk("the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadAsk("the body must be a JSON object")
    return body


def _json(reply: Reply, headers: dict[str, str] | None = None) -> Response:
    status, state = reply
    return Response(status, json.dumps(state).encode(), headers=headers or {})
