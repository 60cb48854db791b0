"""G23: acts that no runbook may do, by kind or by what they would do."""

from typing import Any

import pytest

from engine.core.forbidden import act_line, forbidden_by

RULES = ["silence", "/rm -rf/", "/tls(_verify)? false/", r"/delete \S*\/backups/"]


@pytest.mark.parametrize(
    ("kind", "params", "rule"),
    [
        ("silence", {"matchers": {"a": "b"}}, "silence"),
        ("command", {"argv": ["rm", "-rf", "/data"]}, "/rm -rf/"),
        ("command", {"argv": ["rm", "/data"]}, ""),
        ("command", {"argv": ["echo", "silence"]}, ""),
        ("http", {"put": "http://a/b", "json": {"tls": False}}, RULES[2]),
        ("http", {"delete": "http://a/backups/1"}, RULES[3]),
        ("http", {"get": "http://a/backups/1"}, ""),
        ("command", {"argv": ["x\nrm", "-rf"]}, "/rm -rf/"),
        ("command", {"argv": ["a" * 70_000]}, "/rm -rf/"),
    ],
    ids=range(9),
)
def test_g23_a_rule_is_found_in_kind_and_text(
    kind: str, params: dict[str, Any], rule: str
) -> None:
    """A kind fits alone, a pattern anywhere in the act; too long an act is refused."""
    assert rule == forbidden_by(RULES, kind, params)


def test_g23_an_act_is_one_line_of_keys_and_values() -> None:
    """What a rule sees is the kind, then every key and value in order."""
    params = {"put": "http://a", "json": {"n": 1, "on": True, "list": ["x", None]}}

    assert "http put http://a json n 1 on true list x" == act_line("http", params)


def test_g23_without_rules_everything_is_allowed() -> None:
    """No rule forbids nothing."""
    assert "" == forbidden_by([], "command", {"argv": ["rm", "-rf", "/"]})
