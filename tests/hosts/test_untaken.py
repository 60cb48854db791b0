"""Owners are paged again until somebody takes what was handed over to them."""

from pathlib import Path

import msgspec
import pytest

from engine.adapters.sqlite import SqliteStore
from engine.errors import ChatDown
from engine.hosts.untaken import EVERY_SECONDS, Untaken
from engine.model.effects import Page
from engine.model.run import RunSummary
from engine.model.timeline import Entry

ENDED = 1_764_000_000.0


class Watch:
    """A clock that is set by hand, and a pager that keeps what it is given."""

    def __init__(self) -> None:
        self.at = ENDED
        self.pages: list[Page] = []
        self.down = False

    def now(self) -> float:
        """Return epoch seconds."""
        return self.at

    def monotonic(self) -> float:
        """Return the same."""
        return self.at

    async def page(self, run: str, page: Page, /) -> None:
        """Keep it, or be down."""
        if self.down:
            raise ChatDown("down")
        self.pages.append(page)


def ended(run: str, owner: str = "ops", severity: str = "sev3") -> RunSummary:
    """Return a run that was handed over."""
    return RunSummary(
        run, "delay", "f", "Delay", severity, "handed_over", "restore", "", "live",
        ENDED - 60, ENDED, ended_at=ENDED, owner=owner,
    )  # fmt: skip


async def kept(store: SqliteStore, summary: RunSummary, seq: int = 1) -> None:
    """Write the run."""
    entry = Entry(summary.run, seq, ENDED, 1.0, "note", "something")
    await store.append([entry], summary)


@pytest.fixture
async def store(tmp_path: Path) -> SqliteStore:
    return await SqliteStore.open(tmp_path / "journal.db")


async def test_an_owner_is_paged_each_quarter_until_it_is_taken(
    store: SqliteStore,
) -> None:
    """
    One page for all of an owner's runs, again after a quarter of an hour, none once
    somebody took them; and none before the first page of the end is that old.
    """
    watch = Watch()
    untaken = Untaken(store, watch, watch)
    await kept(store, ended("r-1"))
    await kept(store, ended("r-2", severity="sev1"))
    await kept(store, ended("r-3", owner="dba"))
    await untaken.look()
    assert [] == watch.pages
    watch.at += EVERY_SECONDS
    for _ in range(3):
        await untaken.look()
    first, watch.pages = watch.pages, []
    watch.at += EVERY_SECONDS
    for run in ("r-1", "r-2"):
        taken = msgspec.structs.replace(ended(run), taken_by="ana")
        await kept(store, taken, seq=2)
    await untaken.look()
    await store.close()

    assert [("ops", "sev1"), ("dba", "sev3")] == [(p.group, p.severity) for p in first]
    assert first[0].text == (
        "2 runs wait for somebody to take over: r-1 (delay), r-2 (delay); the oldest "
        "for 15 min, 0 held. Take it: runbook take RUN"
    )
    assert ["dba"] == [page.group for page in watch.pages]
    assert first[1].key != watch.pages[0].key


async def test_a_page_that_did_not_go_out_is_tried_again(store: SqliteStore) -> None:
    """
    While paging is down the quarter is not over: the next look tries again.
    """
    watch = Watch()
    untaken = Untaken(store, watch, watch)
    await kept(store, ended("r-1"))
    watch.at += EVERY_SECONDS
    watch.down = True
    await untaken.look()
    watch.down = False
    await untaken.look()
    await store.close()

    assert ["ops"] == [page.group for page in watch.pages]


async def test_what_is_a_week_old_pages_nobody(store: SqliteStore) -> None:
    """
    An old journal that is put in place wakes nobody for what was long ago.
    """
    watch = Watch()
    await kept(store, ended("r-1"))
    watch.at += 8 * 86_400
    await Untaken(store, watch, watch).look()
    await store.close()

    assert [] == watch.pages
