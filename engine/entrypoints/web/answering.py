"""GET and POST /answer/TOKEN: a person answers a question by their one-time link.

GET shows the exact question and never answers it, whoever fetches it: mail is scanned.
POST answers as the person the link was made for, once. 410 for a link that is void,
used or over; 400 for an answer that does not fit, which uses nothing up; 409 for one
that does not count. No script, no other server, and no token in the log.

Called by doors.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from engine.bootstrap import Engine
from engine.core.words import typed_answers
from engine.errors import DoesNotApply, EngineError, NotAllowed, StoreUnavailable
from engine.model.people import Question
from engine.runtime.chat.links import Linked, Links, fitting, used_as
from engine.runtime.heard import why_not_counted
from engine.views.chat.by_link import question_page, word_page

log = logging.getLogger(__name__)

MOST_BYTES: Final = 64 * 1024
MOST_FIELDS: Final = 100
POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
}


class _DoesNotFit(Exception):
    """The answer has a mistake; the link stays as good as it was."""


@dataclass(slots=True)
class Answering:
    """The door that one-time links open."""

    opened: Engine
    links: Links

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/answer/{token}", self._show, methods=["GET"]),
            Route("/answer/{token}", self._take, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        try:
            made, question = await self._meant(request)
        except DoesNotApply as why:
            return _page(410, "This link answers nothing", str(why))
        return self._asked(made, question)

    async def _take(self, request: Request) -> Response:
        try:
            made, question = await self._meant(request)
        except DoesNotApply as why:
            return _page(410, "This link answers nothing", str(why))
        try:
            said = _said(await _form(request), question)
        except _DoesNotFit as why:
            return self._asked(made, question, problem=str(why), status=400)
        try:
            not_counted = await self._answer(made, question, said)
        except StoreUnavailable as error:
            return _page(503, "It could not be kept", f"{error}. Try it again.")
        except (DoesNotApply, NotAllowed) as error:
            return _page(409, "It does not count", str(error))
        except EngineError as error:
            return _page(409, "It could not be taken", str(error))
        if not_counted:
            return _page(409, "It does not count", not_counted)
        done = f"{said['verb']} by {made.person}, for run {made.run}"
        return _page(200, "Taken", f"{done}. This link is used now.")

    async def _meant(self, request: Request) -> tuple[Linked, Question]:
        """Return what the link is for, as it stands now. Raises DoesNotApply."""
        made = self.links.opened(request.path_params["token"])
        summary = await self.opened.store.summary(made.run)
        if summary is None:
            raise DoesNotApply("the run of this link is not kept any more")
        return made, fitting(made, summary.questions)

    async def _answer(
        self, made: Linked, question: Question, said: Mapping[str, Any]
    ) -> str:
        """Answer as the person; return why it does not count, or an empty string.

        Raises:
            DoesNotApply: the link was used, or the question is closed by now.
            NotAllowed: the person may not answer anything.
        """
        service, store = self.opened.service, self.opened.store
        settings = self.opened.config.settings.people
        person = settings.get(made.person)
        if settings and (person is None or person.role == "viewer"):
            raise NotAllowed(f"{made.person} may not answer any more")
        now = service.driver.ports.clock.now()
        if not await store.chat.first(used_as(made), at=now):
            raise DoesNotApply("this link was used already")
        summary = await service.summary(made.run)
        code = await service.driver.ports.compiled(summary.revision)
        by = service.actor(made.person, "link", code.runbook)
        before = len(await store.entries(made.run))
        log.info("answered by link run=%s who=%s", made.run, made.person)
        if question.kind == "approve":
            await service.vote(
                made.run, by, said["verb"], step=question.key, plan=made.plan,
                reason=said["reason"], typed=said["typed"],
            )  # fmt: skip
        else:
            await service.answer(made.run, by, said["answers"], step=question.key)
        return why_not_counted(await store.entries(made.run, after=before), by)

    def _asked(
        self, made: Linked, question: Question, *, problem: str = "", status: int = 200
    ) -> Response:
        page = question_page(
            question, person=made.person, until=made.until, problem=problem
        )
        return HTMLResponse(page, status, HEADERS)


def _page(status: int, title: str, text: str) -> Response:
    return HTMLResponse(word_page(title, text), status, HEADERS)


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of the form that was sent. Raises _DoesNotFit."""
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > MOST_BYTES:
            raise _DoesNotFit("the answer is over 64 KiB")
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise _DoesNotFit("the answer cannot be read") from error
    return dict(pairs)


def _said(form: Mapping[str, str], question: Question) -> dict[str, Any]:
    """Return what was answered. Raises _DoesNotFit: it has a mistake."""
    if question.kind != "approve":
        given = {name: form[name] for name in question.fields if name in form}
        try:
            return {"verb": "answer", "answers": typed_answers(question, given)}
        except EngineError as error:
            raise _DoesNotFit(str(error)) from error
    verb, typed = form.get("verb", ""), form.get("typed", "")
    if verb not in ("approve", "reject"):
        raise _DoesNotFit("press approve or reject")
    if verb == "approve" and question.retype and typed != question.retype:
        raise _DoesNotFit(f"type {question.retype} to approve")
    if verb == "reject" and not form.get("reason", "").strip():
        raise _DoesNotFit("say why you reject it; nothing was rejected")
    return {"verb": verb, "reason": form.get("reason", ""), "typed": typed}
