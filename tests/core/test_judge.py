"""From what was seen to pass, fail or unknown; and several viewpoints together."""

from math import nan
from typing import Any

import pytest
from judge_pieces import TWO, answer, call

from engine.core.judge import judge
from engine.model.evidence import Evidence, Observation

LAG = {"value": 12000.0}


def test_evidence_says_all_there_is_to_say() -> None:
    """One judged look, whole: where, what, why, when, how often."""
    observation = Observation(seen=LAG, source="sum(lag)", sampled_at=90.0)
    found = judge(call("value < 10000.0"), observation, tick=5.0, at=100.0, attempts=2)

    assert found == Evidence(
        check="lag",
        slot="lag",
        state="fail",
        why="value 12000, pass: value < 10000.0",
        seen={"value": 12000.0},
        tick=5.0,
        at=100.0,
        source="sum(lag)",
        attempts=2,
    )


@pytest.mark.parametrize(
    ("seen", "pass_", "expected"),
    [
        ({"value": 5.0}, "value < 10", ("pass", "value 5, pass: value < 10")),
        (
            {"json": {"state": "open"}, "response": {"status": 200}},
            'response.status == 200 && json.state == "open"',
            (
                "pass",
                (
                    'json.state "open", response.status 200, '
                    'pass: response.status == 200 && json.state == "open"'
                ),
            ),
        ),
        (
            {"json": {"state": "open"}},
            "json.state == 3",
            ("unknown", 'json.state "open", pass cannot be told: json.state == 3'),
        ),
        (
            {"json": {}},
            "json.replicas > 0",
            (
                "unknown",
                "json.replicas is missing, pass cannot be told: json.replicas > 0",
            ),
        ),
        (
            {"exit_code": 1, "stdout": "a\nb"},
            "exit_code == 0",
            ("fail", "exit_code 1, pass: exit_code == 0"),
        ),
        (
            {},
            "value < 5",
            ("unknown", "value is missing, pass cannot be told: value < 5"),
        ),
        (
            {"value": 5.0},
            "valeu < 5",
            (
                "unknown",
                (
                    "a condition of the check does not compile: 'valeu' is not declared. "
                    "Did you mean value?"
                ),
            ),
        ),
        (
            {"response": {"status": 503}, "json": {"ok": True}},
            "json.ok",
            ("unknown", "HTTP 503, and `pass` does not name response.status"),
        ),
        (
            {"response": {"status": 503}},
            "response.status == 200",
            ("fail", "response.status 503, pass: response.status == 200"),
        ),
        (
            {"response": {"status": 503}},
            'response["status"] in [200, 204]',
            ("fail", 'response.status 503, pass: response["status"] in [200, 204]'),
        ),
        (
            {"response": {"status": 204}, "latency_seconds": 0.2},
            "latency_seconds < 1",
            ("pass", "latency_seconds 0.2, pass: latency_seconds < 1"),
        ),
    ],
)
def test_pass_decides_and_the_reason_shows_the_values(
    seen: dict[str, Any], pass_: str, expected: tuple[str, str]
) -> None:
    """True is pass, false is fail, what cannot be told is unknown; the values say why."""
    assert answer(seen, pass_) == expected


def test_what_could_not_be_seen_is_unknown_whatever_pass_says() -> None:
    """An observation's `unknown` wins over values, pass and verdict."""
    seen = Observation(seen={"value": 1.0}, verdict="pass", unknown="warnings: partial")
    found = judge(call("value < 10"), seen, tick=0, at=0, attempts=3)

    assert (found.state, found.why) == ("unknown", "warnings: partial")


def test_an_empty_reason_still_says_something() -> None:
    """An adapter that gives no reason does not leave people without one."""
    found = judge(call(), Observation(unknown=""), tick=0, at=0, attempts=1)

    assert (found.state, found.why) == ("unknown", "nothing could be seen")


def test_a_check_that_cannot_be_asked_is_unknown() -> None:
    """A value that may not stand where it would stand makes the check unknown."""
    asked = call("value < 10", problem="query: 'q' has no value here")

    assert judge(asked, Observation(seen=LAG), tick=0, at=0, attempts=1).why == (
        "query: 'q' has no value here"
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("json.stale", ("unknown", "json.stale true, unknown_when: json.stale")),
        ("!json.stale", ("pass", "value 5, pass: value < 10")),
        (
            "json.age > 3",
            (
                "unknown",
                "json.age is missing, unknown_when cannot be told: json.age > 3",
            ),
        ),
    ],
)
def test_unknown_when_is_judged_before_pass(
    rule: str, expected: tuple[str, str]
) -> None:
    """True is unknown, and so is what `unknown_when` cannot tell."""
    seen = {"value": 5.0, "json": {"stale": True}}

    assert answer(seen, "value < 10", unknown_when=rule) == expected


@pytest.mark.parametrize(
    ("sampled_at", "expected"),
    [
        (1000.0, "pass"),
        (701.0, "pass"),
        (699.0, "unknown"),
        (1059.0, "pass"),
        (1061.0, "unknown"),
        (nan, "unknown"),
        (None, "pass"),
    ],
)
def test_f33_an_old_or_future_sample_is_unknown(
    sampled_at: float | None, expected: str
) -> None:
    """Older than five minutes, or more than one ahead, is no sample of now."""
    seen = Observation(seen={"value": 1.0}, sampled_at=sampled_at)
    found = judge(call("value < 5"), seen, tick=0, at=1000.0, attempts=1)

    assert found.state == expected


@pytest.mark.parametrize(
    ("verdict", "seen", "pass_", "expected"),
    [
        ("pass", {}, None, ("pass", "connected")),
        ("fail", {}, None, ("fail", "connected")),
        (
            "pass",
            {"days_left": 20},
            "days_left > 14",
            ("pass", "days_left 20, pass: days_left > 14"),
        ),
        (
            "pass",
            {"days_left": 3},
            "days_left > 14",
            ("fail", "days_left 3, pass: days_left > 14"),
        ),
        ("fail", {}, "days_left > 14", ("fail", "connected")),
        (
            "pass",
            {},
            "days_left > 14",
            ("unknown", "days_left is missing, pass cannot be told: days_left > 14"),
        ),
        (
            "fail",
            {"addresses": []},
            "size(addresses) == 0",
            ("pass", "addresses a list of 0, pass: size(addresses) == 0"),
        ),
    ],
)
def test_kinds_that_judge_themselves(
    verdict: Any, seen: dict[str, Any], pass_: str | None, expected: tuple[str, str]
) -> None:
    """Their verdict holds without `pass`; a refused connection fails where pass is mute."""
    observation = Observation(seen=seen, verdict=verdict, summary="connected")
    found = judge(call(pass_), observation, tick=0, at=0, attempts=1)

    assert (found.state, found.why) == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({"value": 40.0}, ("pass", "value 40")),
        ({"json": {"a": 1}}, ("unknown", "no `pass`, and no value seen")),
        (
            TWO,
            (
                "unknown",
                (
                    '2 series came back ({topic="fanout"}, {topic="media"}), '
                    "and one number is needed: sum() them in the query"
                ),
            ),
        ),
    ],
)
def test_without_pass_a_value_is_enough(
    seen: dict[str, Any], expected: tuple[str, str]
) -> None:
    """An impact check measures; anything else needs `pass`."""
    assert answer(seen) == expected
