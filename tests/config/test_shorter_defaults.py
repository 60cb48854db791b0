"""Shorter defaults, applied to a runbook."""

from datetime import timedelta

from engine.model.runbook import Runbook
from engine.runtime.defaults import shorten

RUNBOOK = Runbook.model_validate(
    {
        "format": 1,
        "runbook": "a",
        "title": "A",
        "owner": "o",
        "severity": "sev3",
        "checks": {
            "left_out": {"tcp": {"port": 1}},
            "written": {"tcp": {"port": 1}, "timeout": "9s"},
        },
        "diagnose": [
            {"all": [{"wait_for": "left_out"}, {"wait_for": "x", "within": "9m"}]}
        ],
    }
)


def test_only_what_is_left_out_gets_shorter() -> None:
    """
    A limit that the runbook writes stays; one that it leaves out is the configuration's.
    """
    short = shorten(RUNBOOK, {"check_timeout": 3.0, "wait_within": 60.0})

    assert timedelta(seconds=3) == short.checks["left_out"].timeout
    assert timedelta(seconds=9) == short.checks["written"].timeout
    first, second = short.diagnose[0].all  # type: ignore[union-attr]
    assert [timedelta(minutes=1), timedelta(minutes=9)] == [first.within, second.within]


def test_nothing_gets_longer_and_nothing_is_written_twice() -> None:
    """
    A longer limit changes nothing, and a second shortening may go further.
    """
    assert RUNBOOK == shorten(RUNBOOK, {"check_timeout": 60.0})
    twice = shorten(shorten(RUNBOOK, {"check_timeout": 5.0}), {"check_timeout": 2.0})
    assert timedelta(seconds=2) == twice.checks["left_out"].timeout
