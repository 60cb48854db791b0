"""The use cases: start, approve, answer, note, cancel, take over, hold, list, show.

The one API of all doors (command line, web, chat). It decides nothing about a run: it
finds the run and the question, says who asks, tells the core, and gives back what
changed. Secrets are taken out of what people write, here.
"""

import logging
import secrets as random_source
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from engine.core.inputs import bind_inputs
from engine.core.lists import every_step
from engine.errors import DoesNotApply, NotFound
from engine.model.alert import Alert
from engine.model.events import (
    Adopted,
    Answered,
    Cancelled,
    Event,
    Noted,
    Started,
    Taken,
    Voted,
)
from engine.model.people import BROKEN, Actor, Grant, Question
from engine.model.run import ENDS, RunSummary
from engine.model.runbook import Runbook
from engine.model.steps import ApproveStep, AskStep
from engine.model.timeline import Entry
from engine.ports import GlobalHold, Store
from engine.runtime.driver import Driver
from engine.runtime.library import Bundle, Library
from engine.runtime.plain_text import kept_text, kept_value
from engine.runtime.redact import Redactor
from engine.runtime.session import Session
from engine.runtime.starting import (
    kept_alert,
    secret_values,
    taken_over,
    without_sources,
)

log = logging.getLogger(__name__)
replace = msgspec.structs.replace

ALPHABET: Final = (
    "abcdefghjkmnpqrstuvwxyz23456789"  # no 0/o, 1/l/i: read out on the phone
)
ANSWERED: Final = ("ask", "happened", "undo_anyway", "resolved")  # kinds of question
Vote = Literal["approve", "reject"]
Tell = Callable[[str, Event], Awaitable[None]]


