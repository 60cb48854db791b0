"""A test put into a runbook's text: at the end of its tests, and nothing else moves."""

from typing import Any, Final

import pytest

from engine.errors import EngineError
from engine.language.adding import with_test
from engine.language.tree import read_tree

TEST: Final[dict[str, Any]] = {
    "name": "as r-1: yes",
    "checks": {"a": [{"value": 1.5}, "pass"], "b-c": [{"json": {"on": "1e3"}}]},
    "actions": {"do": ["lost"]},
    "people": ["approve", {"note": 'a "b"\n', "sure": True}],
    "events": [{"at": "5m", "do": "cancel"}],
    "expect": {"end": "resolved", "held": [], "asked": 0},
}
ITEM: Final = """\
  - name: "as r-1: yes"
    checks:
      a: [{value: 1.5}, pass]
      b-c: [{json: {on: "1e3"}}]
    actions:
      do: [lost]
    people: [approve, {note: "a \\"b\\"\\n", sure: true}]
    events: [{at: "5m", do: cancel}]
    expect: {end: resolved, held: [], asked: 0}
"""
HEAD: Final = "format: 1\n# a remark\nrunbook:   x   # odd, and kept\n"
OLD: Final = "tests:\n  - {name: one}\n  - name: two\n    expect: {end: cleared}\n"
LAST: Final = "\n# what must hold\nalways:\n  - at_end: 'true'\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD, f"{HEAD}\ntests:\n{ITEM}"),
        (HEAD.rstrip("\n"), f"{HEAD}\ntests:\n{ITEM}"),
        (HEAD + OLD, HEAD + OLD + ITEM),
        (HEAD + OLD + LAST, HEAD + OLD + ITEM + LAST),
        (
            f"{HEAD}tests:\n- name: one\n{LAST}",
            f"{HEAD}tests:\n- name: one\n"
            + "".join(f"{row[2:]}\n" for row in ITEM.splitlines())
            + LAST,
        ),
        (
            (HEAD + OLD).replace("\n", "\r\n"),
            (HEAD + OLD + ITEM).replace("\n", "\r\n"),
        ),
    ],
    ids=["no tests", "no last line end", "at the end", "before others", "flat", "crlf"],
)
def test_a_test_goes_to_the_end_of_the_tests(before: str, after: str) -> None:
    """The rest of the file stays as it is, remarks and odd spaces included."""
    made = with_test(before, TEST, "x.yaml")
    tree, problems = read_tree(made, "x.yaml")

    assert after == made
    assert [] == problems
    assert tree is not None
    assert TEST == tree.value["tests"][-1]


def test_tests_in_brackets_are_refused() -> None:
    """The message says where, and what to write."""
    with pytest.raises(EngineError) as told:
        with_test(f"{HEAD}tests: [{{name: one}}]\n", TEST, "x.yaml")

    assert (
        "x.yaml:4: `tests` is written in brackets. Write one test a line, each with a "
        "dash, and ask again."
    ) == str(told.value)


def test_what_is_no_yaml_is_refused() -> None:
    """Nothing is put into a file that cannot be read."""
    with pytest.raises(EngineError) as told:
        with_test("a: [\n", TEST, "x.yaml")

    assert "x.yaml is no runbook. See `runbook validate x.yaml`." == str(told.value)
