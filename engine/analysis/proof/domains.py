"""What checks, inputs and people can say, as few values as make every difference.

A check has three answers; where a condition reads more of it (`value`, `json.x`), it
gets a value below, at and above each number, and each text, that a condition or its own
`pass` compares it with, judged by `pass` itself. Values that no condition can tell
apart are one.

Called by: offers.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise, product
from math import prod
from typing import Any, Final, NamedTuple

from engine.core.code import CompiledRunbook, Scope
from engine.core.judge import judge
from engine.expressions import UNKNOWN, Expression, compile_expression
from engine.expressions import observation_types as seen_types
from engine.model.effects import CheckCall
from engine.model.evidence import Observation
from engine.model.vocabulary import Check, Input

TEXT: Final = re.compile(r'"([^"\\]*)"|\'([^\'\\]*)\'')
NUMBER: Final = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
LABEL: Final = re.compile(r"labels(?:\.(\w+)|\[[\"'](\w+)[\"']\])")
MOST_TRIED: Final = 600  # observations of one check; see `cut`
PLAIN: Final = ("ok", "state", "age_seconds")
TARGETS: Final = 3  # members of the longest list of targets that is walked


class Sight(NamedTuple):
    """One answer of a check."""

    state: str
    seen: Mapping[str, Any]


class Domains:
    """The answers of every check of a compiled runbook, made when first asked for."""

    def __init__(self, compiled: CompiledRunbook) -> None:
        self.compiled = compiled
        self._rules = {
            scope.index: list(expressions(compiled, scope)) for scope in compiled.scopes
        }
        self._sights: dict[tuple[int, str], tuple[Sight, ...]] = {}
        self.cut = False  # some combination of values of a check was not tried

    def rules(self, scope: int) -> Sequence[Expression]:
        """Return every condition that stands in a scope."""
        return self._rules[scope]

    def sights(self, scope: int, name: str) -> tuple[Sight, ...]:
        """Return what a check can say; pass, fail and unknown are always among it."""
        key = (scope, name)
        if key not in self._sights:
            self._sights[key] = tuple(self._made(self.compiled.scopes[scope], name))
        return self._sights[key]

    def _made(self, scope: Scope, name: str) -> Iterator[Sight]:
        reads = _Reads(scope, name, self._rules[scope.index])
        yield Sight("unknown", {})
        if not reads.paths:
            yield from (Sight("pass", {}), Sight("fail", {}))
            return
        self.cut = self.cut or reads.many() > MOST_TRIED
        found: dict[Any, Sight] = {}
        for sight in reads.tried():
            found.setdefault(reads.signature(sight), sight)
        yield from found.values()
        first = next(iter(found.values()), Sight("pass", {}))
        told = {sight.state for sight in found.values()}
        for state in ("pass", "fail"):
            if state not in told:
                yield Sight(state, first.seen)

    def inputs(self, scope: int, name: str, declared: Input) -> list[Any]:
        """Return the values of an input that a condition can tell apart."""
        used = [rule for rule in self._rules[scope] if name in rule.names]
        if not used:
            return [declared.default if not declared.required else stand_in(declared)]
        if declared.type == "list":
            return target_lists(scope_limit(self.compiled.scopes[scope]))
        return list(of_type(declared.type, declared.of, used))

    def labels(self, head: str) -> list[dict[str, str]]:
        """Return the labels, or annotations, that conditions can tell apart."""
        used = [
            rule for rules in self._rules.values() for rule in rules
            if head in rule.names
        ]  # fmt: skip
        keys = {
            path.split(".")[1]
            for rule in used
            for path in rule.paths
            if path.startswith(f"{head}.")
        }
        choices = []
        for key in sorted(keys):
            about = [rule for rule in used if f"{head}.{key}" in rule.paths]
            texts = [one for one in literals(about) if isinstance(one, str)]
            choices.append([(key, one) for one in (*texts, "other", None)])
        return [
            {key: one for key, one in pairs if one is not None}
            for pairs in product(*choices)
        ]

    def answers(self, scope: int, name: str, field: str, type_: Any) -> list[Any]:
        """Return the answers of a question's field that a condition can tell apart."""
        spec = dict(type_) if isinstance(type_, Mapping) else {"type": str(type_)}
        kind = str(spec.get("type", "string"))
        key = f"answers.{name}.{field}"
        used = [rule for rule in self._rules[scope] if key in rule.names]
        values = list(of_type(kind, spec.get("of"), used))
        return values if used else values[:1]


