"""`run --dry-run --at`: a real Prometheus is asked what a real incident looked like."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from cli_place import Place

from engine.analysis.replaying.history import read_history
from engine.bootstrap import kinds
from engine.bootstrap.kinds import door
from engine.bootstrap.looking_back import past_registry
from engine.config import load_config
from engine.model.times import utc
from engine.runtime.virtual_time import RealTime, VirtualClock
from tests.real_parts import prometheus

HISTORIES: Final = Path(__file__).parents[1] / "histories"
RECORDED: Final = "0.1.0-consumer-stall"
EARLIER: Final = 365 * 86_400  # so that no machine's clock is before it


@pytest.fixture(scope="module")
def monitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a Prometheus that has the recorded samples, all a year earlier."""
    folder = tmp_path_factory.mktemp("past")
    text = (HISTORIES / f"{RECORDED}.om").read_text()
    moved = re.sub(
        r" ([0-9.]+)$", lambda at: f" {float(at[1]) - EARLIER:.3f}", text, flags=re.M
    )
    (folder / "past.om").write_text(moved)
    with prometheus(folder, history=folder / "past.om") as url:
        yield url


def began() -> float:
    """Return when the recorded run began, a year earlier."""
    file = HISTORIES / f"{RECORDED}.jsonl"
    return read_history(file.read_bytes(), str(file)).summary.started_at - EARLIER


@pytest.fixture
def past(place: Place, monitor: str) -> Place:
    """Return a place whose configuration names that Prometheus."""
    runbook = Path(__file__).parent / "places/late.yaml"
    (place.folder / "runbooks/late.yaml").write_text(runbook.read_text())
    with (place.folder / "engine.yaml").open("a") as config:
        config.write("network: {allow: [127.0.0.0/8]}\n")
        config.write(f"prometheus: {{url: '{monitor}'}}\n")
    return place


def look_back(place: Place, *words: str, at: str = "") -> tuple[int, str, str]:
    """Return what a dry run in the past says; left out: when the recorded run began."""
    moment = utc(began())
    assert moment is not None
    return place.runbook(
        "run", "late", "--dry-run", "--at", at or moment.isoformat(), *words
    )


TOLD: Final = """\
[DRY RUN] as of 2025-11-24 16:58:48 UTC: the past was asked, nothing was done
2025-11-24 UTC
 +00:00  16:58:48             run started by ana
 +00:00  16:58:48  confirm    phase confirm
 +00:00  16:58:48  confirm    delivery_p99: fail
                                value 5.91096774194, pass: value < 1.0
 +00:00  16:58:48  confirm    the trouble is real
                                delivery_p99 is fail, trouble is fail
 +00:00  16:58:48  diagnose   phase diagnose
 +00:00  16:58:48  diagnose   lag: fail
                                value 275, pass: value < 25.0
 +00:00  16:58:48  diagnose   hot_partition: pass
                                value 1.30909090909, pass: value <= 5.0
 +00:00  16:58:48  diagnose   rollout: unknown
                                http cannot be asked about the past
 +00:00  16:58:48  diagnose   cause: too-few-consumers
                                !checks.lag.ok is true; not ruled out: bad-rollout
 +00:00  16:58:48  workaround phase workaround
 +00:00  16:58:48  workaround workaround scale-out
                                cause too-few-consumers
 +00:00  16:58:48  workaround asked 1 of messaging: Add consumers in eu-west?
                                within 5s
 +00:00  16:58:48  workaround person-1 votes approve
                                as scripted
 +00:00  16:58:48  workaround person-1 said yes
                                everybody needed has said yes
 +00:00  16:58:48  workaround about to do add_consumers
 +00:00  16:58:48  workaround did add_consumers
                                held: a dry run does nothing
 +00:00  16:58:48  workaround looked 8 times: delivery_p99 fail 7 times, delivery_p99 pass once
 +00:14  16:59:02  workaround wait_for delivery_p99: true
                                checks.delivery_p99.ok
 +00:14  16:59:02  restore    phase restore
 +00:14  16:59:02  restore    looked 2 times: delivery_p99 pass 2 times
 +00:18  16:59:06  restore    wait_for delivery_p99: held
                                delivery_p99 pass (value 0.24196875, pass: value < 1.0)
 +00:18  16:59:06  restore    about to undo add_consumers
 +00:18  16:59:06  restore    undid add_consumers
                                held: a dry run does nothing
 +00:18  16:59:06             ended: resolved
                                restore is through and nothing is held

Unknown: rollout, since http cannot be asked about the past
What was seen from +00:00 on is what was there without these acts
The plan, 1 act:
  1. add_consumers   risk: low
     command: PATCH http://127.0.0.1:9/consumers json {"replicas": 8}
     undo:    PATCH http://127.0.0.1:9/consumers json {"replicas": 2}
Worst case: 7m2s, proved on every path
It would have ended as resolved: restore is through and nothing is held
"""


