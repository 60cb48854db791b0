"""What people say in a chat is done under their own rights, once, and told."""

import asyncio
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from desk_world import (
    ELSEWHERE,
    FOLK,
    GATED,
    HERE,
    DeskWorld,
    buttons_of,
    form_of,
    text_of,
)
from hypothesis import HealthCheck, given, settings

from engine.core.oncall import Schedule, Shift
from engine.errors import ChatDown
from engine.model.chat import Account, Marked, Message, Place, Rewritten, Said
from engine.model.effects import Page
from engine.model.events import Noted
from engine.runtime.chat.people import Person, UserGroup
from engine.runtime.on_call import OnCall
from engine.runtime.virtual_time import START, run_virtual
from engine.views.chat.values import Value, value_text


def told(tmp_path: Path, words: list[str], **more: Any) -> list[str]:
    """Say words in a run's thread; return what is told, the run's id as RUN."""

    async def story() -> list[str]:
        world = DeskWorld(tmp_path, **more)
        run = await world.start()
        await asyncio.sleep(1)
        found = []
        for text in words:
            who, _, said = text.rpartition("> ")
            reply = await world.say(said, by=who or "U1")
            found.append(text_of(reply).replace(run, "RUN"))
        return found

    return run_virtual(story())


def test_words_in_the_runs_thread_steer_it(tmp_path: Path) -> None:
    """
    Each verb does what it says, and tells what the timeline keeps of it.
    """
    assert told(tmp_path, [
        "take commander", "U2> take com", "sev 2 the whole region", "page ops come",
        "hold on peak hour", "hold", "hold off", "retry", "note called the provider",
        "cancel false alarm", "take",
    ]) == [
        "RUN: ana is commander",
        "RUN: bo is commander\nbefore: ana",
        "RUN: severity sev3 -> sev2\nana says so: the whole region",
        "RUN: ana pages ops\ncome",
        "RUN: ana holds the run\npeak hour",
        "Hold\nNo global hold.\nRUN is held: ana: peak hour",
        "RUN: ana lets the run go on",
        ("Not done\nit does not count: nothing waits for its next try; what has failed"
         " is not tried again"),
        "RUN: called the provider",
        "RUN: cancelled by ana: false alarm\ngiven back",
        "Not done\nrun 'RUN' is in nobody's hands: cancelled",
    ]  # fmt: skip


def test_rights_are_those_of_who_asks(tmp_path: Path) -> None:
    """
    A viewer looks, a responder steers, a commander stops; each refusal names both roles.
    """
    assert told(tmp_path, [
        "U5> why", "U5> approve", "U5> note hm", "U2> cancel", "U2> hold all on now",
        "U1> hold all on now",
    ])[1:] == [
        "Not done\nvic is viewer; this needs responder",
        "Not done\nvic is viewer; this needs responder",
        "Not done\nbo is responder; this needs commander",
        "Not done\nbo is responder; this needs commander",
        ("Hold of every run\nNo further act begins: ana: now"
         f" (since {_today(tmp_path)})"),
    ]  # fmt: skip


def _today(folder: Path) -> str:
    import json

    return str(json.loads((folder / "HOLD").read_text())["at"])


def test_g16_the_hold_of_every_run_is_set_and_lifted_from_chat(tmp_path: Path) -> None:
    """
    The same switch as everywhere: no act begins until it is lifted.
    """

    async def story() -> list[str | None]:
        world = DeskWorld(tmp_path)
        await world.say("hold on peak hour", place=ELSEWHERE)
        held = world.switch.reason()
        await world.say("hold off", place=ELSEWHERE)
        return [held and held.split(" (")[0], world.switch.reason()]

    assert run_virtual(story()) == ["ana: peak hour", None]


