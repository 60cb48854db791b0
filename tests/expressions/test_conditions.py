"""What a condition gives: true, false, or unknown."""

import pickle
import time
from copy import deepcopy
from itertools import product
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expressions import (
    UNKNOWN,
    Unknown,
    compile_expression,
    observation_types,
    run_types,
)

TYPES = run_types(
    {
        "region": "string",
        "count": "integer",
        "threshold": "number",
        "urgent": "boolean",
        "mode": "choice",
        "hosts": "list",
        "namespace": "string",
    },
    ["lag", "disk", "hot-partition", "loop"],
    {"hand": {"fixed": "boolean", "left": "integer"}, "by-hand": {"note": "string"}},
    {"host": "dyn"},
)
KLEENE = (True, False, None)


def gives(
    source: str, bindings: dict[str, Any] | None = None, yields: Any = "bool"
) -> Any:
    """Return what a run's condition gives."""
    return compile_expression(source, TYPES, yields).evaluate(bindings or {})


def seen(source: str, bindings: dict[str, Any]) -> Any:
    """Return what a condition over an observation gives."""
    return compile_expression(source, observation_types()).evaluate(bindings)


def test_unknown_is_one_and_no_truth_value() -> None:
    """UNKNOWN survives copies, prints as unknown and refuses to be a condition."""
    copies = [deepcopy(UNKNOWN), pickle.loads(pickle.dumps(UNKNOWN))]

    assert [copy is UNKNOWN for copy in copies] == [True, True]
    assert (repr(UNKNOWN), isinstance(UNKNOWN, Unknown)) == ("unknown", True)
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(UNKNOWN)


def test_names_and_checks_are_the_declared_ones() -> None:
    """An expression says which names and which checks it needs, qualified."""
    source = "!checks.lag.ok && checks.disk.json.free > 3 && region == 'checks.no.ok'"
    found = compile_expression(source, TYPES)

    assert (found.names, found.checks, found.paths) == (
        frozenset({"checks.lag.ok", "checks.disk.json", "region"}),
        frozenset({"lag", "disk"}),
        frozenset({"checks.lag.ok", "checks.disk.json.free", "region"}),
    )


@pytest.mark.parametrize(
    ("source", "bindings", "expected"),
    [
        ("checks.lag.ok && checks.disk.ok", {"checks.lag.ok": False}, False),
        ("checks.disk.ok && checks.lag.ok", {"checks.lag.ok": False}, False),
        ("checks.lag.ok || checks.disk.ok", {"checks.lag.ok": True}, True),
        ("checks.disk.ok || checks.lag.ok", {"checks.lag.ok": True}, True),
        ("checks.lag.ok && checks.disk.ok", {"checks.lag.ok": True}, UNKNOWN),
        ("checks.disk.ok || checks.lag.ok", {"checks.lag.ok": False}, UNKNOWN),
        ("!checks.lag.ok", {}, UNKNOWN),
        ("!checks.lag.ok", {"checks.lag.ok": False}, True),
        ("checks.lag.ok ? true : false", {}, UNKNOWN),
        ("checks.lag.ok ? urgent : false", {"checks.lag.ok": False}, False),
        ("urgent ? checks.lag.ok : true", {"urgent": False}, True),
        ("size(held) == 0", {"held": []}, True),
        ("size(held) == 0", {}, UNKNOWN),
        ("'drain' in held", {"held": ["drain"]}, True),
        ("region in hosts", {"hosts": ["a"]}, UNKNOWN),
        ("held.exists(h, h == region)", {"held": ["a", "b"], "region": "b"}, True),
        ("held.all(h, h == region)", {"held": ["a", "b"], "region": "b"}, False),
        ("held.exists(h, h == region)", {"held": ["a"]}, UNKNOWN),
        ("held.exists(h, h == region)", {"held": []}, False),
        ("checks.lag.ok", {"checks.lag.ok": None}, UNKNOWN),
    ],
)
def test_a_name_without_a_value_is_unknown_and_absorbed(
    source: str, bindings: dict[str, Any], expected: Any
) -> None:
    """False and unknown is false, true or unknown is true, the rest is unknown."""
    assert gives(source, bindings) is expected


