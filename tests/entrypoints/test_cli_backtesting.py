"""`runbook backtest`: from files of every kind, and from a real Prometheus."""

import json
import time
from pathlib import Path

import pytest
from cli_place import Place

from tests import real_parts

CORPORA = Path(__file__).parents[3] / "shared/corpora/alerts"
BODY = {
    "version": "4",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "FlagUp", "severity": "page", "folder": "/tmp/x"},
            "annotations": {},
            "startsAt": "2026-01-01T23:00:00Z",
        }
    ],
}
OTHER = {"labels": {"alertname": "Tape"}, "startsAt": "2026-01-01T23:30:00Z"}
SHOWN = """\
2 alerts, 1 runbooks, 1 runs would begin
  from 2026-01-01 23:00:00 UTC to 2026-01-01 23:30:00 UTC
       1  started: a run was started
       1  no_runbook: no runbook has a trigger that fits

Runs
runbook  runs  joined  longest wait  first                    last
flag     1     0       0 s           2026-01-01 23:00:00 UTC  2026-01-01 23:00:00 UTC

No runbook
alert  times
Tape   1

Asked at most (one way through each run; night: 22 to 6 UTC)
who  date               questions  runs
ana  2026-01-01  night  1          1
"""


def test_lines_and_bodies_are_played(place: Place) -> None:
    """A body, a line with its time, an alert alone; the same from JSON lines."""
    (place.folder / "body.json").write_text(json.dumps(BODY))
    (place.folder / "one.jsonl").write_text(
        json.dumps({"at": 1767308400, "source": "alertmanager", "body": BODY})
        + "\n\n"
        + json.dumps(OTHER)
        + "\n"
    )
    (place.folder / "bad.json").write_text("{}")
    code, out, errors = place.runbook("backtest", "--alerts", "one.jsonl")
    words = ("--alerts", "body.json", "--alerts", "bad.json", "--json")
    more, told, left_out = place.runbook("backtest", *words)
    shown = "\n".join(line.rstrip() for line in out.splitlines()) + "\n"

    assert (0, "", SHOWN) == (code, errors, shown)
    assert (0, {"started": 1}) == (more, json.loads(told)["outcomes"])
    assert "not counted: bad.json: it is no body" in left_out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "name one of --alerts FILE, --prometheus URL, --alertmanager URL"),
        (("--alerts", "none"), 1, "none cannot be read: No such file or directory"),
        (("--prometheus", "http://127.0.0.1:1", "--since", "5"), 2, "--since:"),
        (("--prometheus", "http://127.0.0.1:1"), 1, "cannot be asked"),
    ],
    ids=["none", "no-file", "no-time", "no-server"],
)
def test_what_cannot_be_played_is_told(
    words: tuple[str, ...], code: int, told: str, place: Place
) -> None:
    """No traceback: the message says what to write."""
    seen, _, errors = place.runbook("backtest", *words)

    assert (code, True) == (seen, told in errors), errors


@pytest.mark.skipif(
    not CORPORA.is_dir(), reason="the bodies of real systems are not here"
)
def test_bodies_of_real_systems_are_played(place: Place) -> None:
    """Of every kind that is known; none starts a runbook that it does not fit."""
    words = ("backtest", "--alerts", str(CORPORA), "--json")
    code, out, _ = place.runbook(*words)
    told = json.loads(out)

    assert (0, [], 0) == (code, told["runs"], told["outcomes"].get("started", 0))
    assert told["alerts"] > 100


def test_a_real_prometheus_tells_its_past(place: Place, tmp_path: Path) -> None:
    """What fired twice begins twice; a run ends when its alert is over."""
    real_parts.need("promtool")
    end = int(time.time()) // 60 * 60 - 600
    times = [end - 7200 + at for at in (*range(0, 120, 30), *range(3600, 3720, 30))]
    labels = 'alertname="FlagUp",severity="page",folder="/tmp/x",alertstate="firing"'
    samples = [f"ALERTS{{{labels}}} 1 {at}" for at in times]
    history = tmp_path / "history.txt"
    head = "# TYPE ALERTS gauge\n"
    history.write_text(head + "\n".join(samples) + "\n# EOF\n")
    config = place.folder / "engine.yaml"
    config.write_text(config.read_text() + "network: {allow: [127.0.0.0/8]}\n")
    with real_parts.prometheus(tmp_path / "real", history=history) as url:
        words = ("--prometheus", url, "--since", "4h", "--json")
        code, out, errors = place.runbook("backtest", *words)
    told = json.loads(out)

    assert 0 == code, errors
    assert {"started": 2, "resolved_run": 2} == told["outcomes"]
    assert ["flag", "flag"] == [one["runbook"] for one in told["runs"]]
