"""Rows of an NRQL result, read as series; what is no number of now is Unseen.

What is here: which column is the number, which are labels (FACET, COMPARE WITH), which
time a row has. What is not: asking, age. Called by the package.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.model.samples import Sample, Series, Unseen, moment, named, number

BEGIN: Final = "beginTimeSeconds"
END: Final = "endTimeSeconds"
STAMPS: Final = ("latest.timestamp", "timestamp")  # milliseconds
LABELS: Final = ("facet", "comparison")
SIDE: Final = frozenset({BEGIN, END, "inspectedCount", *STAMPS, *LABELS})
COUNTED: Final = re.compile(  # alone, without arithmetic behind it
    r"\s*select\s+(rate\(\s*)?(count|uniqueCount)\([^()]*\)"
    r"(\s*,\s*\d+\s*\w+\s*\))?\s*(as\b|from\b)",
    re.IGNORECASE,
)
EMPTY: Final = "empty result: no rows, which is not the same as zero"

Row = Mapping[str, Any]


def series_of(
    found: Mapping[str, Any], *, column: str | None, accept_partial: bool
) -> tuple[list[Series], list[str]]:
    """Return the series of a finished query, and the messages that came with it.

    Raises:
        Unseen: no row, no number, several numbers and none chosen, messages.
    """
    rows, metadata = found["results"], found.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    told = metadata.get("messages")
    messages = [str(it)[:200] for it in told] if isinstance(told, list) else []
    if messages and not accept_partial:
        raise Unseen(f"partial data: {messages[0]}")
    if not rows:
        raise Unseen(EMPTY)
    if not all(isinstance(row, dict) for row in rows):
        raise Unseen("a row is no map; is this NerdGraph?")
    facets = metadata.get("facets")
    names = [str(it) for it in facets] if isinstance(facets, list) else []
    chosen = _column(rows[0], names, column)
    ends = _window_end(metadata)
    collected: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for row in rows:
        labels = _labels(row, names)
        sample = Sample(
            _time(row, named(labels), ends), _value(row, chosen, named(labels))
        )
        collected.setdefault(tuple(labels.items()), []).append(sample)
    if not any(BEGIN in row for row in rows):
        _refuse_twice(collected)
    return [_in_order(dict(labels), it) for labels, it in collected.items()], messages


def refuse_negative(series: Sequence[Series], query: str) -> None:
    """Refuse a negative count or rate of counts, a broken answer. Raises Unseen."""
    if not COUNTED.match(query):
        return
    for one in series:
        if one.last.value < 0:
            raise Unseen(
                f"a count cannot be negative, and {named(one.labels)} is "
                f"{one.last.value:g}"
            )


def _in_order(labels: dict[str, str], samples: list[Sample]) -> Series:
    return Series(labels, sorted(samples, key=lambda one: one.at or 0.0))


def _refuse_twice(
    collected: Mapping[tuple[tuple[str, str], ...], Sequence[Sample]],
) -> None:
    for labels, samples in collected.items():
        if len(samples) > 1:
            raise Unseen(
                f"{len(samples)} rows for {named(dict(labels))}: select an aggregate, "
                "such as average() or latest()"
            )


def _column(row: Row, facets: Sequence[str], column: str | None) -> str:
    """Return the name of the number: the chosen one, or the only one."""
    found = [name for name in _flat(row) if not _is_side(name, facets)]
    if column is not None:
        if column not in found:
            raise Unseen(
                f"no column '{column[:40]}'; there are: {', '.join(found)[:120]}",
                retryable=False,
            )
        return column
    if len(found) != 1:
        words = f": {', '.join(found)[:120]}" if found else ""
        raise Unseen(
            f"{len(found)} columns{words}; write `column` to choose one"
            if found
            else "a row holds no column",
            retryable=False,
        )
    return found[0]


def _is_side(name: str, facets: Sequence[str]) -> bool:
    return name in SIDE or name in facets


def _flat(row: Row) -> dict[str, Any]:
    """Return the row with `percentile.duration: {95: 2}` as one column each."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": it for inner, it in value.items()}
        else:
            flat[name] = value
    return flat


def _value(row: Row, column: str, of: str) -> float:
    flat = _flat(row)
    if column not in flat:
        raise Unseen(f"{of}: a row has no '{column[:40]}'")
    return number(flat[column], of)


def _labels(row: Row, facets: Sequence[str]) -> dict[str, str]:
    labels = {name: str(row[name]) for name in facets if name in row}
    facet = row.get("facet")
    if not labels and facet is not None:
        values = facet if isinstance(facet, list) else [facet]
        names = facets if len(facets) == len(values) else _numbered(len(values))
        labels = {name: str(it) for name, it in zip(names, values, strict=True)}
    if row.get("comparison") is not None:
        labels["comparison"] = str(row["comparison"])
    return labels


def _numbered(many: int) -> list[str]:
    return ["facet"] if many == 1 else [f"facet{place + 1}" for place in range(many)]


def _time(row: Row, of: str, window_end: float | None) -> float | None:
    """Return whose moment a row is of: its bucket's end, its newest event, or now."""
    if END in row:
        return moment(row[END], of, per_second=1)
    stamp = next((row[name] for name in STAMPS if row.get(name) is not None), None)
    return window_end if stamp is None else moment(stamp, of)


def _window_end(metadata: Mapping[str, Any]) -> float | None:
    window = metadata.get("timeWindow")
    end = window.get("end") if isinstance(window, dict) else None
    return None if end is None else moment(end, "the query's window")