def test_it_tells_what_would_have_been_diagnosed_and_done(past: Place) -> None:
    """Step by step at later moments of history, and what could not be asked."""
    assert (0, TOLD, "") == look_back(past)


def test_people_who_are_silent_let_their_time_go_by(past: Place) -> None:
    """The limits of questions pass virtually, and nothing would have been done."""
    code, out, errors = look_back(past, "--people", "silence", "--json")
    told = json.loads(out)

    assert (1, "") == (code, errors)
    assert {
        "at": pytest.approx(began(), abs=1e-3),
        "state": "handed_over",
        "cause": "too-few-consumers",
        "seconds": 5.0,
        "not_asked": {"rollout": "http"},
        "acts_from_seconds": None,
        "plan": [],
    } == {
        "at": told["at"],
        "state": told["summary"]["state"],
        "cause": told["summary"]["cause"],
        "seconds": told["timeline"][-1]["tick_seconds"],
        "not_asked": told["not_asked"],
        "acts_from_seconds": told["acts_from_seconds"],
        "plan": told["plan"],
    }


def test_after_the_incident_there_was_nothing_to_do(past: Place) -> None:
    """The same runbook a little later is cleared."""
    moment = utc(began() + 20)
    assert moment is not None
    code, out, errors = look_back(past, "--json", at=moment.isoformat())

    assert (0, "cleared", "") == (code, json.loads(out)["summary"]["state"], errors)


def test_where_there_is_no_history_nothing_is_guessed(past: Place) -> None:
    """A moment that nobody recorded is unknown, and the run hands over."""
    code, out, errors = look_back(past, "--json", at="2020-01-01T00:00Z")
    told = json.loads(out)

    assert (1, "") == (code, errors)
    assert (
        "handed_over",
        (
            "confirm: cannot tell whether the trouble is real: "
            "delivery_p99 is unknown, trouble is fail"
        ),
    ) == (told["summary"]["state"], told["summary"]["why"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--at", "2026-11-01T03:12Z"],
            "--at stands beside --dry-run; nothing can be done in the past",
        ),
        (
            ["--dry-run", "--at", "yesterday"],
            (
                "--at: 'yesterday' is no moment; write date, time and zone: "
                "2026-11-01T03:12Z"
            ),
        ),
        (
            ["--dry-run", "--at", "2026-11-01T03:12"],
            (
                "--at: '2026-11-01T03:12' is no moment; write date, time and zone: "
                "2026-11-01T03:12Z"
            ),
        ),
        (
            ["--dry-run", "--at", "2999-01-01T00:00Z"],
            "--at: 2999-01-01T00:00Z is still to come; leave --at out to look now",
        ),
    ],
)
def test_a_moment_that_is_none_is_refused(
    words: list[str], told: str, place: Place
) -> None:
    """The line says what is wrong with it, and what to write."""
    code, out, errors = place.runbook("run", "flag", *words)

    assert (2, "") == (code, out)
    assert told in " ".join(errors.replace("│", " ").split())


def test_no_action_has_any_code_in_a_look_back(place: Place) -> None:
    """Its registry knows every kind of check and not one kind of action."""
    config = load_config(place.folder / "engine.yaml", environ={})
    clock = VirtualClock(0.0)
    with RealTime() as real:
        web = door(config)
        made = past_registry(config, web, real, clock)
        real.done(web.aclose())

    assert (set(kinds(config).checks), set()) == (
        set(made.kinds.checks),
        set(made.kinds.actions),
    )
