"""What a plain YAML scalar is: the core schema of YAML 1.2, with one difference.

A number that begins with a needless zero (`0644`, `007.5`) stays text, since it is a
file mode, an identifier or a telephone number far more often than a number.

Source: YAML 1.2.2, section 10.3.2. Read by: tree.
"""

import re
from typing import Final

NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
BOOLEAN: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
OCTAL: Final = re.compile(r"0o[0-7]+")
HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+")
FLOAT: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
)
INFINITE: Final = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
NOT_A_NUMBER: Final = frozenset({".nan", ".NaN", ".NAN"})
LARGEST: Final = 2**63  # what CEL, JSON readers and databases hold without loss
DIGITS: Final = 40  # longer digits are no number that anybody means

Scalar = str | int | float | bool | None


def plain_scalar(text: str) -> Scalar:
    """Return the value of an unquoted scalar.

    Raises:
        OverflowError: an integer outside 64 bits, or a float that becomes infinite.
    """
    if text in NULL:
        return None
    if text in BOOLEAN:
        return BOOLEAN[text]
    if text[0] not in "+-.0123456789":
        return text
    return _number(text)


def _number(text: str) -> Scalar:
    if INTEGER.fullmatch(text):
        return _integer(text, 10)
    if OCTAL.fullmatch(text):
        return _integer(text[2:], 8)
    if HEXADECIMAL.fullmatch(text):
        return _integer(text[2:], 16)
    if FLOAT.fullmatch(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise OverflowError
        return value
    if found := INFINITE.fullmatch(text):
        return float(found[1] + "inf")
    return float("nan") if text in NOT_A_NUMBER else text


def _integer(digits: str, base: int) -> int:
    if len(digits) > DIGITS:
        raise OverflowError
    value = int(digits, base)
    if not -LARGEST <= value < LARGEST:
        raise OverflowError
    return value
