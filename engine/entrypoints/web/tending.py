"""What the API does for whoever keeps the engine and writes runbooks.

Examining, validating, rehearsing, drawing, verifying, removing what is old. What takes
long is done in a thread, one at a time: runs go first. One function for each row of
operations, by its name. Called by api.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from engine.bootstrap import picture_of
from engine.bootstrap.rehearsing import as_object, kept, played
from engine.core.machine import machine_graph
from engine.entrypoints.web.asked import Asked
from engine.errors import DoesNotApply, NotFound
from engine.runtime.proving import judged_text
from engine.runtime.retention import remove_old

FORMS: Final = ("svg", "dot", "mermaid", "text")


async def doctor(asked: Asked) -> Any:
    """What the latest examination found."""
    if asked.doctor.latest is None:
        raise NotFound("nothing was examined yet; POST examines now")
    return asked.doctor.latest


async def examine(asked: Asked) -> Any:
    """Examine now."""
    try:
        return await asked.doctor.examine()
    except TimeoutError as error:
        raise DoesNotApply("the examination took too long; see the log") from error


async def validate(asked: Asked) -> Any:
    """What is wrong with a text; nothing of it is kept."""
    library, body = asked.opened.service.library, asked.body

    def judged() -> list[dict[str, Any]]:
        found = judged_text(library, body.text, body.name)
        return [vars_of(one) for one in found]

    async with asked.turn:
        problems = await asyncio.to_thread(judged)
    bad = any(one["severity"] == "error" for one in problems)
    return {"valid": not bad, "problems": problems}


def vars_of(problem: Any) -> dict[str, Any]:
    """Return a problem as plain values, without the source it stands in."""
    names = ("file", "line", "column", "severity", "code", "message", "hint")
    return {name: getattr(problem, name) for name in names}


async def rehearse(asked: Asked) -> Any:
    """Play the tests of a loaded runbook, in virtual time; it counts as rehearsed."""
    library, name = asked.opened.service.library, str(asked.path["name"])
    if name not in library.loaded:
        raise NotFound(f"no runbook '{name}' is loaded")
    only = asked.query.get("only", "")
    file = library.files.get(name, Path(f"{name}.yaml"))
    async with asked.turn:
        shows = await asyncio.to_thread(played, library, file, only)
        if not only:
            await asyncio.to_thread(kept, asked.opened.config, library, shows)
    passed = bool(shows) and not any(one.problems for one in shows)
    return {"passed": passed, "rehearsals": [as_object(one) for one in shows]}


async def graph(asked: Asked) -> Any:
    """The state machine of a runbook, drawn."""
    form: Any = asked.word("format", FORMS)
    bundle = asked.opened.service.library.bundle(str(asked.path["name"]))

    def made() -> str:
        return picture_of(machine_graph(bundle.compiled), form).decode()

    return {form: await asyncio.to_thread(made)}


async def verify(asked: Asked) -> Any:
    """Whether timelines are what was written: of one run, or of all."""
    run, store = asked.query.get("run", ""), asked.opened.store
    if run:
        await asked.opened.service.summary(run)
    async with asked.turn:
        faults = await (store.verify(run) if run else store.verify())
    return {"faults": faults}


async def retain(asked: Asked) -> Any:
    """Remove what ended longer ago than `retention` says; or only count it."""
    store, ages = asked.opened.store, asked.opened.config.settings.retention
    return {"told": await remove_old(store, ages, time.time(), dry=asked.body.dry_run)}


TENDS: Final[Mapping[str, Callable[[Asked], Awaitable[Any]]]] = {
    one.__name__: one
    for one in (doctor, examine, validate, rehearse, graph, verify, retain)
}
