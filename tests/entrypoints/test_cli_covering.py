"""`runbook coverage`: alert rules beside runbooks, at the command line."""

import json
from pathlib import Path

from tests.warm import ran

ROOT = Path(__file__).parents[2]
RULES = """
groups:
  - name: g
    rules:
      - {alert: MessageDeliveryDelayHigh, expr: a, labels: {severity: page}}
      - {alert: TapeFull, expr: b, labels: {severity: critical}}
"""


def runbook(folder: Path, *words: str) -> tuple[int, str, str]:
    """Return code, output and errors of one command."""
    return ran(words, folder, {"PATH": "/usr/bin:/bin", "HOME": str(folder)})


def test_rules_without_a_runbook_and_runbooks_without_a_rule(tmp_path: Path) -> None:
    """
    What has no runbook stands with file and line; idle runbooks by name; --fail-on
    makes it a verdict.
    """
    (tmp_path / "alerts.yaml").write_text(RULES)
    words = ("coverage", "--rules", "alerts.yaml", str(ROOT / "runbooks"))
    code, out, _ = runbook(tmp_path, *words)
    failed, _, _ = runbook(tmp_path, *words, "--fail-on", "without")
    _, told, _ = runbook(tmp_path, *words, "--json")

    assert (0, 1) == (code, failed)
    assert "1 have no runbook" in out
    assert "alerts.yaml:6" in out
    assert "No rule can start\n" in out
    assert [1, 0] == [len(one["runbooks"]) for one in json.loads(told)["rules"]]


def test_a_file_that_is_no_rule_file_is_told(tmp_path: Path) -> None:
    """
    The others count; what is not there at all is an error in words.
    """
    (tmp_path / "alerts.yaml").write_text("a: 1\n")
    words = ("--rules", "alerts.yaml", str(ROOT / "runbooks"))
    code, out, err = runbook(tmp_path, "coverage", *words)
    lost, _, told = runbook(tmp_path, "coverage", "--rules", "b.yaml", words[-1])

    assert (0, "0 alert rules") == (code, out[:13])
    assert "alerts.yaml:1: there is no group of rules in it" in err
    assert (1, "runbook: b.yaml: there is no such file") == (lost, told[:38])
