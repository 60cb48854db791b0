"""Mail between two processes that have the same journal open."""

from pathlib import Path

from engine.adapters.sqlite import SqliteStore
from engine.model.events import Noted, Voted
from engine.model.people import Actor

ANA = Actor("ana", groups=("messaging-oncall",), via="cli")
VOTE = Voted(key="k", by=ANA, vote="approve", plan="p", reason="seen")
NOTE = Noted(by=ANA, text="looks better")


async def test_what_one_process_posts_the_other_reads(tmp_path: Path) -> None:
    """
    Mail comes in order, to the runs that are asked for, until it is delivered.
    """
    here = await SqliteStore.open(tmp_path / "journal.db")
    there = await SqliteStore.open(tmp_path / "journal.db")
    first = await here.post("r-a", VOTE)
    second = await here.post("r-a", NOTE)
    await here.post("r-b", NOTE)

    assert [(first, "r-a", VOTE), (second, "r-a", NOTE)] == await there.mail(["r-a"])
    await there.delivered(first)
    assert [(second, "r-a", NOTE)] == await here.mail(["r-a"])
    assert [] == await there.mail([])
    await here.close()
    await there.close()
