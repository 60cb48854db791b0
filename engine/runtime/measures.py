"""What is counted while the engine works: effects, ends, times; numbers, no names.

Fed by the driver's listener; read by the door that shows metrics. Nothing is decided by
these, and they are lost with the process: the timeline is what happened.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.model.run import RunSummary
from engine.model.timeline import Entry

COUNTED: Final = {  # kind of entry: result of an effect
    "did": ("act", "done"),
    "already": ("act", "there already"),
    "undone": ("undo", "done"),
    "stuck": ("undo", "stuck"),
    "guard": ("act", "refused by a guard"),
    "approved": ("gate", "approved"),
    "rejected": ("gate", "rejected"),
    "expired": ("gate", "expired"),
    "void": ("gate", "void"),
    "late": ("limit", "broken"),
    "crash": ("engine", "restarted"),
}
MOST_RUNS: Final = 10_000  # whose first act is waited for
SECONDS: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)


@dataclass(slots=True)
class Buckets:
    """How often a time was below each of some bounds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one time."""
        at = next((i for i, most in enumerate(SECONDS) if seconds <= most), -1)
        self.counts[at] += 1
        self.total += seconds

    @property
    def cumulated(self) -> list[tuple[str, int]]:
        """The counts as Prometheus wants them: below each bound, then all."""
        found, so_far = [], 0
        for most, count in zip((*map(str, SECONDS), "+Inf"), self.counts, strict=True):
            so_far += count
            found.append((most, so_far))
        return found


@dataclass(slots=True)
class Measures:
    """Counts since this process began."""

    effects: Counter[tuple[str, str]] = field(default_factory=Counter)
    looks: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    begun: int = 0
    first_act: Buckets = field(default_factory=Buckets)
    _waiting: dict[str, float] = field(default_factory=dict)  # run to its start

    def changed(self, summary: RunSummary, entries: Sequence[Entry]) -> None:
        """Count what a run's new entries say; a drill or a dry run counts nothing."""
        if summary.mode == "live":
            self._counted(summary, entries)

    def _counted(self, summary: RunSummary, entries: Sequence[Entry]) -> None:
        for entry in entries:
            counted = COUNTED.get(entry.kind)
            if counted is not None:
                self.effects[counted] += 1
            if entry.kind == "started":
                self.begun += 1
                if len(self._waiting) < MOST_RUNS:
                    self._waiting[summary.run] = entry.at
            elif entry.kind == "did":
                began = self._waiting.pop(summary.run, None)
                if began is not None:
                    self.first_act.add(max(0.0, entry.at - began))
            elif entry.kind == "looked":
                for one in getattr(entry.event, "evidence", ()):
                    self.looks[one.state] += 1
        if summary.ended_at is not None and any(e.kind == "end" for e in entries):
            self.ends[summary.state] += 1
            self._waiting.pop(summary.run, None)
