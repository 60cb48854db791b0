"""From alerts to decisions with their reasons: which question is asked first.

Pure and total: the same rules, book, alerts and time give the same decisions, and every
alert gets at least one. Nothing is dropped: what may not start now waits, with the rule
that held it back, and is judged again until it starts or is over.

Two steps. `take` hears every alert of a batch in its order; what would begin a run is
only marked. `release` then lets runs begin, the worst and oldest first, whether they
waited before or came just now.

Called by: runtime.intake.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from engine.core.inputs import bind_inputs
from engine.core.intake.arrivals import (
    Arrived,
    fitting_rules,
    later,
    letters,
    run_id,
    suppressed,
    told,
)
from engine.core.intake.book import Book, Key, Seen
from engine.core.intake.judging import NEVER, Held, flapping, full, held_back
from engine.core.intake.rules import Now, Rule, Rules
from engine.core.intake.words import no_runbook, notice_of, plural
from engine.model.decision import Decision
from engine.model.times import length_text

replace: Final = msgspec.structs.replace


def decide(
    rules: Rules, book: Book, arrived: Iterable[Arrived], now: Now
) -> tuple[Book, list[Decision]]:
    """Return the book after it and what is decided about each alert, in order.

    Beside the alerts' own decisions there are those about what waited before.
    """
    desk = Desk(rules, book.copy(), now)
    for one in arrived:
        desk.take(one)
    desk.release()
    return desk.book, desk.told


class Desk:
    """One batch: the book as it becomes, and what was told so far."""

    def __init__(self, rules: Rules, book: Book, now: Now) -> None:
        self.rules, self.book, self.now = rules, book, now
        self.told: list[Decision] = []
        self._fresh: dict[Key, list[int]] = {}  # group to its places in `told`

    def take(self, one: Arrived) -> None:
        """Hear one alert."""
        if one.alert.status == "resolved":
            self.say(self._resolved(one))
        else:
            self._firing(one)

    def say(self, decision: Decision) -> None:
        """Take a decision into the book and the list."""
        self.book.note(decision)
        self.told.append(decision)

    # What fires

    def _firing(self, one: Arrived) -> None:
        before = self.book.alerts.get(one.key)
        known = self._known(one, before) if before is not None else None
        if known is not None:
            self.say(known)
            return
        fitting = fitting_rules(self.rules, one.alert)
        if not fitting:
            reason = no_runbook(self.rules, one.alert)
            self.say(told(one, self.now, "no_runbook", reason))
            return
        for number, rule in enumerate(fitting):
            group = self._group(one, rule)
            if group is None:
                continue
            self._placed(one, rule, group)
            for other in fitting[number + 1 :]:
                severity = rule.runbook.severity
                first = f"{rule.name} ({severity}) comes first"
                self.say(told(one, self.now, "lower_priority", first, other))
            return

    def _known(self, one: Arrived, before: Seen) -> Decision | None:
        """Return the decision about an alert that brings nothing new, or None."""
        alert = one.alert
        newer = later(before.starts_at, alert.starts_at)
        if before.status == "resolved":
            if newer is False:
                reason = f"it was told to be over, began {alert.starts_at}"
                return told(one, self.now, "out_of_order", reason)
            return None
        if later(alert.starts_at, before.starts_at):
            reason = f"it began again meanwhile: {before.starts_at}"
            return told(one, self.now, "out_of_order", reason)
        if newer:
            return None
        waits = self.book.waiting.get(before.group) if before.group else None
        if waits is not None and waits.outcome == "silenced" and waits.until == NEVER:
            return None  # the source itself said so; it may say otherwise now
        return told(one, self.now, "repeated", self._repeated(before))

    def _repeated(self, before: Seen) -> str:
        if before.group is None:
            return "it fires already"
        known, waits = (
            self.book.group(before.group),
            self.book.waiting.get(before.group),
        )
        run = known.run
        if waits is not None:
            return f"it fires already and waits: {waits.outcome}, {waits.reason}"
        if known.declined and not run:
            return f"it fires already; {known.declined} declined to start it"
        return f"it fires already; its run {'is ' + run if run else 'has ended'}"

    def _group(self, one: Arrived, rule: Rule) -> str | None:
        """Return the group, or None: the runbook cannot start, which is told."""
        alert = one.alert
        values, problems = bind_inputs(
            rule.runbook, {}, alert.labels, alert.annotations
        )
        if not problems:
            secret = (n for n in rule.group_by if rule.runbook.inputs[n].secret)
            hidden = {name: letters(values[name]) for name in secret}
            return rule.group({**values, **hidden})
        reason = "; ".join(problems)
        decision = told(one, self.now, "cannot_start", reason, rule)
        if self.book.refused.get(one.key) != reason:
            decision = replace(decision, notice=notice_of(decision))
        self.say(decision)
        return None

    def _placed(self, one: Arrived, rule: Rule, group: str) -> None:
        key = (rule.name, group)
        known = self.book.group(key)
        waits = self.book.waiting.get(key)
        if known.run:
            self.say(self._joins_run(one, rule, key))
        elif waits is not None and key not in self._fresh and not _lifted(waits, one):
            reason = f"it waits with {waits.alertname}: {waits.reason}"
            self.say(told(one, self.now, waits.outcome, reason, rule, group))
        else:
            self._marks(one, rule, key)

    def _marks(self, one: Arrived, rule: Rule, key: Key) -> None:
        """Mark an alert that may begin a run; `release` has the final word on it."""
        fresh = self._fresh.setdefault(key, [])
        quiet = suppressed(one.alert)
        mark = told(one, self.now, "queued", "", rule, key[1])
        if not fresh:
            mark = replace(
                mark, since=one.at, labels=one.alert.labels,
                until=NEVER if quiet else 0.0,
                when_resolved="" if rule.when_resolved == "continue"
                else rule.when_resolved,
            )  # fmt: skip
        elif not quiet:
            first = replace(self.told[fresh[0]], until=0.0)
            self.told[fresh[0]] = self.book.waiting[key] = first
        fresh.append(len(self.told))
        self.say(mark)

    def _joins_run(self, one: Arrived, rule: Rule, key: Key) -> Decision:
        known = self.book.group(key)
        brake = known.brake(self.now.at, more=known.firing == 0)
        if brake is None:
            reason = f"run {known.run} is open for its group"
            return told(one, self.now, "attached", reason, rule, key[1], known.run)
        reason = f"{flapping(brake)}; run {known.run} is not told"
        decision = told(one, self.now, "flapping", reason, rule, key[1], known.run)
        return self._noticed(decision)

    def _noticed(self, decision: Decision) -> Decision:
        """Return the decision with what people are told, once for each brake."""
        key = (decision.runbook, decision.group)
        if decision.outcome == "flapping" and self.book.group(key).braked:
            return decision
        return replace(decision, notice=notice_of(decision))

    def mark(self, key: Key, decision: Decision) -> None:
        """Mark a start that no alert asks for; `release` has the final word on it."""
        self._fresh.setdefault(key, []).append(len(self.told))
        self.say(decision)

    # What is over

    def _resolved(self, one: Arrived) -> Decision:
        before = self.book.alerts.get(one.key)
        if before is None:
            if not fitting_rules(self.rules, one.alert):
                reason = no_runbook(self.rules, one.alert)
                return told(one, self.now, "no_runbook", reason)
            return told(one, self.now, "not_open", "it was never told to fire")
        newer = later(before.starts_at, one.alert.starts_at)
        if before.status == "resolved":
            if newer:
                return told(one, self.now, "not_open", "it was never told to fire")
            return told(one, self.now, "repeated", "its end was told before")
        if later(one.alert.starts_at, before.starts_at):
            reason = f"it began again meanwhile: {before.starts_at}"
            return told(one, self.now, "out_of_order", reason)
        if before.group is None:
            return told(one, self.now, "not_open", "no run is open for it")
        return self._over(one, before.group)

    def _over(self, one: Arrived, key: Key) -> Decision:
        known, left = self.book.group(key), self.book.group(key).firing - 1
        runbook, group = key
        about = {"runbook": runbook, "group": group, "run": known.run,
                 "when_resolved": known.when_resolved}  # fmt: skip

        def so(outcome: str, reason: str) -> Decision:
            return replace(told(one, self.now, outcome, reason), **about)

        if left > 0 and (known.run or key in self.book.waiting):
            return so("still_firing", f"{left} more of its group")
        if known.run:
            brake = known.brake(self.now.at)
            if brake is not None:
                reason = f"{flapping(brake)}; run {known.run} is not told"
                return so("flapping", reason)
            return so("resolved_run", "all alerts of its group are over")
        waits = self.book.waiting.get(key)
        if waits is None:
            declined = f"{known.declined} declined to start it"
            return so("not_open", declined if known.declined else "its run has ended")
        fresh = self._fresh.pop(key, None)
        if fresh is not None:
            for place in fresh:
                at_once = "it came and was over in the same moment"
                self.told[place] = replace(self.told[place], reason=at_once)
            return so("withdrawn", "nothing was started for it")
        return so("withdrawn", f"it waited: {waits.outcome}, {waits.reason}")

    # What begins

    def release(self) -> None:
        """Let runs begin, the worst first, then the oldest; name what holds others."""
        engine = full(self.book, self.rules, self.now.at)
        crowded = self._queues()
        for key, waits in sorted(self._to_judge(engine), key=_turn):
            held = self._held(key, waits, engine)
            fresh = self._fresh.get(key)
            if held is None:
                self._begin(key, waits, fresh)
                engine = full(self.book, self.rules, self.now.at)
            elif fresh is not None:
                self._stays(key, waits, held, fresh)
            elif held.outcome != waits.outcome or held.until > waits.until:
                self._stays(key, waits, held, None)
        if not crowded:
            self._crowd_told()
        self._told_together()

    def _queues(self) -> bool:
        """Return whether something waited for its turn before this batch."""
        return any(
            one.outcome == "queued" and key not in self._fresh
            for key, one in self.book.waiting.items()
        )

    def _crowd_told(self) -> None:
        """Tell people once that starts wait from now on."""
        places = [
            place
            for place, one in enumerate(self.told)
            if one.outcome == "queued"
            and self.book.waiting.get((one.runbook, one.group)) is one
        ]
        if places:
            first = self.told[places[0]]
            many = plural(len(places), "start")
            text = (
                f"{many} wait{'s' if len(places) == 1 else ''} for a turn: "
                f"{first.reason}. The worst severity comes first, nothing is "
                "dropped. See: runbook alerts"
            )
            noticed = self.told[places[0]] = replace(first, notice=text)
            self.book.waiting[noticed.runbook, noticed.group] = noticed

    def _to_judge(self, engine: Held | None) -> list[tuple[Key, Decision]]:
        at = self.now.at
        stuck = {"proposed"} | ({"queued"} if engine is not None else set())
        stuck |= {"held", "queued"} if self.now.hold else set()
        return [
            (key, waits)
            for key, waits in self.book.waiting.items()
            if key in self._fresh or (waits.until <= at and waits.outcome not in stuck)
        ]

    def _held(self, key: Key, waits: Decision, engine: Held | None) -> Held | None:
        known = self.rules.named.get(key[0])
        if known is None:
            return Held("queued", f"no runbook '{key[0]}' is loaded now")
        if key in self._fresh and waits.until == NEVER:
            return Held("silenced", "its source sent it as suppressed", NEVER)
        return held_back(
            self.book,
            self.rules,
            self.now,
            runbook=known.runbook,
            key=key,
            source=waits.source,
            labels=waits.labels,
            engine=engine,
        )

    def _begin(self, key: Key, waits: Decision, fresh: list[int] | None) -> None:
        run = run_id(waits, self.now.at)
        unseen = self.now.silences is None and waits.source != "schedule"
        note = "; Alertmanager could not be asked for silences" if unseen else ""
        if fresh is None:
            waited = length_text(self.now.at - waits.since)
            reason = f"it waited {waited} ({waits.outcome}: {waits.reason}){note}"
            began = replace(
                waits, at=self.now.at, outcome="started", reason=reason, run=run,
                again=True, labels={}, until=0.0, notice="",
            )  # fmt: skip
            self.say(began)
            return
        first, *others = fresh
        reason = f"{waits.reason or key[0] + ' fits'}{note}"
        began = replace(
            self.told[first], outcome="started", reason=reason, run=run, labels={},
            until=0.0,
        )  # fmt: skip
        self._settle(first, began)
        for place in others:
            reason = f"run {run} is open for its group"
            joined = replace(
                self.told[place], outcome="attached", reason=reason, run=run,
                labels={}, until=0.0,
            )  # fmt: skip
            self._settle(place, joined)

    def _stays(
        self, key: Key, waits: Decision, held: Held, fresh: list[int] | None
    ) -> None:
        so = {"outcome": held.outcome, "reason": held.reason, "until": held.until}
        if fresh is None:
            changed = replace(waits, at=self.now.at, again=True, **so)
            self.say(self._noticed(changed))
            return
        first, *others = fresh
        self._settle(first, self._noticed(replace(self.told[first], **so)))
        for place in others:
            reason = f"it waits with {waits.alertname}: {held.reason}"
            joined = replace(
                self.told[place], outcome=held.outcome, reason=reason, labels={},
                until=0.0,
            )  # fmt: skip
            self._settle(place, joined)

    def _settle(self, place: int, decision: Decision) -> None:
        """Put the final word in the place of the first one; it was heard already."""
        self.told[place] = decision
        self.book.note(replace(decision, again=True))
        key = (decision.runbook, decision.group)
        if key in self.book.waiting and decision.since:
            self.book.waiting[key] = decision

    def _told_together(self) -> None:
        """Mark the first that joins each run: the run is told of all of them once."""
        first: dict[str, int] = {}
        many: dict[str, int] = {}
        for place, one in enumerate(self.told):
            if one.outcome == "attached":
                first.setdefault(one.run, place)
                many[one.run] = many.get(one.run, 0) + 1
        for run, place in first.items():
            self.told[place] = replace(self.told[place], many=many[run])


def _turn(waiting: tuple[Key, Decision]) -> tuple[str, float, int, int, Key]:
    key, one = waiting
    return one.severity, one.since, one.delivery, one.position, key


def _lifted(waits: Decision, one: Arrived) -> bool:
    """Whether the source lifts the silence that it had told of itself."""
    silenced = waits.outcome == "silenced" and waits.until == NEVER
    return silenced and not suppressed(one.alert)
