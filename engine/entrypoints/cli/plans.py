"""`run --dry-run`: every check for real, no action port, and the plan that came of it.

Read by: running.
"""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.bootstrap.dry_running import played
from engine.entrypoints.cli.following import summary_json
from engine.entrypoints.cli.screen import FINE, PROBLEMS, say, say_json, tell
from engine.model.run import RunSummary
from engine.model.timeline import Entry
from engine.model.values import format_duration
from engine.runtime.library import Bundle
from engine.runtime.proving import Worst, worst_case
from engine.views.escape import command_text, pairs_text, visible
from engine.views.terminal import progress_line

if TYPE_CHECKING:
    from engine.config import Config
    from engine.model.alert import Alert
    from engine.runtime.library import Library

GOOD: Final = ("resolved", "cleared")


async def dry(
    config: "Config",
    library: "Library",
    bundle: Bundle,
    given: dict[str, Any],
    who: str,
    *,
    alert: "Alert | None",
    people: str,
    json_: bool,
) -> int:
    """Play the runbook without acting; write the plan; return the exit code.

    Raises:
        DoesNotApply: an input is missing or wrong.
    """
    summary, entries = await played(
        config, library, bundle, given, who, via="cli", people=people, alert=alert
    )
    plan = [planned(entry, bundle) for entry in entries if entry.kind == "intent"]
    worst = worst_case(bundle.compiled)
    if json_:
        say_json({"summary": summary_json(summary), "plan": plan,
                  "worst_case_seconds": worst.total,
                  "worst_case": worst.known})  # fmt: skip
    else:
        _show(entries, summary, plan, worst)
    return FINE if summary.state in GOOD else PROBLEMS


def planned(entry: Entry, bundle: Bundle) -> dict[str, Any]:
    """Return one act of the plan: what would be done, and how it is given back."""
    action = bundle.compiled.runbook.actions.get(entry.subject)
    refs = json.loads(msgspec.json.encode(entry.refs))
    undo = refs.get("undo")
    return {
        "step": entry.step,
        "action": entry.subject,
        "target": entry.target,
        "kind": refs.get("kind", ""),
        "command": refs.get("command"),
        "undo_kind": _undo_kind(action, refs.get("kind", "")),
        "undo": undo,
        "reversible": undo is not None or bool(action and action.leaves_nothing),
        "leaves_nothing": bool(action and action.leaves_nothing),
        "risk": action.risk if action else "low",
        "before": refs.get("before") or {},
    }


def _undo_kind(action: Any, kind: str) -> str:
    body = action.undo_body if action is not None else None
    return body.kind if body is not None else kind


def _show(
    entries: list[Entry], summary: RunSummary, plan: list[dict[str, Any]], worst: Worst
) -> None:
    say("[DRY RUN] every check was looked at, nothing was done")
    for entry in entries:
        line = progress_line(entry)
        if line is not None and entry.kind not in ("intent", "did"):
            say(line)
    say()
    for row in plan_rows(plan, worst):
        say(row)
    why = f": {visible(summary.why)}" if summary.why else ""
    say(f"It would end as {summary.state.replace('_', ' ')}{why}")
    if summary.state not in GOOD:
        tell("Acts were taken to work; what the world shows after them is not known.")


def plan_rows(plan: list[dict[str, Any]], worst: Worst) -> list[str]:
    """Return the plan in lines, and how long the runbook takes at worst."""
    rows = [f"The plan, {len(plan)} act{'' if len(plan) == 1 else 's'}:"]
    for number, act in enumerate(plan, 1):
        rows += _rows(number, act)
    longest = format_duration(timedelta(seconds=round(worst.total)))
    return [*rows, f"Worst case: {longest}, {worst.words}"]


def _rows(number: int, act: dict[str, Any]) -> list[str]:
    target = f" on {visible(act['target'])}" if act["target"] else ""
    rows = [f"  {number}. {act['action']}{target}   risk: {act['risk']}"]
    rows.append(f"     command: {command_text(act['kind'], act['command'])}")
    if act["undo"] is not None:
        rows.append(f"     undo:    {command_text(act['undo_kind'], act['undo'])}")
    elif act["leaves_nothing"]:
        rows.append("     undo:    not needed: it leaves nothing")
    else:
        rows.append("     undo:    NONE, this cannot be undone")
    if act["before"]:
        rows.append(f"     before:  {pairs_text(act['before'])}")
    return rows
