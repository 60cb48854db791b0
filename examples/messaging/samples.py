"""Samples in memory: a few minutes of each series, and reading the text format.

A series that a target no longer shows is marked stale at that scrape, as Prometheus
does, so a drained node or a closed lane disappears from results at once.

Used by: scraper.py (fills it), evaluate.py (reads it).
"""

import re
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Mapping

from .promql import Matcher

Labels = tuple[tuple[str, str], ...]  # sorted; the name is `__name__`
KEPT_SECONDS = 600.0
LOOKBACK_SECONDS = 300.0
SERIES_LINE = re.compile(r"(?P<name>[\w:]+)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Series:
    """One series: times (Unix seconds, ascending) and values; None marks stale."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.named = dict(labels)
        self._times: deque[float] = deque()
        self._values: deque[float | None] = deque()

    def add(self, at: float, value: float | None) -> None:
        """Add the newest sample; a second stale mark in a row is left out."""
        if value is None and (not self._values or self._values[-1] is None):
            return
        self._times.append(at)
        self._values.append(value)
        while self._times[0] < at - KEPT_SECONDS:
            self._times.popleft()
            self._values.popleft()

    def at(self, when: float) -> float | None:
        """Return the value at a time: the last sample of five minutes, if not stale."""
        index = bisect_right(self._times, when) - 1
        if index < 0 or self._times[index] <= when - LOOKBACK_SECONDS:
            return None
        return self._values[index]

    def between(self, begin: float, end: float) -> list[tuple[float, float]]:
        """Return the samples from `begin` to `end`, both included, without marks."""
        first, last = bisect_left(self._times, begin), bisect_right(self._times, end)
        return [
            (self._times[i], value)
            for i in range(first, last)
            if (value := self._values[i]) is not None
        ]


class Samples:
    """All series of all targets."""

    def __init__(self) -> None:
        self._by_name: dict[str, dict[Labels, Series]] = {}
        self._shown: dict[str, set[Labels]] = {}

    def add_scrape(
        self, target: str, at: float, values: Mapping[Labels, float]
    ) -> None:
        """Store what one target showed; what it showed before and not now is stale."""
        for labels, value in values.items():
            self._series(labels).add(at, value)
        for gone in self._shown.get(target, set()) - values.keys():
            self._series(gone).add(at, None)
        self._shown[target] = set(values)

    def _series(self, labels: Labels) -> Series:
        name = dict(labels)["__name__"]
        return self._by_name.setdefault(name, {}).setdefault(labels, Series(labels))

    def add(self, labels: Labels, at: float, value: float) -> None:
        """Store one sample."""
        self._series(labels).add(at, value)

    def select(self, matchers: Iterable[Matcher]) -> list[Series]:
        """Return the series that meet all conditions; a missing label is empty."""
        wanted = list(matchers)
        names = [m.text for m in wanted if (m.label, m.op) == ("__name__", "=")]
        pools = [self._by_name.get(n, {}) for n in names] or self._by_name.values()
        return [
            series
            for pool in pools
            for series in pool.values()
            if all(_meets(series, matcher) for matcher in wanted)
        ]


def _meets(series: Series, matcher: Matcher) -> bool:
    text = series.named.get(matcher.label, "")
    if matcher.op in {"=", "!="}:
        return (text == matcher.text) == (matcher.op == "=")
    found = re.fullmatch(matcher.text, text) is not None
    return found == (matcher.op == "=~")


def read_text(text: str, target: Mapping[str, str]) -> dict[Labels, float]:
    """Return the series of a text exposition with the target's labels added.

    A label that the text itself has wins (`honor_labels`). Lines that are not the
    format are an error of the target: ValueError.
    """
    out: dict[Labels, float] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        found = SERIES_LINE.fullmatch(line.strip())
        if found is None:
            raise ValueError(f"not a line of the text format: {line[:80]}")
        own = {
            key: re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value)
            for key, value in LABEL.findall(found["labels"] or "")
        }
        labels = {**target, **own, "__name__": found["name"]}
        out[tuple(sorted(labels.items()))] = float(found["value"])
    return out
