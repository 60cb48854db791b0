"""The law of ports.Mailbox: what another process leaves for a run arrives once."""

import sys
from asyncio import create_subprocess_exec
from pathlib import Path

from engine.adapters.sqlite import SqliteStore
from engine.model.events import Cancelled, Noted
from engine.model.people import Actor

ANA = Actor(id="ana", via="cli")
POSTING = """
import asyncio, sys
from engine.adapters.sqlite import SqliteStore
from engine.model.events import Noted
from engine.model.people import Actor

async def main():
    store = await SqliteStore.open(sys.argv[1], create=False)
    await store.post("r-1", Noted(by=Actor(id="ana", via="cli"), text="from outside"))
    await store.close()

asyncio.run(main())
"""


async def test_mail_waits_in_order_until_delivered(tmp_path: Path) -> None:
    """
    Only the runs that are asked for are answered; what was delivered does not return.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")
    note, cancel = Noted(by=ANA, text="x", at=1.5), Cancelled(by=ANA, keep=True)
    numbers = [
        await store.post(run, event)
        for run, event in (("r-1", note), ("r-2", note), ("r-1", cancel))
    ]
    waiting = await store.mail(["r-1"])
    await store.delivered(numbers[0])
    later = await store.mail(["r-1", "r-2", "r-3"])
    nobody = await store.mail([])
    await store.close()

    assert waiting == [(numbers[0], "r-1", note), (numbers[2], "r-1", cancel)]
    assert later == [(numbers[1], "r-2", note), (numbers[2], "r-1", cancel)]
    assert nobody == []


async def test_another_process_can_leave_mail(tmp_path: Path) -> None:
    """
    A second process posts while the first has the journal open, and is heard.
    """
    path = tmp_path / "journal.db"
    store = await SqliteStore.open(path)
    child = await create_subprocess_exec(sys.executable, "-c", POSTING, str(path))
    code = await child.wait()
    found = [(run, event) for _, run, event in await store.mail(["r-1"])]
    await store.close()

    assert (code, found) == (0, [("r-1", Noted(by=ANA, text="from outside"))])
