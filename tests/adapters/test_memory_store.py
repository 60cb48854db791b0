"""What only the store without a disk promises; the rest is in tests/contracts."""

from engine.adapters.memory_store import MemoryStore
from tests.journal_entries import entry, summary


async def test_without_seals_entries_come_back_as_they_were_given() -> None:
    """
    A rehearsal's store hashes nothing and copies nothing.
    """
    given = entry(1)
    store = MemoryStore(seal=False)
    [kept] = await store.append([given], summary(mode="rehearsal"))

    assert kept is given
    assert (await store.entries("r-1"))[0] is given
