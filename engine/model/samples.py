"""Numbers that a monitoring system gives, as series; or why there is nothing to say.

What is here: what every system's answer has in common once it is read. A number is a
finite number and nothing else; the last sample of a series is its value; an old sample
is no sample of now. What is not: asking, and the form of any answer.

Read by: the adapters `prometheus`, `datadog`, `newrelic`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

FUTURE_SECONDS: Final = 5.0  # clocks differ, and a Date header has whole seconds


class Unseen(Exception):
    """Nothing can be said; the text is the reason."""

    def __init__(
        self, why: str, *, retryable: bool = True, wait_seconds: float = 0.0
    ) -> None:
        super().__init__(why)
        self.why = why
        self.retryable = retryable
        self.wait_seconds = wait_seconds


@dataclass(frozen=True, slots=True)
class Sample:
    """A number, and the epoch seconds it is of, where the system says it."""

    at: float | None
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """The samples of one set of labels, oldest first; at least one."""

    labels: dict[str, str]
    samples: list[Sample]

    @property
    def last(self) -> Sample:
        """The newest sample: the value of the series."""
        return self.samples[-1]


def named(labels: Mapping[str, object]) -> str:
    """Return the labels for people, cut."""
    inner = ",".join(f"{name}={value}" for name, value in labels.items())
    return f"{{{inner}}}"[:120]


def number(raw: object, of: str) -> float:
    """Return a JSON number. Raises Unseen: it is none, not finite, or too large."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        try:
            value = float(raw)
        except OverflowError:
            value = math.inf
        if math.isfinite(value):
            return value
    raise Unseen(f"{of}: the value is {raw!r:.40}, not a number")


def moment(raw: object, of: str, *, per_second: int = 1000) -> float:
    """Return epoch seconds. Raises Unseen: no number."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        try:
            at = raw / per_second
        except OverflowError:
            at = math.inf
        if math.isfinite(at):
            return at
    raise Unseen(f"{of}: the sample's time is {raw!r:.40}")


def answered_at(headers: Mapping[str, str], ours: float) -> float:
    """Return the server's own time, an age in a cache included, or ours."""
    try:
        date = parsedate_to_datetime(headers["date"]).timestamp()
        return date + float(headers.get("age", "0"))
    except (KeyError, ValueError, OverflowError, OSError):
        return ours


def refuse_age(series: Sequence[Series], *, oldest: float, now: float) -> None:
    """Refuse what is not of now: a last sample too old, or in the future.

    Args:
        series: Samples without a time have no age.
        oldest: The age that is still taken, in seconds.
        now: Epoch seconds.

    Raises:
        Unseen: with the series and its age.
    """
    for one in series:
        if one.last.at is None:
            continue
        age = now - one.last.at
        if age > oldest:
            raise Unseen(
                f"stale: the last sample of {named(one.labels)} is {age:.0f} s old, "
                f"more than {oldest:g} s"
            )
        if age < -FUTURE_SECONDS:
            raise Unseen(
                f"the sample of {named(one.labels)} lies {-age:.0f} s in the future"
            )


def seen_in(series: Sequence[Series], *, ranged: bool) -> dict[str, Any]:
    """Return `series`, `values`, and `value` where there is exactly one series.

    Args:
        series: At least one.
        ranged: Whether each series shows all its samples, too.
    """
    rows: list[dict[str, Any]] = []
    for one in series:
        row: dict[str, Any] = {"labels": one.labels, "value": one.last.value}
        if ranged:
            row["values"] = [sample.value for sample in one.samples]
        rows.append(row)
    seen: dict[str, Any] = {"series": rows, "values": [row["value"] for row in rows]}
    return seen | ({"value": seen["values"][0]} if len(rows) == 1 else {})


def in_short(series: Sequence[Series], warnings: Sequence[str] = ()) -> str:
    """Return the values in one line for people."""
    if len(series) == 1:
        text = f"value {series[0].last.value:g}"
    else:
        values = [one.last.value for one in series]
        text = f"{len(series)} series from {min(values):g} to {max(values):g}"
    return f"{text} (partial: {warnings[0]})" if warnings else text


def oldest_at(series: Sequence[Series]) -> float | None:
    """Return the time of the oldest of the last samples, where all have one."""
    times = [one.last.at for one in series if one.last.at is not None]
    return min(times) if times and len(times) == len(series) else None
