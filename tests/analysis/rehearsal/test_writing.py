"""Tests put into a file: what is new stands after the others, all else stays."""

import pytest

from engine.analysis.rehearsal.writing import NotWritable, with_tests
from engine.analysis.rehearsal.writing import test_text as written
from engine.language.tree import read_on
from engine.model.runbook import Expectation, Test

NEW = Test(
    name="a: it fails",
    checks={"a": ["fail", {"value": 3.2}], "on": ["pass"]},
    people=["silence"],
    expect=Expectation(end="handed_over", did=[], asked=1),
)
TOLD = """\
- name: 'a: it fails'
  checks: {a: [fail, {value: 3.2}], 'on': pass}
  people: [silence]
  expect: {end: handed_over, did: [], asked: 1}
"""


def at(indent: str) -> str:
    """Return the new test, so far from the edge."""
    return "".join(indent + line for line in TOLD.splitlines(keepends=True))


CASES = {
    "last": ("a: 1\ntests:\n  - name: x  # why\n", "", "  "),
    "at-the-edge": ("a: 1\ntests:\n- name: x\n", "", ""),
    "in-the-middle": (
        "tests:\n    - name: x\n      people: []\n",
        "\n# then\nb: 2\n",
        "    ",
    ),
    "no-line-break": ("tests:\n  - name: x", "", "  "),
    "none-yet": ("a: 1\n", "", "none"),
}


@pytest.mark.parametrize("name", CASES)
def test_every_other_byte_stays(name: str) -> None:
    """
    Comments, breaks and what comes after are as they were, whatever the indent.
    """
    before, after, indent = CASES[name]
    tree, _, _ = read_on(before + after, "x.yaml")
    assert tree is not None
    broken = before if before.endswith("\n") else before + "\n"
    new = "\ntests:\n" + at("  ") if indent == "none" else at(indent)

    assert broken + new + after == with_tests(before + after, tree, [NEW])


def test_line_breaks_are_the_files_own() -> None:
    """
    A file with CRLF gets tests with CRLF.
    """
    text = "tests:\r\n  - name: x\r\n"
    tree, _, _ = read_on(text, "x.yaml")
    assert tree is not None

    assert text + at("  ").replace("\n", "\r\n") == with_tests(text, tree, [NEW])


@pytest.mark.parametrize("text", ["tests: [{name: x}]\n", "tests: []\n"])
def test_tests_in_brackets_are_left_alone(text: str) -> None:
    """
    Where `tests` stands on one line nothing is put in.
    """
    tree, _, _ = read_on(text, "x.yaml")
    assert tree is not None

    with pytest.raises(NotWritable, match="write one test a line"):
        with_tests(text, tree, [NEW])


@pytest.mark.parametrize(
    "text", ["1e3", "0o17", "12345e6", "1.5", "007", ".5", "on", "null", "a: b", "x-1"]
)
def test_a_text_stays_a_text(text: str) -> None:
    """What our own reader takes for a number or a word is put in quotes."""
    lines = written(Test(name="t", inputs={"commit": text}), indent=0)
    tree, _, _ = read_on("\n".join(["tests:", *lines]), "x.yaml")

    assert tree is not None
    assert text == tree.value["tests"][0]["inputs"]["commit"]
