"""From a delivery to a run, with a real journal, host and driver in one process."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from engine.bootstrap import Engine, engine, kinds
from engine.config import Config, Settings
from engine.core.intake import Rule, proposal_id
from engine.errors import DoesNotApply
from engine.model.alert import Alert, Delivery
from engine.model.people import Actor
from engine.model.run import ENDS
from engine.model.runbook import AlertMatch
from engine.runtime.beginning import batches
from engine.runtime.library import Library

RUNBOOK = """
format: 1
runbook: down
title: down
owner: owners
severity: sev3
trigger:
  - alert: {source: alertmanager, match: {alertname: Down}}
    group_by: [host]
    when_resolved: restore
inputs:
  host: {type: string, from: labels.host, pattern: '[a-z0-9]+'}
checks:
  never: {command: {argv: ['false']}, pass: exit_code == 0}
actions:
  mark: {command: {argv: ['true']}, leaves_nothing: true}
isolate: [{act: mark}]
workaround: {only: [{wait: 5m}]}
"""


@dataclass
class House:
    """A folder, and the engines that live in it one after another."""

    folder: Path
    said: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    @asynccontextmanager
    async def open(self, text: str = RUNBOOK) -> AsyncIterator[Engine]:
        """Open an engine that takes alerts."""
        (self.folder / "down.yaml").write_text(text)
        async with self.another() as opened:
            await opened.host.start(await opened.store.runs(open_only=True))
            await opened.intake.start()
            yield opened

    @asynccontextmanager
    async def another(self) -> AsyncIterator[Engine]:
        """Open an engine on the same journal that takes none."""
        config = Config(Settings(data=str(self.folder / "data"), **self.settings))
        library = Library(kinds(config))
        library.add_paths([self.folder / "down.yaml"])
        assert {} == library.refused
        async with engine(config, library, write=self.said.append) as opened:
            yield opened


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def down(host: str = "a", number: str = "1", **more: Any) -> Alert:
    """Return a firing alert about a host."""
    labels = more.pop("labels", {"alertname": "Down", "host": host})
    plain: dict[str, Any] = {
        "fingerprint": host + number, "starts_at": "2026-11-24T04:20:36Z",
    }  # fmt: skip
    status = more.pop("status", "firing")
    return Alert("alertmanager", status, labels, **(plain | more))


async def send(opened: Engine, *alerts: Alert) -> None:
    """Deliver alerts and wait until they are decided."""
    delivery = Delivery("alertmanager", alerts)
    await opened.intake.receive(delivery, repr(alerts).encode(), at=time.time())
    await until(opened.intake.settled)


async def until(true: Callable[[], Any]) -> None:
    """Wait until it is true."""
    ends = time.monotonic() + 20.0
    while not await true():
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)


async def became(opened: Engine, **which: Any) -> list[str]:
    """Return what was decided, in order."""
    return [one.outcome for one in await opened.store.alerts.decisions(**which)]


async def test_f44_a_thousand_times_in_parallel_is_one_run(house: House) -> None:
    """
    One run, under the identity of the source; every delivery has its decision.
    """
    async with house.open() as opened:
        body = Delivery("alertmanager", (down(),))
        await asyncio.gather(
            *(opened.intake.receive(body, b"x", at=time.time()) for _ in range(1000))
        )
        await until(opened.intake.settled)
        [run] = await opened.store.runs()
        told = Counter(await became(opened))
        first = (await opened.store.entries(run.run))[0].event

    assert Counter(started=1, repeated=999) == told
    assert Actor("alertmanager", kind="source", via="alert") == first.by  # type: ignore[union-attr]


async def test_f48_the_run_hears_that_its_alerts_join_and_are_over(
    house: House,
) -> None:
    """
    Once when more join, once when the last is over: the trigger says restore.
    """
    async with house.open() as opened:
        await send(opened, down())

        async def acted() -> bool:
            return (await opened.store.runs())[0].phase == "workaround"

        async def over() -> bool:
            return (await opened.store.runs())[0].state in ENDS

        await until(acted)
        await send(opened, down(number="2"), down(number="3"))
        await send(opened, down(status="resolved"), down(number="2", status="resolved"))
        assert not await over()
        await send(opened, down(number="3", status="resolved"))
        await until(over)
        [run] = await opened.store.runs()
        entries = await opened.store.entries(run.run)

    assert "resolved" == run.state
    assert ["alert Down and 1 more joined", "the alert is resolved"] == [
        one.what for one in entries if one.what.startswith(("alert ", "the alert is r"))
    ]


async def test_f6_the_book_is_read_back_by_the_next_engine(house: House) -> None:
    """
    Open runs, what waits and what was seen are known after a restart.
    """
    house.settings = {"limits": {"at_once": 1}}
    async with house.open() as opened:
        await send(opened, down("a"), down("b"))
        before = opened.intake.book
    async with house.open() as opened:
        assert before == opened.intake.book
        await send(opened, down("a"), down("b"), down("a", "2"))
        told = await became(opened)
        runs = await opened.store.runs()

    assert ["started", "queued", "repeated", "repeated", "attached"] == told
    assert 1 == len(runs)


async def test_what_is_queued_starts_when_a_run_ends(house: House) -> None:
    """
    A cancelled run makes room, without another delivery.
    """
    house.settings = {"limits": {"at_once": 1}}
    async with house.open() as opened:
        await send(opened, down("a"), down("b"))
        [run] = await opened.store.runs()
        await opened.service.cancel(run.run, Actor("ana"))

        async def second() -> bool:
            return len(await opened.store.runs()) == 2

        await until(second)
        told = await became(opened)

    assert ["started", "queued", "run_ended", "started"] == told


async def test_a_start_that_cannot_be_carried_out_is_told(house: House) -> None:
    """
    A runbook that went away meanwhile: the reason is a decision, the group is free.
    """
    async with house.open() as opened:
        opened.service.library.loaded.clear()
        await send(opened, down())
        [start, refused] = await opened.store.alerts.decisions()

    assert ("started", "cannot_start", start.run) == (
        start.outcome, refused.outcome, refused.run,
    )  # fmt: skip
    assert "no runbook 'down'. Known: none." == refused.reason
    assert {} == opened.intake.book.runs


async def test_a_proposal_is_said_and_started_by_a_person(house: House) -> None:
    """
    Under that person's name; what is not offered cannot be accepted.
    """
    async with house.open(RUNBOOK.replace("owner:", "autonomy: propose\nowner:")) as on:
        await send(on, down())
        [offer] = on.intake.proposals()
        with pytest.raises(DoesNotApply, match="nothing waits for 'down' x"):
            await on.intake.accept("down", "ana", group="x")
        run = await on.intake.accept(offer.runbook, "ana", group=offer.group)
        [summary] = await on.store.runs()

        async def said() -> bool:
            return any("is proposed" in one for one in house.said)

        await until(said)

    assert (run, "ana") == (summary.run, summary.requester)
    assert [] == on.intake.proposals()
    told = (
        "'down' a for Down is proposed (autonomy: propose). "
        f"Start it: runbook accept {proposal_id(offer)}"
    )
    assert [f"intake says: {told}"] == [o for o in house.said if "is proposed" in o]


async def test_two_people_who_accept_at_once_start_one_run(house: House) -> None:
    """
    The second is told which run it is; the run has the alert, under the first's name.
    """
    async with house.open(RUNBOOK.replace("owner:", "autonomy: propose\nowner:")) as on:
        await send(on, down())
        group = on.intake.proposals()[0].group
        told = await asyncio.gather(
            on.intake.accept("down", "ana", group=group),
            on.intake.accept("down", "bo", group=group),
            return_exceptions=True,
        )
        [summary] = await on.store.runs()
        [begun, *_] = await on.store.entries(summary.run)

    assert [summary.run, f"'down' a runs already: run '{summary.run}'"] == [
        *map(str, told)
    ]
    event: Any = begun.event
    assert ("ana", "a1", {"alertname": "Down", "host": "a"}) == (
        event.by.id, event.alert_fingerprint, event.labels,
    )  # fmt: skip


async def test_a_proposal_that_is_declined_is_off_the_list_for_good(
    house: House,
) -> None:
    """
    It is written down with who and why, known after a restart, and nothing starts; when
    its alert begins anew it is offered again.
    """
    text = RUNBOOK.replace("owner:", "autonomy: propose\nowner:")
    async with house.open(text) as on:
        await send(on, down())
        await on.intake.decline("down", "ana", "a drill", group='["a"]')
        with pytest.raises(DoesNotApply, match="'down' a was declined by ana"):
            await on.intake.accept("down", "bo", group='["a"]')
        with pytest.raises(DoesNotApply, match="'down' a was declined by ana"):
            await on.intake.decline("down", "bo", "no", group='["a"]')
    async with house.open(text) as on:
        await send(on, down())
        assert [] == on.intake.proposals()
        told = await on.store.alerts.decisions()
        again = {"starts_at": "2026-11-24T05:20:36Z"}
        await send(on, down(status="resolved"), down(**again))
        [offer] = on.intake.proposals()
        runs = await on.store.runs()

    assert ["proposed", "declined", "repeated"] == [one.outcome for one in told]
    assert ["ana: a drill", "it fires already; ana declined to start it"] == [
        one.reason for one in told[1:]
    ]
    assert ("down", []) == (offer.runbook, runs)


async def test_what_is_proposed_or_suppressed_is_known_after_a_restart(
    house: House,
) -> None:
    """
    What waits for a person waits on disk, and is listed with its reason.
    """
    text = RUNBOOK.replace("owner:", "autonomy: propose\nowner:")
    quiet = down("b", raw={"status": {"state": "suppressed"}})
    async with house.open(text) as opened:
        await send(opened, down("a"), quiet)
        before = opened.intake.book
    async with house.open(text) as opened:
        assert before == opened.intake.book
        [offer] = opened.intake.proposals()
        told = await became(opened)

    assert ("down", '["a"]') == (offer.runbook, offer.group)
    assert ["proposed", "silenced"] == told


async def test_alerts_join_a_run_that_a_person_began(house: House) -> None:
    """
    One open run for each group, whoever began it.
    """
    async with house.open() as opened:
        bundle = opened.service.library.bundle("down")
        run = await opened.service.start(bundle, {"host": "a"}, Actor("ana"))
        opened.host.begins(run)
        await until(opened.intake.settled)
        await send(opened, down("a"))
        told = await became(opened)

    assert ["by_hand", "attached"] == told


async def test_a_proposal_that_another_process_started_is_off_the_list(
    house: House,
) -> None:
    """
    `runbook run` at a terminal is enough: nothing has to be delivered again.
    """
    text = RUNBOOK.replace("owner:", "autonomy: propose\nowner:")
    async with house.open(text) as opened:
        await send(opened, down("a"))
        async with house.another() as other:
            bundle = other.service.library.bundle("down")
            await other.service.start(bundle, {"host": "a"}, Actor("ana"))

            async def joined() -> bool:
                return not opened.intake.proposals()

            await until(joined)
        told = await became(opened)

    assert ["proposed", "by_hand", "attached"] == told


async def test_the_global_hold_holds_starts_and_lifts(house: House) -> None:
    """
    No run while it is on; the start follows by itself.
    """
    async with house.open() as opened:
        opened.service.hold.set("ana", "storm")  # type: ignore[attr-defined]
        await send(opened, down())
        assert ["held"] == await became(opened)
        opened.service.hold.lift()  # type: ignore[attr-defined]

        async def started() -> bool:
            return len(await opened.store.runs()) == 1

        await until(started)


async def test_f8_a_delivery_that_cannot_be_decided_stops_no_other(
    house: House,
) -> None:
    """
    It is told loudly, with the defect; what came with it is decided.
    """
    async with house.open() as opened:
        bad = AlertMatch.model_construct(source="alertmanager", match={"bad": object()})
        rule = Rule(opened.intake.rules.rules[0].runbook, bad)
        rules = replace(opened.intake.rules, rules=(*opened.intake.rules.rules, rule))
        opened.intake.rules = rules
        poison = down("b", labels={"alertname": "Down", "host": "b", "bad": "x"})
        body = Delivery("alertmanager", (poison,))
        await asyncio.gather(
            opened.intake.receive(body, b"1", at=1.0),
            opened.intake.receive(Delivery("alertmanager", (down(),)), b"2", at=1.0),
        )
        await until(opened.intake.settled)
        told = await became(opened)

    assert ["failed", "started"] == sorted(told)


async def test_a_body_without_alerts_and_one_that_was_cut_are_told(
    house: House,
) -> None:
    """
    Nothing that was kept is without a decision.
    """
    async with house.open() as opened:
        empty = Delivery("alertmanager", note="a test")
        cut = Delivery("alertmanager", (down(),), truncated=7)
        await opened.intake.receive(empty, b"1", at=1.0)
        await opened.intake.receive(cut, b"2", at=1.0)
        await until(opened.intake.settled)
        told = await opened.store.alerts.decisions()

    assert [
        ("no_alerts", "a test"), ("started", "down fits"),
        ("truncated", "7 alerts were left out; raise `max_alerts`"),
    ] == sorted((one.outcome, one.reason) for one in told)  # fmt: skip


def test_a_batch_has_one_word_about_an_alert() -> None:
    """
    Repeats go together; another word begins a new batch, unless it is from before.
    """
    over = down(status="resolved")
    came = [
        (number, 10.0, Delivery("alertmanager", (one,)))
        for number, one in enumerate([down(), down(), over, down("b"), down()], 1)
    ]

    assert [[1, 2], [3, 4], [5]] == [
        [one[0] for one in batch] for batch in batches(came, began_at=5.0)
    ]
    assert [[1, 2, 3, 4, 5]] == [
        [one[0] for one in batch] for batch in batches(came, began_at=50.0)
    ]


async def test_a_delivery_that_is_damaged_on_disk_stops_no_other(house: House) -> None:
    """
    That it cannot be read is what is decided about it.
    """
    async with house.open() as opened:
        bad = Alert("alertmanager", "firing", None)  # type: ignore[arg-type]
        await opened.intake.receive(Delivery("a", (bad,)), b"1", at=1.0)
        await send(opened, down())
        told = await opened.store.alerts.decisions()

    reasons = {one.outcome: one.reason for one in told}
    assert {"no_alerts", "started"} == set(reasons)
    assert reasons["no_alerts"].startswith("it cannot be read: Expected `object`")
