"""Prometheus rule files: what may fire, with which labels, and what is no rule."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.language.alert_rules import read_alert_rules
from engine.model.alert_rules import AlertRule

RULES = """
groups:
  - name: delivery
    rules:
      - record: job:lag:max
        expr: max(lag)
      - alert: MessageDelay
        expr: lag > 5
        labels: {severity: page, region: '{{ $labels.region }}', team: ''}
      - expr: up
  - name: empty
"""
CORPUS = Path(__file__).parents[3] / "shared/corpora/prometheus-rules"


def test_rules_have_their_place_and_their_labels() -> None:
    """
    Certain labels, labels with some value, labels taken away; recording rules are none.
    """
    rules, problems = read_alert_rules(RULES, "a.yaml")

    assert [
        AlertRule(
            "a.yaml", 7, "delivery", "MessageDelay",
            {"alertname": "MessageDelay", "severity": "page"}, ("region",), ("team",),
        )
    ] == rules  # fmt: skip
    assert [(10, "a rule has neither `alert` nor `record`")] == [
        (one.line, one.message) for one in problems
    ]


def test_a_rule_of_kubernetes_is_read_alike() -> None:
    """
    A PrometheusRule holds the groups in its spec; several documents are read.
    """
    inner = RULES.replace("\n", "\n  ")
    text = f"kind: PrometheusRule\nspec:{inner}\n---\n{RULES}"

    assert ["MessageDelay"] * 2 == [one.alert for one in read_alert_rules(text, "x")[0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no group of rules in it"),
        ("a: 1", "there is no group of rules in it"),
        ("groups: [", "no rule can be read"),
        ("groups: " + "[" * 100_000, "more than 50 levels inside each other"),
        ("a: &a [x]\nb: [" + "*a, " * 2000 + "]", "more than 1000 aliases"),
        ("\x00", "no rule can be read"),
        ("a: !!python/object:os.system x", "there is no group of rules in it"),
    ],
)
def test_what_is_no_rule_file_is_told(text: str, message: str) -> None:
    """
    One problem with words, no rule, no exception.
    """
    rules, problems = read_alert_rules(text, "a.yaml")

    assert ([], [True]) == (rules, [message in one.message for one in problems])


@given(st.text())
def test_any_text_gives_rules_or_problems(text: str) -> None:
    """
    Never an exception, whatever a file holds.
    """
    rules, problems = read_alert_rules(f"groups:\n{text}", "a.yaml")

    assert isinstance(rules, list)
    assert isinstance(problems, list)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpora lie outside a clone")
def test_every_rule_file_of_the_corpus_is_read() -> None:
    """
    44 files of others, without a problem; each rule has its name and its line.
    """
    read = [
        read_alert_rules(file.read_text("utf-8"), file.name)
        for file in sorted(CORPUS.glob("*.y*ml"))
    ]

    assert [] == [problem for _, problems in read for problem in problems]
    assert all(rules for rules, _ in read)
    assert all(one.alert and one.line for rules, _ in read for one in rules)
