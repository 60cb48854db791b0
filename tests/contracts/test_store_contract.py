"""The law of ports.Store, over every store there is."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.adapters.memory_store import MemoryStore
from engine.adapters.sqlite import SqliteStore
from engine.errors import StoreConflict
from engine.model.effects import Page, Say
from engine.model.events import Acted, Noted, Started
from engine.model.people import Actor
from engine.model.run import Held
from engine.model.timeline import Entry, chain_faults
from tests.journal_entries import entry, summary

AnyStore = SqliteStore | MemoryStore


@pytest.fixture(params=["sqlite", "memory"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[AnyStore]:
    opened: AnyStore = (
        await SqliteStore.open(tmp_path / "journal.db")
        if request.param == "sqlite"
        else MemoryStore()
    )
    yield opened
    await opened.close()


async def test_what_was_appended_is_read_in_order(store: AnyStore) -> None:
    """
    `append` returns the entries as `entries` gives them back, in order.
    """
    first = await store.append([entry(1), entry(2)], summary())
    second = await store.append([entry(3)], summary())

    assert await store.entries("r-1") == first + second
    assert [e.seq for e in first + second] == [1, 2, 3]


async def test_entries_after_a_number(store: AnyStore) -> None:
    """
    `after` leaves out what a reader has already; 0 gives everything.
    """
    kept = await store.append([entry(n) for n in (1, 2, 3)], summary())

    assert await store.entries("r-1", after=1) == kept[1:]
    assert await store.entries("r-1", after=3) == []


async def test_an_unknown_run_is_empty(store: AnyStore) -> None:
    """
    A run that nobody wrote has no entries and no summary, and is no error.
    """
    assert await store.entries("r-none") == []
    assert await store.summary("r-none") is None
    assert await store.runs() == []


async def test_every_field_comes_back(store: AnyStore) -> None:
    """
    Text of any kind, references and the event to replay survive unchanged.
    """
    ana = Actor(id="Zoë 🚒", groups=("sre",))
    given = Entry(
        run="r-1",
        seq=1,
        at=1764000000.125,
        tick=0.5,
        kind="started",
        what='line\nbreak, "quotes", \u202e, {{ name }}',
        actor="U1",
        phase="isolate",
        step="drain",
        why="value 3.2 > 2",
        subject="drain",
        target="eu-west-1",
        refs={"before": {"weight": 10, "on": True}, "list": [1, 2.5, None, "x"]},
        event=Started(run="r-1", revision="f", inputs={"n": 1}, by=ana, at=1.5),
    )
    [kept] = await store.append([given], summary())
    [read] = await store.entries("r-1")

    assert replace(read, hash="") == given
    assert read == kept


async def test_entries_are_chained(store: AnyStore) -> None:
    """
    The chain over what comes back is whole, across appends and runs.
    """
    await store.append([entry(1), entry(2)], summary())
    await store.append([entry(1, run="r-2")], summary("r-2"))
    await store.append([entry(3)], summary())
    timeline = await store.entries("r-1")

    assert chain_faults("r-1", timeline) == []
    assert timeline[0].hash == timeline[1].prev_hash
    assert len({e.hash for e in timeline}) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"run": "r-2"},
        {"seq": 2},
        {"at": 7.0},
        {"tick": 7.0},
        {"kind": "other"},
        {"what": "other"},
        {"actor": "U2"},
        {"phase": "restore"},
        {"step": "s"},
        {"why": "because"},
        {"subject": "a"},
        {"target": "t"},
        {"refs": {"a": 2}},
        {"refs": {}},
        {"event": None},
        {"event": Noted(by=Actor(id="U1"), text="y", at=1.0)},
        {"prev_hash": "1" * 64},
        {"hash": "1" * 64},
    ],
)
async def test_f97_each_field_is_in_the_hash(
    store: AnyStore, change: dict[str, object]
) -> None:
    """
    No field, references and event included, can be changed without the chain showing.
    """
    note = Noted(by=Actor(id="U1"), text="x", at=1.0)
    await store.append([replace(entry(1), refs={"a": 1}, event=note)], summary())
    [kept] = await store.entries("r-1")

    assert chain_faults("r-1", [kept]) == []
    assert chain_faults("r-1", [replace(kept, **change)]) != []


async def test_odd_numbers_do_not_look_like_tampering(store: AnyStore) -> None:
    """
    An int for a float, a tuple for a list, NaN and a struct among the references are
    kept as they are read back, so that the chain stays whole.
    """
    odd = Entry(
        run="r-1",
        seq=1,
        at=5,
        tick=0,
        kind="acted",
        what="odd",
        refs={"t": (1, 2), "nan": float("nan"), "held": Held(id="h", action="a")},
        event=Acted(key="k", outcome="ok", at=7, took_seconds=3),
    )
    kept = await store.append([odd], summary())

    assert await store.entries("r-1") == kept
    assert chain_faults("r-1", await store.entries("r-1")) == []
    assert kept[0].refs == {
        "t": [1, 2],
        "nan": None,
        "held": {"id": "h", "action": "a"},
    }


@pytest.mark.parametrize("seqs", [[2], [1, 3], [0], [1, 1], [2, 1]])
async def test_a_gap_is_a_conflict_and_nothing_is_stored(
    store: AnyStore, seqs: list[int]
) -> None:
    """
    Entries that do not follow raise StoreConflict; none of them is kept.
    """
    with pytest.raises(StoreConflict):
        await store.append([entry(n) for n in seqs], summary(), outbox=[Say("x")])

    assert await store.entries("r-1") == []
    assert await store.summary("r-1") is None
    assert await store.unsent() == []


async def test_a_second_writer_is_named(store: AnyStore) -> None:
    """
    The message says which entry came, and which one is the last stored.
    """
    await store.append([entry(1), entry(2)], summary())

    with pytest.raises(StoreConflict) as refused:
        await store.append([entry(2)], summary())

    assert str(refused.value).startswith(
        "run r-1: entry 2 does not follow entry 2, the last one that is stored. "
        "Nothing was stored."
    )


async def test_an_entry_of_another_run_is_refused(store: AnyStore) -> None:
    """
    One append is of one run: a stray entry takes the whole append with it.
    """
    with pytest.raises(StoreConflict) as refused:
        await store.append([entry(1), entry(2, run="r-2")], summary())

    assert str(refused.value) == (
        "run r-1: an entry of run r-2 does not belong here. Nothing was stored."
    )
    assert await store.entries("r-1") == await store.entries("r-2") == []


async def test_what_cannot_be_written_is_refused_and_spares_the_others(
    store: AnyStore,
) -> None:
    """
    An entry that is not JSON is refused by name; appends beside it are kept, and the
    run can go on with a better entry.
    """
    bad = replace(entry(1), refs={"x": object()})
    outcomes = await asyncio.gather(
        store.append([bad], summary()),
        store.append([entry(1, run="r-2")], summary("r-2")),
        return_exceptions=True,
    )
    await store.append([entry(1)], summary())

    assert str(outcomes[0]) == (
        "run r-1: entry 1 (note) cannot be kept: "
        "Encoding objects of type object is unsupported"
    )
    assert len(await store.entries("r-2")) == len(await store.entries("r-1")) == 1


async def test_a_conflict_spares_the_others_of_its_group(store: AnyStore) -> None:
    """
    Of many appends at once only the conflicting ones fail.
    """
    good = [
        store.append([entry(1, run=f"g-{n}")], summary(f"g-{n}")) for n in range(50)
    ]
    bad = [store.append([entry(5, run=f"b-{n}")], summary(f"b-{n}")) for n in range(50)]
    mixed = [task for pair in zip(good, bad, strict=True) for task in pair]
    outcomes = await asyncio.gather(*mixed, return_exceptions=True)

    assert [len(o) for o in outcomes[::2] if isinstance(o, list)] == [1] * 50
    assert {type(o) for o in outcomes[1::2]} == {StoreConflict}
    assert len(await store.runs(limit=200)) == 50


async def test_appends_of_one_run_keep_the_order_they_were_asked_in(
    store: AnyStore,
) -> None:
    """
    Appends of one run that wait together are stored in the order of the calls.
    """
    await asyncio.gather(*(store.append([entry(n)], summary()) for n in range(1, 101)))
    timeline = await store.entries("r-1")

    assert [e.seq for e in timeline] == list(range(1, 101))
    assert chain_faults("r-1", timeline) == []


async def test_the_last_summary_counts(store: AnyStore) -> None:
    """
    A run's summary is the one of its latest append, whole.
    """
    held = (Held(id="h", action="drain", params={"url": "http://x"}, since=3.5),)
    last = summary(state="undoing", held=held, inputs={"region": "eu"}, wake_at=9.5)
    await store.append([entry(1)], summary())
    await store.append([entry(2)], last)

    assert await store.summary("r-1") == last
    assert await store.runs() == [last]


async def test_runs_come_newest_first(store: AnyStore) -> None:
    """
    The list is by start, newest first, cut at the limit; ended runs only on request.
    """
    states = ("running", "resolved", "on_hold", "handed_over", "cancelled", "waiting")
    given = [
        summary(f"r-{n}", started_at=100.0 + n, state=state)
        for n, state in enumerate(states)
    ]
    for one in given:
        await store.append([entry(1, run=one.run)], one)

    assert await store.runs() == given[::-1]
    assert await store.runs(limit=2) == given[:3:-1]
    assert await store.runs(open_only=True) == [given[5], given[2], given[0]]


async def test_a_run_that_ended_leaves_the_open_list_and_may_still_be_noted(
    store: AnyStore,
) -> None:
    """
    After its end a run takes later entries (a note, a take-over) in the same chain.
    """
    await store.append([entry(1)], summary())
    await store.append([entry(2)], summary(state="handed_over"))
    await store.append([entry(3)], summary(state="handed_over", taken_by="Ana"))

    assert await store.runs(open_only=True) == []
    assert chain_faults("r-1", await store.entries("r-1")) == []
    assert len(await store.entries("r-1")) == 3


async def test_an_append_without_entries_changes_the_summary(store: AnyStore) -> None:
    """
    A summary and messages can be stored with no entry; the chain goes on.
    """
    await store.append([entry(1)], summary())
    nothing = await store.append([], summary(busy=True), outbox=[Say("still here")])
    await store.append([entry(2)], summary())

    assert nothing == []
    assert [m for _, _, m in await store.unsent()] == [Say("still here")]
    assert chain_faults("r-1", await store.entries("r-1")) == []


async def test_messages_wait_in_order_until_sent(store: AnyStore) -> None:
    """
    Messages are kept with their append, in order, each until it is marked as sent.
    """
    page = Page(group="sre", text="look", severity="sev1", key="p-1")
    await store.append([entry(1)], summary(), outbox=[Say("one"), page])
    await store.append(
        [entry(1, run="r-2")], summary("r-2"), outbox=[Say("two", to="x")]
    )
    waiting = await store.unsent()
    first, second, third = (number for number, _, _ in waiting)
    await store.sent([first, third])
    await store.sent([first])

    assert [(run, message) for _, run, message in waiting] == [
        ("r-1", Say("one")),
        ("r-1", page),
        ("r-2", Say("two", to="x")),
    ]
    assert first < second < third
    assert await store.unsent() == [(second, "r-1", page)]
    assert await store.unsent(limit=0) == []


async def test_messages_are_read_on_after_one_of_them(store: AnyStore) -> None:
    """
    Who cannot send the first ones yet reads those that came after them.
    """
    said = [Say(str(number)) for number in range(5)]
    await store.append([entry(1)], summary(), outbox=said)
    waiting = await store.unsent()
    await store.sent([waiting[3][0]])

    assert waiting[2:3] == await store.unsent(limit=1, after=waiting[1][0])
    assert waiting[4:] == await store.unsent(after=waiting[2][0])


async def test_a_message_number_is_never_used_twice(store: AnyStore) -> None:
    """
    A number that was sent does not come back for another message.
    """
    await store.append([entry(1)], summary(), outbox=[Say("one")])
    [(first, _, _)] = await store.unsent()
    await store.sent([first])
    await store.append([entry(2)], summary(), outbox=[Say("two")])
    [(second, _, _)] = await store.unsent()

    assert second > first


async def test_a_revision_is_kept_under_its_hash(store: AnyStore) -> None:
    """
    A runbook's text comes back byte for byte; its hash is written once.
    """
    text = "format: 1\r\n# täxt\n"
    await store.put_revision("abc", "delay", text)
    await store.put_revision("abc", "delay", "something else")

    assert await store.revision("abc") == text
    assert await store.revision("none") is None


async def test_a_secret_is_kept_until_forgotten(store: AnyStore) -> None:
    """
    A secret belongs to one run and one name, can be replaced, and is gone for good.
    """
    await store.put_secret("r-1", "token", "old")
    await store.put_secret("r-1", "token", "s3cret")
    await store.put_secret("r-2", "token", "other")
    before = await store.secret("r-1", "token")
    await store.forget_secrets("r-1")
    await store.forget_secrets("r-1")

    assert before == "s3cret"
    assert await store.secret("r-1", "token") is None
    assert await store.secret("r-2", "token") == "other"
    assert await store.secret("r-2", "name") is None


@pytest.mark.parametrize(
    ("taken", "wanted", "free"),
    [
        ("region/x", "region/x", False),
        ("region", "region/x", False),
        ("region/x/y", "region", False),
        ("region/x/y/z", "region/x", False),
        ("region/x", "region/xy", True),
        ("region/xy", "region/x", True),
        ("region/x", "region/x-y", True),
        ("region/x", "region/y", True),
        ("region/x", "Region/x", True),
        ("region/%", "region/x", True),
        ("region_x", "region/x", True),
        ("region/x", "region/x0", True),
        ("a", "ab/c", True),
        ("region/x/", "region/x", False),
        ("région/ü", "région/ü/a", False),
    ],
)
async def test_f76_a_path_is_in_the_way_of_its_parents_and_children(
    store: AnyStore, taken: str, wanted: str, free: bool
) -> None:
    """
    A lock stops the same path, everything above it and everything below it.
    """
    await store.lock("r-1", [taken])

    assert await store.lock("r-2", [wanted]) == (None if free else "r-1")


async def test_locks_are_all_or_none(store: AnyStore) -> None:
    """
    Where one path is taken none of the others is.
    """
    await store.lock("r-1", ["b"])
    refused = await store.lock("r-2", ["a", "b/c", "c"])
    others = await store.lock("r-3", ["a", "c"])

    assert (refused, others) == ("r-1", None)


async def test_the_same_run_may_lock_again(store: AnyStore) -> None:
    """
    A run is never in its own way: again, a parent, a child.
    """
    asked = [
        await store.lock("r-1", paths)
        for paths in (["a/b"], ["a/b"], ["a"], ["a/b/c"], [])
    ]

    assert asked == [None] * 5
    assert await store.lock("r-2", ["a/z"]) == "r-1"


async def test_f76_both_stores_say_the_same_of_any_locks(tmp_path: Path) -> None:
    """
    Two thousand random calls on a small tree of paths: the same answers everywhere.
    """
    draw = random.Random(76)
    journal, memory = await SqliteStore.open(tmp_path / "journal.db"), MemoryStore()
    for _ in range(2000):
        run = f"r-{draw.randrange(4)}"
        if draw.random() < 0.3:
            await asyncio.gather(journal.unlock(run), memory.unlock(run))
            continue
        paths = [
            "/".join(draw.choices("ab%", k=draw.randint(1, 3)))
            for _ in range(draw.randint(0, 3))
        ]
        answers = await asyncio.gather(
            journal.lock(run, paths), memory.lock(run, paths)
        )
        assert answers[0] == answers[1], (run, paths)
    await journal.close()


async def test_unlock_frees_every_path_of_the_run(store: AnyStore) -> None:
    """
    Unlocking gives back this run's paths and nobody else's; twice does no harm.
    """
    await store.lock("r-1", ["a", "b"])
    await store.lock("r-2", ["c"])
    await store.unlock("r-1")
    await store.unlock("r-1")

    assert await store.lock("r-3", ["a/x", "b"]) is None
    assert await store.lock("r-3", ["c"]) == "r-2"


async def test_f75_of_many_that_want_a_lock_one_gets_it(store: AnyStore) -> None:
    """
    Asked at the same moment, exactly one run takes the path; the others see whom.
    """
    asked = await asyncio.gather(
        *(store.lock(f"r-{n}", ["region/x", "region/y"]) for n in range(20))
    )

    assert asked == [None] + ["r-0"] * 19
