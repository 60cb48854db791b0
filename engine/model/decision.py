"""What was decided about an alert, and why: one record each, kept for ever.

Read by: core.intake (makes them, rebuilds its book from them), adapters (keep them),
and `runbook why`.
"""

from typing import Final

import msgspec

OUTCOMES: Final = {
    # outcome: what it means, for people
    "started": "a run was started",
    "attached": "it joined the run that is open for its group",
    "resolved_run": "its run was told that all its alerts are over",
    "still_firing": "other alerts of its run still fire",
    "repeated": "it was delivered before",
    "out_of_order": "its end was delivered before its beginning",
    "not_open": "it is over, and no run is open for it",
    "no_runbook": "no runbook has a trigger that fits",
    "lower_priority": "another runbook was chosen for it",
    "cannot_start": "an input of the runbook has no fitting value",
    "in_maintenance": "a maintenance window covers it",
    "silenced": "a silence of Alertmanager covers it",
    "flapping": "it came and went too often; it is held",
    "cooling_down": "the last run of its group ended too short a time ago",
    "proposed": "it is offered to people; nothing starts by itself",
    "queued": "it waits for its turn",
    "left_queue": "it was over before its turn",
    "truncated": "the source left alerts out of the body",
    "run_ended": "the run of a group ended",
}


class Decision(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
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
