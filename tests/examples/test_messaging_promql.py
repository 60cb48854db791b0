"""Queries that the scraper refuses, and the numbers that it computes by hand."""

import math

import pytest
from messaging.alerting import Alerts, Rule, fingerprint
from messaging.evaluate import Moment, evaluate
from messaging.promql import QueryError, parse
from messaging.samples import Samples, read_text

REFUSED = {
    "up offset 1w": "offset is not supported here",
    "up @ 5": "the @ modifier is not supported here",
    "rate(up[5m:30s])": "a subquery is not supported here",
    "(up + 1)[5m]": "a subquery is not supported here: a range needs a selector",
    "deriv(up[5m])": "deriv() is not supported here",
    "topk(1, up)": "topk() is not supported here",
    "a * on (x) group_left b": "group_left is not supported here",
    "rate(up)": "rate() takes range",
    "1 > 2": "comparing two scalars needs bool",
    "up +": "the query ends too early",
    "up)": "did not expect ')' here",
    "up{a=~'('}": "a: '(' is no regex: missing ), unterminated subpattern at position 0",
    "up & down": "cannot read the query from '& down' on",
    "1 or up": "'or' takes two vectors",
    "sum(1)": "sum() takes a vector",
    "up[5]": "a range is like [30s], not [5]",
}


@pytest.mark.parametrize("query", REFUSED)
def test_a_query_that_is_not_supported_says_why(query: str) -> None:
    """What is outside the subset is refused by name, never computed wrongly."""
    with pytest.raises(QueryError) as refused:
        parse(query)

    assert str(refused.value) == REFUSED[query]


def _moment(text: str, at: float = 100.0) -> Moment:
    samples = Samples()
    samples.add_scrape("t", at, read_text(text, {"job": "t"}))
    return Moment(samples, at)


SCALARS = {
    "1 + 2 * 3 ^ 2": 19.0,
    "-2 ^ 2": -4.0,
    "2 ^ 3 ^ 2": 512.0,
    "7 % 4 - 1": 2.0,
    "1 / 0": math.inf,
    "time() - 40": 60.0,
    "3 >= bool 3": 1.0,
}


@pytest.mark.parametrize("query", SCALARS)
def test_arithmetic_has_the_strength_of_promql(query: str) -> None:
    """Numbers alone follow PromQL's precedence: power binds tighter than minus."""
    assert evaluate(parse(query), _moment("")) == SCALARS[query]


def test_a_counter_that_starts_again_goes_on() -> None:
    """An increase adds what was there before a reset."""
    samples = Samples()
    for second, value in enumerate([10.0, 20.0, 5.0, 15.0]):
        samples.add((("__name__", "n"),), 100.0 + second, value)

    found = evaluate(parse("increase(n[3s])"), Moment(samples, 103.0))
    assert found == {(): 25.0}


def test_a_series_that_is_gone_is_gone_at_once() -> None:
    """What a target no longer shows leaves results with that scrape."""
    samples = Samples()
    samples.add_scrape("t", 100.0, read_text('lag{lane="q"} 3', {}))
    samples.add_scrape("t", 101.0, {})

    assert evaluate(parse("lag"), Moment(samples, 100.5)) != {}
    assert evaluate(parse("lag"), Moment(samples, 101.0)) == {}


def test_matching_several_series_to_one_is_refused() -> None:
    """Where series cannot be matched one to one, nothing is computed."""
    moment = _moment('a{x="1"} 1\na{x="2"} 2\nb 3')

    with pytest.raises(QueryError) as refused:
        evaluate(parse("a / on (job) b"), moment)
    assert str(refused.value) == "several series on the left match {'job': 't'}"


def test_an_alert_fires_after_its_time_and_ends_once() -> None:
    """Pending until the condition has held for `for`; then firing; then over."""
    rule = Rule("High", "n > 1", parse("n > 1"), 2.0, {"severity": "page"}, {})
    alerts, told = Alerts([rule]), []
    for second, value in enumerate([2, 2, 2, 2, 0, 0]):
        moment = _moment(f"n {value}", float(second))
        changed = alerts.look(moment)
        told.append([alert.to_json("")["status"] for alert in changed])

    assert told == [[], [], ["firing"], [], ["resolved"], []]


def test_a_fingerprint_is_that_of_alertmanager() -> None:
    """No labels give the FNV-1a start value, as in the Prometheus code."""
    assert fingerprint({}) == "cbf29ce484222325"
