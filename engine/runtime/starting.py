"""What a run starts with, as it may be kept: the alert, what was done by hand.

Secrets are taken out or refused, half characters too. Called by service.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from engine.core.adopting import refusals
from engine.errors import DoesNotApply
from engine.model.alert import Alert
from engine.model.events import Adopted
from engine.model.runbook import Runbook
from engine.runtime.library import Bundle
from engine.runtime.plain_text import kept_text, kept_value
from engine.runtime.redact import MARK, Redactor

replace = msgspec.structs.replace
KEPT_OF_ALERTS: Final = ("source", "labels", "annotations", "fingerprint", "starts_at")


def taken_over(
    bundle: Bundle,
    did: Sequence[Adopted],
    inputs: Mapping[str, Any],
    redactor: Redactor,
) -> tuple[Adopted, ...]:
    """Return what was done by hand as it may be kept.

    Raises:
        DoesNotApply: an act cannot be taken over; the message names each, and why.
    """
    kept = [
        Adopted(one.action, kept_text(one.target), kept_value(one.before))
        for one in did
    ]
    problems = [
        f"{one.action}: its target, or what was before, holds the value of a secret"
        for one in kept
        if any(map(redactor.holds_secret, (one.target, str(one.before))))
    ]
    problems += refusals(bundle.compiled, kept, inputs)
    if problems:
        raise DoesNotApply("\n".join(problems))
    return tuple(kept)


def kept_alert(alert: Alert) -> Alert:
    """Return the alert without half characters."""
    return replace(
        alert, **{name: kept_value(getattr(alert, name)) for name in KEPT_OF_ALERTS}
    )


def secret_values(runbook: Runbook, inputs: Mapping[str, Any]) -> list[str]:
    """Return the values of the secret inputs that have one."""
    return [
        str(inputs[name])
        for name, spec in runbook.inputs.items()
        if spec.secret and inputs.get(name) is not None
    ]


def without_sources(
    runbook: Runbook, labels: Mapping[str, Any], notes: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return labels and annotations without those that a secret input is read from."""
    both = {"labels": dict(labels), "annotations": dict(notes)}
    for spec in runbook.inputs.values():
        part, _, key = (spec.from_ or "").partition(".")
        if spec.secret and key in both.get(part, {}):
            both[part][key] = MARK
    return both["labels"], both["annotations"]
