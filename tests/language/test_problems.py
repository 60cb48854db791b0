"""Problems as people, programs and code reviews read them."""

import json

from engine.language.problems import (
    Problem,
    format_github,
    format_json,
    format_text,
    in_order,
    nearest,
    suggest,
)

ONE = Problem(
    "a.yaml", 3, 5, "error", "value", "'x' is 100% wrong", "Write y.", "a: [x, y]"
)
TWO = Problem("a.yaml", 1, 1, "warning", "empty", "nothing here")


def test_text_shows_place_hint_line_and_caret() -> None:
    """
    The first line is `file:line:column: error[code]: message`; the caret is below.
    """
    expected = (
        "a.yaml:3:5: error[value]: 'x' is 100% wrong\n"
        "  Write y.\n"
        "    a: [x, y]\n"
        "        ^\n"
        "a.yaml:1:1: warning[empty]: nothing here"
    )

    assert expected == format_text([ONE, TWO])


def test_a_long_line_is_cut_around_the_caret() -> None:
    """
    A line of a thousand characters is shown as far as it helps.
    """
    problem = Problem("a", 1, 201, "error", "x", "m", "", "." * 200 + "!" + "." * 400)

    _, line, caret = format_text([problem]).split("\n")

    assert 124 == len(line)
    assert "!" == line[caret.index("^")]


def test_json_holds_every_field() -> None:
    """
    Programs get the fields of Problem, in order.
    """
    assert [vars(ONE), vars(TWO)] == json.loads(format_json([ONE, TWO]))


def test_github_commands_are_escaped() -> None:
    """
    A line break or a colon in a message does not end the command.
    """
    problem = Problem("a,b.yaml", 2, 3, "error", "x", "50%\nof it")

    assert (
        "::error file=a%2Cb.yaml,line=2,col=3,title=x::50%25%0Aof it"
        == format_github([problem])
    )


def test_problems_are_sorted_and_each_is_there_once() -> None:
    """
    The same problem found by two rules is one problem.
    """
    assert [TWO, ONE] == in_order([ONE, TWO, ONE])


def test_the_nearest_word_ignores_case_and_dashes() -> None:
    """
    `on-fail` and `On_Fail` are slips of `on_fail`.
    """
    assert "Did you mean 'on_fail'?" == nearest("on-fail", ["on_fail", "on_expire"])
    assert "Did you mean 'on_fail'?" == nearest("On_Fail", ["on_fail", "on_expire"])
    assert "" == nearest("zzz", ["on_fail"])


def test_without_a_near_word_the_known_ones_are_listed() -> None:
    """
    Who is far off sees what there is, or that there is none.
    """
    assert "Known checks: lag, port." == suggest("zzz", ["lag", "port"], "checks")
    assert "There are no checks in this file." == suggest("zzz", [], "checks")
