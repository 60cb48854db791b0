"""The law of ports.AlertStore, over every store of alerts there is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.adapters.memory_alerts import MemoryAlerts
from engine.adapters.sqlite import SqliteStore
from engine.adapters.sqlite.alerts import SqliteAlerts
from engine.model.alert import Alert, Delivery, Receipt
from engine.model.decision import IDLE, OUTCOMES, Decision
from engine.model.effects import Say
from engine.model.events import AlertResolved

AnyAlerts = SqliteAlerts | MemoryAlerts


@pytest.fixture(params=["sqlite", "memory"])
async def alerts(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[AnyAlerts]:
    if request.param == "memory":
        yield MemoryAlerts()
        return
    store = await SqliteStore.open(tmp_path / "journal.db")
    yield store.alerts
    await store.close()


def body(*names: str) -> Delivery:
    """Return a delivery with an alert of each name."""
    some = (
        Alert("am", "firing", {"alertname": one, "odd": "a\nb\u202e\x00\"'🚒"},
              fingerprint=one.lower(), starts_at="0001", raw={"a": [1, None, "\n"]})
        for one in names
    )  # fmt: skip
    return Delivery("am", tuple(some), group="{}:x", truncated=3)


def decided(outcome: str = "started", **more: object) -> Decision:
    """Return a decision about the alert Lag."""
    plain: dict[str, object] = {
        "at": 5.0, "reason": "it fits", "source": "am", "fingerprint": "lag",
        "alertname": "Lag", "delivery": 1, "position": 1, "run": "r-1",
    }  # fmt: skip
    return Decision(outcome=outcome, **(plain | more))  # type: ignore[arg-type]


async def test_what_is_kept_waits_for_decisions_in_order(alerts: AnyAlerts) -> None:
    """
    Numbers grow; every field of every alert comes back; a decided one waits no more.
    """
    first = await alerts.keep(body("Lag", "Full"), b"1", at=10.5)
    second = await alerts.keep(body(), b"2", at=11.5)

    assert [Receipt(1, 2), Receipt(2, 0)] == [first, second]
    assert 2 == await alerts.backlog()
    assert [(1, 10.5, body("Lag", "Full")), (2, 11.5, body())] == (
        await alerts.undecided()
    )
    assert [1] == [one[0] for one in await alerts.undecided(limit=1)]
    await alerts.decide([1], [])
    assert [2] == [one[0] for one in await alerts.undecided()]
    assert 1 == await alerts.backlog()


async def test_f44_the_same_bytes_are_a_delivery_each_time(alerts: AnyAlerts) -> None:
    """
    Side by side too: each is kept, told to be a repeat, and read back whole.
    """
    told = await asyncio.gather(
        *(alerts.keep(body("Lag"), b"same", at=1.0) for _ in range(50))
    )
    other = await alerts.keep(Delivery("dd"), b"same", at=1.0)

    assert list(range(1, 51)) == sorted(one.delivery for one in told)
    assert 49 == sum(one.repeated for one in told)
    assert not other.repeated
    assert [body("Lag")] * 50 == [d for _, _, d in await alerts.undecided(limit=50)]


async def test_one_alert_of_a_delivery(alerts: AnyAlerts) -> None:
    """
    By its position from 1; what is not there is None.
    """
    await alerts.keep(body("Lag", "Full"), b"1", at=1.0)
    await alerts.keep(body("Lag", "Full"), b"1", at=2.0)
    found = await alerts.alert(2, 2)

    assert found is not None
    assert body("Full").alerts == found.alerts
    assert [None, None, None] == [
        await alerts.alert(1, 0), await alerts.alert(1, 3), await alerts.alert(9, 1),
    ]  # fmt: skip


async def test_decisions_are_numbered_and_found_again(alerts: AnyAlerts) -> None:
    """
    By fingerprint, name, run or delivery; the newest that fit, oldest first.
    """
    three = [
        decided(),
        decided("no_runbook", fingerprint="full", alertname="Full", run="", at=6.0),
        decided("repeated", delivery=7, at=7.0),
    ]

    assert [1, 2, 3] == await alerts.decide([], three)
    assert three == await alerts.decisions()
    for about in ("lag", "Lag", "r-1"):
        assert [three[0], three[2]] == await alerts.decisions(about=about)
    assert [three[2]] == await alerts.decisions(about="7")
    assert [three[1]] == await alerts.decisions(outcome="no_runbook")
    assert [three[2]] == await alerts.decisions(limit=1)
    assert three[1:] == await alerts.decisions(since=6.0)
    assert [] == await alerts.decisions(about="nothing")


async def test_starts_are_left_until_they_are_carried_out(alerts: AnyAlerts) -> None:
    """
    Starts alone; one that failed is done with by the decision that says so.
    """
    await alerts.decide([], [decided(), decided("attached"), decided(run="r-2")])

    assert [(1, decided()), (3, decided(run="r-2"))] == await alerts.to_carry_out()
    await alerts.carried_out([1])
    await alerts.carried_out([])
    await alerts.decide([], [decided("cannot_start", run="r-2")], carried=[3])
    assert [] == await alerts.to_carry_out()


async def test_the_book_is_read_in_pages_without_what_changes_nothing(
    alerts: AnyAlerts,
) -> None:
    """
    Every outcome that is not idle, in order, after a number.
    """
    await alerts.decide([], [decided(one) for one in OUTCOMES])
    moving = [one for one in OUTCOMES if one not in IDLE]
    first = await alerts.moving(limit=3)
    rest = await alerts.moving(after=first[-1][0])

    assert moving == [one.outcome for _, one in [*first, *rest]]
    assert [] == await alerts.moving(after=len(OUTCOMES))


async def test_mail_and_notices_are_in_the_decisions_transaction(
    tmp_path: Path,
) -> None:
    """
    What runs and people are told stands in the journal's own mail and outbox.
    """
    store = await SqliteStore.open(tmp_path / "journal.db")
    over = AlertResolved(fingerprint="lag")
    await store.alerts.decide(
        [], [decided()], mail=[("r-1", over)], notices=[("intake", Say("it flaps"))]
    )
    mail, unsent = await store.mail(["r-1"]), await store.unsent()
    await store.close()

    assert [("r-1", over)] == [one[1:] for one in mail]
    assert [("intake", Say("it flaps"))] == [one[1:] for one in unsent]
