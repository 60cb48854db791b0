"""Values at their places: PromQL, URLs, arguments, hosts, headers."""

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import TemplateProblem
from engine.model.kinds import Place
from engine.templating import render, render_params

ALL = frozenset({"x"})
HOST = (
    "'x' would name a host, and it may come from outside. "
    "Give the input a pattern, or make it a choice"
)
DASH = "'x' begins with '-' and may come from outside: it could be taken for an option"
BARE = (
    "'x' stands outside quotes in PromQL, where only a word or a number may come "
    "from outside. Put it in quotes, or give the input a pattern"
)
CLIMBS = "a value makes '.' or '..' a part of the path: it would lead elsewhere"


def put(source: str, value: Any, place: Place, outside: frozenset[str] = ALL) -> Any:
    """Return the text, or what is wrong with it."""
    try:
        return render(source, {"x": value}, place=place, outside=outside)
    except TemplateProblem as problem:
        return problem.message


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ('up{a="{{ x }}"}', 'b"} or vector(1) #', r'up{a="b\"} or vector(1) #"}'),
        ('up{a="{{ x }}"}', "a\\", r'up{a="a\\"}'),
        ('up{a="{{ x }}"}', "a\nb\x00", r'up{a="a\nb\x00"}'),
        ("up{a='{{ x }}'}", "it's", r"up{a='it\'s'}"),
        ("up{a='{{ x }}'}", 'a"b', "up{a='a\"b'}"),
        ("up{a=`{{ x }}`}", "a\\b", "up{a=`a\\b`}"),
        ('up{a="b", c="{{ x }}"}', "d", 'up{a="b", c="d"}'),
        ("up # don't\n > {{ x }}", 5, "up # don't\n > 5"),
        ("up[{{ x }}] > 3", "5m", "up[5m] > 3"),
        ("{{ x }}", "node_load1", "node_load1"),
        ("up > {{ x }}", -5.0, "up > -5"),
        ("up > {{ x }}", "5 or vector(1)", BARE),
        ("{{ x }}", 'up{a="b"}', BARE),
        (
            "up{a=`{{ x }}`}",
            "a`",
            "'x' holds a backtick, which would end the PromQL string",
        ),
        (
            'up{a="\\{{ x }}"}',
            '"',
            "'x' stands behind a backslash in a PromQL string. Take it out",
        ),
        ('up{a=~"{{ x }}"}', ".*", 'up{a=~"\\\\.\\\\*"}'),
        ('up{a!~"{{ x }}"}', "a|b", 'up{a!~"a\\\\|b"}'),
        ('up{a=~"{{ x }}"}', ["a.b", "c"], 'up{a=~"a\\\\.b|c"}'),
        (
            'up{a=~"{{ x }}"}',
            [],
            "'x' is an empty list, which would match what has no such label",
        ),
        (
            "{{ x }}",
            ["a"],
            "'x' is a list, which cannot stand outside quotes in PromQL",
        ),
        ("{{ x }}", {"a": 1}, "'x' is a map, which cannot stand inside PromQL"),
        ('up{a="{{ x }}"}', None, "'x' has no value here"),
        (
            'up{a="{{ x }}"}',
            ["a"],
            "'x' is a list; write it into a matcher with =~ (\"{{ hosts }}\")",
        ),
    ],
)
def test_promql_values_stay_inside_their_string(
    source: str, value: Any, expected: str
) -> None:
    """A value ends no PromQL string and adds no operator to the query."""
    assert put(source, value, "promql") == expected


def test_a_number_too_long_to_write_is_a_problem() -> None:
    """Thousands of digits end in a problem, not in a traceback."""
    assert put('up{a="{{ x }}"}', 10**5000, "promql") == (
        "'x' cannot be written as text"
    )


def test_promql_takes_trusted_values_as_they_are() -> None:
    """A choice may be a query, and an input with a pattern a regular expression."""
    nobody: frozenset[str] = frozenset()

    assert put("{{ x }}", 'up{a="b"}', "promql", nobody) == 'up{a="b"}'
    assert put('up{a=~"{{ x }}"}', "a|b", "promql", nobody) == 'up{a=~"a|b"}'