def test_a_run_is_started_once_for_each_event(tmp_path: Path) -> None:
    """
    A command that is delivered again starts nothing; nor does it where that was lost.
    """

    async def story() -> tuple[list[str], int]:
        world = DeskWorld(tmp_path)
        first = await world.say("run gated", id="cmd-1", place=ELSEWHERE)
        again = await world.say("run gated", id="cmd-1", place=ELSEWHERE)
        world.kept._events.clear()  # a day is over, or the journal was restored
        lost = await world.say("run gated", id="cmd-1", place=ELSEWHERE)
        runs = await world.store.runs()
        said = [
            text_of(one).replace(runs[0].run, "RUN") for one in (first, again, lost)
        ]
        return said, len(runs)

    assert run_virtual(story()) == (
        ["RUN is started: gated", "", "RUN was started already"], 1
    )  # fmt: skip


def test_missing_inputs_open_a_form_that_starts_the_run(tmp_path: Path) -> None:
    """
    Typed fields, filled with what was said; what does not fit is told by name.
    """

    async def story() -> tuple[list[Any], dict[str, Any]]:
        world = DeskWorld(tmp_path)
        opened = await world.say("run inputs copies=3", trigger="T1", place=ELSEWHERE)
        form = form_of(opened)
        fields = [(one.name, one.kind, one.value, one.optional) for one in form.fields]
        wrong = await world.fill(form.value, {"region": "mars", "copies": 3.0})
        right = await world.fill(form.value, {"region": "eu", "copies": 3, "token": ""})
        run = (await world.store.runs())[0]
        said = text_of(right).replace(run.run, "RUN")
        return [fields, text_of(wrong), said], run.inputs

    (fields, wrong, right), inputs = run_virtual(story())

    assert fields == [
        ("region", "choice", "", False),
        ("copies", "number", "3", True),
        ("token", "text", "", True),
    ]
    assert (
        wrong == "Not done\ninput 'region': 'mars' does not fit; expected one of eu, us"
    )
    assert right == "RUN is started: inputs"
    assert inputs == {"region": "eu", "copies": 3, "token": {"secret": "input:token"}}


def test_without_a_form_missing_inputs_are_named(tmp_path: Path) -> None:
    """
    Where no form can be opened, the words that are missing are told.
    """

    async def story() -> str:
        world = DeskWorld(tmp_path)
        return text_of(await world.say("run inputs", place=ELSEWHERE))

    assert run_virtual(story()) == (
        "Not done\ninput 'region' has no value. Give it one: region=…"
    )


def test_f95_a_secret_is_not_taken_from_a_message_of_a_room(tmp_path: Path) -> None:
    """
    What is written in a room stays there; a form or a command shows it to nobody.
    """

    async def story() -> tuple[str, int]:
        world = DeskWorld(tmp_path)
        text = "run inputs region=eu token=hunter2"
        told = text_of(await world.say(text, door="mention", place=ELSEWHERE))
        return told, len(await world.store.runs())

    text, runs = run_virtual(story())

    assert text.startswith("Not done\ninput 'token' is secret")
    assert ("hunter2" in text, runs) == (False, 0)


def test_who_may_start_from_chat_is_what_the_runbook_says(tmp_path: Path) -> None:
    """
    `trigger: chat: who` names groups; others are told which.
    """

    async def story() -> str:
        world = DeskWorld(tmp_path)
        return text_of(await world.say("run inputs region=eu", by="U4"))

    assert run_virtual(story()) == "Not done\n'inputs' is started from chat by ops"


def test_f68_what_means_nothing_is_told_with_a_button_for_what_was_meant(
    tmp_path: Path,
) -> None:
    """
    No shell, choices listed; the nearest name is one press away, and never taken.
    """

    async def story() -> tuple[str, str, int, str]:
        world = DeskWorld(tmp_path)
        bad = await world.say("run gated; rm -rf /", place=ELSEWHERE)
        slip = await world.say("run gatd", place=ELSEWHERE)
        before = len(await world.store.runs())
        value = next(iter(buttons_of(slip.whisper).values()))
        done = await world.press("said", value)
        run = (await world.store.runs())[0].run
        return text_of(bad), text_of(slip), before, text_of(done).replace(run, "RUN")

    assert run_virtual(story()) == (
        ("Not understood\n'gated;' is no runbook. Did you mean 'gated'? Choices: asking,"
         " gated, inputs."),
        ("Not understood\n'gatd' is no runbook. Did you mean 'gated'? Choices: asking,"
        " gated, inputs."),
        0,
        "RUN is started: gated",
    )  # fmt: skip


