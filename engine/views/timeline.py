"""A timeline as people read it: text, Markdown, HTML; and as JSON for machines.

Called by the command line (`runbook show`), the web pages, the report and the export.
"""

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from engine.model.timeline import Entry
from engine.model.times import date_text, offset_text, time_text, utc
from engine.views.lines import Line, lines_of
from engine.views.pages import HTML, MARKDOWN

NARROWEST: Final = 50
INDENT: Final = " " * 30  # under the words, past offset, time and phase
RESET: Final = "\x1b[0m"
COLOURS: Final[Mapping[str, str]] = {
    "failed": "\x1b[31m",
    "stuck": "\x1b[1;31m",
    "guard": "\x1b[31m",
    "stop": "\x1b[1;31m",
    "crash": "\x1b[31m",
    "did": "\x1b[32m",
    "undone": "\x1b[32m",
    "asked": "\x1b[33m",
    "escalated": "\x1b[33m",
    "expired": "\x1b[33m",
    "void": "\x1b[33m",
    "approved": "\x1b[32m",
    "rejected": "\x1b[31m",
    "cause": "\x1b[1m",
    "phase": "\x1b[1m",
    "end": "\x1b[1m",
}
QUIET_COLOUR: Final = "\x1b[2m"


def timeline_text(
    entries: Sequence[Entry], *, width: int = 100, colour: bool = False
) -> str:
    """Return the story as lines of at most `width` columns (not below 50).

    Each line: seconds since the start, UTC time, phase, what happened; the why stands
    indented below. The date stands above the first line of each day.
    """
    width = max(width, NARROWEST)
    out: list[str] = []
    day = ""
    for line in lines_of(entries):
        if date_text(line.at) != day:
            day = date_text(line.at)
            out.append(f"{day} UTC")
        out += [_coloured(text, line, colour) for text in _rows(line, width)]
    return "\n".join(out) + "\n" if out else "nothing has happened yet\n"


def _rows(line: Line, width: int) -> list[str]:
    head = f"{offset_text(line.tick):>7}  {time_text(line.at)}  {line.phase[:10]:<10}"
    rows = textwrap.wrap(
        line.what, width, initial_indent=f"{head} ", subsequent_indent=INDENT
    )
    if line.why:
        deeper = INDENT + "  "
        rows += textwrap.wrap(
            line.why, width, initial_indent=deeper, subsequent_indent=deeper
        )
    return rows


def _coloured(text: str, line: Line, colour: bool) -> str:
    paint = QUIET_COLOUR if line.quiet else COLOURS.get(line.kind, "")
    return f"{paint}{text}{RESET}" if colour and paint else text


def timeline_markdown(entries: Sequence[Entry]) -> str:
    """Return the story as one Markdown table, the dates as rows of their own."""
    return MARKDOWN.get_template("timeline.md.j2").render(days=days_of(entries))


def timeline_html(entries: Sequence[Entry], *, title: str) -> str:
    """Return the story as one page that needs nothing else: no script, no network."""
    page = HTML.get_template("timeline.html.j2")
    return page.render(title=title, days=days_of(entries))


def days_of(entries: Sequence[Entry]) -> list[tuple[str, list[Line]]]:
    """Return the lines under the date they happened on, in order."""
    days: list[tuple[str, list[Line]]] = []
    for line in lines_of(entries):
        day = date_text(line.at)
        if not days or days[-1][0] != day:
            days.append((day, []))
        days[-1][1].append(line)
    return days


def timeline_json(entries: Sequence[Entry]) -> str:
    """Return every entry as one JSON object a line, in an array, in order of `seq`.

    The keys, always all of them and in this order: `run`, `seq` (from 1), `at` (ISO
    8601, UTC, milliseconds), `at_seconds` (epoch, as it was hashed), `tick_seconds`
    (the run's own seconds), `kind`, `what`, `actor`, `phase`, `step`, `why`, `subject`,
    `target`, `refs`, `event` (null for a note; else with its `type`), `prev_hash`,
    `hash`. Only ASCII; a value that JSON does not know (NaN) is null. The hash covers
    an entry without the keys that have their default (`model.timeline.Entry`).
    """
    rows = [json.dumps(one, ensure_ascii=True) for one in timeline_objects(entries)]
    return "[\n" + ",\n".join(rows) + "\n]\n" if rows else "[]\n"


def timeline_objects(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return every entry as plain values, with the keys of `timeline_json`."""
    return [_as_object(entry) for entry in entries]


def _as_object(entry: Entry) -> dict[str, Any]:
    moment = utc(entry.at)
    plain = msgspec.json.decode(msgspec.json.encode([entry.refs, entry.event]))
    return {
        "run": entry.run,
        "seq": entry.seq,
        "at": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
        if moment
        else None,
        "at_seconds": entry.at,
        "tick_seconds": entry.tick,
        "kind": entry.kind,
        "what": entry.what,
        "actor": entry.actor,
        "phase": entry.phase,
        "step": entry.step,
        "why": entry.why,
        "subject": entry.subject,
        "target": entry.target,
        "refs": plain[0],
        "event": plain[1],
        "prev_hash": entry.prev_hash,
        "hash": entry.hash,
    }


def entry_of(row: Mapping[str, Any]) -> Entry:
    """Return the entry that `timeline_objects` wrote.

    Raises:
        msgspec.ValidationError: it is none, or one of another version.
    """
    named = {name: row.get(name) for name in Entry.__struct_fields__}
    named |= {"at": row.get("at_seconds"), "tick": row.get("tick_seconds")}
    return msgspec.convert(named, Entry)
