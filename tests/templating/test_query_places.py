"""Values inside Datadog queries and NRQL: they name something and do nothing else."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import TemplateProblem
from engine.model.kinds import Place
from engine.templating import render

ALL = frozenset({"x"})
NOBODY: frozenset[str] = frozenset()
TAG = (
    "'x' may come from outside and is no tag: letters, digits and _ . : / - alone may "
    "stand inside the braces of a Datadog query"
)
WORD = (
    "'x' stands outside the braces of a Datadog query, where only a word or a number "
    "may come from outside. Give the input a pattern"
)
BARE = (
    "'x' stands outside quotes in NRQL, where only a word or a number may come from "
    "outside. Put it in quotes, or give the input a pattern"
)
LEAVES = "'x' holds a quote, backslash or control character: not in NRQL"
LIKE = (
    "'x' holds a sign that LIKE or RLIKE takes for anything. Compare with =, or give "
    "the input a pattern"
)


def put(source: str, value: Any, place: Place, outside: frozenset[str] = ALL) -> Any:
    """Return the text, or what is wrong with it."""
    try:
        return render(source, {"x": value}, place=place, outside=outside)
    except TemplateProblem as problem:
        return problem.message


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("avg:m{host:{{ x }}}", "web-1.eu:80/a", "avg:m{host:web-1.eu:80/a}"),
        ("avg:m{host:{{ x }}}", "übung", "avg:m{host:übung}"),
        ("avg:m{host:{{ x }}}", "*", TAG),
        ("avg:m{host:{{ x }}}", "a,env:prod", TAG),
        ("avg:m{host:{{ x }}}", "a} / avg:n{*", TAG),
        ("avg:m{host:{{ x }}}", "a OR b", TAG),
        ("avg:m{host:{{ x }}}", "", TAG),
        ("avg:m{ {{ x }} }", "-host:a", TAG),
        ("avg:m{ {{ x }} }", "!host:a", TAG),
        ("avg:m{*} by { {{ x }} }", "host", "avg:m{*} by { host }"),
        ("avg:{{ x }}{*}", "shop.latency", "avg:shop.latency{*}"),
        ("avg:{{ x }}{*}", "a{*}-b", WORD),
        ("avg:m{*} * {{ x }}", 2.5, "avg:m{*} * 2.5"),
        ("avg:m{*} * {{ x }}", -3, "avg:m{*} * -3"),
        ("avg:m{*} * {{ x }}", "2/0", WORD),
        ("avg:m{a:b} - avg:m{a:{{ x }}}", "c", "avg:m{a:b} - avg:m{a:c}"),
        (
            "avg:m{host:{{ x }}}",
            ["a"],
            "'x' is a list, which cannot stand inside a Datadog query",
        ),
    ],
)
def test_datadog_values_stay_a_tag_or_a_word(
    source: str, value: Any, expected: str
) -> None:
    """
    A value widens no scope, ends no braces and computes nothing.
    """
    assert expected == put(source, value, "datadog")


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("WHERE a = '{{ x }}'", "b c-1", "WHERE a = 'b c-1'"),
        ("WHERE a = '{{ x }}'", "b%_*", "WHERE a = 'b%_*'"),
        ("WHERE a = '{{ x }}'", "b' OR 'a' = 'a", LEAVES),
        ("WHERE a = '{{ x }}'", "b\\", LEAVES),
        ('WHERE a = "{{ x }}"', 'b" OR true', LEAVES),
        ("WHERE a = '{{ x }}'", "b\nFROM", LEAVES),
        ("SELECT `{{ x }}` FROM T", "a b", "SELECT `a b` FROM T"),
        ("SELECT `{{ x }}` FROM T", "a` b", LEAVES),
        ("SELECT {{ x }} FROM T", "average", "SELECT average FROM T"),
        ("SELECT {{ x }} FROM T", "a FROM U", BARE),
        ("WHERE n > {{ x }}", -5, "WHERE n > -5"),
        ("WHERE n > {{ x }}", "5 OR 1", BARE),
        ("WHERE a LIKE '{{ x }}'", "b", "WHERE a LIKE 'b'"),
        ("WHERE a LIKE '%{{ x }}%'", "%", LIKE),
        ("WHERE a like '{{ x }}'", "_", LIKE),
        ("WHERE a RLIKE r'{{ x }}'", ".*", LIKE),
        ("WHERE a RLIKE '{{ x }}'", "a|b", LIKE),
        (
            "WHERE a LIKE 'b' AND c = '{{ x }}'",
            "100%",
            "WHERE a LIKE 'b' AND c = '100%'",
        ),
        ("WHERE a LIKE ('b', '{{ x }}')", "100%", LIKE),
        ("SELECT a -- don't\nWHERE {{ x }}", "b OR c", BARE),
        (
            "WHERE u = 'http://a' AND b = '{{ x }}'",
            "c d",
            "WHERE u = 'http://a' AND b = 'c d'",
        ),
        ("SELECT capture(a, r'{{ x }}')", ".*", LIKE),
        (
            "WHERE a = '\\{{ x }}'",
            "b",
            "'x' stands behind a backslash in NRQL. Take it out",
        ),
        (
            "WHERE a IN ('{{ x }}')",
            ["a"],
            "'x' is a list, which cannot stand inside NRQL",
        ),
    ],
)
def test_nrql_values_stay_inside_their_string(
    source: str, value: Any, expected: str
) -> None:
    """
    A value ends no string and matches nothing but itself.
    """
    assert expected == put(source, value, "nrql")


def test_trusted_values_are_taken_as_they_are() -> None:
    """
    A choice may be part of a query, and an input with a pattern a whole scope.
    """
    assert "avg:m{a:b,c:*}" == put(
        "avg:m{ {{ x }} }", "a:b,c:*", "datadog", NOBODY
    ).replace(" ", "")
    assert "WHERE a = 'b' OR c" == put("WHERE {{ x }}", "a = 'b' OR c", "nrql", NOBODY)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_no_value_leaves_the_braces_of_datadog(value: str) -> None:
    """
    Whatever the value, the braces and the rest of the query are the author's.
    """
    text = put("avg:m{host:{{ x }}} > 3", value, "datadog")

    assert text == TAG or re.fullmatch(r"avg:m\{host:[^{}\s,*!]+\} > 3", text)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_no_value_leaves_a_string_of_nrql(value: str) -> None:
    """
    Whatever the value, the quote that ends the string is the author's.
    """
    text = put("WHERE a = '{{ x }}' AND b", value, "nrql")

    assert text == LEAVES or re.fullmatch(
        r"WHERE a = '[^'\"`\\]*' AND b", text, re.DOTALL
    )