def test_a_pinned_message_is_kept_with_author_time_link_and_files(
    tmp_path: Path,
) -> None:
    """
    The reaction keeps it once; what is edited or deleted later is written down as such.
    """

    async def story() -> tuple[list[str], list[Noted], list[str]]:
        world = DeskWorld(tmp_path)
        run = await world.start()
        world.wrote("m7", "disk is hunter2hunter2 full", link="chat://m7",
                    files=("chat://f1",))  # fmt: skip
        told = [await world.mark("m7", by="U2"), await world.mark("m7", by="U1")]
        other = await world.mark("m7", mark="eyes")
        for n, text in enumerate(("disk was full", "disk was full", None, None)):
            await world.hear(Rewritten(f"c{n}", HERE, "m7", text, by="U4"))
        await world.hear(Rewritten("c9", HERE, "m8", "never kept", by="U4"))
        events = [one.event for one in await world.entries(run)]
        kept = [one for one in events if isinstance(one, Noted)]
        notes = await world.notes(run, "note")
        said = [text_of(one).replace(run, "RUN") for one in (*told, other)]
        return said, kept, [f"{what} ({why})" for what, why in notes]

    said, kept, notes = run_virtual(story())

    assert said == [
        "RUN: disk is [redacted] full\nkept by bo",
        "RUN: it is kept already",
        "",
    ]
    assert (kept[0].author, kept[0].by.id, kept[0].about_at) == ("cai", "bo", START)
    assert (kept[0].link, kept[0].files) == ("chat://m7", ("chat://f1",))
    assert {one.ref for one in kept} == {"local:C1:m7"}
    assert notes == [
        "disk is [redacted] full (kept by bo)",
        "disk was full (the message was edited)",
        "the message of cai was deleted ()",
    ]


def test_a_reaction_where_no_run_is_shown_is_none_of_ours(tmp_path: Path) -> None:
    """
    Nobody is answered for a pin elsewhere, also not somebody we do not know.
    """

    async def story() -> list[str]:
        world = DeskWorld(tmp_path)
        await world.start()
        world.wrote("m1", "lunch?", place=Place("local", "C2"))
        here = world.wrote("m2", "help", by="U99")
        there = [await world.mark(one, by="U99") for one in ("m1", "gone")]
        mine = await world.mark(here.ref, by="U99")
        return [text_of(one).splitlines()[0] if one.whisper else "" for one in
                (*there, mine)]  # fmt: skip

    assert run_virtual(story()) == ["", "", "Not done"]


def test_the_menu_of_a_message_keeps_it(tmp_path: Path) -> None:
    """
    A message's own menu, in the run's thread; elsewhere it is told that there is no run.
    """

    async def story() -> list[str]:
        world = DeskWorld(tmp_path)
        run = await world.start()
        world.wrote("m1", "lunch?", place=Place("local", "C2"))
        about = [world.wrote("m2", "the cache is cold"), world.chat.said["m1"]]
        told = [
            await world.say("", door="menu", about=one, place=one.place)
            for one in about
        ]
        return [text_of(one).replace(run, "RUN") for one in told]

    assert run_virtual(story()) == [
        "RUN: the cache is cold\nkept by ana",
        "Not done\nno run is shown here, so there is no timeline for it",
    ]


