"""Alert rules beside runbooks: what surely starts, what may, what never."""

from engine.analysis.coverage import Fit, cover
from engine.core.intake import rules_of
from engine.model.alert_rules import AlertRule
from engine.model.runbook import Runbook
from tests.rehearsing import HEAD, runbook


def book(name: str, match: str, source: str = "alertmanager") -> Runbook:
    """Return a runbook with one alert trigger."""
    trigger = f"trigger: [{{alert: {{source: {source}, match: {match}}}}}]\n"
    return runbook(HEAD.replace("small", name) + trigger + "restore: [{undo: all}]\n")


def rule(name: str, **labels: str) -> AlertRule:
    """Return an alert rule."""
    return AlertRule("a.yaml", 1, "g", name, {"alertname": name} | labels)


def test_certain_open_and_contradicted_labels() -> None:
    """
    A label that the rule sets decides; one that it leaves open may come as wanted.
    """
    books = [
        book("lag", "{alertname: Lag, severity: [page, critical]}"),
        book("lag-eu", "{alertname: /Lag.*/, region: eu}"),
        book("disk", "{alertname: Disk}"),
        book("elsewhere", "{alertname: Lag}", "grafana"),
    ]
    taken = AlertRule("a.yaml", 9, "g", "Lag", {"alertname": "Lag"}, absent=("region",))
    rules = [
        rule("Lag", severity="page"), rule("Lag", severity="info", region="us"),
        rule("LagHigh"), taken, rule("Cpu"),
    ]  # fmt: skip
    told = cover(rules, rules_of(books), "alertmanager")

    assert [
        (Fit("lag"), Fit("lag-eu", ("region",))),
        (),
        (Fit("lag-eu", ("region",)),),
        (Fit("lag", ("severity",)),),
        (),
    ] == [one.fits for one in told.covered]
    assert ("disk",) == told.idle
    assert [1, 4] == [told.covered.index(one) for one in told.without]
    assert [2, 3] == [told.covered.index(one) for one in told.perhaps]


def test_two_runbooks_for_one_rule_are_told_in_the_order_of_the_intake() -> None:
    """
    The one that starts stands first: the worse severity, then the name.
    """
    books = [book("b", "{alertname: Lag}"), book("a", "{alertname: Lag}")]
    told = cover([rule("Lag")], rules_of(books), "alertmanager")

    assert [("a", "b")] == [
        tuple(fit.runbook for fit in one.certain) for one in told.doubled
    ]
