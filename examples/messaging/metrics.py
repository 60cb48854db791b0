"""Counters, gauges and histograms, and their Prometheus text form.

Rule: a series that can be counted is declared at zero before anything happens, so
that a rate over its first seconds is right. Not here: scraping (samples.py reads
this text back).

Used by: every process of the platform; admin.py serves `render` at /metrics.
"""

from collections.abc import Callable, Mapping, Sequence

LabelSet = tuple[tuple[str, str], ...]


def escape(value: str) -> str:
    """Return a label value as it stands between quotes in the text format."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def series_text(name: str, labels: LabelSet, value: float) -> str:
    """Return one line of the text format, without its line end."""
    inside = ",".join(f'{key}="{escape(text)}"' for key, text in labels)
    shown = repr(value) if value != int(value) else str(int(value))
    return f"{name}{{{inside}}} {shown}" if inside else f"{name} {shown}"


class Family:
    """All series of one metric name that hold one number each."""

    def __init__(self, name: str, kind: str, base: LabelSet) -> None:
        self.name = name
        self.kind = kind
        self._base = base
        self._values: dict[LabelSet, float] = {}

    def add(self, amount: float = 1.0, **labels: str) -> None:
        """Add to one series; adding 0 declares it."""
        key = tuple(sorted(labels.items()))
        self._values[key] = self._values.get(key, 0.0) + amount

    def set(self, value: float, **labels: str) -> None:
        """Set one series."""
        self._values[tuple(sorted(labels.items()))] = value

    def value(self, **labels: str) -> float:
        """Return one series' number, 0.0 where it was never set."""
        return self._values.get(tuple(sorted(labels.items())), 0.0)

    def total(self) -> float:
        """Return the sum over all series."""
        return sum(self._values.values())

    def clear(self) -> None:
        """Forget all series: for gauges whose label values come and go."""
        self._values.clear()

    def lines(self) -> list[str]:
        """Return the text lines of all series."""
        return [
            series_text(self.name, self._base + key, value)
            for key, value in self._values.items()
        ]


class Histogram:
    """A cumulative histogram; bounds in the unit of the metric's name."""

    kind = "histogram"

    def __init__(self, name: str, bounds: Sequence[float], base: LabelSet) -> None:
        self.name = name
        self._bounds = (*bounds, float("inf"))
        self._base = base
        self._counts: dict[LabelSet, list[float]] = {}
        self._sums: dict[LabelSet, float] = {}

    def declare(self, **labels: str) -> None:
        """Make the series exist at zero."""
        self._row(tuple(sorted(labels.items())))

    def observe(self, value: float, **labels: str) -> None:
        """Count one measurement."""
        key = tuple(sorted(labels.items()))
        row = self._row(key)
        self._sums[key] += value
        for index, bound in enumerate(self._bounds):
            if value <= bound:
                row[index] += 1

    def _row(self, key: LabelSet) -> list[float]:
        self._sums.setdefault(key, 0.0)
        return self._counts.setdefault(key, [0.0] * len(self._bounds))

    def lines(self) -> list[str]:
        """Return the text lines: buckets, sum and count of each series."""
        out: list[str] = []
        for key, row in self._counts.items():
            labels = self._base + key
            for bound, count in zip(self._bounds, row, strict=True):
                le = "+Inf" if bound == float("inf") else repr(float(bound))
                out.append(
                    series_text(f"{self.name}_bucket", (*labels, ("le", le)), count)
                )
            out.append(series_text(f"{self.name}_sum", labels, self._sums[key]))
            out.append(series_text(f"{self.name}_count", labels, row[-1]))
        return out


class Metrics:
    """Everything that one process shows at /metrics."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._base: LabelSet = tuple(sorted(labels.items()))
        self._families: list[Family | Histogram] = []
        self._before: list[Callable[[], None]] = []

    def counter(self, name: str) -> Family:
        """Return a new counter."""
        return self._keep(Family(name, "counter", self._base))

    def gauge(self, name: str) -> Family:
        """Return a new gauge."""
        return self._keep(Family(name, "gauge", self._base))

    def histogram(self, name: str, bounds: Sequence[float]) -> Histogram:
        """Return a new histogram with these upper bounds (+Inf is added)."""
        histogram = Histogram(name, bounds, self._base)
        self._families.append(histogram)
        return histogram

    def before_scrape(self, refresh: Callable[[], None]) -> None:
        """Have `refresh` called before each rendering, for what is looked up."""
        self._before.append(refresh)

    def render(self) -> str:
        """Return the text of all series, as Prometheus reads it."""
        for refresh in self._before:
            refresh()
        out: list[str] = []
        for family in self._families:
            out.append(f"# TYPE {family.name} {family.kind}")
            out.extend(family.lines())
        return "\n".join(out) + "\n"

    def _keep(self, family: Family) -> Family:
        self._families.append(family)
        return family
