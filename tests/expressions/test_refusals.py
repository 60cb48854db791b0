"""What is no condition: where, what, and what to write instead."""

import time
from typing import Any

import pytest

from engine.errors import ExpressionProblem
from engine.expressions import (
    UNKNOWN,
    compile_expression,
    observation_types,
    run_types,
)
from tests.timing import at_once

TYPES = run_types(
    {"region": "string", "namespace": "string"},
    ["lag", "hot-partition"],
    {"hand": {"fixed": "boolean"}},
)


BOMBS = [
    "9**9**9",
    "'a'*10**9 == 'x'",
    "'a' * 1000000000 == 'x'",
    "(" * 1500 + "true" + ")" * 1500,
    "[" * 4000,
    "{" * 4000,
    "labels" + ".a" * 2000 + " == 'x'",
    " + ".join(["1"] * 900) + " > 0",
    "held.all(a, " * 4 + "true" + ")" * 4,
    "held.all(x, " * 100 + "true" + ")" * 100,
    '"' * 4001,
    "held.map(" * 300,
]


def problem(source: str, yields: Any = "bool") -> tuple[int, int, str]:
    """Return line, column and message of what is wrong."""
    with pytest.raises(ExpressionProblem) as caught:
        compile_expression(source, TYPES, yields)
    return caught.value.line, caught.value.column, caught.value.message


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "checks.lg.ok",
            (1, 1, "'checks.lg.ok' is not declared. Did you mean checks.lag.ok?"),
        ),
        (
            "!checks.lag.ok &&\n  checks.lg.ok",
            (2, 3, "'checks.lg.ok' is not declared. Did you mean checks.lag.ok?"),
        ),
        ("lag", (1, 1, "'lag' is not declared. Did you mean checks.lag.ok?")),
        (
            "checks.hot-partition.okay",
            (
                1,
                1,
                (
                    "'checks.hot-partition.okay' is not declared. "
                    "Did you mean checks.hot-partition.ok?"
                ),
            ),
        ),
        (
            "xyz == 1",
            (
                1,
                1,
                (
                    "'xyz' is not declared. Known: annotations, answers, cause, "
                    "checks, end, held, labels, namespace, region."
                ),
            ),
        ),
        ("sise(held) == 0", (1, 5, "'sise' is not a function. Did you mean size?")),
        ("checks.lag.ok == 3", (1, 15, "'==' cannot compare bool with int")),
        ("checks.lag.value < 'x'", (1, 18, "'<' cannot compare double with string")),
        (
            "labels[checks.lag.ok]",
            (1, 7, "[ ] does not take map and bool"),
        ),
        ("[[1]] == labels", (1, 7, "'==' cannot compare list with map")),
        ("true ? 1 : 'a'", (1, 6, "? : does not take bool, int, string")),
        ("!region", (1, 1, "'!' does not take string")),
        (
            "region = 'a'",
            (
                1,
                8,
                "this is not CEL: token recognition error at: '= '; write == to compare",
            ),
        ),
        ("namespace == 3", (1, 11, "'==' cannot compare string with int")),
        ("region", (1, 1, "this gives string, where true or false is needed")),
        (
            "checks.lag.ok and true",
            (1, 15, "this is not CEL: write && for 'and'"),
        ),
        ("", (1, 1, "the condition is empty")),
        ("a" * 5000, (1, 1, "the condition has 5000 characters; at most 4,096")),
        ("region == 'a\x07'", (1, 13, "a control character stands here; take it out")),
    ],
)
def test_a_problem_says_where_and_what_to_write(
    source: str, expected: tuple[int, int, str]
) -> None:
    """Line, column, the author's own words, and the nearest name."""
    assert problem(source) == expected


def test_a_list_is_needed() -> None:
    """A condition that must give a list and gives something else is refused."""
    assert problem("region", "list") == (
        1,
        1,
        "this gives string, where a list is needed",
    )


@pytest.mark.timed
@pytest.mark.parametrize("source", BOMBS)
def test_f92_bombs_are_refused_at_once(source: str) -> None:
    """Powers, repeated text and deep nesting end in a problem within 100 ms."""
    line, column, message = problem(source)

    assert (line, column, bool(message)) >= (1, 1, True)
    assert at_once(lambda attempt: problem(source))


@pytest.mark.timed
@pytest.mark.parametrize("source", ["!" * 4000 + "true", "-" * 4000 + "1 > 0"])
def test_f92_thousands_of_signs_are_one_level(source: str) -> None:
    """Signs before a value are counted, not nested: the answer comes at once."""
    answers = []

    def ask(attempt: int) -> None:
        expression = compile_expression(source + " " * (attempt + 1), {})
        answers.append(expression.evaluate({}))

    assert at_once(ask)
    assert [True] * 6 == answers


@pytest.mark.timed
def test_f92_regular_expressions_take_linear_time() -> None:
    """A pattern that backtracks for ever elsewhere answers within 100 ms."""
    expression = compile_expression("stdout.matches('(a+)+$')", observation_types())
    begun = time.process_time()
    found = expression.evaluate({"stdout": "a" * 50_000 + "b"})

    assert found is False
    assert time.process_time() - begun < 0.1


@pytest.mark.timed
@pytest.mark.parametrize(
    ("source", "yields"),
    [
        ("json.all(a, json.all(b, json.all(c, a + b + c >= 0)))", "bool"),
        ("json.map(a, json.map(b, json.map(c, [a, b, c])))", "list"),
        ("json.map(a, stdout + stdout + stdout)", "list"),
        ("json.map(a, json + json + json)", "list"),
        ("[stdout + stdout].exists(a, [a + a].exists(b, size(b + b) > 0))", "bool"),
        ("[1, 2, 3, 4].map(a, json.map(b, [a, b, stdout]))", "list"),
    ],
)
def test_f92_lists_of_lists_end_soon(source: str, yields: Any) -> None:
    """Nested macros over large values are unknown within 100 ms."""
    expression = compile_expression(source, observation_types(), yields)
    bound = {"json": list(range(5000)), "stdout": "x" * 100_000}
    begun = time.process_time()
    found = expression.evaluate(bound)

    assert found is UNKNOWN
    assert time.process_time() - begun < 0.1


def test_control_characters_in_a_string_cannot_change_the_program() -> None:
    """A string spelled like the compiled form of an operator is refused."""
    assert problem(r"region == '\x12\x03_<_'") == (
        1,
        1,
        "this is not CEL: a string of it holds control characters; leave them out",
    )
