"""Approvals and answers from a chat: who counts, what is void, and that it is said."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from desk_world import ASKING, GATED, DeskWorld, buttons_of, form_of, text_of

from engine.model.people import Question
from engine.runtime.virtual_time import run_virtual
from engine.views.chat.asked import asked_of
from engine.views.chat.questions import question as question_card
from engine.views.chat.values import value_of, value_text

RETYPED = GATED.replace("need: 2", "need: 1").replace(
    "within: 10m\n", "within: 10m\n    retype: take it\n"
)


async def asked(world: DeskWorld, name: str = "gated") -> tuple[str, Question]:
    """Return a run that asks, and what it asks."""
    run = await world.start(name)
    await asyncio.sleep(1)
    return run, await world.question(run)


def yes(run: str, question: Question) -> str:
    """Return the value of the approve button as it is shown."""
    return value_text(value_of("approve", run, question))


def no(run: str, question: Question) -> str:
    """Return the value of the reject button."""
    return value_text(value_of("reject", run, question))


def test_the_buttons_of_a_question_are_what_the_desk_understands(
    tmp_path: Path,
) -> None:
    """
    Two people press what the card shows; the act is done once.
    """

    async def story() -> tuple[list[str], list[str]]:
        world = DeskWorld(tmp_path)
        run, _ = await asked(world)
        shown = await world.around.stories.of(run)
        card = question_card(
            asked_of(shown.summary, shown.entries, shown.summary.questions[0].key)
        )
        value = buttons_of(card)["Approve"]
        told = [
            text_of(await world.press("approve", value, by=b)) for b in ("U1", "U2")
        ]
        await asyncio.sleep(1)
        return told, [action for action, _, _ in world.acts.done]

    told, did = run_virtual(story())

    assert [one.split(": ", 1)[1] for one in told] == [
        "ana said yes\nstill needed: 1 of ops",
        "bo said yes\neverybody needed has said yes",
    ]
    assert did == ["take"]


def test_f61_a_click_that_is_delivered_three_times_counts_once(tmp_path: Path) -> None:
    """
    The same event id is one approval; the retries are told nothing and change nothing.
    """

    async def story() -> tuple[list[str], list[tuple[str, str]]]:
        world = DeskWorld(tmp_path)
        run, question = await asked(world)
        value = yes(run, question)
        told = [
            text_of(await world.press("approve", value, id="click-1")) for _ in range(3)
        ]
        return told, await world.notes(run, "approved", "refused")

    told, notes = run_virtual(story())

    assert told[1:] == ["", ""]
    assert notes == [("ana said yes", "still needed: 1 of ops")]


def test_f62_who_is_not_in_the_group_is_refused_with_the_reason(tmp_path: Path) -> None:
    """
    They are told why, and the timeline keeps that they tried.
    """

    async def story() -> tuple[str, list[tuple[str, str]]]:
        world = DeskWorld(tmp_path)
        run, question = await asked(world)
        told = text_of(await world.press("approve", yes(run, question), by="U4"))
        return told, await world.notes(run, "approved", "refused")

    told, notes = run_virtual(story())

    assert told == "Not done\nit does not count: cai is not in ops"
    assert notes == [("cai's answer does not count", "cai is not in ops")]


def test_f62_an_account_nobody_is_known_by_is_told_how_to_be_added(
    tmp_path: Path,
) -> None:
    """
    Nothing is done for it, and the timeline keeps once that it tried.
    """

    async def story() -> tuple[list[str], list[tuple[str, str]]]:
        world = DeskWorld(tmp_path)
        run, question = await asked(world)
        value = yes(run, question)
        told = [text_of(await world.press("approve", value, by="U99")) for _ in "ab"]
        return told, await world.notes(run, "approved", "note")

    told, notes = run_virtual(story())

    assert (
        told
        == [
            (
                "Not done\nnobody is known by the account local:U99. Add it to the "
                "configuration: people.NAME.accounts: [local:U99]"
            )
        ]
        * 2
    )
    assert notes == [
        (
            "local:U99 tried to approve: nobody is known by this account, refused", ""
        )
    ]  # fmt: skip


def test_f63_two_accounts_of_one_person_count_once(tmp_path: Path) -> None:
    """
    A step that two people must approve is not opened by one with two accounts.
    """

    async def story() -> tuple[str, list[tuple[str, str]]]:
        world = DeskWorld(tmp_path)
        run, question = await asked(world)
        await world.press("approve", yes(run, question), by="U2")
        told = text_of(await world.press("approve", yes(run, question), by="U3"))
        return told, await world.notes(run, "approved", "refused")

    told, notes = run_virtual(story())

    assert told == "Not done\nit does not count: one person fills one place"
    assert notes == [
        ("bo said yes", "still needed: 1 of ops"),
        ("bo said yes already", "one person fills one place"),
    ]


def test_f63_who_started_it_does_not_approve_it_where_that_is_said(
    tmp_path: Path,
) -> None:
    """
    `not_by: requester` holds for every account of whoever started it.
    """
    text = GATED.replace("within: 10m\n", "within: 10m\n    not_by: [requester]\n")

    async def story() -> str:
        world = DeskWorld(tmp_path, {"gated": text})
        run = await world.start("gated", by="U2")
        await asyncio.sleep(1)
        question = await world.question(run)
        return text_of(await world.press("approve", yes(run, question), by="U3"))

    assert run_virtual(story()) == (
        "Not done\nit does not count: bo asked for this run"
    )


def test_f64_a_click_on_an_older_plan_is_void_and_said_so(tmp_path: Path) -> None:
    """
    The button holds the hash of what it was shown with; another plan is not approved.
    """

    async def story() -> tuple[str, list[tuple[str, str]]]:
        world = DeskWorld(tmp_path)
        run, question = await asked(world)
        value = value_of("approve", run, question)
        older = value_text(
            type(value)("approve", run, value.key, "0" * 64, value.round)
        )
        told = text_of(await world.press("approve", older))
        return told, await world.notes(run, "approved", "refused")

    told, notes = run_virtual(story())
    why = "the answer is for another plan than the one that stands"

    assert told == f"Not done\nit does not count: {why}"
    assert notes == [("ana's answer does not count", why)]


def test_f64_a_click_after_expiry_or_after_the_end_is_void(tmp_path: Path) -> None:
    """
    After the time of its circle, and after a cancel, the button does nothing, and says so.
    """

    async def story() -> list[str]:
        world = DeskWorld(tmp_path)
        run, question = await asked(world)
        await asyncio.sleep(601)
        late = text_of(await world.press("approve", yes(run, question)))
        await world.say("cancel false alarm", by="U1")
        over = text_of(await world.press("approve", yes(run, question)))
        return [late, over.replace(run, "RUN")]

    assert run_virtual(story()) == [
        "Not done\nit does not count: the question is closed",
        "Not done\nrun 'RUN' has ended: cancelled. See its timeline.",
    ]


def test_f65_two_clicks_at_the_same_moment_have_one_result(tmp_path: Path) -> None:
    """
    Approve and reject race: each gets its answer, and the run has exactly one.
    """
    text = GATED.replace("need: 2", "need: 1")

    async def story(first: str) -> tuple[list[str], int]:
        world = DeskWorld(tmp_path, {"gated": text})
        run, question = await asked(world)
        clicks: Any = {
            "approve": world.press("approve", yes(run, question), by="U1"),
            "reject": world.fill(no(run, question), {"reason": "no"}, by="U2"),
        }
        order = sorted(clicks, key=lambda one: one != first)
        replies = await asyncio.gather(*(clicks[one] for one in order))
        await asyncio.sleep(1)
        told = [text_of(one).replace(run, "RUN") for one in replies]
        return told, len(world.acts.done)

    assert run_virtual(story("reject")) == (
        ["RUN: bo said no\nno",
         "Not done\nit does not count: the run has ended: handed_over"], 0
    )  # fmt: skip
    assert run_virtual(story("approve")) == (
        ["RUN: ana said yes\neverybody needed has said yes",
         "Not done\nit does not count: the question is closed"], 1
    )  # fmt: skip


def test_f66_a_display_name_gives_no_right(tmp_path: Path) -> None:
    """
    Whoever calls themselves like the commander is still who their account is.
    """

    async def story() -> str:
        world = DeskWorld(tmp_path)
        run, question = await asked(world)
        value = yes(run, question)
        return text_of(await world.press("approve", value, by="U4", name="ana"))

    assert run_virtual(story()) == "Not done\nit does not count: cai is not in ops"


def test_f69_nobody_answers_so_it_escalates_and_then_fails_closed(
    tmp_path: Path,
) -> None:
    """
    The next circle is asked; what the first said does not carry over; nothing is done.
    """

    async def story() -> tuple[list[str], list[tuple[str, str]], int, str]:
        world = DeskWorld(tmp_path)
        run, _ = await asked(world)
        await world.say("approve", by="U1")
        await asyncio.sleep(600)
        next_one = await world.question(run)
        first = text_of(await world.say("approve", by="U2"))
        await asyncio.sleep(301)
        summary = await world.store.summary(run)
        assert summary is not None
        notes = await world.notes(run, "escalated", "expired")
        told = [first, str(next_one.who)]
        return told, notes, len(world.acts.done), summary.state

    told, notes, acts, state = run_virtual(story())

    assert told == [
        "Not done\nit does not count: bo is not in bosses",
        "(('bosses', 1),)",
    ]
    assert [one[0] for one in notes] == [
        "asked 1 of bosses: Take it?", "approve: nobody answered"
    ]  # fmt: skip
    assert (acts, state) == (0, "handed_over")


def test_reject_asks_for_its_reason(tmp_path: Path) -> None:
    """
    The button opens a form; without a reason nothing is rejected.
    """

    async def story() -> tuple[list[str], list[tuple[str, str]]]:
        world = DeskWorld(tmp_path)
        run, question = await asked(world)
        opened = await world.press("reject", no(run, question), trigger="T1")
        form = form_of(opened)
        empty = await world.fill(form.value, {"reason": "  "})
        full = await world.fill(form.value, {"reason": "peak hour"})
        told = [text_of(one).replace(run, "RUN") for one in (opened, empty, full)]
        return told, await world.notes(run, "rejected")

    told, notes = run_virtual(story())

    assert told == [
        "form: Reject",
        "Not done\nsay why you reject it; nothing was rejected",
        "RUN: ana said no\npeak hour",
    ]
    assert notes == [("ana said no", "peak hour")]


def test_an_approval_that_is_to_be_typed_opens_a_form(tmp_path: Path) -> None:
    """
    A click alone approves nothing; what is typed must be the same.
    """

    async def story() -> list[str]:
        world = DeskWorld(tmp_path, {"gated": RETYPED})
        run, question = await asked(world)
        value = yes(run, question)
        opened = await world.press("approve", value, trigger="T1")
        bare = await world.press("approve", value)
        form = form_of(opened)
        wrong = await world.fill(form.value, {"typed": "take"})
        right = await world.fill(form.value, {"typed": "take it"})
        said = [opened, bare, wrong, right]
        return [text_of(one).replace(run, "RUN") for one in said]

    assert run_virtual(story()) == [
        "form: Approve",
        'Not done\ntype it to approve: /runbook approve RUN typed="take it"',
        "Not done\nit does not count: 'take it' has to be typed",
        "RUN: ana said yes\neverybody needed has said yes",
    ]


def test_answers_are_typed_and_told_what_does_not_fit(tmp_path: Path) -> None:
    """
    A form with the fields; by words, each as its type; what is wrong is named.
    """

    async def story() -> list[str]:
        world = DeskWorld(tmp_path, {"asking": ASKING})
        run, question = await asked(world, "asking")
        value = value_text(value_of("answer", run, question))
        opened = await world.press("answer", value, trigger="T1")
        wrong = await world.say("answer note=x hosts=many way=c")
        good = {"note": "by hand", "hosts": 3.0, "way": "a"}
        right = await world.fill(form_of(opened).value, good)
        again = await world.fill(form_of(opened).value, good)
        return [
            text_of(one).replace(run, "RUN") for one in (opened, wrong, right, again)
        ]

    assert run_virtual(story()) == [
        "form: Answer",
        (
            "Not done\n'hosts': 'many' does not fit; expected a whole number such as 5\n"
            "'way': 'c' does not fit; expected one of a, b"
        ),
        "RUN: ana answered note: by hand, hosts: 3, way: a",
        "Not done\nthe question is closed: it was answered, or its time is over",
    ]


def test_a_plan_that_changed_is_shown_before_words_approve_it(tmp_path: Path) -> None:
    """
    `approve` in words means what was seen last; a changed plan is shown first.
    """
    text = """
