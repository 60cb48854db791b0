"""Texts: their names, their values, and what is refused when they are read."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import TemplateProblem
from engine.templating import (
    is_whole,
    params_names,
    render,
    render_params,
    template_names,
)
from engine.templating.filters import OWN
from engine.templating.parsing import ENVIRONMENT, FILTERS
from tests.timing import at_once

REFUSED = [
    ("{{ x.__class__ }}", "no part of a value can be reached here"),
    ("{{ ''.__class__ }}", "no part of a value can be reached here"),
    ("{{ x['a'] }}", "no part of a value can be reached here"),
    ("{{ x|attr('y') }}", "there is no filter 'attr'."),
    ("{{ x | format(1) }}", "there is no filter 'format'."),
    ("{{ x | center(99999999) }}", "there is no filter 'center'."),
    ("{{ x | indent(99999999) }}", "there is no filter 'indent'."),
    ("{{ x | replace('a', 'bb') }}", "there is no filter 'replace'."),
    ("{{ x | map(attribute='y') | join }}", "there is no filter 'map'."),
    ("{{ x | join(attribute='y') }}", "the filter 'join' takes literals only"),
    ("{{ x | join(y) }}", "the filter 'join' takes literals only"),
    ("{{ x | default('a', true) }}", "the filter 'default' takes at most 1"),
    ("{{ x | join('" + "a" * 65 + "') }}", "an argument of 'join' is longer"),
    ("{{ x() }}", "nothing can be called here"),
    ("{{ lipsum() }}", "nothing can be called here"),
    ("{{ range(10) }}", "nothing can be called here"),
    ("{{ x * 9 }}", "only a name and filters stand in {{ }}"),
    ("{{ 9 ** 9 ** 9 }}", "only a name and filters stand in {{ }}"),
    ("{{ 'a' * 1000000000 }}", "only a name and filters stand in {{ }}"),
    ("{{ x % 3 }}", "only a name and filters stand in {{ }}"),
    ("{{ x ~ x }}", "only a name and filters stand in {{ }}"),
    ("{{ x if x else 1 }}", "only a name and filters stand in {{ }}"),
    ("{{ [x] }}", "only a name and filters stand in {{ }}"),
    ("{% for a in x %}{% endfor %}", "{% %} is not taken"),
    ("{% set a = 1 %}", "{% %} is not taken"),
    ("{% include 'a' %}", "{% %} is not taken"),
    ("{% raw %}a{% endraw %}", "{% %} is not taken"),
    ("{{ x", "the text cannot be read"),
    ("{{ " + "(" * 5000, "the text cannot be read"),
    ("{{ " + "9" * 5000 + " }}", "the text cannot be read"),
    ("x" * 20_000, "the text has 20,000 characters; at most 16,384"),
]


def problem(source: str, names: dict[str, Any] | None = None) -> tuple[int, int, str]:
    """Return line, column and message of what is wrong with a text."""
    with pytest.raises(TemplateProblem) as caught:
        render(source, names or {})
    return caught.value.line, caught.value.column, caught.value.message


def test_names_are_those_in_the_slots() -> None:
    """A text says which names it uses; comments and plain words are none."""
    source = "{{ a }} and {{ b | upper }} {# {{ c }} #} d {e}"

    assert template_names(source) == {"a", "b"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ region }}", "region"),
        ("{{region}}", "region"),
        ("{{ region }} ", None),
        ("{{ region | upper }}", None),
        ("{{ 'region' }}", None),
        ("{{ region", None),
        ("region", None),
        ("", None),
    ],
)
def test_whole_is_one_name_and_nothing_else(source: str, expected: str | None) -> None:
    """`{{ name }}` alone is whole; anything beside it makes a text."""
    assert is_whole(source) == expected


@pytest.mark.parametrize(
    "value", [5, 5.5, True, None, "x", ["a"], {"a": [1]}, {"secret": "token"}]
)
def test_a_whole_value_keeps_its_type(value: Any) -> None:
    """`{{ name }}` and nothing else gives the value itself."""
    assert render("{{ value }}", {"value": value}) == value
    assert type(render("{{ value }}", {"value": value})) is type(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("eu", "is eu."),
        (48, "is 48."),
        (10000.0, "is 10000."),
        (0.25, "is 0.25."),
        (True, "is true."),
        (["a", 1], 'is ["a", 1].'),
        ({"a": "é"}, 'is {"a": "é"}.'),
    ],
)
def test_values_in_a_text_read_as_people_write_them(value: Any, expected: str) -> None:
    """Whole floats lose their `.0`, booleans are lower case, trees are JSON."""
    assert render("is {{ value }}.", {"value": value}) == expected


def test_a_text_keeps_its_line_breaks() -> None:
    """What the author wrote around the slots stays, the last line break too."""
    assert render("a\n  {{ x }}\n", {"x": "b"}) == "a\n  b\n"


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("{{ x | upper }}", "ab", "AB"),
        ("{{ x | lower }}", "AB", "ab"),
        ("{{ x | trim }}", " a ", "a"),
        ("{{ x | join(', ') }}", ["a", "b"], "a, b"),
        ("{{ x | length }}", ["a", "b"], 2),
        ("{{ x | round(1) }}", 1.26, 1.3),
        ("{{ x | int }}", "12", 12),
        ("{{ x | int }}", 12.0, 12),
        ("{{ x | string }}", 12, "12"),
        ("{{ x | first }}", ["b", "a"], "b"),
        ("{{ x | last }}", ["b", "a"], "a"),
        ("{{ x | sort | join(' ') }}", ["b", "a"], "a b"),
        ("{{ x | unique }}", ["b", "b"], ["b"]),
        ("{{ x | tojson }}", {"a": "<b>"}, '{"a": "<b>"}'),
        ("{{ x | default('no') }}", "yes", "yes"),
        ("{{ x | default('no') }}", None, "no"),
        ("{{ y | default('no') }}", "yes", "no"),
    ],
)
def test_filters(source: str, value: Any, expected: Any) -> None:
    """Each filter does what Jinja2's does, and keeps the type it gives."""
    assert render(source, {"x": value}) == expected


