"""What only the store without a disk promises; the rest is in tests/contracts."""

from engine.adapters.memory_store import MemoryStore
from engine.model.run import RunSummary
from engine.model.timeline import Entry


async def test_without_seals_entries_come_back_as_they_were_given() -> None:
    """
    A rehearsal's store hashes nothing and copies nothing.
    """
    entry = Entry(run="r-1", seq=1, at=1.0, tick=0.0, kind="note", what="x")
    summary = RunSummary(
        run="r-1",
        runbook="delay",
        revision="f",
        title="Delay",
        severity="sev2",
        state="running",
        phase="isolate",
        cause="",
        mode="rehearsal",
        started_at=1.0,
        updated_at=1.0,
    )
    store = MemoryStore(seal=False)
    [kept] = await store.append([entry], summary)

    assert kept is entry
    assert (await store.entries("r-1"))[0] is entry
