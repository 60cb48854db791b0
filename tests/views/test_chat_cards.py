"""A run as chat shows it: the pinned message, posts, questions, decisions, forms."""

import dataclasses
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
import views_story as story
from hypothesis import given, settings
from views_cards import card_text, form_text
from views_golden import golden

from engine.model.chat import LONGEST_VALUE, Link, Post
from engine.model.events import Noted
from engine.model.people import Actor, Question
from engine.model.runbook import Runbook
from engine.model.timeline import Entry
from engine.views.chat import (
    Seen,
    Value,
    answers_form,
    asked_of,
    decided,
    ended,
    inputs_form,
    links_of,
    merged,
    parse_value,
    pinned,
    posts,
    question,
    reason_form,
    retype_form,
    update,
    value_text,
)

LINKS = (Link("Report", "https://runbook.example.com/runs/r-7f3"),)


def asking(tick: float = 100) -> list[Entry]:
    """Return the story while its approval is open, one of two said yes."""
    entries = [one for one in story.middle(story.beginning()).open if one.tick <= tick]
    return [msgspec.structs.replace(one, hash=f"{one.seq}") for one in entries]


def running(**more: Any) -> Seen:
    """Return the run while it waits for its second yes."""
    fields = {
        "phase": "workaround", "questions": (story.question(),),
        "held": (story.held_lane(),), "roles": {"commander": "ana", "scribe": "bo"},
    }  # fmt: skip
    return Seen(
        story.summary("waiting", **(fields | more)), asking(), story.runbook(), LINKS,
        next_update=story.START + 1800,
    )  # fmt: skip


def test_the_pinned_message_says_how_the_run_stands() -> None:
    """
    Users, phase, step, cause, held, asked until when, roles, next update, how to steer.
    """
    assert card_text(pinned(running())) == golden("chat_pinned.txt")


def test_the_pinned_message_is_the_same_for_the_same_state() -> None:
    """
    Who draws it may compare, and edits nothing where nothing changed.
    """
    assert pinned(running()) == pinned(running())


def test_an_update_tells_how_users_fare_while_nothing_else_changes() -> None:
    """
    The regular word says since when nothing changed, and when the next one comes.
    """
    text = card_text(update(running(), since=story.START + 100))

    assert text == golden("chat_update.txt")


def test_the_end_tells_what_was_done_and_what_is_left() -> None:
    """
    A good end says what it took; a hand-over lists each way back, and asks who takes it.
    """
    good = Seen(story.summary(), story.resolved(), story.runbook(), LINKS)
    left = Seen(story.handed_summary(), story.handed_over("rehearsal"), story.runbook())

    text = card_text(ended(good)) + card_text(ended(left))
    assert text == golden("chat_ended.txt")


def test_state_changes_are_short_posts_in_order() -> None:
    """
    One post for each event that matters; evidence as text; polls are quiet.
    """
    told = posts(story.resolved(), story.summary())

    text = "".join(f"{one.key}\n{card_text(one.card)}" for one in told)
    assert text == golden("chat_posts.txt")


def test_f84_every_card_of_a_rehearsal_is_marked() -> None:
    """
    Nobody takes a drill for an incident: the mark stands before each message.
    """
    entries, summary = story.handed_over("rehearsal"), story.handed_summary()
    asks = msgspec.structs.replace(summary, questions=(story.question(),))
    seen = Seen(asks, entries, story.runbook())
    asked = asked_of(asks, entries, story.question().key)
    cards = [one.card for one in posts(entries, summary)]
    cards += [pinned(seen), update(seen), ended(seen), question(asked), decided(asked)]

    assert {one.mark for one in cards} == {"[REHEARSAL]"}


