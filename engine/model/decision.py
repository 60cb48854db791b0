"""What was decided about an alert, and why: one record each.

Read by: core.intake (makes them, rebuilds its book from them), adapters (keep them),
and `runbook why`.
"""

from typing import Final

import msgspec

OUTCOMES: Final = {
    # outcome: what it means, for people
    "started": "a run was started",
    "attached": "it joined the run that is open for its group",
    "by_hand": "a person started a run of its group",
    "resolved_run": "its run was told that all its alerts are over",
    "still_firing": "it is over, but others of its group still fire",
    "repeated": "it was delivered before",
    "out_of_order": "what it says is older than what is known of it",
    "not_open": "it is over, and no run is open for it",
    "no_runbook": "no runbook has a trigger that fits",
    "lower_priority": "another runbook was chosen for it",
    "cannot_start": "a run could not be started",
    "in_maintenance": "a maintenance window covers it",
    "silenced": "a silence of Alertmanager covers it",
    "flapping": "its group came and went too often; it is held",
    "settling": "it fires again soon after it began before; it has to stay",
    "cooling_down": "the last run of its group ended too short a time ago",
    "proposed": "it is offered to people; nothing starts by itself",
    "held": "the global hold is set",
    "queued": "it waits for its turn",
    "withdrawn": "it was over before anything was started",
    "declined": "a person said that it is not to be started",
    "truncated": "the source left alerts out of the body",
    "no_alerts": "the body brought no alerts",
    "scheduled": "a schedule is known from now on",
    "skipped": "a schedule was due while its last run was open",
    "run_ended": "the run of a group ended",
    "failed": "the engine could not decide; nothing was started",
}
WAITING: Final = frozenset(
    {"in_maintenance", "silenced", "flapping", "settling", "cooling_down"}
    | {"proposed", "held", "queued"}
)  # judged again until it starts or is over
IDLE: Final = frozenset(
    {"repeated", "out_of_order", "no_runbook", "lower_priority", "truncated"}
    | {"no_alerts", "failed"}
)  # these change nothing of what the intake knows


class Decision(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One decision. The book of the intake is what these say, in their order."""

    at: float  # epoch seconds
    outcome: str  # one of OUTCOMES
    reason: str  # the rule, and the values that decided
    source: str = ""
    fingerprint: str = ""
    alertname: str = ""
    status: str = ""  # of the alert
    starts_at: str = ""  # as the source wrote it
    runbook: str = ""
    group: str = ""  # the values of `group_by`, as JSON; "" without any
    run: str = ""
    severity: str = ""  # of the runbook; orders the queue
    delivery: int = 0
    position: int = 0  # of the alert in its delivery, from 1
    came: float = 0.0  # epoch seconds, when the alert was delivered
    since: float = 0.0  # epoch seconds, how long it waits already
    until: float = 0.0  # epoch seconds; not judged again before
    again: bool = False  # a later word on what waits, not a new delivery
    many: int = 0  # alerts that the run is told of at once, this one included
    labels: dict[str, str] = {}  # of what waits: it is judged by them again
    when_resolved: str = ""  # of the trigger that fitted, where it is not `continue`
    notice: str = ""  # what people are told of it
    by: str = ""  # the person who accepted or declined it
