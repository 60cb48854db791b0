"""A runbook as a person reads it before they trust it: `runbook show NAME`.

Who owns it, how it starts, what bounds it, then each phase in numbered plain words.
Worst-case times are proved elsewhere (analysis) and printed by the caller.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from engine.model.machine import MachineGraph
from engine.model.runbook import Runbook, Trigger
from engine.model.steps import Step
from engine.model.values import format_duration
from engine.views.escape import pairs_text, value_text, visible
from engine.views.wording import inner_steps, step_rows

WIDTH: Final = 96
AUTONOMY: Final = {
    "propose": "is offered in chat; a person starts it",
    "approve": "starts by itself, stops at its gates",
    "auto": "starts by itself; gates with `unless: auto` open by themselves",
}


def runbook_text(runbook: Runbook, graph: MachineGraph) -> str:
    """Return the whole runbook as plain text, at most 96 columns where words allow it.

    Args:
        runbook: The runbook. Its texts stand as written, names in braces.
        graph: Its machine, for how large it is and how it can end.
    """
    lines = [
        visible(runbook.title),
        (
            f"runbook {runbook.runbook}  owner {visible(runbook.owner)}"
            f"  severity {runbook.severity}"
        ),
    ]
    if runbook.description:
        lines += textwrap.wrap(visible(runbook.description), WIDTH)
    lines += ["", "How it starts", *_listed(_starts(runbook))]
    lines += ["", "Limits", *_listed(_limits(runbook))]
    if runbook.impact is not None or runbook.raise_ or runbook.stop_when:
        lines += ["", "Watched all the time", *_listed(_watched(runbook))]
    for title, steps in _sections(runbook):
        lines += ["", title, *_steps(steps, runbook, "")]
    if runbook.restore is None:
        lines += ["", "Restore", ("  as confirm looks, then give back everything held,"
                  " newest first, looking after each")]  # fmt: skip
    elif not runbook.restore:
        lines += ["", "Restore", "  nothing is done; what is held then is handed over"]
    lines += ["", *_machine(graph)]
    return "\n".join(lines) + "\n"


def _listed(rows: Iterable[str]) -> list[str]:
    return [line for row in rows for line in _wrap(row, "  ", "    ")]


def _starts(runbook: Runbook) -> Iterator[str]:
    yield f"{AUTONOMY[runbook.autonomy]}"
    if not runbook.trigger:
        yield "by hand only"
    for trigger in runbook.trigger:
        yield f"{_trigger(trigger)}"
    for name, one in runbook.inputs.items():
        origin = f", from {visible(one.from_)}" if one.from_ else ""
        value = "a secret" if one.secret else value_text(one.default)
        default = "" if one.required else f", else {value}"
        secret = ", never shown" if one.secret else ""
        yield f"input {name}: {one.type}{origin}{default}{secret}"


def _trigger(trigger: Trigger) -> str:
    if trigger.schedule is not None:
        return f"on schedule {visible(trigger.schedule)} (UTC)"
    if trigger.chat is not None:
        return f"from chat, by {', '.join(visible(one) for one in trigger.chat.who)}"
    assert trigger.alert is not None  # a trigger has exactly one of the three
    group = (
        f"; one run for each {', '.join(trigger.group_by)}" if trigger.group_by else ""
    )
    source = value_text(trigger.alert.source)
    match = pairs_text(trigger.alert.match)
    return (
        f"alert of {source}: {match}{group}; when it resolves: {trigger.when_resolved}"
    )


def _limits(runbook: Runbook) -> list[str]:
    limits = runbook.limits
    rows = []
    if limits.lock:
        wait = format_duration(limits.lock_wait)
        paths = ", ".join(visible(path) for path in limits.lock)
        rows.append(f"locks {paths}, waiting at most {wait}")
    if limits.runs is not None:
        per = format_duration(limits.runs.per)
        rows.append(
            f"starts at most {limits.runs.max} times in {per}, then it proposes"
        )
    if limits.cooldown is not None:
        rows.append(f"not again for {format_duration(limits.cooldown)} after a run")
    if limits.targets is not None:
        told = limits.targets.model_dump(exclude_none=True)
        rows.append(f"targets: {pairs_text(told)}")
    rows += _times(limits.time.model_dump())
    return rows or ["none of its own"]


def _times(times: dict[str, Any]) -> list[str]:
    words = {
        "isolated": "isolated within",
        "mitigated": "mitigated within",
        "total": "over within",
        "silent": "never silent for more than",
    }
    return [
        f"{words[name]} {_written(length)}"
        for name, length in times.items()
        if length is not None
    ]


def _written(length: Any) -> str:
    return format_duration(length) if isinstance(length, timedelta) else str(length)


def _watched(runbook: Runbook) -> Iterator[str]:
    if runbook.impact is not None:
        names = ", ".join(runbook.impact.checks)
        every = format_duration(runbook.impact.every)
        weight = f"{runbook.impact.weight:g}"
        yield f"affected users: {names}, every {every}, weight {weight}"
    for rule in runbook.raise_:
        yield f"severity {rule.to} if {visible(rule.when)}"
    for stop in runbook.stop_when:
        then = "hand over" if stop.then == "hand_over" else "give back, hand over"
        page = f", page {visible(stop.page)}" if stop.page else ""
        yield f"STOP if {visible(stop.when)}: {then}{page}"


def _sections(runbook: Runbook) -> Iterator[tuple[str, Sequence[Step]]]:
    if runbook.confirm:
        yield "Confirm: is it real?", runbook.confirm
    if runbook.isolate:
        yield "Isolate: stop the damage spreading", runbook.isolate
    if runbook.diagnose:
        yield "Diagnose: find the cause, change nothing", runbook.diagnose
    for name, steps in runbook.workaround.items():
        yield f"Workaround {name}", steps
    if runbook.restore:
        yield "Restore: back to normal", runbook.restore


def _steps(steps: Sequence[Step], runbook: Runbook, prefix: str) -> list[str]:
    lines = []
    for number, step in enumerate(steps, 1):
        label = f"{prefix}{number}."
        depth = "  " * (prefix.count(".") + 1)
        lines += _numbered(label, step_rows(step, runbook), depth)
        lines += _steps(inner_steps(step), runbook, label)
    return lines


def _numbered(label: str, rows: list[str], depth: str) -> list[str]:
    head, *details = rows
    indent = depth + " " * (len(label) + 1)
    lines = _wrap(head, f"{depth}{label} ", indent)
    for row in details:
        lines += _wrap(row, f"{indent}  ", f"{indent}    ")
    return lines


def _wrap(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _machine(graph: MachineGraph) -> list[str]:
    ends = [visible(state.label) for state in graph.states if state.kind == "end"]
    steps = len(graph.states) - len(ends)
    return [
        (
            f"{steps} states, {len(graph.edges)} ways between them; it can end"
            f" {', '.join(ends)}"
        )
    ]
