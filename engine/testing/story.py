"""What a drill did, as it is read: when, at which line, what; and its script.

Called by: every_path, faulting.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from engine.analysis.rehearsal.drill import Drill, Kill
from engine.analysis.rehearsal.writing import test_text
from engine.language.tree import Tree
from engine.model.timeline import Entry
from engine.model.values import format_duration
from engine.runtime.proving import place_of

MOST_TOLD: Final = 40  # lines of one story; the last ones
SILENT: Final = frozenset({"phase"})


def story_of(entries: Sequence[Entry], tree: Tree) -> list[str]:
    """Return what happened, one line for each fact: number, time, line of the file."""
    told = [
        one for one in entries
        if (one.event is None or one.kind in OUTSIDE) and one.kind not in SILENT
    ]  # fmt: skip
    rows = []
    for number, one in enumerate(told, 1):
        when = format_duration(timedelta(seconds=round(one.tick - entries[0].tick)))
        line = tree.position(story_place(one.step, tree)).line if one.step else 1
        known = line > tree.root.place.line
        at = f"line {line:<4}" if known else " " * 9
        why = f" ({one.why})" if one.why else ""
        rows.append(f"  {number:>3}. {when:>8} {at} {one.what}{why}")
    return rows[-MOST_TOLD:]


def story_place(step: str, tree: Tree) -> list[str | int]:
    """Return where in the file a step stands, the trouble's confirmation included."""
    if "/" in step:
        return [*place_of(step, tree)]
    return [step] if step in tree.value else []


OUTSIDE: Final = frozenset({"cancelled", "alertresolved", "holdchanged", "restarted"})


def script_of(drill: Drill) -> list[str]:
    """Return the drill as a test of a runbook is written, its kills as comments."""
    rows = test_text(drill.test, indent=2)
    return [*rows, *(f"    # {killed(one)}" for one in drill.kills)]


def killed(kill: Kill) -> str:
    """Return in words when the engine dies."""
    kept = "is kept" if kill.stored else "is lost"
    return f"the engine dies at write {kill.write}, which {kept}, and is back"


def as_values(drill: Drill) -> dict[str, Any]:
    """Return the drill as plain values, for programs."""
    test = drill.test.model_dump(mode="json", exclude_defaults=True)
    kills = [{"write": one.write, "kept": one.stored} for one in drill.kills]
    return {"test": test, "kills": kills}
