"""Meaning of a query: tree and samples to numbers, as Prometheus computes them.

Rates are extrapolated to the ends of their range and quantiles are interpolated
inside their bucket exactly as in Prometheus 2; tests compare both on the same
samples. `evaluate` is pure: samples and time come in, a value goes out.

Used by: scraper.py (queries), alerting.py (conditions).
"""

import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from .promql import (
    COMPARISONS,
    SETS,
    Aggregate,
    Binary,
    Call,
    Negative,
    Node,
    Number,
    QueryError,
    Selector,
)
from .samples import Labels, Samples

Vector = dict[Labels, float]
Value = float | Vector


@dataclass(frozen=True, slots=True)
class Moment:
    """What a query is asked of: the samples, at one time (Unix seconds)."""

    samples: Samples
    at: float


def evaluate(node: Node, moment: Moment) -> Value:
    """Return a number for a scalar, or series and their numbers for a vector.

    Raises:
        QueryError: series cannot be matched one to one, or the top is a range.
    """
    match node:
        case Number(value=value):
            return value
        case Selector(seconds=None, matchers=matchers):
            found = moment.samples.select(matchers)
            now = ((series.labels, series.at(moment.at)) for series in found)
            return {labels: value for labels, value in now if value is not None}
        case Selector():
            raise QueryError("a range alone has no value: use rate() or increase()")
        case Negative(body=body):
            return _each(evaluate(body, moment), lambda value: -value)
        case Call():
            return _call(node, moment)
        case Aggregate():
            return _aggregate(node, _vector(node.body, moment))
        case Binary():
            left, right = evaluate(node.left, moment), evaluate(node.right, moment)
            return _binary(node, left, right)


def _vector(node: Node, moment: Moment) -> Vector:
    value = evaluate(node, moment)
    assert isinstance(value, dict), "the parser has checked the kinds"
    return value


def _scalar(node: Node, moment: Moment) -> float:
    value = evaluate(node, moment)
    assert isinstance(value, float), "the parser has checked the kinds"
    return value


def _each(value: Value, change: Callable[[float], float]) -> Value:
    if isinstance(value, float):
        return change(value)
    return {_nameless(labels): change(number) for labels, number in value.items()}


def _nameless(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] != "__name__")


def _call(node: Call, moment: Moment) -> Value:
    match node.function, node.arguments:
        case "time", _:
            return moment.at
        case "vector", (body,):
            return {(): _scalar(body, moment)}
        case "scalar", (body,):
            found = list(_vector(body, moment).values())
            return found[0] if len(found) == 1 else math.nan
        case "abs", (body,):
            return _each(_vector(body, moment), abs)
        case "clamp_min" | "clamp_max", (body, limit):
            bound = _scalar(limit, moment)
            pick = max if node.function == "clamp_min" else min
            return _each(_vector(body, moment), lambda value: pick(value, bound))
        case "histogram_quantile", (quantile, body):
            return _quantiles(_scalar(quantile, moment), _vector(body, moment))
        case _, (Selector() as selector,):
            return _increases(node.function, selector, moment)
    raise QueryError(f"{node.function}() is not supported here")


def _increases(function: str, selector: Selector, moment: Moment) -> Vector:
    seconds = selector.seconds or 0.0
    begin = round(moment.at - seconds, 3)
    out: Vector = {}
    for series in moment.samples.select(selector.matchers):
        window = series.between(begin, moment.at)
        if len(window) >= 2:
            grown = _increase(window, begin, moment.at)
            per = seconds if function == "rate" else 1.0
            out[_nameless(series.labels)] = grown / per
    return out


def _increase(window: list[tuple[float, float]], begin: float, end: float) -> float:
    """Return a counter's growth, extrapolated to the range (Prometheus' rule)."""
    values = [value for _, value in window]
    grown = values[-1] - values[0]
    grown += sum(a for a, b in pairwise(values) if b < a)
    sampled = round(window[-1][0] - window[0][0], 3)  # times are whole milliseconds
    step = sampled / (len(window) - 1)
    before = round(window[0][0] - begin, 3)
    after = round(end - window[-1][0], 3)
    if grown > 0 and values[0] >= 0:
        before = min(before, sampled * values[0] / grown)  # it cannot start below 0
    covered = sampled
    for gap in (before, after):
        covered += gap if gap < step * 1.1 else step / 2
    return grown * covered / sampled


def _quantiles(quantile: float, buckets: Vector) -> Vector:
    groups: dict[Labels, dict[float, float]] = {}
    for labels, count in buckets.items():
        bound = next((text for key, text in labels if key == "le"), None)
        if bound is None:
            continue
        rest = tuple(pair for pair in labels if pair[0] not in {"le", "__name__"})
        group = groups.setdefault(rest, {})
        group[float(bound)] = group.get(float(bound), 0.0) + count
    return {rest: _quantile(quantile, sorted(g.items())) for rest, g in groups.items()}