def test_every_filter_exists() -> None:
    """The allow-list names no filter that is missing."""
    assert set(FILTERS) - set(OWN) - set(ENVIRONMENT.filters) == set()


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("{{ x | int }}", "abc", "the filter 'int' does not fit the text 'abc'"),
        ("{{ x | int }}", 1.5, "the filter 'int' does not fit the number '1.5'"),
        ("{{ x | first }}", [], "the filter 'first' does not fit the list '[]'"),
        ("{{ x | round }}", "a", "the filter 'round' does not fit the text 'a'"),
        (
            "{{ x | sort }}",
            [1, "a"],
            "the filter 'sort' does not fit the list '[1, \"a\"]'",
        ),
        ("{{ x | upper }}", None, "'x' has no value here"),
    ],
)
def test_a_filter_that_does_not_fit_is_a_problem(
    source: str, value: Any, expected: str
) -> None:
    """Nothing is guessed: what is no number does not become 0."""
    assert problem(source, {"x": value}) == (1, 1, expected)


def test_a_missing_name_is_named_with_its_place_and_the_nearest_one() -> None:
    """Strict: a name without a value is a problem, never an empty text."""
    assert problem("all\n of {{ regoin }}", {"region": "eu"}) == (
        2,
        5,
        "'regoin' has no value here. Did you mean 'region'?",
    )


@pytest.mark.timed
@pytest.mark.parametrize(("source", "expected"), REFUSED)
def test_f90_logic_in_a_text_is_refused_when_it_is_read(
    source: str, expected: str
) -> None:
    """
    No attribute, call, statement, calculation or growing filter gets through, and none
    is looked at for 100 ms.
    """
    said = []

    def ask(attempt: int) -> None:
        with pytest.raises(TemplateProblem) as caught:
            template_names(source)
        said.append(caught.value.message[: len(expected)])

    assert at_once(ask)
    assert {expected} == set(said)