def test_a_note_that_stands_in_a_message_is_kept_with_its_link(tmp_path: Path) -> None:
    """
    `@runbook note …` keeps where it was said; a command, which nobody sees, is posted.
    """

    async def story() -> list[tuple[str, str]]:
        world = DeskWorld(tmp_path)
        run = await world.start()
        await world.chat.post(HERE, text_card(), key="x")  # message m1, which is linked
        await world.say("note called them", door="mention", ref="m1")
        await world.say("note called them again")
        events = [one.event for one in await world.entries(run)]
        return [(one.text, one.link) for one in events if isinstance(one, Noted)]

    assert run_virtual(story()) == [
        ("called them", "chat://local/C1/m1"), ("called them again", "")
    ]  # fmt: skip


def text_card() -> Any:
    """Return any card."""
    from engine.model.chat import Card

    return Card("hm")


def test_groups_of_a_provider_count_and_stay_while_it_is_down(tmp_path: Path) -> None:
    """
    A user group's member may answer; when the chat fails, who was in it still is.
    """
    group = UserGroup("ops", "local", "S1")
    folk = (Person("eve", "responder", (), (("local", "U7"),)),)

    async def story() -> list[str]:
        world = DeskWorld(tmp_path, {"gated": GATED}, folk, (group,))
        world.chat.groups["S1"] = ("U7",)
        run = await world.start(by="U7")
        await asyncio.sleep(120)

        def down(when: str, method: str) -> None:
            raise ChatDown("503")

        world.chat.trouble = down
        first = text_of(await world.say("approve", by="U7"))
        await asyncio.sleep(1)
        return [first.replace(run, "RUN"), str(world.people.groups_of(folk[0]))]

    assert run_virtual(story()) == [
        "RUN: eve said yes\nstill needed: 1 of ops", "('ops',)"
    ]  # fmt: skip


def test_an_account_of_several_people_is_nobodys(tmp_path: Path) -> None:
    """
    A slip in the configuration gives nobody another one's rights.
    """
    folk = (*FOLK, Person("fay", "admin", (), (("local", "U1"),)))

    async def story() -> str:
        world = DeskWorld(tmp_path, folk=folk)
        return text_of(await world.say("status"))

    assert run_virtual(story()) == (
        "Not done\nthe account local:U1 stands under several people (ana, fay), so it "
        "counts for none of them"
    )


def test_where_nobody_is_configured_everybody_may(tmp_path: Path) -> None:
    """
    As at every other door: a person is their account, and in every group.
    """

    async def story() -> list[tuple[str, str]]:
        world = DeskWorld(tmp_path, folk=())
        run = await world.start(by="U77")
        await asyncio.sleep(1)
        await world.say("approve", by="U78")
        return await world.notes(run, "approved")

    assert run_virtual(story()) == [("local:U78 said yes", "still needed: 1 of ops")]


def test_a_page_says_who_is_on_call(tmp_path: Path) -> None:
    """
    The group's schedule is looked up, and stands in the page.
    """
    schedule = Schedule(Shift(("bo", "ana"), START - 10, 3600.0))

    async def story() -> tuple[str, list[str]]:
        world = DeskWorld(tmp_path)
        object.__setattr__(
            world.around, "on_call", OnCall(world.clock, {"ops": schedule})
        )
        run = await world.start()
        reply = text_of(await world.say("page ops come"))
        sent = [one for _, _, one in await world.store.unsent()]
        pages = [one.text.replace(run, "RUN") for one in sent if isinstance(one, Page)]
        return reply.replace(run, "RUN"), pages

    assert run_virtual(story()) == (
        "RUN: ana pages ops\ncome (on call: bo)",
        ["RUN: ana pages you: come (on call: bo)"],
    )


