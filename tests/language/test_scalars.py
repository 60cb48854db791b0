"""Plain scalars follow the core schema of YAML 1.2."""

import math

import pytest

from engine.language.scalars import plain_scalar


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("5", 5), ("-5", -5), ("+5", 5), ("0", 0), ("0o17", 15), ("0x1F", 31),
        ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-1.5E-2", -0.015),
        (".inf", math.inf), ("-.INF", -math.inf),
    ],
)  # fmt: skip
def test_a_core_scalar_has_its_value(text: str, expected: object) -> None:
    """
    What YAML 1.2 calls null, boolean or number is one, of that very type.
    """
    value = plain_scalar(text)

    assert (type(expected), expected) == (type(value), value)


@pytest.mark.parametrize(
    "text",
    [
        "on", "off", "yes", "no", "y", "n", "22:22", "0644", "007.5", "1_000", "~x",
        "tRue", "NULLS", "1.2.3", "2001-01-01", "0o9", "0xg", "--1", "1e", "e3", "-",
        "+", ".", "=", "..", "0b1", "nan", "inf",
    ],
)  # fmt: skip
def test_everything_else_stays_text(text: str) -> None:
    """
    Words and digits that other YAML readers turn into something else stay as written.
    """
    assert text == plain_scalar(text)


def test_f30_nan_is_the_number_that_is_none() -> None:
    """
    `.nan` is a float: a check's script may use it, and pass judges it unknown.
    """
    value = plain_scalar(".NaN")

    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize(
    "text", ["9223372036854775808", "9" * 5000, "1e999", "0x" + "f" * 99]
)
def test_a_number_beyond_64_bits_is_refused(text: str) -> None:
    """
    A number that would lose digits or become infinite is no number here.
    """
    with pytest.raises(OverflowError):
        plain_scalar(text)