@pytest.mark.parametrize(
    "value",
    [
        "{{config}}",
        "{{ x.__class__ }}",
        "{% raw %}",
        "{x.__init__.__globals__[SECRET]}",
        "${jndi:ldap://host/a}",
        "%s %(x)s",
        "$(reboot) `reboot`",
        "<script>",
    ],
)
def test_f90_values_stay_data(value: str) -> None:
    """What looks like a template in a value is put in once, as it is."""
    assert render("a {{ x }} b", {"x": value}) == f"a {value} b"
    assert render("{{ x }}", {"x": value}) == value


@pytest.mark.parametrize(
    "source", ["{x.__init__.__globals__[SECRET]}", "${jndi:x}", "%s", "{0}", "{}", "}}"]
)
def test_f90_only_double_braces_are_slots(source: str) -> None:
    """Other notations are the author's text."""
    assert render(source, {"x": "y"}) == source


def test_the_result_has_a_limit() -> None:
    """A text that grows beyond 64 KiB is refused, in bytes."""
    expected = (1, 1, "the text becomes larger than 65,536 bytes")

    assert problem("{{ x }}{{ x }}", {"x": "a" * 40_000}) == expected
    assert problem("{{ x }}", {"x": "é" * 40_000}) == expected
    assert problem("{{ x }}", {"x": ["a" * 40_000] * 2}) == expected


def test_params_are_rendered_below_their_keys() -> None:
    """Lists and maps are walked, keys and secrets left, types kept."""
    params = {
        "post": "https://router/{{ region }}/lanes",
        "json": {"replicas": "{{ before }}", "{{ key }}": ["{{ region }}", 5, None]},
        "headers": {"authorization": {"secret": "{{ token }}"}, "x": "{{ region }}"},
    }
    names = {"region": "eu/west", "before": 48}

    assert render_params(params, names, places={"post": "url"}) == {
        "post": "https://router/eu%2Fwest/lanes",
        "json": {"replicas": 48, "{{ key }}": ["eu/west", 5, None]},
        "headers": {"authorization": {"secret": "{{ token }}"}, "x": "eu/west"},
    }


def test_params_that_are_no_map_are_rendered_too() -> None:
    """A list, a text or a number may be the parameters."""
    assert render_params(["{{ x }}", 3], {"x": 1}) == [1, 3]
    assert render_params("{{ x }}", {"x": 1}) == 1
    assert render_params({"secret": "a"}, {}) == {"secret": "a"}


def test_a_problem_in_params_says_under_which_key() -> None:
    """The message begins with the way to the text."""
    with pytest.raises(TemplateProblem) as caught:
        render_params({"argv": ["a", {"b": "{{ hots }}"}]}, {"hosts": ["x"]})

    assert caught.value.message == (
        "argv.1.b: 'hots' has no value here. Did you mean 'hosts'?"
    )


def test_names_of_params_are_found_at_any_depth() -> None:
    """Names in lists, maps and texts count; secrets have none."""
    params = {"a": ["{{ x }}", {"b": "{{ y | upper }}"}], "c": {"secret": "{{ z }}"}}

    assert params_names(params) == {"x", "y"}


def place_of_problem(source: str) -> tuple[int, int]:
    """Return the line and column of the problem with a text, (1, 1) if there is none."""
    try:
        render(source, {"x": "1", "y": "2", "xy": "3"})
    except TemplateProblem as found:
        return found.line, found.column
    return 1, 1


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(source: str) -> None:
    """No source raises anything but a TemplateProblem."""
    assert place_of_problem(source) >= (1, 1)


@settings(deadline=None)
@given(st.text(alphabet="{}%#| xy'\"().[]-~*\\\n", max_size=60))
def test_any_spelling_of_slots_is_read_or_refused(source: str) -> None:
    """Braces in any order end in a text or a TemplateProblem."""
    assert place_of_problem(source) >= (1, 1)


@pytest.mark.timed
def test_rendering_is_fast_and_not_parsed_again() -> None:
    """10,000 renderings of a query take less than a second."""
    begun = time.process_time()
    for _ in range(10_000):
        render('up{region="{{ region }}"}', {"region": "eu"}, place="promql")

    assert time.process_time() - begun < 1.0
