"""Bodies of anybody: where each part of an alert stands is said by CEL in a mapping.

The names are `body` (as it came), `headers` (lower case; no credentials) and, where
`alerts` names a list, `alert` for each of its members; without it `alert` is the body.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engine.adapters.sources.reading import (
    body_of,
    identity,
    links_of,
    map_of,
    members,
    moment,
    of_labels,
    text,
    without_empty,
)
from engine.errors import ExpressionProblem
from engine.expressions import UNKNOWN, Expression, compile_expression
from engine.model.alert import Alert, Delivery
from engine.ports import BadBody, Posted

TYPES: Final = {"body": "dyn", "headers": "map", "alert": "dyn"}
STATES: Final = ("firing", "resolved")
HIDDEN: Final = frozenset({"authorization", "proxy-authorization", "cookie"})


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapping, compiled: `name` and `status` are needed, the rest may be left out."""

    name: Expression
    status: Expression
    alerts: Expression | None = None
    labels: Mapping[str, Expression] = field(default_factory=dict)
    annotations: Mapping[str, Expression] = field(default_factory=dict)
    severity: Expression | None = None
    fingerprint: Expression | None = None
    starts_at: Expression | None = None
    link: Expression | None = None


def compiled(mapping: Mapping[str, Any]) -> Mapped:
    """Return the mapping compiled.

    Raises:
        ExpressionProblem: a part is no CEL; the message names the part.
    """
    made: dict[str, Any] = {}
    for key, written in mapping.items():
        if written is None:
            continue
        if isinstance(written, Mapping):
            made[key] = {
                name: _one(source, f"{key}.{name}") for name, source in written.items()
            }
        else:
            made[key] = _one(written, key)
    return Mapped(**made)


def _one(source: str, what: str) -> Expression:
    try:
        return compile_expression(source, TYPES, "list" if what == "alerts" else "any")
    except ExpressionProblem as error:
        raise ExpressionProblem(
            f"map.{what}: {error.message}", line=error.line, column=error.column
        ) from error


def reader(mapping: Mapping[str, Any]) -> Callable[[Posted, str], Delivery]:
    """Return the code of a source with this mapping. Raises ExpressionProblem."""
    rules = compiled(mapping)

    def read(posted: Posted, source: str) -> Delivery:
        shown = {key: one for key, one in posted.headers.items() if key not in HIDDEN}
        names = {"body": body_of(posted), "headers": shown}
        found: list[Any] = [names["body"]]
        if rules.alerts is not None:
            listed = rules.alerts.evaluate(names)
            if listed is UNKNOWN:
                raise BadBody(
                    f"`alerts` ({rules.alerts.source}) is no list in this body"
                )
            found = members(listed, "`alerts`")
        alerts = tuple(_alert(rules, names | {"alert": one}, source) for one in found)
        return Delivery(source, alerts, note="" if alerts else "no alerts in the list")

    return read


def _alert(rules: Mapped, names: Mapping[str, Any], source: str) -> Alert:
    status = _told(rules.status, names)
    if status not in STATES:
        raise BadBody(
            f"`status` ({rules.status.source}) gives '{status[:40]}', neither firing "
            "nor resolved"
        )
    name = _told(rules.name, names)
    if not name:
        raise BadBody(f"`name` ({rules.name.source}) gives nothing for this body")
    labels = without_empty(
        {key: _told(one, names) for key, one in rules.labels.items()}
    ) | {"alertname": name}
    severity = _told(rules.severity, names) or labels.get("severity", "")
    if severity:
        labels.setdefault("severity", severity)
    same = _told(rules.fingerprint, names)
    raw = names["alert"]
    return Alert(
        source,
        "resolved" if status == "resolved" else "firing",
        labels,
        without_empty(
            {key: _told(one, names) for key, one in rules.annotations.items()}
        ),
        identity(same) if same else of_labels(labels),
        moment(_told(rules.starts_at, names)),
        links_of(source=_told(rules.link, names)),
        dict(map_of(raw, "an alert")) if isinstance(raw, Mapping) else {"body": raw},
        severity,
    )


def _told(rule: Expression | None, names: Mapping[str, Any]) -> str:
    if rule is None:
        return ""
    value = rule.evaluate(names)
    return "" if value is UNKNOWN else text(value)
