"""What each verb of the grammar does: one function for each, by its name.

Whether it is understood is core.words' to say; whether it counts, the core's. Called by
desk.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from engine.core.inputs import bind_inputs
from engine.core.machine import machine_graph
from engine.core.words import Command, Verb, help_lines
from engine.core.words.commands import EVERYTHING
from engine.errors import DoesNotApply, NotAllowed, StoreUnavailable
from engine.model.chat import Reply, Said
from engine.model.people import Actor
from engine.ports import HoldSwitch
from engine.runtime.chat import keeping, replies, voting
from engine.runtime.chat.asking import Asking
from engine.runtime.holding import lift_hold, set_hold
from engine.runtime.library import Bundle
from engine.runtime.once import run_for, start_once
from engine.runtime.plain_text import kept_value
from engine.views.chat import (
    Seen,
    Value,
    inputs_form,
    links_of,
    note_form,
    pinned,
    reason_form,
)
from engine.views.chat.books import (
    report_page,
    runbook_page,
    runbooks_list,
    runs_list,
)
from engine.views.chat.reasons import why
from engine.views.page import runbook_text
from engine.views.report import report_markdown


async def do(asking: Asking, command: Command, said: Said | None = None) -> Reply:
    """Do what a command means, under the rights of whoever said it.

    Args:
        asking: Who says it.
        command: What it means.
        said: The words, where it was said in words.

    Raises:
        EngineError: it was not done, and why.
    """
    asking.may(command.verb)
    if command.verb == "note":
        return await _note(asking, command, said)
    return await DOES[command.verb](asking, command)


# Runbooks


async def _run(asking: Asking, command: Command) -> Reply:
    bundle = asking.around.service.library.bundle(command.name)
    runbook = bundle.compiled.runbook
    asking.may_start(runbook)
    _, problems = bind_inputs(runbook, kept_value(command.given), {}, {})
    if problems and asking.trigger:
        value = Value("run", name=command.name)
        text = () if command.missing else problems
        return Reply(form=inputs_form(runbook, value, command.given, text=text))
    return await start(asking, bundle, command.given)


async def offer(asking: Asking, name: str) -> Reply:
    """Open the form of a runbook; one without inputs begins at once."""
    asking.may("run")
    bundle = asking.around.service.library.bundle(name)
    runbook = bundle.compiled.runbook
    asking.may_start(runbook)
    if runbook.inputs and asking.trigger:
        return Reply(form=inputs_form(runbook, Value("run", name=name), {}))
    return await start(asking, bundle, {})


async def start(asking: Asking, bundle: Bundle, given: Mapping[str, Any]) -> Reply:
    """Begin a run; the same event of the chat begins one run only.

    Raises:
        DoesNotApply: an input is missing or wrong; the message names each.
    """
    around = asking.around
    run = run_for(asking.account.provider, asking.event)
    if await around.service.store.summary(run) is not None:
        return replies.told(f"{run} was started already")
    runbook = bundle.compiled.runbook
    asking.may_start(runbook)
    by = asking.actor(runbook)
    await start_once(around.service, around.claims, bundle, given, by, run=run)
    return replies.told(f"{run} is started: {runbook.runbook}")


async def _dry_run(asking: Asking, command: Command) -> Reply:
    play = asking.around.dry_run
    bundle = asking.around.service.library.bundle(command.name)
    if play is None:
        raise DoesNotApply(
            f"say it at a terminal: runbook run {command.name} --dry-run"
        )
    _, problems = bind_inputs(
        bundle.compiled.runbook, kept_value(command.given), {}, {}
    )
    if problems:
        raise DoesNotApply("\n".join(problems))
    lines = await play(bundle, command.given, asking.person.name)
    return replies.told(f"[DRY RUN] {command.name}", *lines)


async def _list(asking: Asking, command: Command) -> Reply:
    return Reply(runbooks_list(asking.around.service.library.runbooks, command.text))


async def _show(asking: Asking, command: Command) -> Reply:
    if command.run:
        return await _status(asking, command)
    compiled = asking.around.service.library.bundle(command.name).compiled
    text = runbook_text(compiled.runbook, machine_graph(compiled))
    return Reply(runbook_page(compiled.runbook, text))


# Looking at runs


async def _status(asking: Asking, command: Command) -> Reply:
    if not command.run:
        store = asking.around.service.store
        return Reply(runs_list(await store.runs(open_only=True)))
    story = await asking.story(command.run)
    links = links_of(story.runbook)
    return Reply(pinned(Seen(story.summary, story.entries, story.runbook, links)))


async def _why(asking: Asking, command: Command) -> Reply:
    story = await asking.story(command.run)
    return Reply(why(story.summary, story.entries))


async def _report(asking: Asking, command: Command) -> Reply:
    story = await asking.story(command.run)
    text = report_markdown(story.entries, story.summary, story.runbook, picture=None)
    return Reply(report_page(story.summary, text, links_of(story.runbook)))


async def _help(asking: Asking, command: Command) -> Reply:
    return replies.told("What can be said", *help_lines(command.name))


# Steering them


async def _note(asking: Asking, command: Command, said: Said | None) -> Reply:
    if said is not None and said.about is not None:
        return await keeping.keep(asking, said.about)
    if command.missing:
        if asking.trigger:
            return Reply(form=note_form(Value("note", command.run)))
        return replies.not_done("say what is to be kept: /runbook note TEXT")
    ref = said.ref if said is not None and said.door != "command" else ""
    return await keeping.note(asking, command.run, command.text, asking.place, ref)


async def _cancel(asking: Asking, command: Command) -> Reply:
    async def cancel(by: Actor) -> None:
        await asking.around.service.cancel(
            command.run, by, keep=command.keep, reason=command.text
        )

    return await asking.tell(command.run, cancel)


async def _take(asking: Asking, command: Command) -> Reply:
    around, run = asking.around, command.run
    if not command.name:
        return await asking.tell(run, lambda by: around.service.take(run, by))
    role: Any = command.name
    return await asking.tell(run, lambda by: around.steering.take_role(run, by, role))


async def _sev(asking: Asking, command: Command) -> Reply:
    steering, run, text = asking.around.steering, command.run, command.text
    to: Any = command.name
    return await asking.tell(run, lambda by: steering.severity(run, by, to, text))


async def _page(asking: Asking, command: Command) -> Reply:
    steering, run, group = asking.around.steering, command.run, command.name
    text = command.text
    return await asking.tell(run, lambda by: steering.page(run, by, group, text))


async def _retry(asking: Asking, command: Command) -> Reply:
    steering, run = asking.around.steering, command.run
    return await asking.tell(run, lambda by: steering.retry(run, by))


async def _hold(asking: Asking, command: Command) -> Reply:
    every = command.run == EVERYTHING
    if command.on is None:
        return await _held(asking, command.run)
    if every:
        _switch(asking)  # before a form asks for the reason
    if command.missing:
        if asking.trigger:
            form = reason_form(Value("hold", command.run, name="on"), "Hold")
            return Reply(form=form)
        return replies.not_done("say why: /runbook hold on REASON")
    if every:
        return _hold_all(asking, command)
    steering, run, text = asking.around.steering, command.run, command.text
    do = steering.hold if command.on else steering.go_on
    return await asking.tell(run, lambda by: do(run, by, text))


async def _held(asking: Asking, run: str) -> Reply:
    globally = asking.around.service.hold.reason()
    lines = [f"The global hold is set: {globally}" if globally else "No global hold."]
    if run != EVERYTHING:
        alone = (await asking.story(run)).summary.on_hold
        lines.append(
            f"{run} is held: {alone}" if alone else f"{run} is not held alone."
        )
    return replies.told("Hold", *lines)


def _switch(asking: Asking) -> HoldSwitch:
    """Return the global hold. Raises NotAllowed: not by them, or not from here."""
    asking.person.need("hold-all")
    if asking.around.switch is None:
        raise NotAllowed("the global hold is not set from here: runbook hold")
    return asking.around.switch


def _hold_all(asking: Asking, command: Command) -> Reply:
    """The big red switch: the same as at the command line and over HTTP."""
    switch, clean = _switch(asking), asking.around.service.clean
    try:
        if command.on:
            now = set_hold(switch, clean, asking.person.name, command.text)
        else:
            now = lift_hold(switch)
    except StoreUnavailable as error:  # whose words the desk does not tell
        raise DoesNotApply(str(error)) from error
    told = f"No further act begins: {now}" if now else "Acts may begin again."
    return replies.told("Hold of every run", told)


DOES: Final[Mapping[Verb, Callable[[Asking, Command], Awaitable[Reply]]]] = {
    "run": _run,
    "dry-run": _dry_run,
    "list": _list,
    "show": _show,
    "status": _status,
    "why": _why,
    "approve": voting.approve,
    "reject": voting.reject,
    "answer": voting.answer_words,
    "hold": _hold,
    "cancel": _cancel,
    "retry": _retry,
    "take": _take,
    "sev": _sev,
    "page": _page,
    "report": _report,
    "help": _help,
}
