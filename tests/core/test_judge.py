"""From what was seen to pass, fail or unknown; and several viewpoints together."""

import time
from math import inf, nan
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.judge import agree, judge
from engine.core.keeping import kept
from engine.expressions import UNKNOWN, compile_expression, observation_types
from engine.model.effects import CheckCall
from engine.model.evidence import Evidence, Observation

LAG = {"value": 12000.0}
TWO = {
    "series": [
        {"labels": {"topic": "fanout"}, "value": 3.0},
        {"labels": {"topic": "media"}, "value": 9.0},
    ],
    "values": [3.0, 9.0],
}


def call(pass_: str | None = None, **fields: Any) -> CheckCall:
    """Return a check as it was looked at."""
    return CheckCall("lag", "lag", "prometheus", pass_=pass_, **fields)


def answer(
    seen: dict[str, Any], pass_: str | None = None, **fields: Any
) -> tuple[str, str]:
    """Return state and reason of a check over what was seen."""
    found = judge(
        call(pass_, **fields), Observation(seen=seen), tick=1.0, at=2.0, attempts=1
    )
    return found.state, found.why


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


@pytest.mark.parametrize("over", [None, "all", "any"])
@pytest.mark.parametrize("pass_", ["value < 5", "value >= 5", "!(value < 5)"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (nan, "value is nan"),
        (inf, "value is inf"),
        (-inf, "value is -inf"),
        ("", 'value is "", not a number'),
        ("3", 'value is "3", not a number'),
        (None, "value is null, not a number"),
        (True, "value is true, not a number"),
        (10**400, "value is too large for a number"),
    ],
)
def test_f30_what_is_no_number_is_unknown(
    value: Any, said: str, pass_: str, over: str | None
) -> None:
    """NaN, infinities, text, null: neither `<` nor its opposite is told."""
    assert answer({"value": value}, pass_, pass_for=over) == ("unknown", said)


@pytest.mark.parametrize("seen", [{"series": []}, {"values": []}])
@pytest.mark.parametrize("pass_", [None, "size(series) == 0", "value < 5"])
def test_f31_an_empty_answer_is_unknown(
    seen: dict[str, Any], pass_: str | None
) -> None:
    """No series is neither good nor bad."""
    assert answer(seen, pass_) == (
        "unknown",
        "no series came back: empty is neither good nor bad",
    )


def test_f31_several_series_without_pass_for_are_unknown() -> None:
    """One value was expected: how many came back, and which, is said."""
    assert answer(TWO, "value < 5") == (
        "unknown",
        (
            '2 series came back ({topic="fanout"}, {topic="media"}), '
            "and no `pass_for: all` or `any`"
        ),
    )


@pytest.mark.parametrize("name", ["value", "values"])
@pytest.mark.parametrize(
    ("over", "numbers", "expected"),
    [
        ("all", [3.0, 9.0], "fail"),
        ("any", [3.0, 9.0], "pass"),
        ("all", [3.0, 4.0], "pass"),
        ("any", [8.0, 9.0], "fail"),
        ("all", [3.0, nan], "unknown"),
        ("any", [3.0, nan], "pass"),
        ("all", [9.0, nan], "fail"),
        ("any", [9.0, nan], "unknown"),
    ],
)
def test_f30_pass_for_is_three_valued_over_the_series(
    name: str, over: str, numbers: list[float], expected: str
) -> None:
    """One bad series fails `all`, one good one passes `any`, NaN decides neither."""
    series = [{"labels": {}, "value": number} for number in numbers]
    seen = {"series": series, "values": numbers}

    assert answer(seen, f"{name} < 5", pass_for=over)[0] == expected


def test_the_series_that_decided_is_named() -> None:
    """The reason names the value, its labels, and the rule."""
    assert answer(TWO, "value < 5", pass_for="all") == (
        "fail",
        'value 9 of {topic="media"} (2 series), pass for all: value < 5',
    )


@pytest.mark.parametrize("over", [None, "all", "any"])
@pytest.mark.parametrize(
    ("pass_", "expected"),
    [
        ("values.all(v, v < 10)", "pass"),
        ("values.exists(v, v > 10)", "fail"),
        ("series.exists(s, s.labels.topic == 'media' && s.value > 5)", "pass"),
        ("size(series) == 2", "pass"),
    ],
)
def test_a_pass_over_the_whole_list_needs_no_pass_for(
    pass_: str, expected: str, over: str | None
) -> None:
    """Where `pass` itself goes through the series, it is judged once."""
    assert answer(TWO, pass_, pass_for=over)[0] == expected


