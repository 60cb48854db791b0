"""GET and POST /answer/TOKEN: a person answers a question by their one-time link.

GET shows the exact question and never answers it, whoever fetches it: mail is scanned.
POST answers as the person the link was made for, once: the link is used by what is
written of the answer. 410 for a link that is void, used or over; 400 for an answer that
does not fit and 503 for one that cannot be kept, which use nothing up; 409 for one that
does not count. No script, no other server, and no token in the log.

Called by doors.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from engine.bootstrap import Engine
from engine.core.words import typed_answers
from engine.errors import DoesNotApply, EngineError, NotAllowed, StoreUnavailable
from engine.model.events import Answered, Event, Voted
from engine.model.people import Actor, Question
from engine.runtime.chat.links import Linked, Links, fitting, is_used
from engine.runtime.heard import came_of, why_not_counted
from engine.runtime.plain_text import kept_text, kept_value
from engine.runtime.rights import may
from engine.runtime.service import Service
from engine.views.chat.asked import open_questions
from engine.views.chat.by_link import question_page, word_page

log = logging.getLogger(__name__)

MOST_BYTES: Final = 64 * 1024
MOST_FIELDS: Final = 100
VOID: Final = "This link answers nothing"
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
    _under_way: set[str] = field(default_factory=set)  # ids of links, with their votes

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/answer/{token}", self._show, methods=["GET"]),
            Route("/answer/{token}", self._take, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        try:
            made = self.links.opened(request.path_params["token"])
            question = await self._meant(made)
        except DoesNotApply as why:
            return _page(410, VOID, str(why))
        except StoreUnavailable as error:
            return _unavailable(error)
        return self._asked(made, question)

    async def _take(self, request: Request) -> Response:
        try:
            made = self.links.opened(request.path_params["token"])
        except DoesNotApply as why:
            return _page(410, VOID, str(why))
        if made.nonce in self._under_way:
            return _page(409, "Not taken", "It is answered by this link just now.")
        self._under_way.add(made.nonce)
        try:
            return await self._taken(request, made)
        finally:
            self._under_way.discard(made.nonce)

    async def _taken(self, request: Request, made: Linked) -> Response:
        try:
            question = await self._meant(made)
        except DoesNotApply as why:
            return _page(410, VOID, str(why))
        except StoreUnavailable as error:
            return _unavailable(error)
        try:
            said = _said(await _form(request), question)
        except _DoesNotFit as why:
            return self._asked(made, question, problem=str(why), status=400)
        try:
            not_counted = await self._answer(made, question, said)
        except StoreUnavailable as error:
            return _unavailable(error)
        except (DoesNotApply, NotAllowed) as error:
            return _page(409, "It does not count", str(error))
        except EngineError as error:
            return _page(409, "It could not be taken", str(error))
        if not_counted:
            return _page(409, "It does not count", not_counted)
        done = f"{said['verb']} by {made.person}, for run {made.run}"
        return _page(200, "Taken", f"{done}. This link is used now.")

    async def _meant(self, made: Linked) -> Question:
        """Return what the link is for, as it stands now. Raises DoesNotApply."""
        store = self.opened.store
        summary = await store.summary(made.run)
        if summary is None:
            raise DoesNotApply("the run of this link is not kept any more")
        entries = await store.entries(made.run)
        mail = [event for _, _, event in await store.mail([made.run])]
        if is_used(made, [*(one.event for one in entries), *mail]):
            raise DoesNotApply("this link was used already")
        return fitting(made, open_questions(summary, entries))

    async def _answer(
        self, made: Linked, question: Question, said: Mapping[str, Any]
    ) -> str:
        """Answer as the person; return why it does not count, or an empty string.

        Raises:
            DoesNotApply: the run has ended. NotAllowed: they may not answer anything.
        """
        service, store = self.opened.service, self.opened.store
        settings = self.opened.config.settings.people
        person = settings.get(made.person)
        if settings and (person is None or not may(person.role, "answer")):
            raise NotAllowed(f"{made.person} may not answer any more")
        summary = await service.summary(made.run)
        code = await service.driver.ports.compiled(summary.revision)
        by = service.actor(made.person, "link", code.runbook)
        before = len(await store.entries(made.run))
        log.info("answered by link run=%s who=%s", made.run, made.person)
        await service.steer(made.run, _event(service, made, question, by, said))
        return why_not_counted(await came_of(store, made.run, by, after=before), by)

    def _asked(
        self, made: Linked, question: Question, *, problem: str = "", status: int = 200
    ) -> Response:
        page = question_page(
            question, person=made.person, until=made.until, problem=problem
        )
        return HTMLResponse(page, status, HEADERS)


def _event(
    service: Service,
    made: Linked,
    question: Question,
    by: Actor,
    said: Mapping[str, Any],
) -> Event:
    """Return the vote or the answer, which uses the link up as it is written."""
    if question.kind != "approve":
        answers = service.redactor.value(kept_value(said["answers"]))
        return Answered(key=made.key, by=by, answers=answers, link=made.nonce)
    return Voted(
        key=made.key, by=by, vote=said["verb"], plan=made.plan,
        reason=service.clean(said["reason"]), typed=kept_text(said["typed"]),
        link=made.nonce,
    )  # fmt: skip


def _unavailable(error: StoreUnavailable) -> Response:
    told = f"{error}. Try it again: this link is as good as it was."
    return _page(503, "It could not be kept", told)


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
