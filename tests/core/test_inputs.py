"""The inputs of a run: where a value comes from, how text is read, what does not fit."""

from time import process_time
from typing import Any

import pytest

from engine.core.inputs import bind_inputs
from engine.model.runbook import Runbook


def runbook(**inputs: dict[str, Any]) -> Runbook:
    """Return a runbook with these inputs."""
    return Runbook.model_validate(
        {
            "format": 1, "runbook": "r", "title": "t", "owner": "o", "severity": "sev3",
            "restore": [{"wait": "1s"}], "inputs": inputs,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "raw", "expected"),
    [
        ({"type": "string"}, "5", "5"),
        ({"type": "string"}, " a ", " a "),
        ({"type": "integer"}, "5", 5),
        ({"type": "integer"}, "-5", -5),
        ({"type": "integer"}, 5, 5),
        ({"type": "number"}, "2", 2.0),
        ({"type": "number"}, "1.5", 1.5),
        ({"type": "number"}, 2, 2),
        ({"type": "boolean"}, "true", True),
        ({"type": "boolean"}, "False", False),
        ({"type": "boolean"}, True, True),
        ({"type": "choice", "of": ["a", "b"]}, "b", "b"),
        ({"type": "choice", "of": [1, 2]}, "2", 2),
        ({"type": "list"}, "a,b", ["a", "b"]),
        ({"type": "list"}, "a, b", ["a", "b"]),
        ({"type": "list"}, '["a", "b,c"]', ["a", "b,c"]),
        ({"type": "list"}, "", []),
        ({"type": "list", "of": "integer"}, "1,2", [1, 2]),
        ({"type": "list", "pattern": "h[0-9]+", "max": 2}, "h1,h2", ["h1", "h2"]),
        ({"type": "string", "pattern": "[a-z]+"}, "abc", "abc"),
        ({"type": "integer", "min": 1, "max": 5}, "5", 5),
    ],
)
def test_a_value_that_fits_is_read_as_its_type(
    declared: dict[str, Any], raw: Any, expected: Any
) -> None:
    """
    Text from a command line or an alert becomes the input's type.
    """
    values, problems = bind_inputs(runbook(x=declared), {"x": raw}, {}, {})

    assert ([], expected, type(expected)) == (problems, values["x"], type(values["x"]))


