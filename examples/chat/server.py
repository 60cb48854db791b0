"""The HTTP side: Web API, upload of files, response_url, the websocket's address.

A call comes as a form, as JSON or as a query; a fault that is set may fail it before
or after its effect; each is logged. Called by: slack.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from chat.arguments import Arguments
from chat.faults import Call, Fault, Trouble
from chat.methods import METHODS
from chat.things import Json, Refused
from chat.workspace import Workspace

MOST_BYTES: Final = 64 * 1024 * 1024
SCOPES: Final = "chat:write,channels:manage,commands,files:write,pins:write,users:read"
Respond = Callable[[str, Json], None]


class Server:
    """Answers an app. `bot_tokens` and `app_tokens` are those that are good."""

    def __init__(
        self,
        workspace: Workspace,
        trouble: Trouble,
        connect: Callable[[web.Request], Awaitable[web.StreamResponse]],
        ticket: Callable[[], str],
        respond: Respond,
    ) -> None:
        self.workspace = workspace
        self.trouble = trouble
        self.bot_tokens = {"xoxb-good"}
        self.app_tokens = {"xapp-good"}
        self.revoked: set[str] = set()
        self._ticket = ticket
        self._respond = respond
        self.app = web.Application(client_max_size=MOST_BYTES)
        self.app.router.add_route("*", "/api/{method}", self._call)
        self.app.router.add_post("/upload/v1/{ticket}", self._upload)
        self.app.router.add_get("/files-pri/{file}/{name}", self._download)
        self.app.router.add_post("/respond/{ticket}", self._respond_url)
        self.app.router.add_get("/link", connect)

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        came = self.trouble.ticks()
        try:
            given = await read(request)
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_json"})
        token = token_of(request, given)
        where = self._where(given)
        fault = self.trouble.next(method, where)
        if fault is None:
            wait = self.trouble.rates.wait(method, where, came)
            if wait:
                fault = Fault(status=429, retry_after=str(wait))
        if fault is None or fault.has_effect:
            answer = self.perform(method, token, given)
        else:
            answer = {"ok": False, "error": fault.error or "internal_error"}
        return await self._answer(request, method, given, came, answer, fault)

    async def _answer(
        self, request: web.Request, method: str, given: Json, came: float,
        answer: Json, fault: Fault | None,
    ) -> web.StreamResponse:  # fmt: skip
        done = answer["ok"] is True
        if fault is not None and fault.error:
            answer = {"ok": False, "error": fault.error}
        status = 0 if fault and fault.drop else (fault.status if fault else 0) or 200
        error = "" if answer["ok"] else str(answer["error"])
        self.trouble.calls.append(
            Call(method, given, came, status, error, done, answer)
        )
        self.workspace.changed()
        if fault is not None and fault.seconds:
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.drop:
            return cut(request)
        return written(answer, status, fault)

    def _where(self, given: Json) -> str:
        """Return the id of the channel that a call names ("" if it names none)."""
        named = str(given.get("channel") or given.get("channel_id") or "")
        try:
            return self.workspace.channel(named).id
        except Refused:
            return named

    def perform(self, method: str, token: str, given: Json) -> Json:
        """Carry a call out; return the whole answer."""
        try:
            self._admit(method, token)
            if method == "apps.connections.open":
                base = self.workspace.base.replace("http", "ws", 1)
                return {"ok": True, "url": f"{base}/link?ticket={self._ticket()}"}
            answer = METHODS[method](self.workspace, Arguments(given))
        except Refused as refused:
            return refusal(refused)
        return {"ok": True, **answer}

    def _admit(self, method: str, token: str) -> None:
        if method != "apps.connections.open" and method not in METHODS:
            raise Refused("unknown_method", more={"req_method": method})
        if not token and method != "api.test":
            raise Refused("not_authed")
        if token in self.revoked:
            raise Refused("token_revoked")
        wants_app = method == "apps.connections.open"
        good = self.app_tokens if wants_app else self.bot_tokens
        if token and token not in good:
            other = token in self.bot_tokens | self.app_tokens
            raise Refused("not_allowed_token_type" if other else "invalid_auth")

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        """Take a file's bytes, raw or as a form's first part."""
        came = self.trouble.ticks()
        ticket = request.match_info["ticket"]
        fault = self.trouble.next("upload")
        found = [f for f in self.workspace.files.values() if f.ticket == ticket]
        content = await _bytes_of(request)
        known = bool(found) and len(content) == found[0].length
        if known and (fault is None or fault.has_effect):
            found[0].content = content
        answer: Json = {"ok": known, "error": "" if known else "file_not_found"}
        if fault is None:
            status = 200 if known else 400
            self.trouble.calls.append(Call("upload", {"ticket": ticket}, came, status,
                                           answer["error"], known, {}))  # fmt: skip
            return web.Response(text=f"OK - {len(content)}", status=status)
        return await self._answer(request, "upload", {}, came, answer, fault)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        file = self.workspace.files.get(request.match_info["file"])
        if token_of(request, {}) not in self.bot_tokens or file is None:
            return web.Response(status=404)
        return web.Response(body=file.content or b"")

    async def _respond_url(self, request: web.Request) -> web.StreamResponse:
        came = self.trouble.ticks()
        given = await read(request)
        fault = self.trouble.next("response_url")
        answer: Json = {"ok": False, "error": "internal_error"}
        if fault is None or fault.has_effect:
            try:
                self._respond(request.match_info["ticket"], given)
                answer = {"ok": True}
            except Refused as refused:
                answer = refusal(refused)
        if fault is None and not answer["ok"]:
            fault = Fault(status=404, error=answer["error"])
        return await self._answer(request, "response_url", given, came, answer, fault)


async def _bytes_of(request: web.Request) -> bytes:
    """Return the bytes of a file, sent raw or as the first part of a form."""
    if request.content_type.startswith("multipart/"):
        for part in (await request.post()).values():
            if isinstance(part, web.FileField):
                return part.file.read()
    return await request.read()


async def read(request: web.Request) -> Json:
    """Return a call's arguments: query, then form or JSON. ValueError: no JSON."""
    given: Json = dict(request.query)
    if request.content_type == "application/json":
        body = json.loads(await request.read() or b"{}")
        if not isinstance(body, dict):
            raise ValueError("an object is needed")
        return given | body
    if request.can_read_body:
        given |= dict(await request.post())
    return given


def token_of(request: web.Request, given: Json) -> str:
    """Return the token a call brings, in its header or as an argument ("" if none)."""
    header = request.headers.get("Authorization", "")
    bearer = header.removeprefix("Bearer ") if header.startswith("Bearer ") else ""
    return bearer or str(given.pop("token", ""))


def refusal(refused: Refused) -> Json:
    """Return the answer `ok: false` for a refusal."""
    answer: Json = {"ok": False, "error": refused.code, **refused.more}
    if refused.messages:
        answer["response_metadata"] = {"messages": list(refused.messages)}
    return answer


def written(answer: Json, status: int, fault: Fault | None) -> web.Response:
    """Return the answer as HTTP, as the fault wants it."""
    headers = {"X-OAuth-Scopes": SCOPES, "X-Slack-Req-Id": "0"}
    if fault is not None and fault.retry_after is not None:
        headers["Retry-After"] = fault.retry_after
    if status == 429:
        answer = {"ok": False, "error": "ratelimited"}
    elif status >= 500:
        return web.Response(text="<html>upstream failed</html>", status=status,
                            content_type="text/html", headers=headers)  # fmt: skip
    return web.json_response(answer, status=status, headers=headers)


def cut(request: web.Request) -> web.StreamResponse:
    """Cut the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
