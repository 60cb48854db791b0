"""Acts that no runbook may do here, whoever wrote and approved it.

A rule is a kind, or a /regex/ (RE2) that is looked for in the kind and what the act is
given, written as one line: `command argv rm -rf /backups`. Pure.

Read by: analysis.forbidden (a file that would do it is refused), runtime.perform (what
a value made of it is refused right before the act).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.expressions import matches

LONGEST = 65_536  # characters of an act that are looked at; longer is refused


def forbidden_by(rules: Sequence[str], kind: str, params: Any) -> str:
    """Return the rule that forbids the act, or an empty string."""
    if not rules:
        return ""
    line = act_line(kind, params)
    return next((rule for rule in rules if _fits(rule, kind, line)), "")


def act_line(kind: str, params: Any) -> str:
    """Return an act as rules see it: the kind, then keys and values, one space each."""
    return " ".join((kind, *_words(params)))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield str(key)
            yield from _words(one)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for one in value:
            yield from _words(one)
    elif value is not None:
        yield str(value).lower() if isinstance(value, bool) else str(value)


def _fits(rule: str, kind: str, line: str) -> bool:
    if not is_regex(rule):
        return rule == kind
    return len(line) > LONGEST or matches(f"(?s:.*)(?:{rule[1:-1]})(?s:.*)", line)


def is_regex(rule: str) -> bool:
    """Return whether the rule is a /regex/; else it is a kind."""
    return len(rule) > 2 and rule.startswith("/") and rule.endswith("/")
