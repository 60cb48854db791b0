"""Runs driven by one process and answered from others, on real files."""

import base64
import html
import json
import signal
from collections.abc import Callable
from subprocess import Popen

from cli_place import Place

Until = Callable[["Popen[str]", str], str]


def started(place: Place, until: Until) -> tuple["Popen[str]", str]:
    """Begin a run; return it once it waits for people, with its id."""
    process = place.begin("run", "flag", "--set", f"folder={place.world}")
    return process, until(process, "waits for ops").split()[0]


def files(place: Place) -> list[str]:
    """Return what stands in the world."""
    return sorted(file.name for file in place.world.iterdir())


def test_a_dry_run_looks_and_touches_nothing(place: Place) -> None:
    """
    Each act stands there with its command and undo; the world and the disk are as before.
    """
    code, out, _ = place.runbook(
        "run", "flag", "--set", f"folder={place.world}", "--dry-run"
    )
    plan = out.partition("\n\n")[2].replace(str(place.world), "W")

    assert (
        "The plan, 2 acts:\n"
        "  1. lower   risk: low\n"
        "     command: touch W/lowered\n"
        "     undo:    rm -f W/lowered\n"
        "  2. repair   risk: low\n"
        "     command: rm W/broken\n"
        "     undo:    NONE, this cannot be undone\n"
    ) == plan[: plan.index("Worst case")]
    assert (0, ["broken"]) == (code, files(place))
    assert not (place.folder / "state").exists()


def test_an_alert_gives_the_inputs(place: Place) -> None:
    """
    The firing alert that matches the trigger starts the runbook; another one is refused.
    """
    labels = {"alertname": "FlagUp", "severity": "page", "folder": str(place.world)}
    body = {"version": "4", "alerts": [
        {"status": "resolved", "labels": labels | {"folder": "/gone"}},
        {"status": "firing", "labels": labels},
    ]}  # fmt: skip
    (place.folder / "a.json").write_text(json.dumps(body))
    (place.folder / "b.json").write_text(
        json.dumps(body["alerts"][1] | {"labels": {"a": "b"}})
    )
    code, out, _ = place.runbook(
        "run", "flag", "--alert", "a.json", "--dry-run", "--json"
    )
    refused = place.runbook("run", "flag", "--alert", "b.json")

    assert (0, {"folder": str(place.world)}) == (
        code,
        json.loads(out)["summary"]["inputs"],
    )
    told = "runbook: b.json: it does not start 'flag': it has no label 'alertname'\n"
    assert (1, "", told) == refused


def test_an_approval_from_another_terminal_counts(place: Place, until: Until) -> None:
    """
    The wrong person is told why; the right one lets the run go on to its end.
    """
    process, run = started(place, until)
    refused = place.runbook("approve", run, "--as", "bo")
    approved = place.runbook("approve", run)
    out, _ = process.communicate(timeout=30)

    assert (1, "It does not count: bo is not in ops\n") == (refused[0], refused[2])
    assert (0, "") == (approved[0], approved[2])
    assert f"{run} ended as resolved: restore is through and nothing is held\n" in out
    assert (0, []) == (process.returncode, files(place))
    assert place.runbook("verify-timeline", run) == (
        0,
        f"{run}: as it was written\n",
        "",
    )
    report = place.runbook("report", run, "--format", "html")[1]
    assert "## " in place.runbook("report", run)[1]
    picture = base64.b64decode(
        report.split("svg+xml;base64,")[1].split('"')[0]
    ).decode()
    assert f">The flag in {place.world} is up</text>" in html.unescape(picture)


def test_f24_a_killed_engine_leaves_the_run_to_the_next(
    place: Place, until: Until
) -> None:
    """
    After kill -9 the run stands on disk; an approval opens it, and resume finishes it.
    """
    process, run = started(place, until)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    code, out, _ = place.runbook("approve", run)
    if place.runbook("runs")[1]:
        place.runbook("resume", run)

    assert code == 0
    assert "ana said yes" in out
    state = json.loads(place.runbook("runs", "--all", "--json")[1])[0]["state"]
    assert ("resolved", []) == (state, files(place))


def test_a_terminated_engine_leaves_its_run_on_disk(place: Place, until: Until) -> None:
    """
    SIGTERM gives nothing back and cancels nothing; the way on is told.
    """
    process, run = started(place, until)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)

    assert f"{run} is left on disk. Go on with: runbook resume {run}\n" in out
    assert (1, ["broken", "lowered"]) == (process.returncode, files(place))
    told = place.runbook("runs", "--json")[1]
    assert [(run, ["lower"])] == [
        (one["run"], [held["action"] for held in one["held"]])
        for one in json.loads(told)
    ]


def test_a_cancel_gives_back(place: Place, until: Until) -> None:
    """
    `cancel` undoes what is held, also where nobody drives the run any more.
    """
    process, run = started(place, until)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    code, _, _ = place.runbook("cancel", run, "--reason", "false alarm")

    assert (0, ["broken"]) == (code, files(place))
    told = json.loads(place.runbook("runs", "--all", "--json")[1])
    assert [(run, "cancelled")] == [(one["run"], one["state"]) for one in told]


def test_a_note_after_the_end_stands_in_the_timeline(
    place: Place, until: Until
) -> None:
    """
    A note with its time is kept after the run has ended.
    """
    process, run = started(place, until)
    place.runbook("reject", run, "--reason", "peak hours")
    process.communicate(timeout=30)
    code, _, _ = place.runbook(
        "note", run, "called the provider", "--at", "2026-01-01T00:00:00Z"
    )

    assert code == 0
    assert "called the provider" in place.runbook("timeline", run)[1]
    assert place.runbook("take", run)[0] == 0


def test_a_changed_entry_is_found(place: Place, until: Until) -> None:
    """
    `verify-timeline` names the run and the entry that is not what was written.
    """
    import apsw

    process, run = started(place, until)
    place.runbook("approve", run)
    process.communicate(timeout=30)
    journal = apsw.Connection(str(place.folder / "state/journal.db"))
    journal.execute("DROP TRIGGER entries_keep_their_text")
    journal.execute(
        "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'ana', 'eve') AS BLOB)"
        " WHERE seq = 1"
    )
    journal.close()
    code, out, _ = place.runbook("verify-timeline", run)

    assert f"{run} entry 1: was changed after it was written" in out
    assert code == 1
