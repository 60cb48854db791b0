"""What each operation of the API does: asks the service, and gives back what changed.

One function for each row of operations about runs and alerts, by its name; the others
stand in tending. Called by api.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from engine.bootstrap import picture_of, starting_alert
from engine.bootstrap.parts import rehearsals
from engine.core.inputs import bind_inputs
from engine.core.intake import pick_offer, proposal_id
from engine.core.intake.offers import offer_object
from engine.core.machine import machine_graph
from engine.entrypoints.web.asked import Asked
from engine.entrypoints.web.operations import Start
from engine.errors import DoesNotApply, NotFound
from engine.model.events import Adopted
from engine.model.run import RunSummary
from engine.model.runbook import Runbook
from engine.runtime import holding
from engine.runtime.once import run_for, start_once
from engine.runtime.plain_text import kept_value
from engine.runtime.service import ANSWERED, new_run_id
from engine.views.message import question_text
from engine.views.paths import path_of
from engine.views.report import report_html, report_markdown
from engine.views.timeline import timeline_objects


async def runs(asked: Asked) -> Any:
    """The runs, newest first."""
    only = asked.query.get("open", "").lower() in ("true", "1", "yes")
    limit = asked.number("limit", 100)
    return await asked.opened.store.runs(open_only=only, limit=limit)


async def start(asked: Asked) -> Any:
    """Start a run; the same key of the same caller starts it once."""
    service, body = asked.opened.service, asked.body
    bundle = service.library.bundle(body.runbook)
    alert = None
    if body.alert is not None:
        text = body.alert if isinstance(body.alert, str) else json.dumps(body.alert)
        runbook, config = bundle.compiled.runbook, asked.opened.config
        alert = starting_alert(runbook, text.encode(), body.source, config)
    run = run_for(asked.caller.name, body.key) if body.key else new_run_id()
    there = await asked.opened.store.summary(run)
    if there is not None:
        _refuse_another(there, body, bundle.compiled.runbook)
    else:
        by, host = asked.actor(bundle.compiled.runbook), asked.opened.host
        did = [Adopted(one.action, one.target, one.before) for one in body.did]
        await start_once(
            service, host, bundle, body.inputs, by, run=run, alert=alert, did=did
        )
    return {"run": run}


def _refuse_another(there: RunSummary, body: Start, runbook: Runbook) -> None:
    """The same key must ask for the same: what is secret cannot be compared."""
    bound, _ = bind_inputs(runbook, kept_value(body.inputs), {}, {})
    differs = [
        name
        for name, value in body.inputs.items()
        if name in runbook.inputs
        and not runbook.inputs[name].secret
        and there.inputs.get(name) != bound.get(name, value)
    ]
    if there.runbook != body.runbook or differs:
        what = ", ".join(differs) or "another runbook"
        raise DoesNotApply(
            f"the key '{body.key}' started run '{there.run}' of '{there.runbook}' "
            f"already, with other values: {what}. Use a fresh key."
        )


async def run(asked: Asked) -> Any:
    """One run, with its questions as people read them."""
    summary = await asked.opened.service.summary(asked.run)
    asks = {one.called: question_text(one) for one in summary.questions}
    return {"run": summary, "asks": asks}


async def timeline(asked: Asked) -> Any:
    """The entries of a run."""
    await asked.opened.service.summary(asked.run)
    after = asked.number("after", 0, 1_000_000_000)
    return timeline_objects(await asked.opened.store.entries(asked.run, after=after))


async def report(asked: Asked) -> Any:
    """The report of a run, with the picture of the way it took."""
    service, form = asked.opened.service, asked.word("format", ("markdown", "html"))
    summary = await service.summary(asked.run)
    code = await service.driver.ports.compiled(summary.revision)
    entries = await asked.opened.store.entries(asked.run)

    def made() -> str:
        machine = machine_graph(code, title=summary.title)
        html = form == "html"
        drawn = picture_of(machine, "svg" if html else "mermaid", path_of(entries))
        view = report_html if html else report_markdown
        last = rehearsals(asked.opened.config).read().get(summary.runbook)
        when = 0.0 if last is None else last.at
        return view(
            entries, summary, code.runbook, picture=drawn.decode(), rehearsed=when
        )

    return {form: await asyncio.to_thread(made)}


async def approve(asked: Asked) -> Any:
    """Approve what a run asks."""
    body, by, before = asked.body, await asked.actor_of_run(), await asked.written()
    question = await asked.opened.service.vote(
        asked.run, by, "approve", step=body.step, typed=body.typed, plan=body.plan
    )
    now = question.plan.hash if question.plan is not None else ""
    if body.plan and body.plan != now:
        raise DoesNotApply(
            f"the plan is {now or 'none'} now, not the plan {body.plan[:64]} that you "
            "saw: this approval is void. Read the run again."
        )
    return {"answered": question.called, **await asked.came_of_it(by, before)}


async def reject(asked: Asked) -> Any:
    """Reject what a run asks."""
    body, by, before = asked.body, await asked.actor_of_run(), await asked.written()
    question = await asked.opened.service.vote(
        asked.run, by, "reject", step=body.step, reason=body.reason
    )
    return {"answered": question.called, **await asked.came_of_it(by, before)}


async def answer(asked: Asked) -> Any:
    """Answer a question."""
    body, by, before = asked.body, await asked.actor_of_run(), await asked.written()
    service = asked.opened.service
    question = await service.question(asked.run, body.step, kinds=ANSWERED)
    if unknown := [name for name in body.answers if name not in question.fields]:
        known = ", ".join(question.fields)
        raise ValueError(f"answers: '{unknown[0]}' is not asked; it asks: {known}")
    await service.answer(asked.run, by, body.answers, step=question.key)
    return {"answered": question.called, **await asked.came_of_it(by, before)}


async def note(asked: Asked) -> Any:
    """Add a note."""
    body, by, before = asked.body, asked.actor(), await asked.written()
    await asked.opened.service.note(asked.run, by, body.text, about_at=body.about_at)
    return {"noted": True, **await asked.came_of_it(by, before)}


async def cancel(asked: Asked) -> Any:
    """Stop a run."""
    body, by, before = asked.body, asked.actor(), await asked.written()
    await asked.opened.service.cancel(asked.run, by, keep=body.keep, reason=body.reason)
    return {"cancelled": True, **await asked.came_of_it(by, before)}


async def take(asked: Asked) -> Any:
    """Take a role, or what an ended run holds."""
    role, by, before = asked.body.role, asked.actor(), await asked.written()
    if role is None:
        await asked.opened.service.take(asked.run, by)
    else:
        await asked.opened.steering.take_role(asked.run, by, role)
    told = {"taken_by": asked.caller.name, "role": role}
    return {**told, **await asked.came_of_it(by, before)}


async def hold_run(asked: Asked) -> Any:
    """Hold one run."""
    by, before = asked.actor(), await asked.written()
    await asked.opened.steering.hold(asked.run, by, asked.body.reason)
    return await asked.came_of_it(by, before)


async def release_run(asked: Asked) -> Any:
    """Let one run go on."""
    by, before = asked.actor(), await asked.written()
    await asked.opened.steering.go_on(asked.run, by)
    return await asked.came_of_it(by, before)


async def retry(asked: Asked) -> Any:
    """Make the next try now."""
    by, before = asked.actor(), await asked.written()
    await asked.opened.steering.retry(asked.run, by)
    return await asked.came_of_it(by, before)


async def sev(asked: Asked) -> Any:
    """Set the severity."""
    body, by, before = asked.body, asked.actor(), await asked.written()
    await asked.opened.steering.severity(asked.run, by, body.to, body.reason)
    return await asked.came_of_it(by, before)


async def page(asked: Asked) -> Any:
    """Page a group."""
    body, by, before = asked.body, asked.actor(), await asked.written()
    await asked.opened.steering.page(asked.run, by, body.group, body.text)
    return await asked.came_of_it(by, before)


async def runbooks(asked: Asked) -> Any:
    """What is loaded, and what was refused."""
    library = asked.opened.service.library
    loaded = [
        {
            "name": name,
            "title": one.title,
            "severity": one.severity,
            "owner": one.owner,
            "autonomy": one.autonomy,
            "revision": library.loaded[name].revision,
        }
        for name, one in sorted(library.runbooks.items())
    ]
    refused = {
        str(file): [str(problem) for problem in one.problems]
        for file, one in library.refused.items()
    }
    return {"loaded": loaded, "refused": refused}


async def runbook(asked: Asked) -> Any:
    """One runbook, as it is written."""
    library, name = asked.opened.service.library, str(asked.path["name"])
    if name not in library.loaded:
        raise NotFound(f"no runbook '{name}' is loaded")
    return {"name": name, "text": library.loaded[name].text}


async def reload(asked: Asked) -> Any:
    """Read the runbooks anew."""
    return {"changed": await asked.reload()}


async def alerts(asked: Asked) -> Any:
    """Decisions on alerts, oldest first."""
    return await asked.opened.store.alerts.decisions(
        about=asked.query.get("about", ""),
        outcome=asked.query.get("outcome", ""),
        limit=asked.number("limit", 100),
    )


async def proposals(asked: Asked) -> Any:
    """What waits for a person, the worst first."""
    return [offer_object(one) for one in asked.opened.intake.proposals()]


async def accept(asked: Asked) -> Any:
    """Start what is proposed, as the person who asks."""
    intake = asked.opened.intake
    offer = pick_offer(intake.proposals(), str(asked.path["proposal"]))
    run = await intake.accept(offer.runbook, asked.caller.name, group=offer.group)
    return {"run": run}


async def decline(asked: Asked) -> Any:
    """Take a proposal off the list."""
    intake, why = asked.opened.intake, asked.body.reason
    offer = pick_offer(intake.proposals(), str(asked.path["proposal"]))
    name = asked.caller.name
    await intake.decline(offer.runbook, name, why, group=offer.group)
    return {"declined": proposal_id(offer)}


async def hold(asked: Asked) -> Any:
    """Whether the global hold is set."""
    return {"held": asked.opened.service.hold.reason()}


async def set_hold(asked: Asked) -> Any:
    """Set the global hold."""
    opened, name = asked.opened, asked.caller.name
    now = holding.set_hold(opened.switch, opened.service.clean, name, asked.body.reason)
    return {"held": now}


async def lift_hold(asked: Asked) -> Any:
    """Lift the global hold."""
    return {"held": holding.lift_hold(asked.opened.switch)}


async def records(asked: Asked) -> Any:
    """The engine's own timeline."""
    after = asked.number("after", 0, 1_000_000_000)
    return timeline_objects(await asked.opened.store.records(after=after))


DOES: Final[Mapping[str, Callable[[Asked], Awaitable[Any]]]] = {
    one.__name__: one
    for one in (
        runs, start, run, timeline, report, approve, reject, answer, note, cancel, take,
        hold_run, release_run, retry, sev, page, runbooks, runbook, reload, alerts,
        proposals, accept, decline, hold, set_hold, lift_hold, records,
    )
}  # fmt: skip
