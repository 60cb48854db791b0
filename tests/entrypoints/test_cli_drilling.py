"""`runbook drill`: people and looks are real, acts are absent, nothing real sees it."""

import json
import time
from pathlib import Path

import pytest
from cli_place import Place

from engine.bootstrap.drilling import injected
from engine.errors import DoesNotApply, EngineError
from engine.model.run import RunSummary
from engine.runtime.measures import Measures
from tests.crash.counting_target import CountingTarget

PLACE = (
    "runbook: --inject lag: say where the platform runs, --platform DIR; a command has "
    "a `/` or a blank in it"
)


def waits(place: Place, drills: dict[str, str]) -> str:
    """Return the run of the drill, once it asks."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        code, out, _ = place.runbook("runs", "--json", **drills)
        found = json.loads(out) if code == 0 else []
        if found and found[0]["questions"]:
            return str(found[0]["run"])
    raise AssertionError("the drill asks nothing")


def test_f84_a_drill_is_apart_from_what_is_real(place: Place) -> None:
    """
    People answer, looks are real, no act is done; the run, its journal and the record
    stand beside the real ones, marked, with the times it took.
    """
    given = ("--set", f"folder={place.world}", "--people", "bo", "--as", "ana")
    words = ("drill", "flag", *given, "--report", "drill.md", "--json")
    process = place.begin(*words)
    drills = {"RUNBOOK_DATA": str(place.folder / "state/drills")}
    run = waits(place, drills)
    there = sorted(one.name for one in place.world.iterdir())
    (place.world / "broken").unlink()  # somebody mends it by hand
    approved = place.runbook("approve", run, "--as", "ana", **drills)
    out, _ = process.communicate(timeout=30)
    told = json.loads(out[out.index("{\n") :])
    listed = json.loads(place.runbook("drills", "--json")[1])
    report = (place.folder / "drill.md").read_text()

    assert (0, 0) == (approved[0], process.returncode), (approved, out)
    assert (["broken"], []) == (there, [*place.world.iterdir()])
    assert (run, "resolved", False) == (told["run"], told["end"], told["failed"])
    assert ["isolated", "mitigated", "total"] == [one["name"] for one in told["times"]]
    assert (False, False) == (listed[0]["failed"], listed[0]["overdue"])
    assert "REHEARSAL" in report.splitlines()[0]
    assert [] == json.loads(place.runbook("runs", "--json")[1])


def test_a_drill_needs_its_own_people_and_targets(place: Place) -> None:
    """A stranger, acts without a target, a fault without a platform: told, not begun."""
    told = [
        place.runbook("drill", "flag", *words)
        for words in (
            ("--people", "eve"), ("--actions", "real"), ("--inject", "lag"),
        )
    ]  # fmt: skip
    drills = place.runbook("drills")[1].split()

    assert [1, 2, 1] == [code for code, _, _ in told]
    assert [
        "runbook: eve: none of the people: ana, bo",
        "Error: Invalid value: --actions real: name the drill's targets, --set or --config",
        PLACE,
    ] == [errors.strip().splitlines()[-1] for _, _, errors in told]
    assert ["flag", "never", "OVERDUE"] == drills[-3:]


def test_a_fault_is_switched_on_and_off_again(tmp_path: Path) -> None:
    """Also where the drill fails; a command breaks and mends as well."""
    target = CountingTarget()
    (tmp_path / "platform.json").write_text(
        json.dumps({"urls": {"router": target.url}})
    )
    flag = tmp_path / "flag"
    there: list[bool] = []

    def broken() -> None:
        with injected(["lag", f"touch {flag}"], tmp_path, f"rm {flag}"):
            there.append(flag.exists())
            raise EngineError("over")

    with pytest.raises(EngineError, match="over"):
        broken()
    target.close()

    assert ([True], False) == (there, flag.exists())
    assert [("POST", "/faults/lag"), ("DELETE", "/faults/lag")] == [
        one[:2] for one in target.changes
    ]
    with pytest.raises(DoesNotApply), injected(["lag"], None, ""):
        """Nothing is broken without a platform."""


@pytest.mark.parametrize(("mode", "counted"), [("live", 1), ("rehearsal", 0)])
def test_f84_a_drill_is_kept_out_of_the_metrics(mode: str, counted: int) -> None:
    """Only what is live counts; and only that is taken up by another engine."""
    from engine.model.timeline import Entry

    state = ("running", "isolate", "", mode, 0.0, 0.0)
    summary = RunSummary("r", "flag", "x", "t", "sev3", *state)
    measures = Measures()
    measures.changed(summary, [Entry("r", 1, 0.0, 0.0, "started", "run started")])

    assert (counted, bool(counted)) == (measures.begun, summary.goes_on)


def test_what_cannot_be_mended_is_tried_again_and_said(tmp_path: Path) -> None:
    """
    A command that fails is tried again in the end; all else is mended, and what is left
    is named with its option.
    """
    flag, key = tmp_path / "flag", tmp_path / "key"
    heal = f"cp {key} {flag}"
    with injected([f"touch {flag}"], None, heal) as mend:
        with pytest.raises(EngineError, match=f"still broken: --heal: {heal}: "):
            mend()
        key.touch()
    odd = "--inject: a/b 'x: No closing quotation"
    with pytest.raises(EngineError, match=odd), injected(["a/b 'x"], None, ""):
        pytest.fail("it was begun")