FLEET = {"items": [{"n": 1}, {}, {"n": 3}]}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("json.a.b == 1", UNKNOWN),
        ("json.a.b == 1 || true", True),
        ("true || json.a.b == 1", True),
        ("json.a.b == 1 && false", False),
        ("false && json.a.b == 1", False),
        ("!(json.a.b == 1)", UNKNOWN),
        ("1 / exit_code == 1", UNKNOWN),
        ("json.items[9].n == 1", UNKNOWN),
        ("json.items.exists(i, i.n == 3)", True),
        ("json.items.exists(i, i.n == 4)", UNKNOWN),
        ("json.items.all(i, i.n < 2)", False),
        ("json.items.all(i, i.n < 9)", UNKNOWN),
        ("has(json.items) && !has(json.other)", True),
        ("json.items", UNKNOWN),
        ("json.items < 3", UNKNOWN),
        ("size(json.items) == 3", True),
        ("timestamp(stdout) > timestamp('2020-01-01T00:00:00Z')", UNKNOWN),
    ],
)
def test_an_error_while_evaluating_is_unknown(source: str, expected: Any) -> None:
    """Missing keys, divisions by zero and wrong types are unknown, never raised."""
    assert seen(source, {"json": FLEET, "exit_code": 0, "stdout": "x"}) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("json.state == 3", UNKNOWN),
        ("json.state != 3", UNKNOWN),
        ("json.state == 'x'", True),
        ("json.state != 'x'", False),
        ("json.n == 2.0", True),
        ("json.n == '2'", UNKNOWN),
        ("json.f == 2", True),
        ("json.yes == 1", UNKNOWN),
        ("json.yes == true", True),
        ("json.none == null", True),
        ("json.state == null", False),
        ("json.state != null", True),
        ("json.list == ['a', 'b']", True),
        ("json.list == ['a', 3]", UNKNOWN),
        ("json.list == ['b', 3]", False),
        ("json.state in ['y', 'x']", True),
        ("json.n in ['2']", UNKNOWN),
        ("json.n in [1, 2.0]", True),
        ("'n' in json", True),
        ("json == {'a': 1}", False),
        ("{'a': json.n} == {'a': 2.0}", True),
        ("{'a': json.n} == {'a': '2'}", UNKNOWN),
    ],
)
def test_equality_across_types_is_unknown(source: str, expected: Any) -> None:
    """A JSON value against a literal of another type is unknown; numbers compare."""
    tree = {
        "state": "x",
        "n": 2,
        "f": 2.0,
        "yes": True,
        "none": None,
        "list": ["a", "b"],
    }

    assert seen(source, {"json": tree}) is expected


@pytest.mark.parametrize(
    ("source", "bindings", "expected"),
    [
        ("checks.lag.value < 2", {"checks.lag.value": 1.5}, True),
        ("checks.lag.value < 2.0", {"checks.lag.value": 1}, True),
        ("checks.lag.value > 3", {"checks.lag.value": 3.5}, True),
        ("threshold > 3", {"threshold": 4}, True),
        ("3 < threshold", {"threshold": 4.0}, True),
        ("count >= 2.5", {"count": 3}, True),
        (
            "checks.lag.value > threshold",
            {"checks.lag.value": 2.0, "threshold": 1},
            True,
        ),
        ("threshold * 2 + 1 == 7", {"threshold": 3.0}, True),
        ("count / 2.0 == 1.5", {"count": 3}, True),
        ("threshold in [1, 2]", {"threshold": 2.0}, True),
        ("-threshold < 0", {"threshold": 2.0}, True),
        ("mode == 'fast'", {"mode": "fast"}, True),
        ("labels.severity == 'page'", {"labels": {"severity": "page"}}, True),
        ("labels['a-b'] == 'c'", {"labels": {}}, UNKNOWN),
    ],
)
def test_numbers_of_two_kinds_work(
    source: str, bindings: dict[str, Any], expected: Any
) -> None:
    """`2` and `2.0` both compare and calculate with whole and other numbers."""
    assert gives(source, bindings) is expected


@pytest.mark.parametrize("number", [nan, inf, -inf, "", None, "3", True, [], {}])
@pytest.mark.parametrize("source", ["value < 5", "!(value < 5)", "value == value"])
def test_f30_what_is_no_number_is_unknown(source: str, number: Any) -> None:
    """NaN, infinities, text, null and booleans are no number: no comparison is told."""
    assert seen(source, {"value": number}) is UNKNOWN


@pytest.mark.parametrize(
    "source",
    [
        "json.n < 5",
        "!(json.n < 5)",
        "json.n == json.n",
        "json.n != 1",
        "json.l.exists(x, x > 5)",
        "json.n in [1]",
        "json.zero / json.zero < 1",
        "json.zero / json.zero >= 1",
        "double('NaN') < 5",
        "json.big * json.big > 1",
    ],
)
def test_f30_nan_deep_inside_or_calculated_is_unknown(source: str) -> None:
    """A NaN that comes out of a tree or a calculation makes comparisons unknown."""
    tree = {"n": nan, "l": [nan], "zero": 0.0, "big": 1e300}

    assert seen(source, {"json": tree}) is UNKNOWN


def test_other_keys_of_a_tree_stay_readable() -> None:
    """NaN, huge numbers, surrogates and what was left out spoil only themselves."""
    tree = {
        "ok": 1,
        "nan": nan,
        "huge": 10**400,
        "bad": "\ud800",
        "odd": object(),
        "large": {"left_out": "9,000 characters"},
    }

    assert seen("json.ok == 1", {"json": tree}) is True
    assert seen("json.huge > 1", {"json": tree}) is UNKNOWN
    assert seen("size(json.large) == 1", {"json": tree}) is UNKNOWN


