"""What alerts of the past would have started: the intake, played over them.

The same decisions as in life (core.intake), in the alerts' own time. What a run would
have done is not known; of it is taken that it is open until all alerts of its group are
over, and no longer than its worst case. From that follow which runs would have wanted
the same lock, and how often people would have been asked: at most, once for each gate
and question on the way that asks most.

Silences of the past and schedules are not played. Pure. Called by `runbook backtest`.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from engine.core.code import CompiledRunbook
from engine.core.inputs import bind_inputs
from engine.core.intake import Arrived, Book, Now, Rules
from engine.core.intake.arrivals import fitting_rules
from engine.core.intake.deciding import Desk
from engine.core.intake.judging import NEVER
from engine.core.lists import every_step
from engine.errors import TemplateProblem
from engine.model.alert import Alert
from engine.model.decision import Decision
from engine.model.runbook import Runbook
from engine.model.steps import AnyStep, ApproveStep, AskStep
from engine.templating import render

NIGHT_BEGINS: Final = 22  # o'clock, UTC
NIGHT_ENDS: Final = 6
MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """A run that would have begun."""

    runbook: str
    group: str
    began: float  # epoch seconds
    ended: float
    alertname: str
    waited: float  # seconds, since its first alert
    locks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two runs that would have wanted the same path at the same time."""

    path: str
    first: Run
    second: Run


@dataclass(frozen=True, slots=True)
class Asked:
    """How often a person would have been asked in one night, or one day, at most."""

    person: str
    night: str  # the date on which it began; a day: the date
    by_night: bool
    questions: int
    runs: int


@dataclass(slots=True)
class Backtest:
    """What came of it."""

    alerts: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    runs: list[Run] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)  # of each alert
    joined: Counter[str] = field(default_factory=Counter)  # by runbook
    held_back: Counter[tuple[str, str]] = field(default_factory=Counter)
    nothing: Counter[str] = field(default_factory=Counter)  # alertname: no runbook
    doubled: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    cannot: Counter[tuple[str, str]] = field(default_factory=Counter)  # runbook, why
    storm: tuple[float, int] = (0.0, 0)  # the minute with most alerts that fire
    conflicts: list[Conflict] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)


def backtest(
    rules: Rules,
    compiled: Mapping[str, CompiledRunbook],
    worst: Mapping[str, float],
    arrived: Iterable[tuple[float, Alert]],
    people: Mapping[str, Sequence[str]] = {},
) -> Backtest:
    """Return what these alerts would have started.

    Args:
        rules: As the engine judges by.
        compiled: The runbooks, by name.
        worst: The longest that a run of each can take, in seconds.
        arrived: When each came (epoch seconds), in any order.
        people: Who is in a group; a group that is not there is asked by its name.
    """
    played = _Played(replace(rules, schedules=()), compiled, worst)
    ordered = sorted(arrived, key=lambda one: one[0])
    for number, (at, some) in enumerate(groupby(ordered, key=lambda one: one[0]), 1):
        played.take(at, [alert for _, alert in some], number)
    played.finish()
    told = played.told
    told.conflicts = _conflicts(told.runs)
    runbooks = {name: one.runbook for name, one in compiled.items()}
    told.asked = _asked(told.runs, runbooks, people)
    return told


class _Played:
    """The intake in the past: its book, and the runs that are open."""

    def __init__(
        self,
        rules: Rules,
        compiled: Mapping[str, CompiledRunbook],
        worst: Mapping[str, float],
    ) -> None:
        self.rules, self.compiled, self.worst = rules, compiled, worst
        self.book, self.told = Book(), Backtest()
        self._open: dict[str, Run] = {}
        self._alerts: dict[tuple[int, int], Alert] = {}  # of what may begin a run
        self._minute: tuple[float, int] = (0.0, 0)
        self._at = -math.inf

    def take(self, at: float, alerts: list[Alert], number: int) -> None:
        """Let time pass up to a moment; then hear what came in it."""
        self._until(at)
        told = self.told
        told.first_at = told.first_at if told.alerts else at
        told.alerts, told.last_at = told.alerts + len(alerts), at
        desk = Desk(self.rules, self.book, Now(at))
        for position, alert in enumerate(alerts, 1):
            self._alerts[number, position] = alert
            if alert.status == "firing":
                self._fires(alert, at)
            desk.take(Arrived(alert, at, number, position))
        desk.release()
        self._heard(desk, fresh=True)

    def _fires(self, alert: Alert, at: float) -> None:
        minute = at - at % MINUTE
        many = self._minute[1] if self._minute[0] == minute else 0
        self._minute = (minute, many + 1)
        if many + 1 > self.told.storm[1]:
            self.told.storm = self._minute
        fit = fitting_rules(self.rules, alert)
        if len(fit) > 1:
            names = ", ".join(rule.name for rule in fit[1:])
            key = (alert.labels.get("alertname", ""), fit[0].name, names)
            self.told.doubled[key] += 1

    def finish(self) -> None:
        """Let every run come to its end."""
        self._until(math.inf)
        self.told.runs.sort(key=lambda run: (run.began, run.runbook, run.group))

    def _until(self, at: float) -> None:
        """End runs, and judge anew what waits, in the order in which it comes due."""
        while (due := self._next_due()) is not None and due <= at:
            for run, one in list(self._open.items()):
                if one.ended <= due:
                    self._end(run, one.ended)
            desk = Desk(self.rules, self.book, Now(due))
            desk.release()
            self._heard(desk, fresh=False)
            self._at = due
        self._at = at

    def _next_due(self) -> float | None:
        times = [one.ended for one in self._open.values()]
        waits = self.book.waiting.values()
        times += [one.until for one in waits if 0.0 < one.until < NEVER]
        recent = self.book.starts[-self.rules.starts_max :]
        queued = any(one.outcome == "queued" for one in waits)
        if queued and len(recent) == self.rules.starts_max:
            times.append(recent[0] + self.rules.starts_seconds)
        return min((one for one in times if one > self._at), default=None)

    def _end(self, run: str, at: float) -> None:
        one = self._open.pop(run)
        self.told.runs.append(replace(one, ended=at))
        about = {"runbook": one.runbook, "group": one.group, "run": run}
        over = Decision(at=at, outcome="run_ended", reason="", **about)  # type: ignore[arg-type]
        self.book.note(over)

    def _heard(self, desk: Desk, *, fresh: bool) -> None:
        for one in desk.told:
            if one.outcome == "started":
                self._begins(one)
            elif one.outcome == "resolved_run" and one.run in self._open:
                self._end(one.run, one.at)
            if fresh and not one.again:
                self._counts(one)

    def _begins(self, one: Decision) -> None:
        alert = self._alerts.get((one.delivery, one.position))
        runbook = self.compiled[one.runbook].runbook
        self._open[one.run] = Run(
            one.runbook,
            one.group,
            one.at,
            one.at + self.worst[one.runbook],
            one.alertname,
            max(0.0, one.at - (one.since or one.at)),
            _locks(runbook, alert) if alert is not None else (),
        )

    def _counts(self, one: Decision) -> None:
        told = self.told
        told.outcomes[one.outcome] += 1
        if one.outcome == "attached":
            told.joined[one.runbook] += 1
        elif one.outcome == "no_runbook" and one.status == "firing":
            told.nothing[one.alertname] += 1
        elif one.outcome == "cannot_start":
            told.cannot[one.runbook, one.reason] += 1
        elif one.outcome in HELD:
            told.held_back[one.runbook, one.outcome] += 1


