"""A run as spans for tracing: the run, its phases, and in them acts, undos, questions.

Pure: entries in, spans out; the same timeline gives the same spans with the same ids,
so that a run that is exported twice is one trace. Read by: runtime.tracing.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from engine.model.spans import Span
from engine.model.timeline import Entry

BEGINS: Final = {"intent": "act", "undoing": "undo", "asked": "question"}
ENDS: Final = {
    "did": "act", "failed": "act", "undone": "undo", "stuck": "undo",
    "approved": "question", "rejected": "question", "expired": "question",
    "void": "question", "answered": "question",
}  # fmt: skip
BAD: Final = frozenset({"failed", "stuck", "rejected", "expired"})


def trace_id(run: str) -> int:
    """Return the 128 bits of the trace of a run."""
    return int.from_bytes(hashlib.sha256(run.encode()).digest()[:16], "big") or 1


def spans_of(entries: Sequence[Entry]) -> list[Span]:
    """Return the spans of a timeline, the run first; what is open ends with it."""
    if not entries:
        return []
    first, last = entries[0], entries[-1]
    run = _id(first.run, 0)
    ended = next((one for one in entries if one.kind == "end"), None)
    bad = ended is not None and "handed_over" in ended.what
    why = ended.why if ended is not None else ""
    whole = Span("run", first.at, last.at, run, 0, bad, why=why)
    phases = _phases(entries, run)
    return [whole, *phases, *_inside(entries, phases, run)]


def _id(run: str, seq: int) -> int:
    digest = hashlib.sha256(f"{run}/{seq}".encode()).digest()
    return int.from_bytes(digest[:8], "big") or 1


def _phases(entries: Sequence[Entry], run: int) -> list[Span]:
    begun = [one for one in entries if one.kind == "phase"]
    ends = [one.at for one in begun[1:]] + [entries[-1].at]
    return [
        Span(one.what, one.at, end, _id(one.run, one.seq), run)
        for one, end in zip(begun, ends, strict=True)
    ]


def _inside(entries: Sequence[Entry], phases: Sequence[Span], run: int) -> list[Span]:
    made: list[Span] = []
    begun: dict[tuple[str, str, str], Entry] = {}
    for one in entries:
        if one.kind in BEGINS:
            begun[BEGINS[one.kind], one.subject, one.target] = one
        elif one.kind in ENDS:
            start = begun.pop((ENDS[one.kind], one.subject, one.target), None)
            if start is not None:
                made.append(_span(start, one, phases, run))
    left = [_span(start, entries[-1], phases, run) for start in begun.values()]
    return sorted([*made, *left], key=lambda span: (span.begins_at, span.id))


def _span(start: Entry, end: Entry, phases: Sequence[Span], run: int) -> Span:
    inside = [one for one in phases if one.begins_at <= start.at]
    parent = inside[-1].id if inside else run
    bad = end.kind in BAD
    return Span(
        f"{BEGINS[start.kind]} {start.subject}", start.at, end.at,
        _id(start.run, start.seq), parent, bad, start.target, end.why if bad else "",
    )  # fmt: skip