def test_a_tree_nested_without_end_is_unknown() -> None:
    """Nesting that would end the process is unknown."""
    tree: Any = 1
    for _ in range(50_000):
        tree = [tree]

    assert seen("size(json) == 1", {"json": tree}) is UNKNOWN


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("checks.hot-partition.ok", "checks.hot-partition.ok"),
        ('checks["hot-partition"].ok', "checks.hot-partition.ok"),
        ("checks['hot-partition'].ok", "checks.hot-partition.ok"),
        ("checks['lag'].ok", "checks.lag.ok"),
        ("checks.loop.ok", "checks.loop.ok"),
        ("answers.by-hand.note == 'x'", "answers.by-hand.note"),
        ("namespace == 'x'", "namespace"),
        ("[1].exists(i, i == 1) && namespace.startsWith('x')", "namespace"),
    ],
)
def test_names_that_cel_does_not_take_work(source: str, name: str) -> None:
    """Hyphens, brackets and reserved words in declared names do not matter."""
    found = compile_expression(source, TYPES)
    value = True if name.endswith(".ok") else "x"

    assert found.names == frozenset({name})
    assert found.evaluate({name: value}) is True


@pytest.mark.parametrize(
    ("source", "yields", "bindings", "expected"),
    [
        ("hosts", "list", {"hosts": ["a", "b"]}, ["a", "b"]),
        ("hosts.filter(h, h != 'a')", "list", {"hosts": ["a", "b"]}, ["b"]),
        (
            "host.items.map(i, i.name)",
            "list",
            {"host": {"items": [{"name": "x"}]}},
            ["x"],
        ),
        ("host", "list", {"host": "a"}, UNKNOWN),
        ("hosts", "list", {}, UNKNOWN),
        ("host.replicas", "any", {"host": {"replicas": 48}}, 48),
        ("host", "any", {"host": {"a": [1, {"b": None}]}}, {"a": [1, {"b": None}]}),
        ("host.none", "any", {"host": {"none": None}}, UNKNOWN),
        ("host / 0.0", "any", {"host": 1.0}, UNKNOWN),
        ("host", "bool", {"host": "yes"}, UNKNOWN),
        ("host", "bool", {"host": True}, True),
    ],
)
def test_what_comes_back_is_what_is_asked_for(
    source: str, yields: Any, bindings: dict[str, Any], expected: Any
) -> None:
    """A list where a list is needed, any value where any is; else unknown."""
    assert gives(source, bindings, yields) == expected


formulas = st.recursive(
    st.sampled_from(["a", "b", "c"]),
    lambda inner: st.one_of(
        inner.map(lambda one: ("!", one)),
        st.tuples(st.sampled_from(["&&", "||"]), inner, inner),
        st.tuples(st.just("?"), inner, inner, inner),
    ),
    max_leaves=8,
)


def written(formula: Any) -> str:
    """Return the formula as CEL."""
    if isinstance(formula, str):
        return formula
    if formula[0] == "!":
        return f"!({written(formula[1])})"
    if formula[0] == "?":
        test, yes, no = map(written, formula[1:])
        return f"({test} ? {yes} : {no})"
    return f"({written(formula[1])} {formula[0]} {written(formula[2])})"


def kleene(formula: Any, values: dict[str, bool | None]) -> bool | None:
    """Return the formula's value in three-valued logic, None for unknown."""
    if isinstance(formula, str):
        return values[formula]
    if formula[0] == "?":
        test = kleene(formula[1], values)
        chosen = formula[2] if test else formula[3]
        return None if test is None else kleene(chosen, values)
    parts = [kleene(part, values) for part in formula[1:]]
    if formula[0] == "!":
        return None if parts[0] is None else not parts[0]
    decides = bool(formula[0] == "||")
    if decides in parts:
        return decides
    return None if None in parts else not decides


@settings(deadline=None)
@given(formulas)
def test_any_formula_follows_three_valued_logic(formula: Any) -> None:
    """evaluate() is Kleene's logic for every formula and all 27 assignments."""
    types = {"a": "bool", "b": "bool", "c": "bool"}
    expression = compile_expression(written(formula), types)
    for values in product(KLEENE, repeat=3):
        named = dict(zip("abc", values, strict=True))
        bound = {name: value for name, value in named.items() if value is not None}
        found = expression.evaluate(bound)

        assert (None if found is UNKNOWN else found) == kleene(formula, named)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(observation_types())), values))
def test_no_binding_makes_it_raise(bindings: dict[str, Any]) -> None:
    """Whatever is bound, the answer is true, false or unknown."""
    source = (
        "value < 5 && json.a == 'x' || response.status == 200 || size(series) > 1 "
        "|| 'x' in addresses || stdout.contains('x') || values.all(v, v < 3)"
    )

    assert seen(source, bindings) in (True, False, UNKNOWN)


@pytest.mark.timed
def test_evaluation_is_fast_and_not_parsed_again() -> None:
    """10,000 evaluations of a common condition take less than a second."""
    expression = compile_expression("!checks.lag.ok && checks.disk.value < 5", TYPES)
    begun = time.process_time()
    for _ in range(10_000):
        expression.evaluate({"checks.lag.ok": False, "checks.disk.value": 3.0})

    assert time.process_time() - begun < 1.0
    assert compile_expression(expression.source, dict(TYPES)) is expression