@dataclass(slots=True)
class Service:
    """What every door may do."""

    driver: Driver
    store: Store
    library: Library
    redactor: Redactor
    hold: GlobalHold
    people: Mapping[str, tuple[str, ...]]  # name to groups; empty: nobody is configured
    grant: Callable[[], Grant | None] = lambda: None  # the broken glass, if it is
    tell: Tell | None = None  # another way to the run's driver; None: it is ours
    _seen: Grant | None = None  # the broken glass that was logged

    # Who

    def actor(self, name: str, via: str, runbook: Runbook | None = None) -> Actor:
        """Return a person with groups; where nobody is configured, with every group."""
        name = kept_text(name)
        grant = self._open_grant()
        if grant is not None and grant.by == name:
            groups = set(groups_of(runbook) if runbook is not None else ())
            groups |= {*self.people.get(name, ())}
            return Actor(name, groups=tuple(sorted(groups)), via=f"{via} {BROKEN}")
        if self.people:
            return Actor(name, groups=self.people.get(name, ()), via=via)
        all_groups = groups_of(runbook) if runbook is not None else ()
        return Actor(name, groups=all_groups, via=via)

    def _open_grant(self) -> Grant | None:
        """Return the broken glass; that it was opened is logged once."""
        grant = self.grant()
        if grant is not None and grant != self._seen:
            log.warning(
                "break-glass is open who=%s seconds=%.0f why=%s",
                grant.by, grant.until - grant.since, grant.why,
            )  # fmt: skip
        self._seen = grant
        return grant

    # Start

    async def start(
        self,
        bundle: Bundle,
        given: Mapping[str, Any],
        by: Actor,
        *,
        alert: Alert | None = None,
        mode: str = "live",
        run: str = "",
        did: Sequence[Adopted] = (),
    ) -> str:
        """Begin a run; return its id: `run`, or a fresh one.

        `did`: what was done by hand before; it counts as done and is held.

        Raises:
            DoesNotApply: an input is missing or wrong, or an act cannot be taken over;
                the message names each.
        """
        runbook = bundle.compiled.runbook
        alert = alert if alert is None else kept_alert(alert)
        labels = alert.labels if alert is not None else {}
        notes = alert.annotations if alert is not None else {}
        inputs, problems = bind_inputs(runbook, kept_value(given), labels, notes)
        if problems:
            raise DoesNotApply("\n".join(problems))
        run, inputs_given = run or new_run_id(), inputs
        private = Redactor(lambda: secret_values(runbook, inputs_given))
        self._refuse_secrets(runbook, inputs, private)
        did = taken_over(bundle, did, inputs, self.redactor)
        inputs = await self._hide(run, runbook, inputs)
        await self.store.put_revision(bundle.revision, runbook.runbook, bundle.stored)
        labels, notes = without_sources(runbook, labels, notes)

        def clean(value: Mapping[str, Any]) -> dict[str, Any]:
            hidden: dict[str, Any] = self.redactor.value(private.value(value))
            return hidden

        started = Started(
            run=run,
            revision=bundle.revision,
            inputs=inputs,
            labels=clean(labels),
            annotations=clean(notes),
            alert_source=alert.source if alert is not None else "",
            alert_starts_at=alert.starts_at if alert is not None else "",
            alert_fingerprint=alert.fingerprint if alert is not None else "",
            by=by,
            mode=mode,  # type: ignore[arg-type]
            held_globally=self.hold.reason() is not None,
            did=tuple(did),
        )
        await self.driver.begin(Session(run, bundle.compiled), started)
        return run

    def _refuse_secrets(
        self, runbook: Runbook, inputs: Mapping[str, Any], private: Redactor
    ) -> None:
        """An input goes into the timeline as it is: it may hold no secret."""
        for name, value in inputs.items():
            if runbook.inputs[name].secret:
                continue
            known = (self.redactor, private)
            if any(one.holds_secret(str(value)) for one in known):
                raise DoesNotApply(
                    f"input '{name}' holds the value of a secret: give the input "
                    "`secret: true` in the runbook, or another value"
                )

    async def _hide(
        self, run: str, runbook: Runbook, inputs: dict[str, Any]
    ) -> dict[str, Any]:
        """Keep secret inputs outside the timeline; what stands in it is their name."""
        shown = dict(inputs)
        for name, spec in runbook.inputs.items():
            if spec.secret and inputs.get(name) is not None:
                await self.store.put_secret(run, name, str(inputs[name]))
                shown[name] = {"secret": f"input:{name}"}
        return shown

    # What people say

    async def vote(
        self,
        run: str,
        by: Actor,
        vote: Vote,
        *,
        step: str = "",
        reason: str = "",
        typed: str = "",
        plan: str = "",
    ) -> Question:
        """Approve or reject; return the question that was answered.

        Raises:
            NotFound: no such run. DoesNotApply: it asks for no approval now.
        """
        question = await self.question(run, step, kinds=("approve",))
        shown = question.plan.hash if question.plan is not None else ""
        await self._tell(
            run,
            Voted(
                key=question.key,
                by=by,
                vote=vote,
                plan=plan or shown,
                reason=self.clean(reason),
                typed=kept_text(typed),
            ),
        )
        return question

    async def vote_on(
        self,
        run: str,
        by: Actor,
        vote: Vote,
        *,
        key: str,
        plan: str,
        reason: str = "",
        typed: str = "",
    ) -> None:
        """Approve or reject what was shown under a key, for the plan that was shown.

        The core judges it, also where that question is closed by now: a reject still
        stops an act that has not begun.

        Raises:
            NotFound: no such run. DoesNotApply: it has ended.
        """
        voted = Voted(key=key, by=by, vote=vote, plan=plan, typed=kept_text(typed))
        await self.steer(run, replace(voted, reason=self.clean(reason)))

    async def steer(self, run: str, event: Event) -> None:
        """Tell an open run of a person's word; its texts are clean already.

        Raises:
            NotFound: no such run. DoesNotApply: it has ended.
        """
        await self._open(run)
        await self._tell(run, event)

    async def keep(self, run: str, message: Noted) -> None:
        """Keep a message of a chat in the timeline, also after the end.

        Raises:
            NotFound: no such run.
        """
        await self.summary(run)
        await self._tell(run, replace(message, text=self.clean(message.text)))

    async def answer(
        self, run: str, by: Actor, answers: Mapping[str, Any], *, step: str = ""
    ) -> Question:
        """Answer a question; return it.

        Raises:
            NotFound: no such run. DoesNotApply: it asks nothing now.
        """
        question = await self.question(run, step, kinds=ANSWERED)
        clean = self.redactor.value(kept_value(answers))
        await self._tell(run, Answered(key=question.key, by=by, answers=clean))
        return question

    async def note(
        self, run: str, by: Actor, text: str, *, about_at: float | None = None
    ) -> None:
        """Add a person's note to the timeline. Raises NotFound: no such run."""
        await self.summary(run)
        await self._tell(run, Noted(by=by, text=self.clean(text), about_at=about_at))

    async def cancel(
        self, run: str, by: Actor, *, keep: bool = False, reason: str = ""
    ) -> None:
        """Stop a run: give back what is held, or keep it in that person's hands.

        Raises:
            NotFound: no such run. DoesNotApply: it has ended.
        """
        await self._open(run)
        await self._tell(run, Cancelled(by=by, keep=keep, reason=self.clean(reason)))

    async def take(self, run: str, by: Actor) -> None:
        """Take over by name what an ended run still holds.

        Raises:
            NotFound: no such run. DoesNotApply: it holds nothing, or has not ended.
        """
        summary = await self.summary(run)
        if summary.state not in ENDS:
            raise DoesNotApply(
                f"run '{run}' has not ended; cancel it with --keep instead"
            )
        if summary.taken_by:
            raise DoesNotApply(f"run '{run}' was taken over by {summary.taken_by}")
        if summary.state != "handed_over" and not summary.held:
            raise DoesNotApply(f"run '{run}' is in nobody's hands: {summary.state}")
        await self._tell(run, Taken(by=by))

    def clean(self, text: str) -> str:
        """Return a person's text as it may be kept: no secret, no half character."""
        return self.redactor.text(kept_text(text))

    async def _tell(self, run: str, event: Event) -> None:
        await (self.tell or self.driver.told)(run, event)

    async def _open(self, run: str) -> RunSummary:
        return still_open(await self.summary(run))

    async def question(
        self, run: str, step: str, *, kinds: tuple[str, ...]
    ) -> Question:
        """Return the open question that is meant.

        Raises:
            NotFound: no such run. DoesNotApply: none fits, or several do.
        """
        summary = await self._open(run)
        return pick_question(summary, step, kinds)

    # What there is

    async def summary(self, run: str) -> RunSummary:
        """Return one run's line. Raises NotFound."""
        found = await self.store.summary(run)
        if found is None:
            raise NotFound(f"no run '{run}'. See `runbook runs`.")
        return found

    async def timeline(self, run: str) -> list[Entry]:
        """Return a run's entries. Raises NotFound."""
        await self.summary(run)
        return await self.store.entries(run)


