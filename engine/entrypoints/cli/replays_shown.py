"""A replay in words and as values: what is the same, both sides where it parts.

Read by: replays.
"""

import json
from typing import Any, Final

from engine.analysis.replaying.history import History
from engine.model.timeline import Entry, encode_entry
from engine.model.times import offset_text, time_text
from engine.runtime.replaying import Replayed
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
