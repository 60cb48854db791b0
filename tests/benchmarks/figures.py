"""What a benchmark says: figures, each beside the limit it was measured with.

A figure's `ratio` is its part of the limit, both taken in the same run on the same
machine; a figure without a limit stands alone. Written by every benchmark, printed by
`python -m tests.benchmarks`.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    amount: float
    unit: str
    limit: float | None = None
    limit_is: str = ""  # what the limit is, in a few words
    goal: str = ""  # what is aimed at: "ratio >= 0.6"

    @property
    def ratio(self) -> float | None:
        """The part of the limit that was reached."""
        return self.amount / self.limit if self.limit else None


def shown(amount: float) -> str:
    """Return a number with three or more digits that mean something."""
    if amount >= 100:
        return f"{amount:,.0f}"
    return f"{amount:.3g}"


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as one table, columns lined up."""
    head = ("figure", "measured", "unit", "limit", "ratio", "the limit is", "goal")
    rows = [head, *(_row(figure) for figure in figures)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    return "\n".join(_line(row, widths) for row in rows)


def _row(figure: Figure) -> tuple[str, ...]:
    limit = "" if figure.limit is None else shown(figure.limit)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    return (
        figure.name, shown(figure.amount), figure.unit, limit, ratio,
        figure.limit_is, figure.goal,
    )  # fmt: skip


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    numbers = (1, 3, 4)
    cells = (
        cell.rjust(width) if n in numbers else cell.ljust(width)
        for n, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip()


def as_json(figures: Iterable[Figure], machine: dict[str, Any]) -> str:
    """Return figures and machine as JSON."""
    rows = [asdict(figure) | {"ratio": figure.ratio} for figure in figures]
    return json.dumps({"machine": machine, "figures": rows}, indent=1)


def load() -> float:
    """Return how many processes wanted a core, on average, in the last minute."""
    return round(os.getloadavg()[0], 2)


def percentile(sorted_amounts: list[float], part: float) -> float:
    """Return the amount that `part` (0 to 1) of the sorted amounts do not exceed."""
    return sorted_amounts[min(len(sorted_amounts) - 1, int(part * len(sorted_amounts)))]
