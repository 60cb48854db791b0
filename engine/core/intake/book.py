"""What the intake knows: alerts, the groups they form, open runs, starts, what waits.

The book changes by decisions alone (`note`), so that the same decisions read back from
the journal give the same book. It is copied before a batch is decided: `decide` returns
a new one and leaves the old as it was.

Read by: deciding, judging.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC
from typing import Final, NamedTuple

import msgspec

from engine.core.intake.rules import (
    FLAP_SECONDS,
    FLAPS,
    SETTLE_SECONDS,
    STARTS_AN_HOUR,
)
from engine.model.decision import IDLE, WAITING, Decision
from engine.model.times import epoch_seconds

Key = tuple[str, str]  # source and fingerprint, or runbook and group
MOST_BEGINNINGS: Final = 20  # of one group
MOST_STARTS: Final = 10_000  # the most that a limit of the engine can allow
MOST_OF_ONE: Final = 1_000  # starts of one runbook


class Seen(NamedTuple):
    """What was last heard of one alert."""

    status: str
    starts_at: str
    group: Key | None  # of the runbook that was chosen for it
    at: float = 0.0  # epoch seconds, when it was delivered


class Group(msgspec.Struct, frozen=True, gc=False):
    """All alerts of one runbook with the same values of `group_by`."""

    firing: int = 0  # alerts
    run: str = ""  # the open one
    told: bool = False  # the run was told that all of them are over
    began: tuple[float, ...] = ()  # epoch seconds, each time the first of them fired
    began_as: str = ""  # as the source wrote the last of these
    gap: float = math.inf  # seconds between the last two beginnings
    braked: bool = False  # people were told that it flaps
    run_ended: float = -math.inf  # epoch seconds
    starts: tuple[float, ...] = ()  # epoch seconds, of its runs
    when_resolved: str = ""  # of the trigger that began its run
    declined: str = ""  # who said that what it offered is not to be started

    def brake(self, now: float, more: int = 0) -> float | None:
        """Return until when the group is held for flapping, or None.

        Args:
            now: Epoch seconds.
            more: Beginnings that are not in the book yet.
        """
        recent = [at for at in self.began if now - at < FLAP_SECONDS] + [now] * more
        return recent[-FLAPS] + FLAP_SECONDS if len(recent) >= FLAPS else None

    @property
    def settles(self) -> float:
        """Until when it has to fire on before it counts; no earlier than it began."""
        if self.gap >= SETTLE_SECONDS or not self.began:
            return -math.inf
        return self.began[-1] + SETTLE_SECONDS


NOTHING: Final = Group()


@dataclass(slots=True)
class Book:
    """Everything that earlier decisions leave behind."""

    alerts: dict[Key, Seen] = field(default_factory=dict)
    groups: dict[Key, Group] = field(default_factory=dict)
    runs: dict[str, Key] = field(default_factory=dict)  # open, started by the intake
    by_hand: dict[str, Key] = field(default_factory=dict)  # open, started by people
    waiting: dict[Key, Decision] = field(default_factory=dict)  # by group
    untold: dict[Key, str] = field(default_factory=dict)  # runs behind a brake
    starts: tuple[float, ...] = ()  # epoch seconds
    starts_of: dict[str, tuple[float, ...]] = field(default_factory=dict)  # by runbook
    refused: dict[Key, str] = field(default_factory=dict)  # why, by alert
    schedules: dict[Key, float] = field(default_factory=dict)  # when last judged

    def copy(self) -> "Book":
        """Return a book that can change without this one."""
        return Book(
            dict(self.alerts),
            dict(self.groups),
            dict(self.runs),
            dict(self.by_hand),
            dict(self.waiting),
            dict(self.untold),
            self.starts,
            dict(self.starts_of),
            dict(self.refused),
            dict(self.schedules),
        )

    def read(self, decisions: Iterable[Decision]) -> "Book":
        """Note each of these, in order; return the book."""
        for decision in decisions:
            self.note(decision)
        return self

    @property
    def queue(self) -> list[Decision]:
        """What waits for its turn."""
        return [one for one in self.waiting.values() if one.outcome == "queued"]

    def group(self, key: Key) -> Group:
        """Return what is known of a group."""
        return self.groups.get(key, NOTHING)

    def recent_starts(self, seconds: float, now: float, runbook: str = "") -> int:
        """Return how many runs were started in that time, of one runbook or of all."""
        times = self.starts_of.get(runbook, ()) if runbook else self.starts
        return sum(now - at < seconds for at in times)

    def note(self, decision: Decision) -> None:
        """Change by what was decided; nothing else changes the book."""
        outcome, key = decision.outcome, (decision.runbook, decision.group)
        if outcome in IDLE:
            return
        if outcome == "run_ended":
            self._run_ended(decision)
        elif outcome in ("scheduled", "skipped"):
            self._scheduled(decision)
        elif outcome == "cannot_start":
            self._refused(key, decision)
        else:
            self._heard(key, decision)
            self._came_of_it(key, decision)

    def _heard(self, key: Key, decision: Decision) -> None:
        """Take in what a delivery, a schedule or a person said."""
        if decision.again:
            return
        if decision.source == "schedule":
            self._scheduled(decision)
        if decision.status == "firing":
            self._fires(key, decision)
        elif decision.status == "resolved":
            self._over(decision)

    def _came_of_it(self, key: Key, decision: Decision) -> None:
        outcome = decision.outcome
        if outcome == "started":
            self._started(key, decision)
        elif outcome == "by_hand":
            self.by_hand[decision.run] = key
            self._change(key, run=decision.run, told=False)
        elif outcome == "attached":
            self.waiting.pop(key, None)
            self.untold.pop(key, None)
            self._change(key, told=False, braked=False)
        elif outcome == "resolved_run":
            self.untold.pop(key, None)
            self._change(key, told=True)
        elif outcome == "withdrawn":
            self.waiting.pop(key, None)
        elif outcome == "declined":
            self.waiting.pop(key, None)
            self._change(key, declined=decision.by)
        elif outcome in WAITING:
            self._waits(key, decision)

    def _change(self, key: Key, **changes: object) -> None:
        self.groups[key] = msgspec.structs.replace(self.group(key), **changes)

    def _fires(self, key: Key, decision: Decision) -> None:
        alert = (decision.source, decision.fingerprint)
        before = self.alerts.get(alert)
        self.alerts[alert] = Seen("firing", decision.starts_at, key, decision.came)
        if before is not None and before.status == "firing":
            if before.group == key:
                return
            self._one_less(before.group)
        group = self.group(key)
        if group.firing:
            self._change(key, firing=group.firing + 1)
            return
        self._change(
            key,
            firing=1,
            began=(*group.began[1 - MOST_BEGINNINGS :], decision.came),
            began_as=decision.starts_at,
            gap=_gap(group, decision),
            declined="",
        )

    def _over(self, decision: Decision) -> None:
        alert = (decision.source, decision.fingerprint)
        before = self.alerts.get(alert)
        group = before.group if before is not None else None
        self.alerts[alert] = Seen("resolved", decision.starts_at, group, decision.came)
        self.refused.pop(alert, None)
        if before is not None and before.status == "firing":
            self._one_less(group)

    def _one_less(self, key: Key | None) -> None:
        if key is not None:
            self._change(key, firing=max(0, self.group(key).firing - 1))

    def _started(self, key: Key, decision: Decision) -> None:
        self.waiting.pop(key, None)
        self.runs[decision.run] = key
        self.refused.pop((decision.source, decision.fingerprint), None)
        at, runbook = decision.at, decision.runbook
        self.starts = (*self.starts[1 - MOST_STARTS :], at)
        of_it = self.starts_of.get(runbook, ())
        self.starts_of[runbook] = (*of_it[1 - MOST_OF_ONE :], at)
        own = (*self.group(key).starts[1 - STARTS_AN_HOUR :], at)
        self._change(
            key,
            run=decision.run,
            told=False,
            braked=False,
            declined="",
            starts=own,
            when_resolved=decision.when_resolved,
        )

    def _waits(self, key: Key, decision: Decision) -> None:
        if decision.notice and decision.outcome == "flapping":
            self._change(key, braked=True)
        if decision.run:  # open all the same: it is not told for a while
            self.untold[key] = decision.run
        elif decision.since:  # not one of those that wait with it
            self.waiting[key] = decision

    def _refused(self, key: Key, decision: Decision) -> None:
        """Forget the alert: the same delivery is judged anew, once it is mended."""
        alert = (decision.source, decision.fingerprint)
        self._scheduled(decision)
        self.refused[alert] = decision.reason
        if decision.run and self.runs.pop(decision.run, None) is not None:
            began = self.group(key).began[:-1]  # it did not count
            self._change(key, run="", firing=0, began=began, gap=math.inf)
            for other, seen in list(self.alerts.items()):  # rare: those that joined
                if seen.group == key:
                    del self.alerts[other]
        before = self.alerts.pop(alert, None)
        if before is not None and before.status == "firing":
            self._one_less(before.group)

    def _scheduled(self, decision: Decision) -> None:
        if decision.source == "schedule":
            self.schedules[decision.runbook, decision.fingerprint] = decision.came

    def _run_ended(self, decision: Decision) -> None:
        key = self.runs.pop(decision.run, None) or self.by_hand.pop(decision.run, None)
        if key is None:
            return
        self.untold.pop(key, None)
        if self.group(key).run == decision.run:
            self._change(key, run="", run_ended=decision.at)


def _gap(group: Group, decision: Decision) -> float:
    """Return the seconds between two beginnings: by the source's word, else by ours."""
    if not group.began:
        return math.inf
    before = epoch_seconds(group.began_as, UTC)
    after = epoch_seconds(decision.starts_at, UTC)
    if before is None or after is None or after <= before:
        return max(0.0, decision.came - group.began[-1])
    return after - before
