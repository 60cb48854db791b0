"""The marks of `runbook graph --proof`: of the proof, the tests, and the journal.

Read by: authoring.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.analysis.proof import prove
from engine.bootstrap.opening import journal
from engine.bootstrap.rehearsing import played
from engine.core.advance import advance
from engine.core.record import Record
from engine.errors import StoreUnavailable
from engine.model.effects import Note
from engine.runtime.journal import events_of
from engine.runtime.proving import WALKED
from engine.views.marks import remarks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.config import Config
    from engine.core.code import CompiledRunbook
    from engine.model.machine import MachineGraph
    from engine.model.timeline import Entry
    from engine.runtime.library import Library

TOLD: Final = {True: "REFUSED", False: "warned"}
MOST_RUNS: Final = 1_000  # the newest of the journal


def marks_of(
    config: "Config", library: "Library", file: Path, machine: "MachineGraph"
) -> dict[str, str]:
    """Return the remark of each state of a runbook's picture.

    A journal that is not there, or cannot be read, holds no drills.
    """
    compiled = library.bundle(file.stem).compiled
    proof = prove(compiled, most=WALKED)
    found = {
        one.about.partition("#")[0]: f"{TOLD[one.refuses]}: {one.code}"
        for one in proof.findings
        if one.about
    }
    if proof.proved:
        ends = {one.id for one in machine.states if one.kind == "end"}
        reached = {f"end/{end}" for end in proof.ends}
        found |= dict.fromkeys(ends - reached, "no path ends so")
    shows = [one.rehearsed for one in played(library, file, "")]
    tests = {step for one in shows if one for step in steps_of(compiled, one.entries)}
    return remarks(
        machine,
        walked=proof.proved,
        found=found,
        tests=tests,
        drills=asyncio.run(_drills(config, compiled)),
    )


def steps_of(compiled: "CompiledRunbook", entries: "Sequence[Entry]") -> set[str]:
    """Return the steps that a run took, and its end, as a picture names them.

    The run is gone through again: a step that was skipped has its entry too.
    """
    record, found = Record(), {compiled.nodes[compiled.scopes[0].start].id}
    for event in events_of(list(entries)):
        record, effects = advance(compiled, record, event)
        for one in effects:
            if isinstance(one, Note) and one.kind != "phase" and one.mark != "skipped":
                found.add(one.step)
        for thread in record.threads.values():
            if thread.stage not in ("ready", "when"):
                found.add(compiled.nodes[thread.pc].id)
    return found | {f"end/{record.end}"}


async def _drills(config: "Config", compiled: "CompiledRunbook") -> set[str]:
    """Return the steps that rehearsals of this very runbook in the journal took."""
    found = set[str]()
    try:
        async with journal(config) as store:
            for one in await store.runs(limit=MOST_RUNS):
                same = one.revision == compiled.revision
                if same and one.mode == "rehearsal":
                    found |= steps_of(compiled, await store.entries(one.run))
    except StoreUnavailable:
        return set()
    return found
