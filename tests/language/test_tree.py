"""Strict YAML: values, positions, and what is refused."""

import pytest

from engine.language.problems import Problem
from engine.language.tree import Position, read_tree


def refusal(text: str | bytes) -> list[tuple[int, int, str, str]]:
    """Return (line, column, code, message) of each problem; the tree must be absent."""
    tree, problems = read_tree(text, "a.yaml")
    assert tree is None
    return [(it.line, it.column, it.code, it.message) for it in problems]


def test_values_are_plain_and_typed() -> None:
    """
    Maps, lists and scalars come back as plain Python values.
    """
    tree, problems = read_tree("a: [1, x, null]\nb: {c: 'on', d: off}\n", "a.yaml")

    assert [] == problems
    assert tree is not None
    assert {"a": [1, "x", None], "b": {"c": "on", "d": "off"}} == tree.value


def test_positions_of_values_and_keys() -> None:
    """
    Each value and each key is found by its path; lines and columns count from 1.
    """
    tree, _ = read_tree("a:\n  - x\n  - {k: v}\n", "a.yaml")

    assert tree is not None
    assert Position(3, 9) == tree.position(["a", 1, "k"])
    assert Position(3, 6) == tree.position(["a", 1, "k"], key=True)
    assert Position(2, 5) == tree.position(("a", 0))


def test_an_unknown_path_is_its_nearest_known_parent() -> None:
    """
    A path that is not in the file leads to the last part of it that is.
    """
    tree, _ = read_tree("a:\n  b: 1\n", "a.yaml")

    assert tree is not None
    assert tree.position(["a"]) == tree.position(["a", "x", 3])
    assert Position(1, 1) == tree.position(["zz"])


def test_windows_line_ends_read_the_same() -> None:
    """
    CRLF and LF give the same values at the same places.
    """
    text = "a: 1\nb: |\n  x\n  y\nc:\n  - 'z'\n"
    unix, _ = read_tree(text, "a.yaml")
    windows, problems = read_tree(text.replace("\n", "\r\n").encode(), "a.yaml")

    assert [] == problems
    assert unix is not None
    assert windows is not None
    assert unix.value == windows.value
    assert unix.position(["c", 0]) == windows.position(["c", 0])


def test_columns_count_characters_not_bytes() -> None:
    """
    A word with umlauts before a value does not move the caret.
    """
    tree, _ = read_tree("{größe: x, b: y}\n", "a.yaml")

    assert tree is not None
    assert Position(1, 15) == tree.position(["b"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", (3, 1, "duplicate-key",
         "the key 'a' stands here twice; first in line 1")),
        ("a: &x 1\n", (1, 4, "yaml-anchor", "the anchor '&x' is refused")),
        ("a: *x\n", (1, 4, "yaml-alias", "the alias '*x' is refused")),
        ("a:\n  <<: {b: 1}\n", (2, 3, "yaml-merge", "the merge key '<<' is refused")),
        ("a: !!str 5\n", (1, 4, "yaml-tag", "the tag '!!str' is refused")),
        ("a: 1\n---\nb: 2\n", (2, 1, "yaml", "the file holds a second YAML document")),
        ("- a\n", (1, 1, "top", "the file is a list; it must be a map of keys")),
        ("hello\n", (1, 1, "top", "the file is 'hello'; it must be a map of keys")),
        ("", (1, 1, "empty", "the file is empty")),
        ("# only a comment\n", (1, 1, "empty", "the file is empty")),
        ("404: x\n", (1, 1, "yaml-key", "the key 404 is not text to YAML")),
        ("true: x\n", (1, 1, "yaml-key", "the key true is not text to YAML")),
        ("? [a]\n: b\n", (1, 3, "yaml-key", "a map or list stands where a key belongs")),
        ("a: 9223372036854775808\n", (1, 4, "number",
         "the number 9223372036854775808 is too large")),
        ("%YAML 1.1\n---\na: 1\n", (1, 1, "yaml",
         "YAML directives (lines that begin with %) are refused")),
    ],
)  # fmt: skip
def test_what_strict_yaml_refuses(
    text: str, expected: tuple[int, int, str, str]
) -> None:
    """
    Each trap is one problem at its place.
    """
    assert [expected] == refusal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n\t- b\n", (2, 1, "a tab is used for indentation, which YAML does not allow")),
        ("a: b: c\n", (1, 5, "a second ': ' in one value, or a key that is indented too far")),
        ("a: 'x\n", (1, 4, "the quote that begins here is never closed")),
        ("a: [1, 2\n", (1, 4, "the '[' that begins here is never closed")),
        ("a: [1, 2\nb: 3\n", (1, 4,
         "the '[' that begins here is not closed, or a comma is missing")),
        ("a: @x\n", (1, 4, "a value that begins with '@' means something else to YAML")),
        ('a: "x" y\n', (1, 7, "text goes on after the closing quote")),
        ('a: "\\q"\n', (1, 5, "this backslash escape is not known inside double quotes")),
        ("- a\nb: 1\n", (2, 1, "this line does not fit the lines before it")),
        ("a: !x && y\n", (1, 4, "a value that begins with '!' reads as a tag to YAML")),
    ],
)  # fmt: skip
def test_syntax_errors_are_told_in_plain_words(
    text: str, expected: tuple[int, int, str]
) -> None:
    """
    Where YAML loses the thread, the message says what the line did wrong.
    """
    line, column, message = expected

    assert [(line, column, "yaml", message)] == refusal(text)


def test_a_template_without_quotes_is_told_to_be_quoted() -> None:
    """
    `key: {{ x }}` is a map as a key to YAML; the hint shows the quoted form.
    """
    _, problems = read_tree("a: 1\nkey: {{ x }}\n", "a.yaml")

    assert [
        Problem(
            "a.yaml", 2, 6, "error", "yaml-braces",
            "'{{ x }}' without quotes is a map inside a map to YAML",
            "Put the whole value in quotes: '{{ x }}'.", "key: {{ x }}",
        )
    ] == problems  # fmt: skip


def test_a_negation_without_quotes_is_told_to_be_quoted() -> None:
    """
    `when: !checks.x.ok` is a tag to YAML; the hint shows the quoted form.
    """
    _, problems = read_tree("when: !checks.x.ok  # why\n", "a.yaml")

    assert [
        Problem(
            "a.yaml", 1, 7, "error", "yaml-tag",
            "'!checks.x.ok' begins with '!', which YAML reads as a tag",
            "Put the whole value in quotes: '!checks.x.ok'.",
            "when: !checks.x.ok  # why",
        )
    ] == problems  # fmt: skip


def test_all_structural_problems_are_reported_at_once() -> None:
    """
    A duplicate key does not hide the anchor after it.
    """
    problems = refusal("a: 1\na: 2\nb: &x 3\nc: {{ y }}\n")

    assert [2, 3, 4] == [line for line, *_ in problems]
