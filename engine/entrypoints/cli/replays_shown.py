"""A replay in words and as values: what is the same, both sides where it parts.

Read by: replays.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from engine.analysis.replaying.branches import Branches, Way
from engine.analysis.replaying.history import History
from engine.analysis.replaying.parting import Parting, Side
from engine.model.timeline import Entry, encode_entry
from engine.model.times import offset_text, time_text
from engine.runtime.replaying import Changed, Replayed
from engine.views.escape import visible

SHOWN: Final = ("kind", "what", "why", "phase", "step", "subject", "target", "refs")
LONGEST: Final = 300  # characters of one field


def as_object(history: History, replayed: Replayed) -> dict[str, Any]:
    """Return the replay on the same version as plain values."""
    summary = history.summary
    return {
        "run": summary.run,
        "runbook": summary.runbook,
        "revision": summary.revision,
        "entries": replayed.entries,
        "events": replayed.events,
        "same": replayed.same,
        "parts": replayed.parts,
        "why": replayed.why,
        "then": _object(replayed.then),
        "now": _object(replayed.now),
    }


def _object(entry: Entry | None) -> Any:
    if entry is None:
        return None
    plain = json.loads(encode_entry(entry))
    return {key: one for key, one in plain.items() if key not in ("prev_hash", "hash")}


def as_text(history: History, replayed: Replayed) -> str:
    """Return the replay on the same version in lines."""
    summary = history.summary
    head = f"{summary.run} of {summary.runbook}"
    if not replayed.parts:
        return (
            f"{head}: {replayed.entries} entries from {replayed.events} events, "
            "the same entry for entry"
        )
    one = replayed.then or replayed.now
    assert one is not None
    at = f"entry {replayed.same + 1}, {offset_text(one.tick)} {time_text(one.at)} UTC"
    same = f"{replayed.same} of {replayed.entries} entries are the same"
    rows = [f"{head}: {same}; it parts at {at}"]
    then, now = _object(replayed.then), _object(replayed.now)
    rows += _side("then", then, now, "nothing more was recorded")
    rows += _side("now", now, then, replayed.why or "nothing more comes of it")
    return "\n".join(rows)


def _side(name: str, mine: Any, other: Any, nothing: str) -> list[str]:
    """Return what one side says; of the fields only those that tell them apart."""
    if mine is None:
        return [f"  {name:<5} {visible(nothing)}"]
    rows = []
    told = dict.fromkeys([*SHOWN, *mine, *(other or {})])
    for key in told:
        value = mine.get(key, "")
        same = other is not None and other.get(key, "") == value
        if same and key not in ("kind", "what"):
            continue
        if key in mine or not same:
            rows.append((key, _value(value)))
    first = [f"  {name:<5} {key:<8} {value}" for key, value in rows[:1]]
    return first + [f"        {key:<8} {value}" for key, value in rows[1:]]


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    shown = visible(text) or "none"
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


# Another version


def changed_object(history: History, file: str, found: Changed) -> dict[str, Any]:
    """Return what another version makes of a run as plain values."""
    parting, ways = found.parting, found.branches
    return {
        "run": history.summary.run,
        "runbook": history.summary.runbook,
        "revision": history.summary.revision,
        "with": file,
        "with_revision": found.revision,
        "decisions": parting.decisions,
        "same": parting.same,
        "parts": parting.parts,
        "problems": list(parting.problems),
        "then": _decision(history, parting.then),
        "now": _decision(history, parting.now),
        "unseen": list(parting.unseen),
        "left_open": list(parting.left_open),
        "branches": None if ways is None else _branches(ways),
    }


def _decision(history: History, side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    note = side.note
    return {
        "entry": _number(history, side),
        "tick_seconds": side.tick,
        "kind": note.kind,
        "what": note.what,
        "why": note.why,
        "step": note.step,
        "subject": note.subject,
        "target": note.target,
    }


def _branches(ways: Branches) -> dict[str, Any]:
    return {
        "states": ways.states,
        "whole": ways.whole,
        "ends": [
            {
                "end": one.end,
                "cause": one.cause,
                "why": one.why,
                "acts": list(one.acts),
                "steps": [{"step": it.step, "told": it.told} for it in one.steps],
            }
            for one in ways.ways
        ],
    }


def _number(history: History, side: Side) -> int | None:
    """Return the number of the recorded entry that told a decision; None: of none."""
    seen = -1
    for entry in history.entries:
        seen += entry.event is not None
        same = (entry.kind, entry.what) == (side.note.kind, side.note.what)
        if seen == side.event and entry.event is None and same:
            return entry.seq
    return None


def changed_text(history: History, file: str, found: Changed) -> str:
    """Return what another version makes of a run in lines."""
    return "\n".join(_changed_lines(history, file, found))


def _changed_lines(history: History, file: str, found: Changed) -> Iterator[str]:
    summary, parting = history.summary, found.parting
    yield (
        f"{summary.run} of {summary.runbook}, with {visible(file)} "
        f"({found.revision[:12]})"
    )
    if parting.problems:
        yield "It cannot begin with what that run was given:"
        yield from (f"  {visible(one)}" for one in parting.problems)
    elif not parting.parts:
        yield f"{_counted(parting.decisions)}, all the same"
    else:
        yield from _parted(history, parting)
    for one in parting.left_open:
        yield f"Left open, since nobody looked then: {visible(one)}"
    if found.branches is not None:
        yield "What was seen later is not what this version would have seen."
        yield from _told(found.branches)


def _parted(history: History, parting: Parting) -> Iterator[str]:
    side = parting.now or parting.then
    tick = side.tick if side is not None else 0.0
    if parting.now is None and parting.standing is not None:
        tick = parting.standing.tick
    at = time_text(history.summary.started_at + tick)
    yield (
        f"{parting.same} of {_counted(parting.decisions)} are the same; they part at "
        f"{offset_text(tick)} {at} UTC"
    )
    number = _number(history, parting.then) if parting.then is not None else None
    place = f"entry {number}: " if number is not None else ""
    yield from _one_side("then", parting.then, place, "nothing more was decided")
    nothing = "it would have ended" if not parting.unseen else ""
    if parting.now is not None or not parting.unseen:
        yield from _one_side("now", parting.now, "", nothing)
    for one in parting.unseen:
        yield f"  now   {visible(one)}, which nobody did then"


def _one_side(name: str, side: Side | None, place: str, nothing: str) -> Iterator[str]:
    if side is None:
        yield f"  {name:<5} {nothing}"
        return
    yield f"  {name:<5} {place}{visible(side.note.what)}"
    if side.note.why:
        yield f"        {visible(side.note.why)}"


def _told(ways: Branches) -> Iterator[str]:
    count = f"{ways.states:,} states" + ("" if ways.whole else ", and not all of them")
    yield f"From there it can end in these ways ({count}; the shortest of each):"
    for one in ways.ways:
        yield from _way(one)


def _way(way: Way) -> Iterator[str]:
    cause = f", cause {visible(way.cause)}" if way.cause else ""
    done = f"; does {', '.join(map(visible, way.acts))}" if way.acts else ""
    yield f"  {way.end.replace('_', ' ')}{cause}{done}"
    for number, step in enumerate(way.steps, 1):
        yield f"    {number:>2}. {visible(step.step)}: {visible(step.told)}"


def _counted(many: int) -> str:
    return f"{many} decision" + ("" if many == 1 else "s")
