"""One-time links that answer one question, for one person, while chat is down.

A link holds who it was made for, the question, the entry that asked it, and the hash of
the plan that was shown; its seal is an HMAC under a key of this engine. It is void once
it was used, once its time is over, and once the question is closed, asked anew, or asks
for another plan. It opens no way around who is asked: the vote is the person's own,
judged like any other.

It is used with the vote and never without: the vote's own entry holds the link's id.

Called by fallback (makes them), entrypoints.web.answering (opens them).
"""

import base64
import hashlib
import hmac
import secrets as random_source
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from engine.errors import DoesNotApply
from engine.model.people import Question

KEY_BYTES: Final = 32
LONGEST: Final = 1500  # characters of a token
SEAL_BYTES: Final = 32


class Linked(msgspec.Struct, frozen=True, array_like=True):
    """What a link is for."""

    run: str
    key: str  # of the question
    asked: int  # number of the entry that asked it: asked anew, it is another question
    plan: str  # the hash of what was shown; empty where the question has no plan
    person: str
    until: float  # epoch seconds
    nonce: str


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links, and tells what is left of one.

    Args:
        base: Where people reach the engine: https://runbook.example.com
        key: Returns the secret key; at least 32 bytes.
        now: Epoch seconds.
    """

    base: str
    key: Callable[[], bytes]
    now: Callable[[], float]

    def link(
        self, run: str, question: Question, person: str, until: float, *, asked: int
    ) -> str:
        """Return a fresh link for one person to one question.

        Args:
            run: Its run.
            question: What is asked, as it is shown.
            person: Who answers.
            until: When it is over, epoch seconds.
            asked: The number of the entry that asked it.
        """
        plan = question.plan.hash if question.plan is not None else ""
        nonce = random_source.token_urlsafe(12)
        made = Linked(run, question.key, asked, plan, person, until, nonce)
        return f"{self.base.rstrip('/')}/answer/{self._token(made)}"

    def opened(self, token: str) -> Linked:
        """Return what a token is for.

        Raises:
            DoesNotApply: it was not made here, was changed, or its time is over.
        """
        body, seal = _halves(token)
        if not hmac.compare_digest(seal, self._seal(body)):
            raise DoesNotApply("this link was not made here, or was changed")
        try:
            made = msgspec.json.decode(body, type=Linked)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise DoesNotApply("this link is of another version") from error
        if self.now() >= made.until:
            raise DoesNotApply("this link is over: nobody answered in its time")
        return made

    def _token(self, made: Linked) -> str:
        body = msgspec.json.encode(made)
        return f"{_text(body)}.{_text(self._seal(body))}"

    def _seal(self, body: bytes) -> bytes:
        return hmac.new(self.key(), b"answer-link-2\n" + body, hashlib.sha256).digest()


def is_used(made: Linked, events: Iterable[object]) -> bool:
    """Return whether one of a run's events, or of its mail, came by the link."""
    return any(getattr(one, "link", "") == made.nonce for one in events)


def fitting(made: Linked, asked: Iterable[tuple[int, Question]]) -> Question:
    """Return the open question that a link is for, with the plan that was shown.

    Args:
        made: The link.
        asked: What is asked now, each with the number of its entry.

    Raises:
        DoesNotApply: it was answered, is asked anew, or asks for another plan now.
    """
    for number, question in asked:
        if question.key != made.key:
            continue
        plan = question.plan.hash if question.plan is not None else ""
        if not hmac.compare_digest(plan.encode(), made.plan.encode()):
            raise DoesNotApply(
                "the plan has changed since this link was made: it is void, and the "
                "new plan is asked for anew"
            )
        if number != made.asked:
            raise DoesNotApply(
                "this was answered, and is asked anew since: the link is void, and the "
                "new question has a link of its own"
            )
        return question
    raise DoesNotApply("this question is closed: it was answered, or its time is over")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _halves(token: str) -> tuple[bytes, bytes]:
    body, _, seal = token.partition(".")
    if len(token) > LONGEST or not token.isascii():
        raise DoesNotApply("this is no link of ours")
    try:
        return _raw(body), _raw(seal)
    except ValueError as error:
        raise DoesNotApply("this is no link of ours") from error


def _raw(text: str) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)