HELD: Final = frozenset(
    {"queued", "flapping", "settling", "cooling_down", "proposed", "in_maintenance"}
)


def _locks(runbook: Runbook, alert: Alert) -> tuple[str, ...]:
    values, _ = bind_inputs(runbook, {}, alert.labels, alert.annotations)
    found = []
    for path in runbook.limits.lock:
        try:
            found.append(str(render(path, values)))
        except TemplateProblem:  # a run with it would be refused as well
            continue
    return tuple(found)


def _conflicts(runs: Sequence[Run]) -> list[Conflict]:
    """Return pairs of runs open at the same time with paths of which one holds both."""
    found: list[Conflict] = []
    living: list[Run] = []
    for run in runs:  # in the order in which they began
        living = [one for one in living if one.ended > run.began]
        for other in living:
            path = _shared(other.locks, run.locks)
            if path:
                found.append(Conflict(path, other, run))
        if run.locks:
            living.append(run)
    return found


def _shared(some: Sequence[str], others: Sequence[str]) -> str:
    for one in some:
        for other in others:
            short, long = sorted((one, other), key=len)
            if long == short or long.startswith(f"{short}/"):
                return short
    return ""


def _asked(
    runs: Sequence[Run],
    runbooks: Mapping[str, Runbook],
    people: Mapping[str, Sequence[str]],
) -> list[Asked]:
    asks = {name: _asks(one, people) for name, one in runbooks.items()}
    questions: Counter[tuple[str, bool, str]] = Counter()
    many: Counter[tuple[str, bool, str]] = Counter()
    for run in runs:
        night, by_night = _night(run.began)
        for person, times in asks[run.runbook].items():
            questions[night, by_night, person] += times
            many[night, by_night, person] += 1
    return [
        Asked(person, night, by_night, times, many[night, by_night, person])
        for (night, by_night, person), times in sorted(questions.items())
    ]


def _asks(runbook: Runbook, people: Mapping[str, Sequence[str]]) -> Counter[str]:
    """Return how often each person is asked in one run, at most.

    Only one workaround is taken; people of `then` are asked only when others are
    silent, and are not counted.
    """
    always: Counter[str] = Counter()
    for phase in ("isolate", "diagnose", "restore"):
        always += _of_steps(getattr(runbook, phase) or (), runbook, people)
    most: Counter[str] = Counter()
    for steps in runbook.workaround.values():
        most |= _of_steps(steps, runbook, people)
    return always + most


def _of_steps(
    steps: Sequence[AnyStep], runbook: Runbook, people: Mapping[str, Sequence[str]]
) -> Counter[str]:
    found: Counter[str] = Counter()
    some = runbook.model_copy(update=_only(steps))
    for step in every_step(some):
        groups: Iterable[Any] = ()
        if isinstance(step, ApproveStep):
            groups = [need.group for need in step.from_]
        elif isinstance(step, AskStep):
            groups = step.who or [runbook.owner]
        names = {name for group in groups for name in people.get(group) or (group,)}
        found.update(names)
    return found


def _only(steps: Sequence[AnyStep]) -> dict[str, Any]:
    return {"isolate": list(steps), "diagnose": [], "workaround": {}, "restore": None}


def _night(at: float) -> tuple[str, bool]:
    """Return the date on which a night began, or of a day; and which of the two."""
    moment = datetime.fromtimestamp(at, UTC)
    if moment.hour < NIGHT_ENDS:
        return (moment - timedelta(days=1)).date().isoformat(), True
    return moment.date().isoformat(), moment.hour >= NIGHT_BEGINS
