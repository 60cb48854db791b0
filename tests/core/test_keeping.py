"""What is kept of an observation: small, and never misleading."""

import time
from math import inf, nan
from typing import Any

import msgspec
import pytest

from engine.core.judge import judge
from engine.core.keeping import kept
from engine.expressions import UNKNOWN, compile_expression, observation_types
from engine.model.effects import CheckCall
from engine.model.evidence import Observation


def told(source: str, seen: dict[str, Any]) -> Any:
    """Return what a condition says over what was kept."""
    return compile_expression(source, observation_types()).evaluate(kept(seen))


def test_small_observations_are_kept_whole() -> None:
    """What conditions read stays as it was seen."""
    seen = {"json": {"replicas": 48}, "response": {"status": 200, "body": "ok"}}

    assert kept(seen) == seen


@pytest.mark.parametrize(
    ("seen", "source"),
    [
        ({"stdout": "x" * 5000 + "READY"}, "stdout.contains('READY')"),
        ({"stdout": "x" * 5000}, "stdout == 'x'"),
        ({"json": {"items": ["x" * 100] * 1000}}, "size(json.items) > 3"),
        ({"json": {"items": ["x" * 100] * 1000}}, "json.items.all(i, i == 'x')"),
        ({"series": [{"value": 1.0}] * 51}, "size(series) == 50"),
        ({"series": [{"value": 1.0}] * 51}, "series.all(s, s.value == 1.0)"),
        ({"values": [1.0] * 51}, "values.all(v, v == 1.0)"),
        ({"response": {"status": 200, "body": "x" * 5000}}, "response.body == 'x'"),
        ({"json": {"n": nan}}, "json.n == null"),
    ],
)
def test_what_was_left_out_is_unknown_to_conditions(
    seen: dict[str, Any], source: str
) -> None:
    """A large part is left out whole, so nobody is told something false about it."""
    assert told(source, seen) is UNKNOWN


def test_large_parts_leave_the_small_ones() -> None:
    """Beside a large list, the one number that matters is still there."""
    seen = {"json": {"items": ["x" * 100] * 1000, "spec": {"replicas": 48}}}
    note = {"left_out": "about 104,002 characters"}

    assert kept(seen) == {"json": {"items": note, "spec": {"replicas": 48}}}


def test_what_is_left_out_shows_how_it_begins() -> None:
    """People see the size and the beginning."""
    found = kept({"stdout": "a" * 5000, "series": [{"value": 1.0}] * 60})

    assert found == {
        "stdout": {"left_out": "5,000 characters", "begins": "a" * 1024},
        "series": {"left_out": "60 series", "first": [{"value": 1.0}] * 50},
    }


@pytest.mark.timed
def test_a_large_answer_is_judged_soon() -> None:
    """2 MB of JSON are judged whole, and kept small, in less than a second."""
    seen = Observation(seen={"json": {"items": [{"name": "x" * 80}] * 20_000}})
    asked = CheckCall("c", "c", "http", pass_="size(json.items) == 20000")
    begun = time.process_time()  # whatever else this machine does
    found = judge(asked, seen, tick=0, at=0, attempts=1)

    assert time.process_time() - begun < 1.0
    assert (found.state, len(msgspec.json.encode(found)) < 1000) == ("pass", True)


def test_nesting_and_strange_values_are_left_out() -> None:
    """Nothing that JSON or the journal cannot hold gets through."""
    tree: Any = 1
    for _ in range(100):
        tree = [tree]
    found = kept({"a": {1: b"x"}, "b": 2**70, "c": "\ud800", "d": tree, "e": inf})

    assert found == {
        "a": {"1": {"left_out": "a bytes"}},
        "b": {"left_out": "a number beyond 64 bits"},
        "c": "?",
        "d": found["d"],
        "e": {"left_out": "inf"},
    }
    assert "nested too deeply" in str(found["d"])
