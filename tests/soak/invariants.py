"""What must hold after any night, judged from outside: the target's calls, the journal.

Each is a list of what breaks it; an empty list is a night that went well.
"""

import asyncio
from collections import Counter
from pathlib import Path

from engine.adapters.sqlite import SqliteStore
from engine.model.run import ENDS, RunSummary
from engine.model.timeline import Entry, chain_faults
from tests.soak.world import Target

Timelines = dict[str, tuple[RunSummary, list[Entry]]]


def broken(folder: Path, target: Target, taken: Counter[str]) -> list[str]:
    """Return everything that does not hold.

    Args:
        folder: Where the engines ran; none runs any more.
        target: What they acted on.
        taken: How many deliveries of each alert were answered with 200.
    """
    timelines, decided = asyncio.run(_read(folder))
    return [
        *_acts_without_intent(timelines, target),
        *_done_twice(timelines, target),
        *_held_and_forgotten(timelines, target),
        *_alerts_lost(decided, taken),
        *_not_as_written(timelines),
        *_unfinished(timelines),
    ]


async def _read(folder: Path) -> tuple[Timelines, Counter[str]]:
    store = await SqliteStore.open(folder / "state/journal.db", create=False)
    try:
        runs = await store.runs(limit=1_000_000)
        timelines = {one.run: (one, await store.entries(one.run)) for one in runs}
        decisions = await store.alerts.decisions(limit=10_000_000)
    finally:
        await store.close()
    names = [one.fingerprint for one in decisions if one.delivery and one.status]
    return timelines, Counter(names)


def _acts_without_intent(timelines: Timelines, target: Target) -> list[str]:
    """Every call at the target has its intent in a timeline, written before it."""
    intents: dict[str, float] = {}
    for _, entries in timelines.values():
        for entry in entries:
            if entry.kind in ("intent", "undoing"):
                intents.setdefault(str(entry.refs["key"]), entry.at)
    found = []
    for call in target.calls:
        if call.key not in intents:
            found.append(f"{call.method} {call.thing} has no intent: key {call.key}")
        elif call.at < intents[call.key] - 0.05:
            found.append(f"{call.method} {call.thing} came before its intent")
    return found


def _done_twice(timelines: Timelines, target: Target) -> list[str]:
    """No thing is set twice under one key, but where a check lied about it."""
    counts = Counter(
        (call.key, call.thing) for call in target.calls if call.method == "PUT"
    )
    return [
        f"PUT {thing} was done {count} times under {key}"
        for (key, thing), count in counts.items()
        if count > 1 and thing not in target.lied
    ]


def _held_and_forgotten(timelines: Timelines, target: Target) -> list[str]:
    """What is set at the target is held by a run that was handed over, or by none."""
    held = {
        f"{'drained' if one.action == 'drain' else 'capped'}-{run.inputs['thing']}"
        for run, _ in timelines.values()
        for one in run.held
    }
    return [
        f"{thing} is set and nobody holds it"
        for thing in sorted(target.things - held - target.lied)
    ]


def _alerts_lost(decided: Counter[str], taken: Counter[str]) -> list[str]:
    """Every delivery that was answered with 200 has its decision."""
    total, wanted = sum(decided.values()), sum(taken.values())
    if total >= wanted:
        return []
    return [f"{wanted} alerts were taken, {total} were decided"]


def _not_as_written(timelines: Timelines) -> list[str]:
    faults = [
        fault for run, (_, entries) in timelines.items()
        for fault in chain_faults(run, entries)
    ]  # fmt: skip
    return [f"{one.run} entry {one.seq}: {one.problem}" for one in faults]


def _unfinished(timelines: Timelines) -> list[str]:
    """A run goes on or ends, unless it asks people: what an act did, for one."""
    return [
        f"{run} is still {summary.state} in {summary.phase} and asks nobody"
        for run, (summary, _) in timelines.items()
        if summary.state not in ENDS and not summary.questions
    ]
