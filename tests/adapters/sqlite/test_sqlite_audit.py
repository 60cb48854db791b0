"""F97: whatever is changed behind the journal's back, `verify` names the place."""

from pathlib import Path

import pytest
from journal_pieces import behind_its_back, written

from engine.adapters.sqlite import SqliteStore, Stats
from engine.model.timeline import ChainFault
from tests.journal_entries import entry, summary

CHANGED = "was changed after it was written"
FOLLOWS = "does not follow the one before"
SUMMARY = "its summary was changed after it was written"
AGAIN = "was written again in another way"
PLACE = "does not stand in the place it was written for"


FIFTH = "FROM entries WHERE seq = 5"
KIND = '"kind":"note"'
WITH_REFS = '"kind":"note","refs":{"a":1}'
SUMMARY_TEXT = "CAST(replace(CAST(summary AS TEXT), 'sev2', 'sev5') AS BLOB)"


def third(old: str, new: str) -> str:
    """Change the text of entry 3."""
    changed = f"replace(CAST(body AS TEXT), '{old}', '{new}')"
    return f"UPDATE entries SET body = CAST({changed} AS BLOB) WHERE seq = 3"


TAMPERED: dict[str, tuple[list[str], list[tuple[int, str]]]] = {
    "text": ([third("entry 3", "entry 9")], [(3, CHANGED)]),
    "references": ([third(KIND, WITH_REFS)], [(3, AGAIN), (3, CHANGED)]),
    "spaces": ([third('"what":', '"what": ')], [(3, AGAIN)]),
    "unknown field": ([third(KIND, f'"x":1,{KIND}')], [(3, AGAIN)]),
    "rubbish": (
        ["UPDATE entries SET body = x'00' WHERE seq = 3"],
        [(3, "cannot be read")],
    ),
    "at": (["UPDATE entries SET at = 1.0 WHERE seq = 3"], [(3, PLACE)]),
    "kind": (["UPDATE entries SET kind = 'end' WHERE seq = 3"], [(3, PLACE)]),
    "hash": (["UPDATE entries SET hash = 'x' WHERE seq = 3"], [(3, PLACE)]),
    "missing": (
        ["DELETE FROM entries WHERE seq = 3"],
        [(3, "entry 3 is missing"), (4, FOLLOWS)],
    ),
    "first missing": (
        ["DELETE FROM entries WHERE seq = 1"],
        [(1, "entry 1 is missing"), (2, FOLLOWS)],
    ),
    "end missing": (
        ["DELETE FROM entries WHERE seq >= 4"],
        [(4, "the end is missing, up to 5")],
    ),
    "all missing": (["DELETE FROM entries"], [(1, "the end is missing, up to 5")]),
    "swapped rows": (
        [
            "UPDATE entries SET seq = 13 WHERE seq = 3",
            "UPDATE entries SET seq = 3 WHERE seq = 4",
            "UPDATE entries SET seq = 4 WHERE seq = 13",
        ],
        [
            (3, PLACE),
            (4, PLACE),
            (3, "entry 3 is missing"),
            (4, FOLLOWS),
            (5, "entry 5 is missing"),
            (3, FOLLOWS),
            (4, "entry 4 is missing"),
            (5, FOLLOWS),
        ],
    ),
    "added": (
        ["INSERT INTO entries SELECT run, 6, at, kind, body, hash " + FIFTH],
        [(6, PLACE), (6, "entry 6 is missing"), (5, FOLLOWS)],
    ),
    "summary": ([f"UPDATE runs SET summary = {SUMMARY_TEXT}"], [(5, SUMMARY)]),
    "summary is rubbish": (["UPDATE runs SET summary = x'00'"], [(5, SUMMARY)]),
    "state": (["UPDATE runs SET state = 'resolved'"], [(5, SUMMARY)]),
    "open": (["UPDATE runs SET open = 0"], [(5, SUMMARY)]),
    "start": (["UPDATE runs SET started_at = 1.0"], [(5, SUMMARY)]),
    "head": (
        ["UPDATE runs SET head_seq = 4"],
        [(5, "does not end where its summary says")],
    ),
    "no summary": (
        ["DELETE FROM runs"],
        [(5, "has entries, but its summary is missing")],
    ),
    "renamed": (
        ["UPDATE entries SET run = 'r-9'", "UPDATE runs SET run = 'r-9'"],
        [*((n, "belongs to run r-1") for n in range(1, 6)), (5, SUMMARY)],
    ),
}


@pytest.mark.parametrize("case", TAMPERED)
async def test_f97_tampering_is_found(tmp_path: Path, case: str) -> None:
    """
    A changed, missing, moved or added entry, a cut end, a changed summary or column:
    each is named by its place.
    """
    statements, faults = TAMPERED[case]
    path = tmp_path / "journal.db"
    await written(path)
    with behind_its_back(path) as connection:
        for statement in statements:
            connection.execute(statement)
    store = await SqliteStore.open(path)
    found = await store.verify()
    await store.close()

    assert [(f.seq, f.problem) for f in found] == faults


async def test_f97_whole_timelines_have_no_faults(tmp_path: Path) -> None:
    """
    What the store wrote, also over a restart and after the end, verifies.
    """
    path = tmp_path / "journal.db"
    await written(path, runs=3)
    store = await SqliteStore.open(path)
    await store.append([entry(6), entry(7)], summary(state="resolved"))
    await store.append([], summary(state="resolved", taken_by="ana"))
    found = await store.verify(), await store.verify("r-2"), await store.integrity()
    await store.close()

    assert found == ([], [], [])


async def test_f97_one_run_is_verified_alone(tmp_path: Path) -> None:
    """
    Asked for one run, only that run's faults are named.
    """
    path = tmp_path / "journal.db"
    await written(path, runs=2)
    with behind_its_back(path) as connection:
        connection.execute("DELETE FROM entries WHERE seq = 5")
    store = await SqliteStore.open(path)
    found = await store.verify("r-2")
    await store.close()

    assert found == [ChainFault("r-2", 5, "the end is missing, up to 5")]


async def test_stats_count_what_is_there(tmp_path: Path) -> None:
    """
    Sizes are of the files, counts of the rows.
    """
    path = tmp_path / "journal.db"
    await written(path, runs=3)
    store = await SqliteStore.open(path)
    await store.append([entry(6)], summary(state="resolved"))
    found = await store.stats()
    sizes = path.stat().st_size, Path(f"{path}-wal").stat().st_size
    await store.close()

    assert found == Stats(*sizes, runs=3, open_runs=2, entries=16, unsent=0)
    assert min(sizes) > 0
