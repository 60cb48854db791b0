"""What is too old goes, whole; what is needed stays; what went is written down."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import apsw
import pytest
from journal_pieces import behind_its_back
from msgspec.structs import replace

from engine.adapters.sqlite import Retained, SqliteStore
from engine.model.alert import Alert, Delivery
from engine.model.decision import Decision
from engine.model.effects import Say
from engine.model.events import Stopped
from engine.model.run import Held
from tests.journal_entries import entry, summary

OLD, CUT, NEW = 1_000.0, 2_000.0, 3_000.0
CHILD = """\
import asyncio, sys
from pathlib import Path
from engine.adapters.sqlite import SqliteStore

async def main():
    store = await SqliteStore.open(Path(sys.argv[1]))
    print("begun", flush=True)
    await store.retention.runs(2000.0)
    await store.close()

asyncio.run(main())
"""


async def ended(store: SqliteStore, run: str, at: float = OLD, **more: Any) -> None:
    """Write a run of three entries that ended then."""
    last = summary(
        run, state="resolved", started_at=at - 10, updated_at=at, ended_at=at
    )
    entries = [entry(seq, run) for seq in (1, 2, 3)]
    await store.append(entries, replace(last, **more))


async def names(store: SqliteStore) -> list[str]:
    """Return the runs that are there."""
    return sorted(one.run for one in await store.runs(limit=10_000))


async def test_old_runs_go_and_leave_their_word(tmp_path: Path) -> None:
    """
    A run leaves one row and one chained entry; the timelines that stay verify.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")
    await ended(store, "r-old")
    await ended(store, "r-new", NEW)
    head = (await store.entries("r-old"))[-1].hash
    done = await store.retention.runs(CUT, why="retention.runs is 400d")
    left = await names(store), await store.entries("r-old"), await store.verify()
    told = await store.records()
    await store.close()
    rows = apsw.Connection(str(tmp_path / "journal.db")).execute(
        "SELECT run, runbook, head_hash, entries, ended_at FROM removed_runs"
    )

    assert Retained(runs=1, entries=3) == done
    assert (["r-new"], [], []) == left
    assert [("r-old", "delay", head, 3, OLD)] == rows.fetchall()
    assert [
        ("removed", "a run was removed", "retention.runs is 400d",
         {"runs": {"r-old": head}}),
    ] == [(one.kind, one.what, one.why, one.refs) for one in told]  # fmt: skip


async def test_what_is_needed_stays(tmp_path: Path) -> None:
    """
    Open, holding, locked, unsent, waiting mail, a start not carried out, a changed
    timeline: each keeps its run, however old.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)
    await store.append([entry(1, "r-open")], summary("r-open", updated_at=OLD))
    held = (Held("h-1", "act"),)
    await ended(store, "r-holds", held=held)
    for run in ("r-locked", "r-unsent", "r-mail", "r-start", "r-changed"):
        await ended(store, run)
    await store.lock("r-locked", ["region/x"])
    note = summary("r-unsent", state="resolved", updated_at=OLD, ended_at=OLD)
    await store.append([entry(4, "r-unsent")], note, outbox=[Say("r-unsent", "hello")])
    await store.post("r-mail", Stopped())
    start = Decision(at=OLD, outcome="started", reason="fits", run="r-start")
    await store.alerts.decide([], [start])
    await store.close()
    with behind_its_back(path) as connection:
        connection.execute("UPDATE entries SET at = 7 WHERE run = 'r-changed'")
    store = await SqliteStore.open(path)
    before = await names(store)
    dry = await store.retention.runs(CUT, dry=True)
    done = await store.retention.runs(CUT)
    after = await names(store)
    await store.close()

    assert Retained(kept=5, changed=("r-changed",)) == done == dry
    assert before == after


async def test_dry_run_counts_and_removes_nothing(tmp_path: Path) -> None:
    """
    What it says is what would go.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")
    for number in range(450):
        await ended(store, f"r-{number}")
    dry = await store.retention.runs(CUT, dry=True)
    there = len(await names(store))
    done = await store.retention.runs(CUT)
    left = len(await names(store)), await store.verify()
    await store.close()

    assert Retained(runs=450, entries=1350) == dry == done
    assert 450 == there
    assert (0, []) == left