class _Reads:
    """What is read of one check beyond its state, and by which conditions."""

    def __init__(self, scope: Scope, name: str, rules: Sequence[Expression]) -> None:
        self.scope, self.name = scope, name
        self.check: Check = scope.checks[name].model
        self.head = f"checks.{name}."
        self.rules = [rule for rule in rules if name in rule.checks]
        self.own = [rule for rule in _own_rules(self.check) if rule is not None]
        self.kept = list(_remembered(scope, name))
        deep = {path for rule in self.rules for path in self._deep(rule)}
        deep |= {path for _, rule in self.kept for path in rule.paths}
        limits = scope.runbook.limits.targets
        if limits is not None and limits.of == name:
            deep.add("value")
        if deep:
            deep |= {path for rule in self.own for path in rule.paths}
        self.paths = sorted(deep)
        self._values_of: dict[str, list[str]] = {}

    def _deep(self, rule: Expression) -> Iterator[str]:
        for path in rule.paths:
            rest = path.removeprefix(self.head)
            if rest != path and rest.split(".")[0] not in PLAIN:
                yield rest

    def many(self) -> int:
        """Return how many combinations of values there are to try."""
        return prod(len(list(self._values(path))) for path in self.paths)

    def tried(self) -> Iterator[Sight]:
        """Yield the answers to observations, one for each choice of values."""
        choices = [list(self._values(path)) for path in self.paths]
        for values in islice(product(*choices), MOST_TRIED):
            seen: dict[str, Any] = {"exit_code": 0, "stdout": ""}
            for path, value in zip(self.paths, values, strict=True):
                _place(seen, path.split("."), value)
            yield from self._judged(_whole(seen))

    def _judged(self, seen: dict[str, Any]) -> Iterator[Sight]:
        model = self.check
        call = CheckCall(
            self.name,
            self.name,
            model.kind,
            None,
            model.pass_,
            model.pass_for,
            model.unknown_when,
        )
        verdicts: tuple[Any, ...] = ("pass", "fail") if model.pass_ is None else (None,)
        for verdict in verdicts:
            observed = Observation(seen=seen, verdict=verdict)
            told = judge(call, observed, tick=0.0, at=0.0, attempts=1)
            if told.state != "unknown":
                yield Sight(told.state, told.seen)

    def _values(self, path: str) -> Iterator[Any]:
        using = [rule for rule in self.rules if self.head + path in rule.paths]
        using += [rule for rule in self.own if path in rule.paths]
        lists = any(rule.yields == "list" for rule in using)
        if path == "series":
            yield from _series(using)
        elif lists:
            yield from target_lists(scope_limit(self.scope))
            yield None
        else:
            yield from literals(using)
            limits = self.scope.runbook.limits.targets
            if limits is not None and limits.of == self.name and path == "value":
                yield from (1.0, 1_000_000.0)
            yield from (1, 2, True, False, "other", None)

    def signature(self, sight: Sight) -> Any:
        """Return what tells this answer from others."""
        told: list[Any] = [sight.state]
        bound = _bound(self.name, sight)
        for rule in self.rules:
            if all(name.startswith(self.head) for name in rule.names):
                value = rule.evaluate(bound)
                told.append(
                    self._one_of_two(rule.source, value)
                    if rule.yields == "any"
                    else repr(value)
                )
            else:
                told += [repr(_at(sight.seen, path)) for path in self._deep(rule)]
        for name, rule in self.kept:
            value = UNKNOWN
            if sight.state != "unknown":
                value = rule.evaluate(sight.seen)
            read = any(name in other.names for other in self.rules)
            told.append(repr(value) if read else value is UNKNOWN)
        limits = self.scope.runbook.limits.targets
        if limits is not None and limits.of == self.name:
            told.append(repr(sight.seen.get("value")))
        return tuple(told)

    def _one_of_two(self, source: str, value: Any) -> str:
        """Return a value that is only handed on as the first, or as another one."""
        if value is UNKNOWN:
            return ""
        known = self._values_of.setdefault(source, [])
        if repr(value) not in known:
            known.append(repr(value))
        return "first" if known[0] == repr(value) else "other"