def still_open(summary: RunSummary) -> RunSummary:
    """Return a run's line. Raises DoesNotApply: it has ended."""
    if summary.state in ENDS:
        raise DoesNotApply(
            f"run '{summary.run}' has ended: {summary.state}. See its timeline."
        )
    return summary


def pick_question(summary: RunSummary, step: str, kinds: tuple[str, ...]) -> Question:
    """Return the open question that is meant.

    Raises:
        DoesNotApply: none, or more than one and no step named; the message lists them.
    """
    fits = [
        one
        for one in summary.questions
        if one.kind in kinds and step in ("", one.step, one.key, one.called)
    ]
    if len(fits) == 1:
        return fits[0]
    open_now = ", ".join(f"'{one.called}' ({one.kind})" for one in summary.questions)
    if not fits:
        asked = f"it asks: {open_now}" if open_now else "it asks nothing now"
        meant = f" at step '{step}'" if step else ""
        raise DoesNotApply(f"run '{summary.run}' has no such question{meant}; {asked}")
    raise DoesNotApply(
        f"run '{summary.run}' asks more than one thing; name the step: {open_now}"
    )


def new_run_id() -> str:
    """Return a fresh id, short enough to say: r-7kq3xm."""
    return "r-" + "".join(random_source.choice(ALPHABET) for _ in range(6))


def groups_of(runbook: Runbook) -> tuple[str, ...]:
    """Return every group a runbook names."""
    groups = {runbook.owner}
    for step in every_step(runbook):
        if isinstance(step, ApproveStep):
            circle: Any = step
            while circle is not None:
                groups |= {need.group for need in circle.from_}
                circle = circle.then
        elif isinstance(step, AskStep):
            groups |= set(step.who)
    for trigger in runbook.trigger:
        groups |= set(trigger.chat.who) if trigger.chat is not None else set()
    return tuple(sorted(groups))
