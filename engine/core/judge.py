"""From what was seen to one of three answers: pass, fail, unknown.

Rules, in this order: what could not be asked or seen is unknown; so is a sample that is
old, empty, NaN or infinite; so is what `unknown_when` says, or cannot say. Then `pass`
decides, and where it is left out the verdict of the kind. An answer that `pass` cannot
tell is unknown, unless the kind itself says fail (refused, NXDOMAIN). Any observation
is taken, and nothing is raised.

What is not: looking (adapters), trying again (runtime), what an answer leads to, what
is kept of an observation (keeping). Called by runtime, for every look.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final, NamedTuple

from engine.core.keeping import kept, kept_text, shown
from engine.errors import ExpressionProblem
from engine.expressions import (
    UNKNOWN,
    Expression,
    Unknown,
    compile_expression,
    observation_types,
)
from engine.model.effects import CheckCall
from engine.model.evidence import CheckState, Evidence, Observation

Answer = tuple[CheckState, str]
STALE_SECONDS: Final = 300.0  # as long as Prometheus itself looks back for a sample
AHEAD_SECONDS: Final = 60.0  # clocks differ; more than this is no sample of now
MAP: Final = (dict, Mapping)  # nearly always a dict, which is told at once
NAMED: Final = 3  # series and viewpoints named in a message


class Sample(NamedTuple):
    """One series of what was seen: its value, and its labels for messages."""

    value: Any
    name: str


def judge(
    call: CheckCall, seen: Observation, *, tick: float, at: float, attempts: int
) -> Evidence:
    """Return what an observation says about a check.

    Args:
        call: The check as it was looked at.
        seen: What was observed, of any content.
        tick: Run seconds at the end of the look.
        at: Epoch seconds at the end of the look.
        attempts: How often was looked.
    """
    state, why = _answer(call, seen, at)
    return Evidence(
        check=call.check,
        slot=call.slot,
        state=state,
        why=kept_text(why),
        seen=kept(seen.seen),
        tick=tick,
        at=at,
        source=kept_text(seen.source),
        attempts=attempts,
    )


def _answer(call: CheckCall, seen: Observation, at: float) -> Answer:
    if why := _unseen(call, seen, at):
        return "unknown", why
    try:
        rule = _compiled(call.unknown_when)
        passes = _compiled(call.pass_)
    except ExpressionProblem as problem:
        return (
            "unknown",
            f"a condition of the check does not compile: {problem.message}",
        )
    if rule is not None and (why := _set_aside(rule, seen.seen)):
        return "unknown", why
    return _by_pass(call, passes, seen) if passes else _by_verdict(call, seen)


def _unseen(call: CheckCall, seen: Observation, at: float) -> str:
    if call.problem:
        return call.problem
    if seen.unknown is not None:
        return seen.unknown or "nothing could be seen"
    return _stale(seen.sampled_at, at) or _faulty(seen.seen)


def _compiled(source: str | None) -> Expression | None:
    return None if source is None else compile_expression(source, observation_types())


def _stale(sampled_at: float | None, at: float) -> str:
    if sampled_at is None:
        return ""
    age = at - sampled_at
    if not isfinite(age):
        return "the sample has no usable time"
    if age > STALE_SECONDS:
        return f"the sample is {age:.0f} s old; at most {STALE_SECONDS:.0f} s"
    if age < -AHEAD_SECONDS:
        return f"the sample is {-age:.0f} s in the future: the clocks differ"
    return ""


def _faulty(seen: Mapping[str, Any]) -> str:
    for name in ("series", "values"):
        if name in seen and not seen[name]:
            return "no series came back: empty is neither good nor bad"
    value = seen.get("value", 0)
    if "value" in seen and (fault := _no_number(value)):
        return f"value is {fault}"
    return ""


def _no_number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{shown(value)}, not a number"
    try:
        return "" if isfinite(value) else shown(value)
    except OverflowError:
        return "too large for a number"


def _set_aside(rule: Expression, seen: Mapping[str, Any]) -> str:
    """Return why `unknown_when` makes the answer unknown, or nothing."""
    samples = _samples(seen)
    each = "value" in rule.names and len(samples) > 1
    found = [_over(rule, seen, one) for one in samples] if each else []
    found = found or [_whole(rule, seen, samples)]
    if True in found:
        return f"{_values(rule, seen)}, unknown_when: {_brief(rule.source)}"
    if UNKNOWN in found:
        return _untold("unknown_when", rule, seen)
    return ""


def _by_verdict(call: CheckCall, seen: Observation) -> Answer:
    if seen.verdict is not None:
        return seen.verdict, seen.summary or f"{call.kind} says {seen.verdict}"
    samples = _samples(seen.seen)
    if len(samples) > 1:
        many = _many(samples)
        return "unknown", f"{many}, and one number is needed: sum() them in the query"
    if samples and not (fault := _no_number(samples[0].value)):
        return "pass", f"value {shown(samples[0].value)}"
    return "unknown", f"value is {fault}" if samples else "no `pass`, and no value seen"


def _by_pass(call: CheckCall, passes: Expression, seen: Observation) -> Answer:
    if status := _bad_status(passes, seen.seen):
        return "unknown", f"{status}, and `pass` does not name response.status"
    found, why = _judged(passes, seen.seen, over=call.pass_for)
    if isinstance(found, bool):
        return "pass" if found else "fail", why
    if seen.verdict == "fail":
        return "fail", seen.summary or f"{call.kind} says fail"
    return "unknown", why


def _bad_status(passes: Expression, seen: Mapping[str, Any]) -> str:
    response = seen.get("response")
    status = response.get("status") if isinstance(response, Mapping) else None
    if not isinstance(status, int) or 200 <= status < 300:
        return ""
    named = any(path.startswith("response.status") for path in passes.paths)
    return "" if named else f"HTTP {status}"


def _judged(
    passes: Expression, seen: Mapping[str, Any], *, over: str | None
) -> tuple[bool | Unknown, str]:
    samples = _samples(seen)
    if "value" in passes.names and len(samples) > 1:
        if over is None:
            return UNKNOWN, f"{_many(samples)}, and no `pass_for: all` or `any`"
        return _for_each(passes, over == "any", seen, samples)
    if "values" in passes.names and over is not None:
        found, why = _for_each(passes, over == "any", seen, samples)
        if found is not UNKNOWN:
            return found, why
    found = _whole(passes, seen, samples)
    if found is UNKNOWN:
        return UNKNOWN, _untold("pass", passes, seen)
    return found, f"{_values(passes, seen)}, pass: {_brief(passes.source)}"


def _for_each(
    passes: Expression,
    decides: bool,
    seen: Mapping[str, Any],
    samples: Sequence[Sample],
) -> tuple[bool | Unknown, str]:
    """Return `any` (true decides) or `all`, three-valued, and who decided."""
    told = [_over(passes, seen, sample) for sample in samples]
    rule = f"pass for {'any' if decides else 'all'}: {_brief(passes.source)}"
    for answer in (decides, UNKNOWN):
        if answer in told:
            sample = samples[told.index(answer)]
            one = f"value {shown(sample.value)} of {sample.name}"
            cannot = " cannot be told" if answer is UNKNOWN else ""
            return answer, f"{one} ({len(samples)} series), {rule}{cannot}"
    if not samples:
        return UNKNOWN, f"no series, {rule}"
    return not decides, f"{_many(samples)}, {rule}"


def _over(rule: Expression, seen: Mapping[str, Any], sample: Sample) -> bool | Unknown:
    one = {**seen, "value": sample.value, "values": sample.value}
    found: bool | Unknown = rule.evaluate(one)
    return found


def _whole(
    rule: Expression, seen: Mapping[str, Any], samples: Sequence[Sample]
) -> bool | Unknown:
    alone = {"value": samples[0].value} if len(samples) == 1 else {}
    found: bool | Unknown = rule.evaluate({**alone, **seen})
    return found


def _samples(seen: Mapping[str, Any]) -> list[Sample]:
    series, values = seen.get("series"), seen.get("values")
    if isinstance(series, list) and series:
        rows = [row if isinstance(row, MAP) else {} for row in series]
        return [Sample(row.get("value"), _labels(row.get("labels"))) for row in rows]
    if isinstance(values, list) and values:
        return [Sample(value, f"sample {at}") for at, value in enumerate(values, 1)]
    return [Sample(seen["value"], "value")] if "value" in seen else []


def _labels(labels: Any) -> str:
    if not labels or not isinstance(labels, MAP):
        return "{}"
    inside = ", ".join(f"{key}={shown(value)}" for key, value in labels.items())
    return "{" + (inside if len(inside) <= 80 else inside[:79] + "…") + "}"


def _many(samples: Sequence[Sample]) -> str:
    names = ", ".join(sample.name for sample in samples[:NAMED])
    more = ", …" if len(samples) > NAMED else ""
    return f"{len(samples)} series came back ({names}{more})"


def _untold(key: str, rule: Expression, seen: Mapping[str, Any]) -> str:
    return f"{_values(rule, seen)}, {key} cannot be told: {_brief(rule.source)}"


def _values(rule: Expression, seen: Mapping[str, Any]) -> str:
    paths = sorted(rule.paths)
    told = [f"{path} {_at(path, seen)}" for path in paths[:5]]
    return ", ".join(told) or "nothing seen is used"


def _at(path: str, seen: Mapping[str, Any]) -> str:
    value: Any = seen
    for part in path.split("."):
        if not isinstance(value, MAP) or part not in value:
            return "is missing"
        value = value[part]
    return shown(value)


def _brief(source: str) -> str:
    text = " ".join(source.split())
    return text if len(text) <= 200 else text[:199] + "…"


def agree(
    name: str,
    slot: str,
    parts: Sequence[Evidence],
    need: int,
    *,
    tick: float,
    at: float,
) -> Evidence:
    """Return what several viewpoints say together.

    Args:
        name: The check `agree`.
        slot: Where its evidence is kept.
        parts: The viewpoints' evidence; an unknown one never counts.
        need: How many must say the same; both answers reaching it is no agreement.
        tick: Run seconds at the end of the look.
        at: Epoch seconds at the end of the look.
    """
    says = {state: [p for p in parts if p.state == state] for state in ("pass", "fail")}
    enough = [state for state, those in says.items() if len(those) >= max(need, 1)]
    state: CheckState = "unknown"
    if len(enough) == 1:
        state = "pass" if enough == ["pass"] else "fail"
        named = ", ".join(part.check for part in says[state])
        why = f"{len(says[state])} of {len(parts)} say {state}: {named}"
        others = [part for part in parts if part.state != state]
    else:
        why, others = f"{need} of {len(parts)} must say the same", list(parts)
    told = [f"{part.check} says {part.state} ({_brief(part.why)})" for part in others]
    return Evidence(
        check=name,
        slot=slot,
        state=state,
        why=kept_text("; ".join([why, *told])),
        seen=kept({"parts": {part.check: part.state for part in parts}}),
        tick=tick,
        at=at,
        source=kept_text("; ".join(part.source for part in parts if part.source)),
        attempts=max((part.attempts for part in parts), default=1),
    )
