"""Typed answers: what fits a field, and what is said of what does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.asking import answer_problem

FIELDS: dict[str, dict[str, Any]] = {
    "text": {"type": "string", "pattern": "[a-z]+"},
    "whole": {"type": "integer", "min": 1, "max": 9},
    "number": {"type": "number"},
    "yes or no": {"type": "boolean"},
    "choice": {"type": "choice", "of": ["here", 2]},
    "list of numbers": {"type": "list", "of": "integer", "max": 2},
    "list of a choice": {"type": "list", "of": ["a", "b"]},
    "list": {"type": "list"},
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("text", "abc", ""),
        ("text", "A", "text that matches [a-z]+ as a whole, not 'A'"),
        ("text", 5, "text, not 5"),
        ("whole", 9, ""),
        ("whole", 10, "a number of at most 9, not 10"),
        ("whole", 2.5, "a whole number such as 5, not 2.5"),
        ("whole", True, "a whole number such as 5, not True"),
        ("number", 2, ""),
        ("number", float("inf"), "a number such as 1.5, not inf"),
        ("yes or no", False, ""),
        ("yes or no", "false", "true or false, not 'false'"),
        ("choice", 2, ""),
        ("choice", "there", "one of here, 2, not 'there'"),
        ("choice", ["here"], "one of here, 2, not ['here']"),
        ("list of numbers", [1, 2], ""),
        ("list of numbers", [1, 2, 3], "a list with a length of at most 2, not [1, 2, 3]"),
        ("list of numbers", "1", "a list such as a,b, not '1'"),
        ("list of a choice", ["a"], ""),
        ("list of a choice", ["c"], "a list with members out of a, b, not ['c']"),
        ("list", [], ""),
    ],
)  # fmt: skip
def test_an_answer_fits_its_field_or_is_told_why_not(
    field: str, value: Any, expected: str
) -> None:
    """Type, range, pattern and length of a field are judged, at every door."""
    said = f"'x' is to be {expected}" if expected else ""

    assert said == answer_problem("x", FIELDS[field], value)


@given(field=st.sampled_from(sorted(FIELDS)), value=ANYTHING)
def test_no_answer_breaks_the_run(field: str, value: Any) -> None:
    """Whatever a person's program sends is judged; the core never raises."""
    assert isinstance(answer_problem("x", FIELDS[field], value), str)


@pytest.mark.parametrize("field", [{"type": "colour"}, {}, {"type": "integer", "a": 1}])
def test_a_field_that_cannot_be_read_takes_any_answer(field: dict[str, Any]) -> None:
    """A runbook with it is refused; a run that has one already is not stuck."""
    assert ("", "'x' is missing") == (
        answer_problem("x", field, 5),
        answer_problem("x", field, None),
    )
