"""Approvals and answers from a chat: by button, by form, by words.

A button is bound to what it was shown with; whether that still stands is for the core
to say, and it writes down what it said. Called by desk, words.
"""

from collections.abc import Mapping
from typing import Any, Final

from engine.core.words import Command, typed_answers
from engine.core.words.typed import whole
from engine.errors import DoesNotApply
from engine.model.chat import Reply
from engine.model.people import Actor, Question
from engine.runtime.chat import replies
from engine.runtime.chat.asking import Asking
from engine.runtime.chat.story import Story
from engine.runtime.service import ANSWERED, Vote, pick_question
from engine.views.chat.asked import asked_of
from engine.views.chat.forms import answers_form, reason_form, retype_form
from engine.views.chat.questions import question as question_card
from engine.views.chat.values import Value
from engine.views.chat.wording import line

CLOCKS_APART_SECONDS: Final = 2.0  # a chat's clock and ours
YES: Final = {"yes": "true", "y": "true", "no": "false", "n": "false"}


async def pressed(asking: Asking, value: Value) -> Reply:
    """Do what a button of a question means, or open the form that it needs first."""
    asked = await _open_question(asking, value)
    if value.verb == "approve":
        if asked is not None and asked.retype is not None:
            return _retype(asking, value.run, asked)
        return await vote(asking, value, "approve")
    if value.verb == "reject":
        if asking.trigger:
            return Reply(form=reason_form(value, "Reject"))
        return replies.not_done(f"say why: /runbook reject {value.run} REASON")
    if asked is None:
        raise DoesNotApply(
            "the question is closed: it was answered, or its time is over"
        )
    if value.name:
        return await answer(asking, value.run, asked, _alone(asked, value.name))
    return _answers(asking, value.run, asked)


async def filled(asking: Asking, value: Value, answers: Mapping[str, Any]) -> Reply:
    """Do what a form of a question says."""
    if value.verb == "approve":
        return await vote(asking, value, "approve", typed=str(answers.get("typed", "")))
    if value.verb == "reject":
        reason = str(answers.get("reason") or "").strip()
        if not reason:
            return replies.not_done("say why you reject it; nothing was rejected")
        return await vote(asking, value, "reject", reason=reason)
    asked = await _open_question(asking, value)
    if asked is None:
        raise DoesNotApply(
            "the question is closed: it was answered, or its time is over"
        )
    given = {name: one for name, one in answers.items() if one is not None}
    return await answer(asking, value.run, asked, given)


async def vote(
    asking: Asking, value: Value, word: Vote, *, reason: str = "", typed: str = ""
) -> Reply:
    """Vote on what was shown. Raises DoesNotApply: it does not count, and why."""

    async def said(by: Actor) -> None:
        await asking.around.service.vote_on(
            value.run, by, word, key=value.key, plan=value.plan, reason=reason,
            typed=typed,
        )  # fmt: skip

    return await asking.tell(value.run, said)


async def answer(
    asking: Asking, run: str, asked: Question, given: Mapping[str, Any]
) -> Reply:
    """Answer a question. Raises DoesNotApply: a field does not fit, or why not."""
    answers = typed_answers(asked, _as_written(asked, given))

    async def said(by: Actor) -> None:
        await asking.around.service.answer(run, by, answers, step=asked.key)

    return await asking.tell(run, said)


# By words


async def approve(asking: Asking, command: Command) -> Reply:
    """Approve what a run asks now; a plan that has changed is shown first."""
    story = await asking.story(command.run)
    asked = _meant(asking, story, command, ("approve",))
    now = asked.plan.hash if asked.plan is not None else ""
    if command.plan and not now.startswith(command.plan):
        raise DoesNotApply(
            f"the plan is {now[:12]} now, not {command.plan[:12]}: look at it again"
        )
    shown = asked_of(story.summary, story.entries, asked.key)
    if asked.changed and not command.plan:
        return Reply(question_card(shown))
    typed = command.given.get("typed", "")
    if asked.retype is not None and not typed:
        return _retype(asking, command.run, asked)
    value = Value("approve", command.run, asked.key, now, asked.round)
    return await vote(asking, value, "approve", typed=typed)


async def reject(asking: Asking, command: Command) -> Reply:
    """Reject what a run asks now; without a reason it is asked for."""
    story = await asking.story(command.run)
    asked = _meant(asking, story, command, ("approve",))
    now = asked.plan.hash if asked.plan is not None else ""
    value = Value("reject", command.run, asked.key, now, asked.round)
    if command.missing:
        return await pressed(asking, value)
    return await vote(asking, value, "reject", reason=command.text)


async def answer_words(asking: Asking, command: Command) -> Reply:
    """Answer what a run asks now; without answers a form asks for them."""
    story = await asking.story(command.run)
    asked = _meant(asking, story, command, ANSWERED)
    if command.missing:
        return _answers(asking, command.run, asked)
    given = command.given or _alone(asked, command.text)
    return await answer(asking, command.run, asked, given)


def _meant(
    asking: Asking, story: Story, command: Command, kinds: tuple[str, ...]
) -> Question:
    """Return the question that words are about.

    Raises:
        DoesNotApply: none, several, or one that was asked after they were said: words
            may come late, after a chat was away.
    """
    asked = pick_question(story.summary, command.step, kinds)
    began = asked_of(story.summary, story.entries, asked.key).at
    if asking.said_at and began > asking.said_at + CLOCKS_APART_SECONDS:
        raise DoesNotApply(
            f"'{asked.called}' was asked after that was said: look at it, and say it "
            "again"
        )
    return asked


async def _open_question(asking: Asking, value: Value) -> Question | None:
    story = await asking.story(value.run)
    found = (one for one in story.summary.questions if one.key == value.key)
    return next(found, None)


def _alone(asked: Question, text: str) -> dict[str, str]:
    """Return an answer without its field, where only one is asked for."""
    if len(asked.fields) != 1:
        listed = ", ".join(f"{name}=…" for name in asked.fields)
        raise DoesNotApply(f"say which field: {listed}")
    name, spec = next(iter(asked.fields.items()))
    kind = spec.get("type") if isinstance(spec, Mapping) else spec
    return {name: YES.get(text.lower(), text) if kind == "boolean" else text}


def _as_written(asked: Question, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers with each choice as it was written, not as it is shown."""
    found = {}
    for name, said in given.items():
        spec = asked.fields.get(name)
        of = spec.get("of") if isinstance(spec, Mapping) else None
        choices = of if isinstance(of, list) and isinstance(said, str) else ()
        found[name] = next((one for one in choices if line(one, 75) == said), said)
    return {name: whole(said) for name, said in found.items()}


def _retype(asking: Asking, run: str, asked: Question) -> Reply:
    if asking.trigger:
        return Reply(form=retype_form(run, asked))
    typed = line(asked.retype or "", 100)
    return replies.not_done(
        f'type it to approve: /runbook approve {run} typed="{typed}"'
    )


def _answers(asking: Asking, run: str, asked: Question) -> Reply:
    if asking.trigger:
        return Reply(form=answers_form(run, asked))
    listed = " ".join(f"{name}=…" for name in asked.fields)
    return replies.not_done(f"say it in words: /runbook answer {run} {listed}")