def _quantile(quantile: float, buckets: list[tuple[float, float]]) -> float:
    """Return a quantile by linear interpolation inside its bucket."""
    if math.isnan(quantile) or len(buckets) < 2 or not math.isinf(buckets[-1][0]):
        return math.nan
    if not 0 <= quantile <= 1:
        return math.copysign(math.inf, quantile)
    counts: list[float] = []
    for _, count in buckets:
        counts.append(max(count, counts[-1] if counts else 0.0))
    if counts[-1] == 0:
        return math.nan
    rank = quantile * counts[-1]
    last = len(buckets) - 1
    index = next((i for i in range(last) if counts[i] >= rank), last)
    if index == last:
        return buckets[last - 1][0]
    upper = buckets[index][0]
    if index == 0 and upper <= 0:
        return upper
    lower, below = (buckets[index - 1][0], counts[index - 1]) if index else (0.0, 0.0)
    return lower + (upper - lower) * (rank - below) / (counts[index] - below)


def _aggregate(node: Aggregate, body: Vector) -> Vector:
    groups: dict[Labels, list[float]] = {}
    for labels, value in body.items():
        key = tuple(
            pair
            for pair in labels
            if (pair[0] in node.labels) != node.without
            and not (node.without and pair[0] == "__name__")
        )
        groups.setdefault(key, []).append(value)
    fold = FOLDS[node.operation]
    return {key: fold(values) for key, values in groups.items()}


def _extreme(pick: Callable[[Iterable[float]], float], values: list[float]) -> float:
    numbers = [value for value in values if not math.isnan(value)]
    return pick(numbers) if numbers else math.nan


FOLDS: dict[str, Callable[[list[float]], float]] = {
    "sum": lambda values: sum(values, 0.0),
    "count": lambda values: float(len(values)),
    "avg": lambda values: sum(values) / len(values),
    "max": lambda values: _extreme(max, values),
    "min": lambda values: _extreme(min, values),
}


def _divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except (ValueError, OverflowError):
        return math.nan if a < 0 else math.inf


def _remainder(a: float, b: float) -> float:
    return math.nan if b == 0 or math.isinf(a) else math.fmod(a, b)


COMPUTE: dict[str, Callable[[float, float], float]] = {  # comparisons: 1.0 or 0.0
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _remainder,
    "^": _power,
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "<": lambda a, b: float(a < b),
    "<=": lambda a, b: float(a <= b),
    ">": lambda a, b: float(a > b),
    ">=": lambda a, b: float(a >= b),
}


def _binary(node: Binary, left: Value, right: Value) -> Value:
    if isinstance(left, float) and isinstance(right, float):
        return COMPUTE[node.operator](left, right)
    if isinstance(left, dict) and isinstance(right, dict):
        if node.operator in SETS:
            return _sets(node, left, right)
        return _one_to_one(node, left, right)
    out: Vector = {}
    if isinstance(left, dict):
        assert isinstance(right, float)
        for labels, value in left.items():
            _put(out, node, labels, COMPUTE[node.operator](value, right), value)
    elif isinstance(right, dict):
        for labels, value in right.items():
            _put(out, node, labels, COMPUTE[node.operator](left, value), value)
    return out


def _put(out: Vector, node: Binary, labels: Labels, result: float, kept: float) -> None:
    """Add a result; a comparison without bool keeps the series where it is true."""
    if node.operator in COMPARISONS and not node.as_bool:
        if result:
            out[labels] = kept
        return
    out[_nameless(labels)] = result


def _key(node: Binary, labels: Labels) -> Labels:
    if node.labels is None:
        return _nameless(labels)
    kept = (pair for pair in labels if (pair[0] in node.labels) != node.ignoring)
    return _nameless(tuple(kept))


def _sets(node: Binary, left: Vector, right: Vector) -> Vector:
    on_the_right = {_key(node, labels) for labels in right}
    if node.operator == "or":
        on_the_left = {_key(node, labels) for labels in left}
        more = {k: v for k, v in right.items() if _key(node, k) not in on_the_left}
        return {**left, **more}
    wanted = node.operator == "and"
    return {k: v for k, v in left.items() if (_key(node, k) in on_the_right) == wanted}


def _one_to_one(node: Binary, left: Vector, right: Vector) -> Vector:
    others: dict[Labels, float] = {}
    for labels, value in right.items():
        if (key := _key(node, labels)) in others:
            raise QueryError(f"several series on the right match {dict(key)}")
        others[key] = value
    out: Vector = {}
    seen: set[Labels] = set()
    for labels, value in left.items():
        key = _key(node, labels)
        if key not in others:
            continue
        if key in seen:
            raise QueryError(f"several series on the left match {dict(key)}")
        seen.add(key)
        shown = labels if node.labels is None else key
        _put(out, node, shown, COMPUTE[node.operator](value, others[key]), value)
    return out