def test_posts_are_the_same_however_the_timeline_is_cut() -> None:
    """
    What is posted as it happens is what is posted after an outage: same keys, same text.
    """
    entries, summary = story.handed_over(), story.summary("handed_over")
    starts = [n for n, one in enumerate(entries) if one.event is not None]
    bits = [entries[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]

    apart = [one for bit in bits for one in posts(bit, summary)]
    assert apart == posts(entries, summary)


def test_many_waiting_posts_are_one_message_in_order() -> None:
    """
    After an outage one message catches up; what is left out is counted, and where it is.
    """
    told = posts(story.resolved(), story.summary())
    many = [
        msgspec.structs.replace(told[n % len(told)], key=f"r-7f3:{n}", seq=n)
        for n in range(1, 501)
    ]

    assert card_text(merged(told).card) == golden("chat_merged.txt")
    assert merged(many).key == "r-7f3:500"
    left = [one for one in card_text(merged(many).card).splitlines() if "…" in one]
    assert left == ["… 470 more: runbook show r-7f3, or /runbook report r-7f3"]
    assert merged(told[:1]) == told[0]
    with pytest.raises(ValueError, match="nothing is waiting"):
        merged([])


def test_a_persons_message_is_not_posted_again() -> None:
    """
    What stands in the chat already is kept, and not echoed; a note from elsewhere is.
    """

    def noted(**more: Any) -> list[Post]:
        event = Noted(by=Actor("ana"), text="I called them", **more)
        told = [
            Entry("r-7f3", 1, 0.0, 0.0, "noted", "note by ana", "ana", event=event),
            Entry("r-7f3", 2, 0.0, 0.0, "note", "I called them", "ana"),
        ]
        return posts(told, story.summary())

    assert noted(ref="slack:C1:1.2") == []
    assert [one.card.title for one in noted()] == ["ana notes: I called them"]


def test_a_question_shows_what_the_answer_is_bound_to_and_who_was_first() -> None:
    """
    Plan, way back, values before, evidence with its age, hash, the first of two yeses.
    """
    summary = running().summary
    asked = asked_of(summary, asking(), "0@9:ask0")
    assert asked.question is not None
    slow = msgspec.structs.replace(asked.question, worst_case_seconds=150.0)
    seen = msgspec.structs.replace(summary, questions=(slow,))

    text = card_text(question(asked_of(seen, asking(), "0@9:ask0")))
    assert text == golden("chat_question.txt")


def test_who_is_on_call_is_told_and_mentioned() -> None:
    """
    Beside the group that is asked stands who of it has the pager now.
    """
    asked = asked_of(running().summary, asking(), "0@9:ask0")
    called = {"messaging-oncall": ("bo",), "incident-commanders": ()}
    card = question(dataclasses.replace(asked, on_call=called))

    assert card.loud == ("messaging-oncall", "incident-commanders", "bo")
    assert "On call: messaging-oncall: bo" in card_text(card).splitlines()


def test_a_plan_that_changed_is_shown_with_the_difference() -> None:
    """
    Whoever said yes before sees what is no longer as it was.
    """
    changed = msgspec.structs.replace(
        story.question(), changed="lag was fail, is pass", retype=None
    )
    summary = story.summary("waiting", questions=(changed,))
    lines = card_text(question(asked_of(summary, asking(40), changed.key))).splitlines()

    assert lines[1] == "The plan changed since it was approved: lag was fail, is pass"
    assert lines[-3].endswith(" sure: roll_back_router cannot be undone. Approve?")


def test_the_message_becomes_the_record_of_the_decision() -> None:
    """
    Who, when, and why; no button is left; it can be made from the timeline alone.
    """
    entries = asking(200)
    asked = asked_of(story.summary("running"), entries, "0@9:ask0")

    assert card_text(decided(asked)) == golden("chat_decided.txt")


def test_f64_a_question_nobody_answered_says_that_it_expired() -> None:
    """
    Silence is no consent, and the message says so where the buttons were.
    """
    entries = story.beginning().open
    tell = story.Story()
    tell.open, tell.phase = entries, "workaround"
    tell.note(30, "asked", "asked 1 of a: Sure?", step="w/1", subject="0@9:approve0")
    tell.note(40, "expired", "approve 'Sure?': nobody answered",
              "silence is never consent", step="w/1", subject="w/1")  # fmt: skip
    asked = asked_of(story.summary("running"), tell.entries(), "0@9:approve0")

    assert card_text(decided(asked)) == (
        "# Expired: asked 1 of a: Sure? [danger]\n"
        "Ended: 2026-03-14 02:10:40 UTC: approve 'Sure?': nobody answered\n"
        "(run r-7f3)\n"
    )


def test_yes_and_no_are_buttons_where_that_is_all_that_is_asked() -> None:
    """
    One field with few answers needs no form; anything more opens one.
    """
    base = Question("0@1:ask", "ask", "x/1", "Fixed?", (("a", 1),))

    def labels(fields: dict[str, Any]) -> list[str]:
        it = msgspec.structs.replace(base, fields=fields)
        summary = story.summary("waiting", questions=(it,))
        card = question(asked_of(summary, [], it.key))
        return [
            one.label for part in card.parts for one in getattr(part, "buttons", ())
        ]

    assert labels({"fixed": {"type": "boolean"}}) == ["Yes", "No"]
    assert labels({"way": {"type": "choice", "of": ["a", "b"]}}) == ["a", "b"]
    assert labels({"way": {"type": "choice", "of": list("abcde")}}) == ["Answer…"]
    assert labels({"a": {"type": "boolean"}, "b": {"type": "string"}}) == ["Answer…"]


def test_forms_have_typed_fields_and_come_back_with_what_is_meant() -> None:
    """
    Inputs filled with what was given, answers, a reason, and what is to be retyped.
    """
    fields = {"note": {"type": "string"}, "fixed": {"type": "boolean"}}
    ask = msgspec.structs.replace(story.question(), kind="ask", fields=fields)
    inputs = {
        "region": {"type": "choice", "of": ["eu-west", "us-east"]},
        "hosts": {"type": "list", "default": ["a", "b"], "description": "Which ones"},
        "token": {"type": "string", "default": "hunter2", "secret": True},
    }
    book = story.runbook(inputs=inputs)
    start = Value("run", name=book.runbook)
    forms = [
        inputs_form(book, start, {"region": "eu-west"}, text=["token is missing"]),
        answers_form("r-7f3", ask),
        reason_form(Value("reject", "r-7f3"), "Reject"),
        retype_form("r-7f3", story.question()),
    ]

    assert "".join(map(form_text, forms)) == golden("chat_forms.txt")


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=50) | st.binary(max_size=50).map(lambda raw: raw.decode("latin"))
)
def test_a_value_that_is_not_ours_is_none(text: str) -> None:
    """
    Whatever comes back from a chat is a value that we wrote, or none.
    """
    found = parse_value(text)

    assert found is None or isinstance(found, Value)
    assert parse_value(value_text(Value("reject", "r-1", text[:40], "p", 2))) == Value(
        "reject", "r-1", text[:40], "p", 2
    )