async def test_timeline_stays_append_only(tmp_path: Path) -> None:
    """
    Before, during and after a removal no entry of a run that stays can be deleted, and
    no removal can be taken back.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)
    await ended(store, "r-old")
    await ended(store, "r-new", NEW)
    await store.retention.runs(CUT)
    await store.close()
    connection, told = apsw.Connection(str(path)), []
    for query in (
        "DELETE FROM entries WHERE run = 'r-new'",
        "DELETE FROM removed_runs",
        "UPDATE removed_runs SET entries = 0",
        "DELETE FROM records",
    ):
        with pytest.raises(apsw.ConstraintError) as refused:
            connection.execute(query)
        told.append(str(refused.value))
    connection.close()

    kept, removed = "the timeline is append-only", "what was removed stays written down"
    assert [kept, removed, removed, kept] == told


async def test_removal_that_nobody_did_is_found(tmp_path: Path) -> None:
    """
    A run deleted with a row that looks like a removal is a fault; so is a row that is
    gone, and a record that was changed.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)
    await ended(store, "r-old")
    await ended(store, "r-other", NEW)
    await store.retention.runs(CUT)
    await store.close()
    with behind_its_back(path) as connection:
        connection.execute("DROP TRIGGER removed_runs_stay")
        connection.execute("DROP TRIGGER records_keep_their_text")
        connection.execute("DELETE FROM removed_runs")
        connection.execute(
            "INSERT INTO removed_runs VALUES ('r-other', 'delay', 'x', 3, 1, 1)"
        )
        connection.execute("UPDATE records SET at = 5")
    store = await SqliteStore.open(path)
    faults = [(one.run, one.problem) for one in await store.verify()]
    await store.close()

    assert [
        ("engine", "does not stand in the place it was written for"),
        ("r-other", "its removal is not what the engine's own timeline says"),
        ("r-old", "the row of its removal is missing"),
        ("r-other", "was removed, and yet something of it is there"),
    ] == faults


async def test_f27_kill_9_in_the_middle_leaves_whole_timelines(tmp_path: Path) -> None:
    """
    Killed again and again while it removes, every timeline is whole or gone.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)
    await asyncio.gather(*(ended(store, f"r-{n}", OLD) for n in range(3000)))
    await asyncio.gather(*(ended(store, f"n-{n}", NEW) for n in range(20)))
    await store.close()
    counts, codes = [3020], []
    for pause in (0.03, 0.1, 0.2, 0.0):
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            if pause:
                await asyncio.sleep(pause)
                child.kill()
        codes.append(child.returncode)
        store = await SqliteStore.open(path)
        assert [] == await store.verify()
        counts.append(len(await names(store)))
        await store.close()

    assert [-signal.SIGKILL] * 3 + [0] == codes
    assert 20 == counts[-1]
    assert counts == sorted(counts, reverse=True)
    assert 20 < counts[3] < 3020  # it was killed in the middle


async def test_writers_go_on_beside_it(tmp_path: Path) -> None:
    """
    One transaction is left after its budget: thousands of runs go in many of them.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")
    await asyncio.gather(*(ended(store, f"r-{n}") for n in range(1500)))
    removing = asyncio.create_task(store.retention.runs(CUT))
    number = 0
    while not removing.done():
        number += 1
        await store.append([entry(number, "r-busy")], summary("r-busy"))
    done = await removing
    batches = len(await store.records())  # one of each transaction
    faults = await store.verify()
    await store.close()

    assert Retained(runs=1500, entries=4500) == done
    assert [] == faults
    assert batches >= 8  # a page of 200 runs is one transaction at most
    assert number >= 8


# Alerts


def decision(outcome: str, at: float, **more: Any) -> Decision:
    """Return a decision about one alert."""
    known = {"source": "am", "fingerprint": "f-1", "runbook": "delay"}
    return Decision(at=at, outcome=outcome, reason="why", **(known | more))


async def decided(store: SqliteStore, *made: Decision) -> list[int]:
    """Keep one delivery for each decision, decided; starts are carried out."""
    numbers = []
    for number, one in enumerate(made):
        delivery = Delivery("am", (Alert("am", "firing", {"alertname": "Slow"}),))
        receipt = await store.alerts.keep(
            delivery, f"{number} {one}".encode(), at=one.at
        )
        kept = replace(one, delivery=receipt.delivery)
        numbers += await store.alerts.decide([receipt.delivery], [kept])
    await store.alerts.carried_out(numbers)
    return numbers


