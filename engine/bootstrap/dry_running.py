"""A dry run, played to its end: every check for real, no act, no journal.

Called by the command `run --dry-run`, and by chat's `dry-run`.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from engine.bootstrap.kinds import door, registry
from engine.bootstrap.parts import empty_store, hold, secrets

if TYPE_CHECKING:
    from engine.config import Config
    from engine.model.alert import Alert
    from engine.model.run import RunSummary
    from engine.model.timeline import Entry
    from engine.ports import Chat
    from engine.runtime.library import Bundle, Library
    from engine.runtime.perform import Actions
    from engine.runtime.service import Service

ANSWERS: Final = 1000  # more than any run asks
POLL_SECONDS: Final = 0.05


@asynccontextmanager
async def dry_service(
    config: "Config", library: "Library", actions: "Actions", chat: "Chat"
) -> "AsyncIterator[Service]":
    """Open an engine that looks for real, journals in memory, and cannot act."""
    from engine.runtime import assembly

    web = door(config)
    outside = assembly.Outside(
        registry(config, web), empty_store(), secrets(config), hold(config), chat
    )
    try:
        yield assembly.dry_service(outside, library, config.groups, actions)
    finally:
        await web.aclose()


async def played(
    config: "Config",
    library: "Library",
    bundle: "Bundle",
    given: Mapping[str, Any],
    who: str,
    *,
    via: str,
    people: str = "approve",
    alert: "Alert | None" = None,
) -> "tuple[RunSummary, list[Entry]]":
    """Return how the run ended, and its timeline.

    Args:
        people: What everybody who is asked answers: approve, reject or silence.

    Raises:
        DoesNotApply: an input is missing or wrong.
    """
    from engine.model.run import ENDS
    from engine.runtime.dry_run import HeldActions
    from engine.runtime.scripted import ScriptedPeople
    from engine.runtime.service import new_run_id

    asked = ScriptedPeople([] if people == "silence" else [people] * ANSWERS)
    run = new_run_id()
    async with dry_service(config, library, HeldActions(), asked) as service:
        asked.driver = service.driver
        by = service.actor(who, via, bundle.compiled.runbook)
        form = _held_bundle(bundle, library, silent=people == "silence")
        await service.start(form, given, by, alert=alert, mode="dry-run", run=run)
        while (summary := await service.summary(run)).state not in ENDS:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)
        return summary, await service.timeline(run)


def _held_bundle(bundle: "Bundle", library: "Library", *, silent: bool) -> "Bundle":
    from engine.core.compile import compile_runbook
    from engine.runtime.dry_run import held_form
    from engine.runtime.library import Bundle

    compiled = bundle.compiled
    others = {
        name: held_form(one, silent=silent) for name, one in library.runbooks.items()
    }
    form = compile_runbook(
        held_form(compiled.runbook, silent=silent), compiled.kinds,
        revision=compiled.revision, library=others,
    )  # fmt: skip
    return Bundle(form, bundle.revision, bundle.stored, bundle.file)


async def dry_lines(
    config: "Config",
    library: "Library",
    bundle: "Bundle",
    given: Mapping[str, Any],
    who: str,
) -> list[str]:
    """Return a dry run in a few lines: what was seen, the plan, how it would end."""
    from engine.views.terminal import progress_line

    summary, entries = await played(config, library, bundle, given, who, via="chat")
    story = [progress_line(one) for one in entries if one.kind not in ("intent", "did")]
    lines = [line for line in story if line is not None]
    acts = [
        f"{one.subject} {one.target}".strip() for one in entries if one.kind == "intent"
    ]
    lines.append(f"The plan: {', '.join(acts) or 'no act'}")
    state = summary.state.replace("_", " ")
    lines.append(f"It would end as {state}: {summary.why or 'no reason'}")
    return lines
