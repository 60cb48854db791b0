"""Any input gives a runbook or problems, never another exception."""

import copy
from datetime import timedelta
from typing import Any

import pytest
import yaml
from drafts import DRAFT, EXAMPLE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.language.load import Loaded, load_runbook
from engine.language.problems import format_github, format_json, format_text
from engine.model.kinds import Kinds

FUZZ = settings(
    max_examples=100,
    deadline=timedelta(seconds=2),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WHOLE: list[Any] = [yaml.safe_load(EXAMPLE), yaml.safe_load(DRAFT)]
VALUES: list[Any] = [
    None, True, 0, -1, 5, 1.5, float("nan"), float("inf"), "", "x", "{{ x }}", "{{", "{% if %}",
    "5m", "none", "all", "checks.x.ok", "((", "*", "on", [], {}, [[]], {"a": {"b": 1}},
    ["x", 1], {"cel": 5}, {"secret": "x"}, {"act": "x"}, "a" * 300, "\u0000", "é\n",
]  # fmt: skip
YAML_PIECES = [
    "a: ", "- ", "{", "}", "[", "]", "\n", "\n  ", "'", '"', "&x ", "*x", "!t ", "<<: ", "? ",
    ": ", "|", ">-", "#", "%", "---\n", "...\n", "\t", "{{ x }}", ",", "runbook: x", "0644", "\\",
]  # fmt: skip


def judged(loaded: Loaded) -> None:
    """Fail unless there is either a runbook or a located problem that can be shown."""
    errors = [it for it in loaded.problems if it.severity == "error"]
    lines = loaded.text.count("\n") + loaded.text.count("\r") + 1

    assert (loaded.runbook is None) == bool(errors)
    assert all(1 <= it.line <= lines + 1 and it.column >= 1 for it in loaded.problems)
    for form in (format_text, format_json, format_github):
        form(loaded.problems)
    for problem in loaded.problems:
        assert "Input should" not in problem.message + problem.hint
        assert "pydantic" not in problem.message + problem.hint


@FUZZ
@given(text=st.text(max_size=400) | st.lists(st.sampled_from(YAML_PIECES)).map("".join))
def test_any_text_gives_a_runbook_or_problems(kinds: Kinds, text: str) -> None:
    """
    Arbitrary text, also of YAML's own pieces, is judged and never raises.
    """
    judged(load_runbook(text, "a.yaml", kinds))


@FUZZ
@given(raw=st.binary(max_size=400))
def test_any_bytes_give_a_runbook_or_problems(kinds: Kinds, raw: bytes) -> None:
    """
    Arbitrary bytes are judged and never raise.
    """
    judged(load_runbook(raw, "a.yaml", kinds))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every node below the top."""
    if isinstance(value, dict):
        members = list(value.items())
    else:
        members = list(enumerate(value)) if isinstance(value, list) else []
    found = [(*path, key) for key, _ in members]
    return found + [
        deep for key, item in members for deep in places(item, (*path, key))
    ]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """Return a real runbook with up to four nodes deleted, doubled, renamed, replaced."""
    raw = copy.deepcopy(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(1, 4))):
        known = places(raw)
        if not known:
            break
        *way, last = draw(st.sampled_from(known))
        parent = raw
        for key in way:
            parent = parent[key]
        _change(parent, last, draw)
    return raw


def _change(parent: Any, key: Any, draw: st.DrawFn) -> None:
    what = draw(st.sampled_from(["delete", "replace", "double", "rename", "swap"]))
    if what == "delete":
        del parent[key]
    elif what == "replace":
        parent[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
    elif what == "swap":
        other = draw(st.sampled_from(list(places(WHOLE[0]))))
        value: Any = WHOLE[0]
        for part in other:
            value = value[part]
        parent[key] = copy.deepcopy(value)
    elif isinstance(parent, list):
        parent.append(copy.deepcopy(parent[key]))
    elif what == "rename":
        parent[key[:-1] + "x"] = parent.pop(key)
    else:
        parent[key + "_2"] = copy.deepcopy(parent[key])


@FUZZ
@given(raw=mutated())
def test_any_mutated_runbook_gives_a_runbook_or_problems(
    kinds: Kinds, raw: Any
) -> None:
    """
    Real runbooks with nodes deleted, doubled, renamed, replaced are judged, never raise.
    """
    judged(
        load_runbook(yaml.safe_dump(raw, allow_unicode=True), "a.yaml", kinds, stem="a")
    )


@pytest.mark.parametrize("line", range(0, 150, 7))
def test_a_runbook_cut_anywhere_gives_problems(kinds: Kinds, line: int) -> None:
    """
    A file that was written halfway is refused or loads, and never raises.
    """
    judged(load_runbook("\n".join(EXAMPLE.split("\n")[:line]), "a.yaml", kinds))
