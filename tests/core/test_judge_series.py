"""One number, several series, none: what counts as seen."""

from math import inf, nan
from typing import Any

import pytest
from judge_pieces import TWO, answer


@pytest.mark.parametrize("over", [None, "all", "any"])
@pytest.mark.parametrize("pass_", ["value < 5", "value >= 5", "!(value < 5)"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (nan, "value is nan"),
        (inf, "value is inf"),
        (-inf, "value is -inf"),
        ("", 'value is "", not a number'),
        ("3", 'value is "3", not a number'),
        (None, "value is null, not a number"),
        (True, "value is true, not a number"),
        (10**400, "value is too large for a number"),
    ],
)
def test_f30_what_is_no_number_is_unknown(
    value: Any, said: str, pass_: str, over: str | None
) -> None:
    """NaN, infinities, text, null: neither `<` nor its opposite is told."""
    assert answer({"value": value}, pass_, pass_for=over) == ("unknown", said)


@pytest.mark.parametrize("seen", [{"series": []}, {"values": []}])
@pytest.mark.parametrize("pass_", [None, "size(series) == 0", "value < 5"])
def test_f31_an_empty_answer_is_unknown(
    seen: dict[str, Any], pass_: str | None
) -> None:
    """No series is neither good nor bad."""
    assert answer(seen, pass_) == (
        "unknown",
        "no series came back: empty is neither good nor bad",
    )


def test_f31_several_series_without_pass_for_are_unknown() -> None:
    """One value was expected: how many came back, and which, is said."""
    assert answer(TWO, "value < 5") == (
        "unknown",
        (
            '2 series came back ({topic="fanout"}, {topic="media"}), '
            "and no `pass_for: all` or `any`"
        ),
    )


@pytest.mark.parametrize("name", ["value", "values"])
@pytest.mark.parametrize(
    ("over", "numbers", "expected"),
    [
        ("all", [3.0, 9.0], "fail"),
        ("any", [3.0, 9.0], "pass"),
        ("all", [3.0, 4.0], "pass"),
        ("any", [8.0, 9.0], "fail"),
        ("all", [3.0, nan], "unknown"),
        ("any", [3.0, nan], "pass"),
        ("all", [9.0, nan], "fail"),
        ("any", [9.0, nan], "unknown"),
    ],
)
def test_f30_pass_for_is_three_valued_over_the_series(
    name: str, over: str, numbers: list[float], expected: str
) -> None:
    """One bad series fails `all`, one good one passes `any`, NaN decides neither."""
    series = [{"labels": {}, "value": number} for number in numbers]
    seen = {"series": series, "values": numbers}

    assert answer(seen, f"{name} < 5", pass_for=over)[0] == expected


def test_the_series_that_decided_is_named() -> None:
    """The reason names the value, its labels, and the rule."""
    assert answer(TWO, "value < 5", pass_for="all") == (
        "fail",
        'value 9 of {topic="media"} (2 series), pass for all: value < 5',
    )


@pytest.mark.parametrize("over", [None, "all", "any"])
@pytest.mark.parametrize(
    ("pass_", "expected"),
    [
        ("values.all(v, v < 10)", "pass"),
        ("values.exists(v, v > 10)", "fail"),
        ("series.exists(s, s.labels.topic == 'media' && s.value > 5)", "pass"),
        ("size(series) == 2", "pass"),
    ],
)
def test_a_pass_over_the_whole_list_needs_no_pass_for(
    pass_: str, expected: str, over: str | None
) -> None:
    """Where `pass` itself goes through the series, it is judged once."""
    assert answer(TWO, pass_, pass_for=over)[0] == expected


def test_one_series_gives_the_value() -> None:
    """A single series is the one sample, also where no `value` was filled in."""
    seen = {"series": [{"labels": {}, "value": 3.0}]}

    assert answer(seen, "value < 5")[0] == "pass"