@settings(deadline=None)
@given(st.text(max_size=30))
def test_no_value_leaves_a_promql_string(value: str) -> None:
    """Whatever the value, the quote that ends the string is the author's."""
    text = put('up{a="{{ x }}"} > 3', value, "promql")
    inside = text.removeprefix('up{a="').removesuffix('"} > 3')
    bare = inside.replace("\\\\", "").replace('\\"', "")

    assert (text, '"' in bare, "\n" in bare) == (
        f'up{{a="{inside}"}} > 3',
        False,
        False,
    )


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("https://h/{{ x }}/b", "a/b?c#d", "https://h/a%2Fb%3Fc%23d/b"),
        ("https://h/{{ x }}/b", "../../admin", "https://h/..%2F..%2Fadmin/b"),
        ("https://h/a?q={{ x }}", "a&b=c d", "https://h/a?q=a%26b%3Dc%20d"),
        ("https://h/a?q={{ x }}", "", "https://h/a?q="),
        ("https://h/v{{ x }}", 2, "https://h/v2"),
        ("/v1/{{ x }}", "é", "/v1/%C3%A9"),
        ("https://h:{{ x }}/a", 8080, "https://h:8080/a"),
        ("https://h/{{ x }}/b", "..", CLIMBS),
        ("https://h/{{ x }}{{ x }}", ".", CLIMBS),
        ("https://h/{{ x }}/b", "", "'x' is empty here, in the path of a URL"),
        ("https://{{ x }}/b", "evil.example", HOST),
        ("https://{{ x }}/b", 2130706433, HOST),
        ("https://a.{{ x }}.example/b", "c", HOST),
        ("https://user@{{ x }}/b", "c", HOST),
        ("https:{{ x }}", "//evil.example", HOST),
        ("{{ x }}", "https://evil.example", HOST),
        ("{{ x }}/a", "https://evil.example", HOST),
        ("https://h:{{ x }}/a", "80@evil.example", HOST),
        ("https://h/{{ x }}", ["a"], "'x' is a list, which cannot stand inside a URL"),
    ],
)
def test_url_values_are_one_segment_and_name_no_host(
    source: str, value: Any, expected: str
) -> None:
    """A value adds no path, no query and no host to a URL."""
    assert put(source, value, "url") == expected


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("{{ x }}", "https://h.example/a?b=c", "https://h.example/a?b=c"),
        ("{{ x }}/a", "https://h.example", "https://h.example/a"),
        ("https://{{ x }}/a", "h.example:8080", "https://h.example:8080/a"),
        (
            "https://{{ x }}/a",
            "h.example@evil",
            "'x' is 'h.example@evil', which cannot be part of a host",
        ),
        ("https://h/{{ x }}", "a/b", "https://h/a%2Fb"),
    ],
)
def test_a_trusted_value_may_name_a_host(
    source: str, value: str, expected: str
) -> None:
    """An input with a pattern or a choice may stand where the host does."""
    assert put(source, value, "url", frozenset()) == expected


@settings(deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_no_value_changes_the_rest_of_a_url(value: str) -> None:
    """Scheme, host, number of segments and query are the author's."""
    text = put("https://h.example/a/{{ x }}/b?q={{ x }}", value, "url")
    if text == CLIMBS:
        return
    parts = urlsplit(text)
    segments = parts.path.split("/")

    assert (parts.scheme, parts.netloc, len(segments)) == ("https", "h.example", 4)
    safe = value.encode("utf-8", "replace").decode()
    assert (unquote(segments[2]), unquote(parts.query[2:])) == (safe, safe)


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("{{ x }}", "-rf", DASH),
        ("{{ x }}", -5, DASH),
        ("{{ x | trim }}", "  --force", DASH),
        ("{{ x }}", ["a", "--force"], DASH),
        ("{{ '' }}{{ x }}", "-rf", DASH),
        ("--region={{ x }}", "-rf", "--region=-rf"),
        ("{{ x }}", "a b; reboot", "a b; reboot"),
        ("{{ x }}", 5, "5"),
        ("{{ x }}", ["a", 1], ["a", "1"]),
        ("{{ x }}", {"secret": "token"}, {"secret": "token"}),
        ("{{ x }}", "a\0b", "'x' holds a NUL character: not in an argument"),
        ("{{ x }}", {"a": 1}, "'x' is a map, which cannot stand inside an argument"),
    ],
)
def test_f91_arguments_from_outside_are_no_options(
    source: str, value: Any, expected: Any
) -> None:
    """An argument whose first character came from outside never begins with `-`."""
    assert put(source, value, "argv") == expected


def test_a_trusted_argument_may_begin_with_a_dash() -> None:
    """What the author vouches for is taken as it is."""
    assert put("{{ x }}", "-rf", "argv", frozenset()) == "-rf"


def test_each_argument_of_a_command_is_judged_alone() -> None:
    """The place of `argv` holds for every member of the list."""
    params = {"argv": ["deploy", "--region", "{{ x }}"], "cwd": "{{ x }}"}
    places: dict[str, Place] = {"argv": "argv"}

    assert render_params(params, {"x": "eu"}, places=places, outside=ALL) == {
        "argv": ["deploy", "--region", "eu"],
        "cwd": "eu",
    }
    with pytest.raises(TemplateProblem) as caught:
        render_params(params, {"x": "--all"}, places=places, outside=ALL)
    assert caught.value.message == f"argv.2: {DASH}"


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("{{ x }}", "db.example", HOST),
        ("db-{{ x }}.example", "a.evil.example/", HOST),
        ("db-{{ x }}.example", 4, "db-4.example"),
    ],
)
def test_a_host_from_outside_is_refused(source: str, value: Any, expected: str) -> None:
    """Only a number inside the author's own host name may come from outside."""
    assert put(source, value, "host") == expected


def test_a_trusted_host_is_a_host() -> None:
    """A trusted value has the letters of a host and nothing else."""
    refused = "'x' is 'db/../a', which cannot be part of a host"

    assert put("{{ x }}", "db.example", "host", frozenset()) == "db.example"
    assert put("{{ x }}", "db/../a", "host", frozenset()) == refused


@pytest.mark.parametrize("char", ["\r", "\n", "\0", "\x1b"])
def test_a_header_has_one_line(char: str) -> None:
    """A value adds no header and no escape sequence."""
    assert put("a {{ x }}", f"b{char}c", "header") == (
        "'x' holds a line break or control character: not in a header"
    )


@pytest.mark.parametrize("place", ["json", "text"])
def test_json_and_text_take_values_as_they_are(place: Place) -> None:
    """Nothing is escaped where the adapter writes JSON, or people read."""
    assert put("a {{ x }}", '"\n<!channel>', place) == 'a "\n<!channel>'
    assert put("{{ x }}", {"a": 1}, place) == {"a": 1}