def test_one_series_gives_the_value() -> None:
    """A single series is the one sample, also where no `value` was filled in."""
    seen = {"series": [{"labels": {}, "value": 3.0}]}

    assert answer(seen, "value < 5")[0] == "pass"


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


def part(check: str, state: Any, why: str = "") -> Evidence:
    """Return the evidence of one viewpoint."""
    return Evidence(check, check, state, why or f"{check} looked", attempts=2)


@pytest.mark.parametrize(
    ("states", "need", "expected"),
    [
        ("pass pass fail", 2, "pass"),
        ("fail fail pass", 2, "fail"),
        ("pass fail", 2, "unknown"),
        ("pass unknown", 2, "unknown"),
        ("pass pass unknown", 2, "pass"),
        ("unknown unknown", 2, "unknown"),
        ("pass pass fail", 3, "unknown"),
        ("pass pass fail fail", 2, "unknown"),
        ("pass pass fail fail fail", 3, "fail"),
        ("", 2, "unknown"),
        ("unknown unknown", 0, "unknown"),
    ],
)
def test_f35_viewpoints_must_say_the_same(
    states: str, need: int, expected: str
) -> None:
    """So many say the same, and only one answer reaches it; unknown never counts."""
    parts = [part(f"v{at}", state) for at, state in enumerate(states.split())]

    assert agree("both", "both", parts, need, tick=0, at=0).state == expected


def test_f35_who_disagrees_is_named_with_what_they_saw() -> None:
    """Both sides and their values stand in the reason."""
    parts = [part("inside", "pass", "value 1"), part("outside", "fail", "value 9")]

    assert agree("both", "both|region=eu", parts, 2, tick=3.0, at=4.0) == Evidence(
        check="both",
        slot="both|region=eu",
        state="unknown",
        why=(
            "2 of 2 must say the same; inside says pass (value 1); "
            "outside says fail (value 9)"
        ),
        seen={"parts": {"inside": "pass", "outside": "fail"}},
        tick=3.0,
        at=4.0,
        attempts=2,
    )


def test_agreement_names_who_agrees_and_who_does_not() -> None:
    """The minority's reason stays in the timeline."""
    parts = [part("a", "pass"), part("b", "pass"), part("c", "unknown", "timed out")]

    assert agree("all", "all", parts, 2, tick=0, at=0).why == (
        "2 of 3 say pass: a, b; c says unknown (timed out)"
    )


def told(source: str, seen: dict[str, Any]) -> Any:
    """Return what a condition says over what was kept."""
    return compile_expression(source, observation_types()).evaluate(kept(seen))


def test_small_observations_are_kept_whole() -> None:
    """What conditions read stays as it was seen."""
    seen = {"json": {"replicas": 48}, "response": {"status": 200, "body": "ok"}, **TWO}

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


def test_a_large_answer_is_judged_soon() -> None:
    """2 MB of JSON are judged whole, and kept small, in less than a second."""
    seen = Observation(seen={"json": {"items": [{"name": "x" * 80}] * 20_000}})
    begun = time.perf_counter()
    found = judge(call("size(json.items) == 20000"), seen, tick=0, at=0, attempts=1)

    assert time.perf_counter() - begun < 1.0
    assert (found.state, len(msgspec.json.encode(found)) < 1000) == ("pass", True)


trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(exclude_categories=()))
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
NAMES = [*sorted(observation_types()), "other"]
observations = st.builds(
    Observation,
    seen=st.dictionaries(st.sampled_from(NAMES), trees),
    verdict=st.sampled_from([None, "pass", "fail"]),
    unknown=st.none() | st.text(),
    summary=st.text(alphabet=st.characters(exclude_categories=())),
    source=st.text(alphabet=st.characters(exclude_categories=())),
    sampled_at=st.none() | st.floats(),
)
RULES = [
    None,
    "value < 5",
    "values < 5",
    "json.a.b == 'x'",
    "response.status == 200",
    "series.all(s, s.value > 1)",
    "size(addresses) > 0 || exit_code == 0",
    "no such CEL",
]


@settings(deadline=None, max_examples=300)
@given(
    observations,
    st.sampled_from(RULES),
    st.sampled_from(RULES),
    st.sampled_from([None, "all", "any"]),
)
def test_any_observation_is_judged_and_can_be_stored(
    observation: Observation, pass_: str | None, rule: str | None, over: str | None
) -> None:
    """No content raises; what is kept can be written as JSON, and nothing is guessed."""
    asked = call(pass_, unknown_when=rule, pass_for=over)
    found = judge(asked, observation, tick=1.0, at=100.0, attempts=1)
    again = msgspec.json.decode(msgspec.json.encode(found), type=Evidence)

    assert (again, bool(found.why)) == (found, True)
    assert observation.unknown is None or found.state == "unknown"
