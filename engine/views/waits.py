"""Every time a run waited for people: who was asked, how long, what came of it.

Read from the notes `asked`, `escalated`, `approved`, `rejected`, `expired`, `answered`
and `void`, and from the events that answer a question. Called by facts and terminal.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from engine.model.events import Answered
from engine.model.timeline import Entry

WaitOutcome = Literal[
    "open", "approved", "rejected", "expired", "answered", "over"
]  # over: the run went on or ended without an answer


@dataclass(frozen=True, slots=True)
class Wait:
    """One question, from its first asking to its end; seconds are run seconds."""

    step: str
    what: str
    keys: tuple[str, ...]  # the question, and each escalation of it
    start_tick: float
    start_at: float
    end_tick: float
    outcome: WaitOutcome = "open"
    who: tuple[tuple[str, int], ...] = ()
    by: tuple[str, ...] = ()
    escalations: int = 0
    plan: str = ""

    @property
    def seconds(self) -> float:
        """How long people had it before them."""
        return self.end_tick - self.start_tick


@dataclass(slots=True)
class _Book:
    """The waits so far, while the entries are read."""

    closed: list[Wait] = field(default_factory=list)
    open: dict[str, Wait] = field(default_factory=dict)  # by step

    def close(self, wait: Wait, tick: float, outcome: WaitOutcome) -> None:
        self.open.pop(wait.step, None)
        self.closed.append(replace(wait, end_tick=tick, outcome=outcome))


def waits_of(entries: Sequence[Entry]) -> tuple[Wait, ...]:
    """Return every wait in order of asking; one still open ends at the last entry."""
    book = _Book()
    for index, entry in enumerate(entries):
        following = entries[index + 1] if index + 1 < len(entries) else None
        _read(book, entry, following)
    last = entries[-1].tick if entries else 0.0
    still = [replace(one, end_tick=last) for one in book.open.values()]
    return tuple(sorted([*book.closed, *still], key=lambda one: one.start_tick))


def _read(book: _Book, entry: Entry, following: Entry | None) -> None:
    if isinstance(entry.event, Answered):
        _answered(book, entry, following)
    elif entry.event is not None:
        return
    elif entry.kind == "asked":
        _asked(book, entry)
    elif entry.kind == "end":
        for wait in list(book.open.values()):
            book.close(wait, entry.tick, "over")
    elif entry.step in book.open:
        _moved(book, book.open[entry.step], entry)


def _asked(book: _Book, entry: Entry) -> None:
    before = book.open.get(entry.step)
    if before is not None:
        book.close(before, entry.tick, "over")
    book.open[entry.step] = Wait(
        entry.step, entry.what, (entry.subject,), entry.tick, entry.at, entry.tick,
        who=_who(entry), plan=str(entry.refs.get("plan", "")),
    )  # fmt: skip


def _who(entry: Entry) -> tuple[tuple[str, int], ...]:
    raw = entry.refs.get("who")
    pairs = raw if isinstance(raw, list | tuple) else ()
    return tuple(
        (str(pair[0]), int(pair[1]))
        for pair in pairs
        if isinstance(pair, list | tuple) and len(pair) == 2
    )


def _moved(book: _Book, wait: Wait, entry: Entry) -> None:
    match entry.kind:
        case "escalated":
            book.open[wait.step] = replace(
                wait, who=_who(entry), by=(), escalations=wait.escalations + 1,
                keys=(*wait.keys, entry.subject),
            )  # fmt: skip
        case "approved":
            _approved(book, wait, entry)
        case "rejected":
            book.close(replace(wait, by=(entry.actor,)), entry.tick, "rejected")
        case "expired":
            book.close(wait, entry.tick, "expired")
        case "answered":
            book.close(replace(wait, by=(entry.actor,)), entry.tick, "answered")


def _approved(book: _Book, wait: Wait, entry: Entry) -> None:
    wait = replace(wait, by=(*wait.by, entry.actor))
    if len(wait.by) >= sum(count for _, count in wait.who):
        book.close(wait, entry.tick, "approved")
    else:
        book.open[wait.step] = wait


def _answered(book: _Book, entry: Entry, following: Entry | None) -> None:
    """Close the wait, unless a note follows that says the answer does not count."""
    if following is not None and following.kind == "refused":
        return
    for wait in list(book.open.values()):
        if entry.subject in wait.keys:
            book.close(replace(wait, by=(entry.actor,)), entry.tick, "answered")


def covered_seconds(waits: Iterable[Wait]) -> float:
    """Return the time in which at least one wait was going on."""
    total, until = 0.0, float("-inf")
    for wait in sorted(waits, key=lambda one: one.start_tick):
        total += max(0.0, wait.end_tick - max(wait.start_tick, until))
        until = max(until, wait.end_tick)
    return total