def expressions(compiled: CompiledRunbook, scope: Scope) -> Iterator[Expression]:
    """Yield every condition of a scope: of its steps, and of its actions."""
    for node in compiled.nodes:
        if node.scope == scope.index or node.verb == "watch":
            yield from node.exprs.values()
            if node.when is not None:
                yield node.when
    for action in scope.actions.values():
        yield from action.conditions.values()


def _own_rules(check: Check) -> Iterator[Expression | None]:
    for source in (check.pass_, check.unknown_when):
        if source is not None:
            yield compile_expression(source, seen_types())


def _remembered(scope: Scope, name: str) -> Iterator[tuple[str, Expression]]:
    for action in scope.actions.values():
        for kept, what in action.model.remember.items():
            if what.check == name:
                yield kept, action.values[kept]


def _bound(name: str, sight: Sight) -> dict[str, Any]:
    ok = {"pass": True, "fail": False}.get(sight.state)
    bound = {f"checks.{name}.state": sight.state, f"checks.{name}.ok": ok}
    if sight.state != "unknown":
        bound |= {f"checks.{name}.{key}": value for key, value in sight.seen.items()}
    return bound


def _place(seen: dict[str, Any], path: Sequence[str], value: Any) -> None:
    *way, last = path
    for part in way:
        inner = seen.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        seen = inner
    if value is None:
        seen.pop(last, None)
    elif not isinstance(seen.get(last), dict):
        seen[last] = value


def _at(seen: Mapping[str, Any], path: str) -> Any:
    value: Any = seen
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _whole(seen: dict[str, Any]) -> dict[str, Any]:
    """Return an observation with what its kind would have beside the values."""
    value = seen.get("value")
    if isinstance(value, int | float) and not isinstance(value, bool):
        seen["value"] = float(value)
        seen.setdefault("series", [{"labels": {}, "value": float(value)}])
        seen.setdefault("values", [float(value)])
    if "json" in seen:
        seen.setdefault("response", {"status": 200, "body": ""})
    return seen


def _series(using: Iterable[Expression]) -> Iterator[Any]:
    source = " ".join(rule.source for rule in using)
    names = sorted({one or other for one, other in LABEL.findall(source)}) or ["name"]
    for count in (1, 2, 0):
        yield [
            {"labels": dict.fromkeys(names, f"t{index}"), "value": float(index)}
            for index in range(1, count + 1)
        ]


def literals(using: Iterable[Expression]) -> Iterator[Any]:
    """Yield the values around every number, and every text, of some conditions."""
    source = " ".join(rule.source for rule in using)
    bare = TEXT.sub(" ", source)
    numbers = sorted({float(one) for one in NUMBER.findall(bare)})
    around = {near for one in numbers for near in (one - 1, one, one + 1)}
    around |= {(low + high) / 2 for low, high in pairwise(numbers)}
    for one in sorted(around):
        yield int(one) if one == int(one) else one
    yield from sorted({one or other for one, other in TEXT.findall(source)})


def of_type(kind: str, of: Any, used: Sequence[Expression]) -> Iterator[Any]:
    """Yield the values of a declared type that the conditions can tell apart."""
    if kind == "boolean":
        yield from (True, False)
    elif kind == "choice" and isinstance(of, list):
        yield from of
    elif kind in ("integer", "number"):
        found = [one for one in literals(used) if not isinstance(one, str)] or [1]
        whole = kind == "integer"
        yield from dict.fromkeys(int(one) if whole else float(one) for one in found)
    elif kind == "list":
        yield from target_lists(TARGETS)
    else:
        yield from [one for one in literals(used) if isinstance(one, str)]
        yield "other"


def stand_in(declared: Input) -> Any:
    """Return a value of an input that no condition reads."""
    if declared.type == "list":
        return ["t1"]
    return next(iter(of_type(declared.type, declared.of, ())))


def scope_limit(scope: Scope) -> int:
    """Return how many targets the longest list that is walked has."""
    limits = scope.runbook.limits.targets
    most = limits.max if limits is not None and limits.max is not None else TARGETS
    return min(most, TARGETS)


def target_lists(most: int) -> list[list[str]]:
    """Return lists of targets: the longest that is walked, one target, and none."""
    names = [f"t{index}" for index in range(1, most + 1)]
    return [names[:length] for length in sorted({most, 1, 0}, reverse=True)]