def test_the_end_card_hands_a_run_over_to_who_takes_it(tmp_path: Path) -> None:
    """
    The button of a run that was handed over takes it by name.
    """

    async def story() -> list[str]:
        world = DeskWorld(tmp_path)
        run = await world.start()
        await asyncio.sleep(1000)  # nobody answers: handed over
        value = value_text(Value("take", run))
        told = [await world.press("take", value, by=by) for by in ("U2", "U1")]
        return [text_of(one).replace(run, "RUN") for one in told]

    assert run_virtual(story()) == [
        "RUN: bo took over", "Not done\nrun 'RUN' was taken over by bo"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["\x00", "run \u202egated", "x" * 9000, "note " + "y" * 9000]
)
def test_f68_hostile_words_are_told_and_do_nothing(tmp_path: Path, text: str) -> None:
    """
    Hidden signs and floods are refused with the choices, and nothing is written.
    """

    async def story() -> tuple[str, int]:
        world = DeskWorld(tmp_path)
        run = await world.start()
        before = len(await world.entries(run))
        reply = text_of(await world.say(text))
        return reply, len(await world.entries(run)) - before

    reply, written = run_virtual(story())

    assert reply.startswith("Not understood\n")
    assert ("Choices: run, dry-run" in reply, written) == (True, 0)


def test_the_desk_never_raises(tmp_path: Path) -> None:
    """
    A store that fails, a place that is nowhere, a message without words: always a word.
    """

    async def story() -> list[str]:
        world = DeskWorld(tmp_path)
        run = await world.start()
        world.wrote("m1", "")
        odd = [
            Said("a", Account("local", "U1"), Place("", ""), "status"),
            Said("b", Account("", ""), HERE, "status"),
            Said(
                "c",
                Account("local", "U1"),
                HERE,
                "",
                about=Message(HERE, "m", "", "", 0),
            ),
            Marked("d", Account("local", "U1"), Place("nowhere", ""), "m1", "pushpin"),
        ]
        replies = [await world.hear(one) for one in odd]
        return [text_of(one).replace(run, "RUN").splitlines()[0] for one in replies[:3]]

    assert run_virtual(story()) == [
        "1 open run", "Not done", "RUN: (no words)",
    ]  # fmt: skip


ODD = st.text(max_size=30) | st.sampled_from(
    ["approve", "answer", "run inputs", "take", "status r-1", "sev 9", "hold off",
     '{"verb":"take","run":"r-1"}', '{"verb":"said","text":"run gatd"}',
     '{"verb":"reject","run":"RUN","key":"x"}', '{"verb":"run","name":"nope"}'],
)  # fmt: skip


@settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(st.lists(st.tuples(st.sampled_from(["say", "press", "fill"]), ODD), max_size=8))
def test_f68_whatever_comes_in_is_answered_and_the_engine_lives(
    tmp_path: Path, events: list[tuple[str, str]]
) -> None:
    """
    Words, buttons and forms of any text: a card or nothing, and the run still answers.
    """

    async def story() -> tuple[list[str], str]:
        world = DeskWorld(tmp_path)
        run = await world.start()
        for way, text in events:
            said = text.replace("RUN", run)
            if way == "say":
                await world.say(said, by="U2")
            elif way == "press":
                await world.press("approve", said, by="U2")
            else:
                await world.fill(said, {"reason": said, "hosts": [said]}, by="U2")
        return world.failed, text_of(await world.say("status " + run)).splitlines()[0]

    failed, shown = run_virtual(story())

    assert failed == []
    assert "Messages are late" in shown


def test_who_may_not_hold_everything_is_told_before_a_form_asks_why(
    tmp_path: Path,
) -> None:
    """
    Outside of a thread `hold on` is the global hold, for a commander: a responder is
    refused at once, a commander is asked for the reason, and what is sent counts.
    """

    async def story() -> list[str]:
        world = DeskWorld(tmp_path)
        said = [
            await world.say(words, by=by, place=ELSEWHERE, trigger="t")
            for by, words in (
                ("U2", "hold on"),
                ("U2", "hold all on"),
                ("U1", "hold on"),
            )
        ]
        form = form_of(said[-1])
        sent = await world.fill(form.value, {"reason": "peak hour"})
        told = [*map(text_of, [*said, sent]), world.switch.reason() or ""]
        return [one.partition(" (since")[0] for one in told]

    refused = "Not done\nbo is responder; this needs commander"
    assert [
        refused,
        refused,
        "form: Hold",
        "Hold of every run\nNo further act begins: ana: peak hour",
        "ana: peak hour",
    ] == run_virtual(story())