checks: {lag: {probe: {}, pass: value > 0, fresh_for: 5s}}
actions: {take: {do: {}, undo: {do: {}}, guard: checks.lag.ok}}
isolate:
  - {check: lag}
  - {approve: 'Take it?', from: [{group: ops}], within: 10m}
  - {act: take}
"""
    script = {"checks": {"lag": ["pass", "fail", "fail"]}}

    async def story() -> list[str]:
        world = DeskWorld(tmp_path, {"gated": text}, script=script)
        run, _ = await asked(world)
        await asyncio.sleep(10)
        first = text_of(await world.say("approve"))
        await asyncio.sleep(1)
        shown = await world.say("approve", by="U2")
        plan = (await world.question(run)).plan
        assert plan is not None
        other = text_of(await world.say("approve plan=000000", by="U2"))
        that = text_of(await world.say(f"approve plan={plan.hash[:8]}", by="U2"))
        told = [first, text_of(shown).splitlines()[1], other, that]
        return [one.replace(run, "RUN").replace(plan.hash[:12], "HASH") for one in told]

    assert run_virtual(story()) == [
        "RUN: ana said yes\neverybody needed has said yes",
        "The plan changed since it was approved: lag was pass, is fail",
        "Not done\nthe plan is HASH now, not 000000: look at it again",
        "RUN: bo said yes\neverybody needed has said yes",
    ]


@pytest.mark.parametrize(
    "value", ["", "{}", '{"verb":"approve"}', "x" * 5000, '{"a":1}']
)
def test_a_button_that_is_not_ours_is_refused_politely(
    tmp_path: Path, value: str
) -> None:
    """
    Whatever comes back from a chat: a word, never an error, and nothing is done.
    """

    async def story() -> str:
        world = DeskWorld(tmp_path)
        return text_of(await world.press("approve", value))

    assert run_virtual(story()).startswith("Not done\n")
