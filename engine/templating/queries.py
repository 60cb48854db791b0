"""How a value may stand inside a query of Datadog, and inside NRQL.

Neither language has an escape that could be tried here, so a value from outside is not
escaped but refused where it could do more than name something. Called by: places.
"""

import re
from typing import Final

DATADOG_WORD: Final = re.compile(r"[A-Za-z0-9_.]+")  # a metric, a number
DATADOG_TAG: Final = re.compile(r"[\w.:/][\w.:/-]*")  # no comma, no star, no space
NRQL_WORD: Final = re.compile(r"[A-Za-z0-9_.:]+")
NRQL_QUOTES: Final = re.compile(
    r"--[^\n]*|//[^\n]*|/\*.*?\*/"  # comments, where a quote is none
    r"|(?P<q>['\"`])(?:\\.|(?!(?P=q)).)*(?P<end>(?P=q)?)",
    re.DOTALL,
)
NRQL_LEAVES: Final = re.compile(r"['\"`\\\x00-\x1f\x7f]")
LIKE: Final = re.compile(  # up to the quote, over a list of patterns
    r"""\b(?P<r>r?)like\b(?:\s|any\b|all\b|[(,]|r?'[^']*'|r?"[^"]*")*r?$""",
    re.IGNORECASE,
)
REGEX_STRING: Final = re.compile(r"\br$", re.IGNORECASE)  # before the quote: r'a.*'
LIKE_SIGNS: Final = re.compile(r"[%_]")
RLIKE_SIGNS: Final = re.compile(r"[.+*?()|\[\]{}^$]")


def datadog_fault(text: str, before: str) -> str:
    """Return why a value from outside may not stand here, or nothing.

    Args:
        text: The value.
        before: The query up to here.
    """
    if before.rpartition("{")[2].count("}") == 0 and "{" in before:
        if DATADOG_TAG.fullmatch(text):
            return ""
        return (
            "may come from outside and is no tag: letters, digits and _ . : / - alone "
            "may stand inside the braces of a Datadog query"
        )
    if DATADOG_WORD.fullmatch(text):
        return ""
    return (
        "stands outside the braces of a Datadog query, where only a word or a number "
        "may come from outside. Give the input a pattern"
    )


def nrql_fault(text: str, before: str) -> str:
    """Return why a value from outside may not stand here, or nothing.

    Args:
        text: The value.
        before: The query up to here.
    """
    at = _open_quote(before)
    if at is None:
        if NRQL_WORD.fullmatch(text):
            return ""
        return (
            "stands outside quotes in NRQL, where only a word or a number may come "
            "from outside. Put it in quotes, or give the input a pattern"
        )
    if NRQL_LEAVES.search(text):
        return "holds a quote, backslash or control character: not in NRQL"
    if before.endswith("\\"):
        return "stands behind a backslash in NRQL. Take it out"
    if (signs := _signs(before[:at])) is not None and signs.search(text):
        return (
            "holds a sign that LIKE or RLIKE takes for anything. Compare with =, or "
            "give the input a pattern"
        )
    return ""


def _signs(before: str) -> re.Pattern[str] | None:
    """Return the signs that a string opened here takes for anything, or None."""
    matching = LIKE.search(before)
    if REGEX_STRING.search(before) or (matching is not None and matching["r"]):
        return RLIKE_SIGNS
    return None if matching is None else LIKE_SIGNS


def _open_quote(text: str) -> int | None:
    for found in NRQL_QUOTES.finditer(text):
        if found["q"] and not found["end"]:
            return found.start()
    return None