@pytest.mark.parametrize(
    ("declared", "raw", "problem"),
    [
        ({"type": "integer"}, "five", "'five' does not fit; expected a whole number such as 5"),
        ({"type": "integer"}, "1.5", "'1.5' does not fit; expected a whole number such as 5"),
        ({"type": "integer"}, "1_0", "'1_0' does not fit; expected a whole number such as 5"),
        ({"type": "integer"}, True, "True does not fit; expected a whole number such as 5"),
        ({"type": "integer"}, "9" * 30, (f"'{'9' * 30}' does not fit; expected a whole "
         "number such as 5")),
        ({"type": "number"}, "nan", "'nan' does not fit; expected a number such as 1.5"),
        ({"type": "number"}, "inf", "'inf' does not fit; expected a number such as 1.5"),
        ({"type": "boolean"}, "yes", "'yes' does not fit; expected true or false"),
        ({"type": "boolean"}, 1, "1 does not fit; expected true or false"),
        ({"type": "string"}, 5, "5 does not fit; expected text"),
        ({"type": "choice", "of": ["a", "b"]}, "c", "'c' does not fit; expected one of a, b"),
        ({"type": "choice", "of": [1]}, True, "True does not fit; expected one of 1"),
        ({"type": "integer", "min": 3}, "2", "'2' does not fit; expected a number of at least 3"),
        ({"type": "number", "max": 0.5}, "0.6",
         "'0.6' does not fit; expected a number of at most 0.5"),
        ({"type": "list", "min": 1}, "", ("'' does not fit; expected a list with a length of "
         "at least 1")),
        ({"type": "list", "of": "integer"}, "1,b", ("'1,b' does not fit; expected a list whose "
         "members are each a whole number such as 5")),
        ({"type": "list", "pattern": "h[0-9]+"}, "h1,x", ("'h1,x' does not fit; expected a list "
         "whose members each match h[0-9]+ as a whole")),
        ({"type": "list"}, "[1", "'[1' does not fit; expected a list such as a,b"),
        ({"type": "list"}, "[" * 5000, f"'{'[' * 58}… does not fit; expected a list such as a,b"),
        ({"type": "string", "pattern": "[a-z]+"}, "abc1",
         "'abc1' does not fit; expected text that matches [a-z]+ as a whole"),
        ({"type": "string", "pattern": "a|b"}, "ax",
         "'ax' does not fit; expected text that matches a|b as a whole"),
        ({"type": "string", "pattern": "[a-z]+"}, "abc\n",
         "'abc\\n' does not fit; expected text that matches [a-z]+ as a whole"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named_with_what_is_expected(
    declared: dict[str, Any], raw: Any, problem: str
) -> None:
    """
    The message has the input, the value given, and what would fit.
    """
    assert ({}, [f"input 'x': {problem}"]) == bind_inputs(
        runbook(x=declared), {"x": raw}, {}, {}
    )


def test_what_is_given_wins_over_the_alert_and_the_alert_over_the_default() -> None:
    """
    A person's word, then the alert's label, then the default.
    """
    declared = {"type": "integer", "from": "labels.n", "default": 3}
    book = runbook(x=declared)

    assert ({"x": 1}, []) == bind_inputs(book, {"x": "1"}, {"n": "2"}, {})
    assert ({"x": 2}, []) == bind_inputs(book, {}, {"n": "2"}, {})
    assert ({"x": 3}, []) == bind_inputs(book, {}, {}, {})


def test_an_annotation_may_be_the_source() -> None:
    """
    `from: annotations.x` reads the annotations, also where the name holds dots.
    """
    book = runbook(x={"type": "string", "from": "annotations.run.by"})

    assert ({"x": "me"}, []) == bind_inputs(book, {}, {}, {"run.by": "me"})


def test_a_missing_value_and_an_unknown_name_are_both_told() -> None:
    """
    All problems come at once; a slip gets the nearest input.
    """
    book = runbook(region={"type": "string", "from": "labels.region"})

    assert (
        {},
        [
            "'regoin' is no input of 'r'. Did you mean 'region'?",
            (
                "input 'region' has no value, and the alert has no labels.region. "
                "Give it one: region=…"
            ),
        ],
    ) == bind_inputs(book, {"regoin": "eu"}, {}, {})


def test_a_bad_label_is_told_with_its_source() -> None:
    """
    When the alert brings the wrong value, the message says which label.
    """
    book = runbook(x={"type": "string", "from": "labels.host", "pattern": "[a-z]+"})

    assert [
        (
            "input 'x': '-rf /' from labels.host does not fit; "
            "expected text that matches [a-z]+ as a whole"
        )
    ] == bind_inputs(book, {}, {"host": "-rf /"}, {})[1]


def test_a_secret_is_not_repeated_in_the_message() -> None:
    """
    What does not fit may still be a password.
    """
    book = runbook(x={"type": "string", "secret": True, "pattern": "[a-z]+"})

    assert [
        (
            "input 'x': its value (a secret) does not fit; "
            "expected text that matches [a-z]+ as a whole"
        )
    ] == bind_inputs(book, {"x": "HUNTER2"}, {}, {})[1]


def test_an_input_without_a_value_may_have_a_null_default() -> None:
    """
    `default: null` means that the input may be left out.
    """
    assert ({"x": None}, []) == bind_inputs(
        runbook(x={"type": "string", "default": None}), {}, {}, {}
    )


@pytest.mark.timed
def test_a_pattern_takes_linear_time() -> None:
    """
    A pattern that backtracks for hours elsewhere is judged at once.
    """
    book = runbook(x={"type": "string", "pattern": "(a+)+b"})
    start = process_time()

    _, problems = bind_inputs(book, {"x": "a" * 5000}, {}, {})

    assert 1 == len(problems)
    assert process_time() - start < 1.0