async def test_old_decisions_that_nothing_needs_go(tmp_path: Path) -> None:
    """
    A family of decisions goes together, with its deliveries; a repeat goes by its age.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")
    await decided(
        store,
        decision("started", OLD, run="r-1"),
        decision("repeated", OLD),
        decision("run_ended", OLD, run="r-1", fingerprint="", source=""),
        decision("started", OLD, run="r-2", fingerprint="f-2", runbook="other"),
        decision("repeated", OLD, fingerprint="f-2", runbook="other"),
        decision("not_open", NEW, fingerprint="f-2", runbook="other"),
    )
    dry = await store.retention.alerts(CUT, dry=True)
    done = await store.retention.alerts(CUT)
    again = await store.retention.alerts(CUT)
    left = [(one.outcome, one.fingerprint) for one in await store.alerts.decisions()]
    await store.close()

    assert Retained(decisions=4, deliveries=4) == dry == done
    assert Retained() == again
    assert [("started", "f-2"), ("not_open", "f-2")] == left


async def test_what_waits_or_is_open_keeps_its_decisions(tmp_path: Path) -> None:
    """
    An open run, an offer nobody took and a schedule stay, however old; an offer that was
    taken does not.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")
    await store.append([entry(1, "r-open")], summary("r-open", updated_at=OLD))
    await decided(
        store,
        decision("started", OLD, run="r-open", fingerprint="f-open", runbook="a"),
        decision("proposed", OLD, fingerprint="f-offer", runbook="b"),
        decision("proposed", OLD, fingerprint="f-taken", runbook="c"),
        decision("withdrawn", OLD, fingerprint="f-taken", runbook="c"),
        decision("scheduled", OLD, source="schedule", fingerprint="0 3 * * *"),
        decision("no_runbook", NEW, fingerprint="f-last", runbook=""),
    )
    done = await store.retention.alerts(CUT)
    left = [one.fingerprint for one in await store.alerts.decisions()]
    await store.close()

    assert Retained(decisions=2, deliveries=2) == done
    assert ["f-open", "f-offer", "0 3 * * *", "f-last"] == left


async def test_body_that_later_deliveries_share_stays(tmp_path: Path) -> None:
    """
    The first of the same bytes has the body of all: it goes last. What is undecided
    stays.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")
    delivery = Delivery("am", (Alert("am", "firing", {"alertname": "Slow"}),))
    receipts = [
        await store.alerts.keep(delivery, b"same", at=at) for at in (OLD, OLD, NEW)
    ]
    await store.alerts.keep(delivery, b"not decided", at=OLD)
    await store.alerts.decide([one.delivery for one in receipts], [])
    done = await store.retention.alerts(CUT)
    body = await store.alerts.alert(receipts[2].delivery, 1)
    waits = len(await store.alerts.undecided())
    every = await store.retention.alerts(NEW + 1)
    await store.close()

    assert Retained(deliveries=1) == done
    assert delivery == body
    assert 1 == waits
    assert Retained(deliveries=2) == every


# Size


@pytest.mark.timed
async def test_f27_thousands_of_runs_are_read_through_indexes(tmp_path: Path) -> None:
    """
    With 20,000 entries of 2,000 runs, each question has its index, and the list takes
    less than 200 ms of the processor.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)

    async def one(number: int) -> None:
        run, at = f"r-{number:04d}", OLD + number
        entries = [entry(seq, run) for seq in range(1, 11)]
        over = {"state": "resolved", "ended_at": at} if number % 10 else {}
        await store.append(entries, summary(run, started_at=at, updated_at=at, **over))

    await asyncio.gather(*(one(number) for number in range(2000)))
    began = time.process_time()
    listed = [one.run for one in await store.runs()]
    some = [one.run for one in await store.runs(open_only=True)]
    took = time.process_time() - began
    counted = await store.stats()
    await store.close()
    plans = await asyncio.to_thread(_plans, path)

    assert [f"r-{number:04d}" for number in range(1999, 1899, -1)] == listed
    assert [f"r-{number:04d}" for number in range(1990, 990, -10)] == some
    assert took < 0.2
    assert (2000, 200, 20_000) == (counted.runs, counted.open_runs, counted.entries)
    assert {} == {name: plan for name, plan in plans.items() if "SCAN" in plan}
    assert [] == [name for name, plan in plans.items() if "TEMP B-TREE" in plan]


def _plans(path: Path) -> dict[str, str]:
    """Return how SQLite answers each question; a walk along an index is no SCAN."""
    from engine.adapters.sqlite import old_alerts, queries, retaining

    asked = {
        "list": (queries._RUNS, (100,)),
        "open runs": (queries._OPEN, (100,)),
        "timeline": (queries._ENTRIES, ("r-0001", 0)),
        "unsent": (queries._UNSENT, (0, 100)),
        "too old": (retaining._OLD, (CUT, 0.0, "", 100)),
        "old deliveries": (old_alerts._DELIVERIES, (0, CUT, 100)),
    }
    for number, query in enumerate((*retaining._NEEDED, *retaining._FORGET)):
        asked[f"one run {number}"] = (query, ("r-0001",))
    connection, plans = apsw.Connection(str(path)), {}
    for name, (query, values) in asked.items():
        rows = connection.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
        lines = [str(row[3]) for row in rows]
        along = [line.replace("SCAN", "WALK") if "INDEX" in line else line
                 for line in lines]  # fmt: skip
        plans[name] = json.dumps(along)
    connection.close()
    return plans
