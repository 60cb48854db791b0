"""What the intake offers to people: each with a short name, picked by what they type.

Pure. Read by: words, runtime.intake, the doors.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

from engine.errors import DoesNotApply, NotFound
from engine.model.decision import Decision

LETTERS: Final = 6  # of a proposal's name: some hundred may be open, no million


def proposal_id(offer: Decision) -> str:
    """Return the name of a proposal, short enough to say; the same while it waits."""
    written = f"{offer.runbook}\n{offer.group}\n{offer.since!r}"
    return "p-" + hashlib.sha256(written.encode()).hexdigest()[:LETTERS]


def group_text(group: str) -> str:
    """Return the values of `group_by` as people read them: `eu-west, db1`."""
    try:
        return ", ".join(map(str, json.loads(group))) if group else ""
    except (ValueError, TypeError):  # a group that nobody decided
        return group


def offer_object(offer: Decision) -> dict[str, Any]:
    """Return a proposal as plain values; times are epoch seconds."""
    return {
        "proposal": proposal_id(offer),
        "runbook": offer.runbook,
        "group": group_text(offer.group),
        "severity": offer.severity,
        "alertname": offer.alertname,
        "source": offer.source,
        "labels": offer.labels,
        "reason": offer.reason,
        "since": offer.since,
    }


def pick_offer(offers: Sequence[Decision], named: str) -> Decision:
    """Return the proposal that is meant: by its name, or by its runbook's.

    Raises:
        NotFound: none is. DoesNotApply: several of that runbook wait; each is named.
    """
    fits = [one for one in offers if named in (proposal_id(one), one.runbook)]
    if len(fits) == 1:
        return fits[0]
    if not fits:
        raise NotFound(
            f"nothing is proposed as '{named}'. See: runbook proposals, and what "
            f"became of it: runbook alerts"
        )
    each = "; ".join(
        f"{proposal_id(one)} for {group_text(one.group) or one.alertname}"
        for one in fits
    )
    raise DoesNotApply(f"several of '{named}' are proposed, name one: {each}")
