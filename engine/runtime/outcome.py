"""What a run did, as a test can expect it: end, cause, did, undone, held, asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.model.people import Question
from engine.model.run import RunSummary
from engine.model.runbook import Expectation
from engine.model.timeline import Entry
from engine.model.values import format_duration


@dataclass(slots=True)
class Seen:
    """What happened, in order."""

    end: str = ""
    cause: str = ""
    did: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    not_done: list[tuple[str, str]] = field(
        default_factory=list
    )  # act, skipped | already
    asked: list[tuple[str, ...]] = field(default_factory=list)  # names of each question
    seconds: float = 0.0
    path: list[str] = field(default_factory=list)

    def differs(self, expected: Expectation) -> list[str]:
        """Return in words each thing that is not as expected."""
        told = []
        for name in ("end", "cause", "did", "undone", "held"):
            wanted, seen = getattr(expected, name), getattr(self, name)
            if wanted is not None and wanted != seen:
                told.append(f"{name}: expected {_show(wanted)}, was {_show(seen)}")
        if expected.skipped is not None and not self._skips(expected.skipped):
            wanted, seen = _show(expected.skipped), _show(self.skipped)
            told.append(f"skipped: expected {wanted}, was {seen}")
        if expected.asked is not None and not self._asks(expected.asked):
            names = [names[0] for names in self.asked]
            told.append(f"asked: expected {_show(expected.asked)}, was {_show(names)}")
        if (
            expected.within is not None
            and self.seconds > expected.within.total_seconds()
        ):
            limit = format_duration(expected.within)
            told.append(f"within: expected {limit}, took {self.seconds:g}s")
        return told

    @property
    def skipped(self) -> list[str]:
        """Acts whose `when` was not true, in order."""
        return [name for name, kind in self.not_done if kind == "skipped"]

    def _skips(self, wanted: list[str]) -> bool:
        """Acts whose effect was there already may be listed or left out."""
        return wanted in (self.skipped, [name for name, _ in self.not_done])

    def _asks(self, wanted: list[str] | int) -> bool:
        if isinstance(wanted, int):
            return wanted == len(self.asked)
        pairs = zip(wanted, self.asked, strict=False)
        return len(wanted) == len(self.asked) and all(
            one in names for one, names in pairs
        )


def _show(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(str, value)) + "]"
    return str(value) or "none"


def seen_of(
    entries: Sequence[Entry],
    summary: RunSummary,
    done: Sequence[tuple[str, str, str]],
    asked: Sequence[Question],
    names: Mapping[str, str],
) -> Seen:
    """Return what a timeline, and the world beside it, say.

    Args:
        names: what the steps that have a `name` are called, by their id.
    """
    seen = Seen(end=summary.state, cause=summary.cause)
    for entry in entries:
        if entry.kind == "undone":
            seen.undone.append(entry.subject)
        elif entry.kind in ("skipped", "already") and entry.subject:
            seen.not_done.append((entry.subject, entry.kind))
        if entry.step and (not seen.path or seen.path[-1] != entry.step):
            seen.path.append(entry.step)
    for question in asked:
        step, groups = question.step, [group for group, _ in question.who]
        seen.asked.append((names.get(step, step), step, question.text, *groups))
    seen.did = [action for action, _, _ in done]
    seen.held = [one.action for one in summary.held]
    seen.seconds = (summary.ended_at or summary.updated_at) - summary.started_at
    return seen