def test_a_value_that_is_too_long_is_none() -> None:
    """
    Nothing is read beyond what a chat keeps with a button.
    """
    long = '{"verb":"' + "x" * LONGEST_VALUE + '"}'

    assert parse_value(long) is None
    with pytest.raises(ValueError, match="too long for a button"):
        value_text(Value("x" * LONGEST_VALUE))


HOSTILE = "<!channel> @here \u202e`x`\x1b[31m\n{{ 7*7 }}" + "y" * 70_000


def test_f53_values_from_outside_are_visible_and_bounded_in_every_card() -> None:
    """
    Nothing hides or moves text, and no message grows with what came from outside.
    """
    entries = [
        msgspec.structs.replace(one, what=HOSTILE, why=HOSTILE, target=HOSTILE)
        if one.event is None
        else one
        for one in story.handed_over()
    ]
    plan = story.question().plan
    assert plan is not None
    act = msgspec.structs.replace(
        plan.acts[0], action=HOSTILE, target=HOSTILE, command={"argv": [HOSTILE] * 9}
    )
    bad = msgspec.structs.replace(
        story.question(), text=HOSTILE, changed=HOSTILE, name=HOSTILE, retype=HOSTILE,
        plan=msgspec.structs.replace(plan, acts=(act,) * 40, states={HOSTILE: "fail"}),
    )  # fmt: skip
    summary = story.summary(
        "waiting", cause=HOSTILE, why=HOSTILE, questions=(bad,) * 9,
        roles={"commander": HOSTILE}, on_hold=HOSTILE, requester=HOSTILE,
        held=(msgspec.structs.replace(story.held_lane(), action=HOSTILE),) * 20,
    )  # fmt: skip
    summary = msgspec.structs.replace(summary, title=HOSTILE)
    seen = Seen(summary, entries, story.runbook())
    asked = asked_of(summary, entries, bad.key)
    cards = [one.card for one in posts(entries, summary)]
    cards += [pinned(seen), update(seen), ended(seen), question(asked), decided(asked)]
    cards.append(merged(posts(entries, summary)).card)

    for text in map(card_text, cards):
        assert all(one == "\n" or one.isprintable() for one in text)
        assert len(text) < 16_000


def test_the_links_of_a_runbook_are_those_that_are_addresses() -> None:
    """
    Named or bare; what could be anything else than an address of the web is left out.
    """
    named = linked(
        {"Dash": "https://grafana/d/1?a=b", "Bad": "javascript:x", "Odd": ["x"]}
    )
    bare = linked(["http://wiki/lag", "see (the) wiki", "https://a|b", 7])

    assert (Link("Dash", "https://grafana/d/1?a=b"),) == links_of(named)
    assert (Link("http://wiki/lag", "http://wiki/lag"),) == links_of(bare)


def linked(links: Any) -> Runbook:
    """Return the runbook of the story with these links."""
    return story.runbook().model_copy(update={"links": links})
