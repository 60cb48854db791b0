"""The judge of a soak finds what it is there for; a short soak goes well."""

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from engine.adapters.sqlite import SqliteStore
from engine.model.decision import Decision
from engine.model.events import Noted
from engine.model.people import ENGINE
from engine.model.run import RunSummary
from engine.model.timeline import Entry
from tests.soak.invariants import broken
from tests.soak.world import Call, Target

AT = 1_764_000_000.0


def journal(folder: Path, state: str, *, kind: str = "intent") -> None:
    """Write a journal with one run that intended one act, and one decision."""

    async def write() -> None:
        (folder / "state").mkdir(mode=0o700)
        store = await SqliteStore.open(folder / "state/journal.db")
        entry = Entry(
            "r-1", 1, AT, 0.0, kind, "about to do drain", refs={"key": "k"},
            event=Noted(by=ENGINE, text="x"),
        )  # fmt: skip
        summary = RunSummary(
            "r-1", "soak", "rev", "t", "sev2", state, "isolate", "", "live", AT, AT,  # type: ignore[arg-type]
            inputs={"thing": "t1"},
        )  # fmt: skip
        await store.append([entry], summary)
        told = Decision(
            at=AT, outcome="started", reason="x", status="firing", fingerprint="f",
            delivery=1,
        )  # fmt: skip
        await store.alerts.decide([], [told])
        await store.close()

    asyncio.run(write())


def put(key: str = "k", at: float = AT + 1) -> Call:
    """Return one call at the target."""
    return Call(at, "PUT", "drained-t1", key, 0)


@pytest.mark.parametrize(
    ("calls", "things", "taken", "state", "expected"),
    [
        ([put()], set(), 1, "resolved", []),
        ([put("x")], set(), 1, "resolved", ["PUT drained-t1 has no intent: key x"]),
        ([put(at=AT - 9)], set(), 1, "resolved",
         ["PUT drained-t1 came before its intent"]),
        ([put(), put()], set(), 1, "resolved",
         ["PUT drained-t1 was done 2 times under k"]),
        ([put()], {"drained-t1"}, 1, "resolved",
         ["drained-t1 is set and nobody holds it"]),
        ([put()], set(), 2, "resolved", ["2 alerts were taken, 1 were decided"]),
        ([put()], set(), 1, "waiting", ["r-1 is still waiting in isolate and asks nobody"]),
    ],
    ids=["well", "no intent", "too early", "twice", "forgotten", "lost", "stuck"],
)  # fmt: skip
def test_what_breaks_an_invariant_is_found(
    tmp_path: Path, calls: list[Call], things: set[str], taken: int, state: str,
    expected: list[str],
) -> None:  # fmt: skip
    """
    Each way in which a night can go wrong is told, and a good one is not.
    """
    journal(tmp_path, state)
    target = Target(things=things, calls=calls)

    assert expected == broken(tmp_path, target, Counter({"t1": taken}))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_short_night_of_faults_goes_well(tmp_path: Path) -> None:
    """
    Ten seconds of kills, stops, lies and lost answers: every invariant holds.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", "--seconds", "10", "--seed", "11"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=280,
        check=False,
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout + done.stderr
