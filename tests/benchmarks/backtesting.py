"""Alerts of the past played against runbooks: alerts a second."""

import time
from collections.abc import Iterator
from pathlib import Path

from engine import bootstrap
from engine.analysis.backtest import backtest
from engine.config import load_config
from engine.core.intake import Rules, rules_of
from engine.model.alert import Alert
from engine.runtime.library import Library
from tests.benchmarks.figures import Figure

ROOT = Path(__file__).parents[2]
MANY = 100_000


def measure_backtest(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Return alerts a second: storms of 50 at once, each over after five minutes."""
    books = Library(bootstrap.kinds(load_config(environ={})))
    books.add_paths([ROOT / "runbooks"])
    compiled = {name: books.bundle(name).compiled for name in books.runbooks}
    rules = Rules(rules_of(books.runbooks.values()))
    many = MANY // 10 if quick else MANY
    arrived = list(_alerts(many))
    worst = dict.fromkeys(compiled, 4000.0)
    began = time.perf_counter()
    told = backtest(rules, compiled, worst, arrived)
    took = time.perf_counter() - began
    assert told.alerts == many
    yield Figure("backtest", many / took, "alerts/s")
    yield Figure("  runs that would begin", float(len(told.runs)), "runs")


def _alerts(many: int) -> Iterator[tuple[float, Alert]]:
    for number in range(many // 2):
        at = 1_767_308_400.0 + number // 50 * 120.0
        name = ("MessageDeliveryDelayHigh", "TapeFull", "DiskSlow")[number % 3]
        region = f"{'abcdefghij'[number % 10]}x-west"
        labels = {"alertname": name, "severity": "page", "region": region}
        print_ = f"{name}{number % 500}"
        yield at, Alert("alertmanager", "firing", labels, fingerprint=print_)
        yield at + 300.0, Alert("alertmanager", "resolved", labels, fingerprint=print_)
