"""The timeline as text, Markdown, HTML and JSON."""

import json

import msgspec
import views_story as story
from views_golden import golden

from engine.model.events import Acted, Looked, Noted, TimerFired, Voted
from engine.model.evidence import Evidence
from engine.model.people import Actor
from engine.model.timeline import GENESIS, Entry, chain_faults
from engine.views.lines import lines_of
from engine.views.timeline import (
    timeline_html,
    timeline_json,
    timeline_markdown,
    timeline_text,
)


def test_a_timeline_reads_as_a_story() -> None:
    """
    Each line has offset, UTC time, phase, what happened, and the why below it.
    """
    assert timeline_text(story.resolved()) == golden("timeline.txt")


def test_a_narrow_timeline_wraps_within_its_width() -> None:
    """
    No line is wider than asked.
    """
    text = timeline_text(story.handed_over(), width=64)

    assert text == golden("timeline_narrow.txt")
    assert max(map(len, text.splitlines())) <= 64


def test_colour_paints_whole_lines_and_changes_no_word() -> None:
    """
    Without its colours a coloured timeline is the plain one.
    """
    painted = timeline_text(story.handed_over(), colour=True)
    for code in ("[0m", "[1m", "[2m", "[31m", "[32m", "[33m", "[1;31m"):
        painted = painted.replace("\x1b" + code, "")

    assert painted == timeline_text(story.handed_over())


def test_the_date_stands_once_a_day() -> None:
    """
    A run over midnight shows both dates, each above its first line.
    """
    made = story.Story(start=story.START + 78_590)  # 23:59:50
    made.note(0, "phase", "phase isolate", phase="isolate")
    made.note(15, "end", "ended: resolved")

    assert timeline_text(made.entries()) == (
        "2026-03-14 UTC\n"
        " +00:00  23:59:50  isolate    phase isolate\n"
        "2026-03-15 UTC\n"
        " +00:15  00:00:05  isolate    ended: resolved\n"
    )


def test_a_timeline_without_entries_says_so() -> None:
    """
    Nothing is said in words, not as an empty page.
    """
    assert timeline_text([]) == "nothing has happened yet\n"
    assert timeline_json([]) == "[]\n"
    assert "Nothing has happened yet." in timeline_html([], title="x")


def test_markdown_is_one_table() -> None:
    """
    A reader of Markdown sees the story as rows.
    """
    assert timeline_markdown(story.resolved()) == golden("timeline.md")


def test_polls_and_timers_become_one_quiet_line() -> None:
    """
    A poll that goes on for long takes one line, not forty.
    """
    made = story.Story()
    for tick in range(40):
        made.event(tick, "time over: every", TimerFired(key="0@1:every"))
        made.looked(tick, "0@1:wait_for.seen", story.lag("fail", 9.0))
    made.looked(40, "0@1:wait_for.seen", story.lag("pass", 1.0))

    assert [(line.what, line.quiet) for line in lines_of(made.entries())] == [
        ("looked 41 times: lag fail 40 times, lag pass once", True)
    ]


def test_an_event_told_by_its_note_is_left_out_and_a_reason_is_kept() -> None:
    """
    What a person gave as a reason is in the story even where the note does not say it.
    """
    made = story.Story()
    vote = Voted(
        key="k", by=story.MAY, vote="approve", plan="p", reason="seen in staging"
    )
    made.event(1, "may votes approve", vote, "may")
    made.note(1, "approved", "may said yes", "everybody needed has said yes")
    made.event(2, "act ended: ok", Acted(key="a", outcome="ok"))
    made.note(2, "did", "did it")
    made.event(3, "act ended: unknown", Acted(key="b", outcome="unknown"))

    assert [(line.what, line.why) for line in lines_of(made.entries())] == [
        ("may votes approve", "seen in staging"),
        ("may said yes", "everybody needed has said yes"),
        ("did it", ""),
        ("act ended: unknown", ""),
    ]


def test_a_look_that_no_check_note_tells_is_shown_with_what_it_saw() -> None:
    """
    Evidence behind a decision is never lost from the story.
    """
    made = story.Story()
    made.looked(1, "0@3:when", Evidence("hot", "hot|host=h3", "unknown", "HTTP 503"))
    made.note(1, "skipped", "act x SKIPPED", "hot is unknown")

    assert [line.what for line in lines_of(made.entries())] == [
        "looked: hot|host=h3 unknown (HTTP 503)",
        "act x SKIPPED",
    ]


def test_a_note_of_a_person_names_the_person() -> None:
    """
    The words are the person's, and it says whose.
    """
    made = story.Story()
    noted = Noted(by=Actor("may"), text="called the carrier")
    made.event(1, "note by may", noted, "may")
    made.note(1, "note", "called the carrier", refs={"by": "may"})

    assert [line.what for line in lines_of(made.entries())] == [
        "called the carrier (by may)"
    ]


def test_json_has_every_entry_with_all_keys_and_the_chain_in_it() -> None:
    """
    From the JSON alone the timeline can be rebuilt, and its chain proved.
    """
    entries = story.resolved()
    rows = json.loads(timeline_json(entries))
    names = {"at_seconds": "at", "tick_seconds": "tick"}
    defaults = {
        "actor": "engine",
        "prev_hash": GENESIS,
    }  # hashed only where they differ
    built = [
        {
            names.get(key, key): value
            for key, value in row.items()
            if key != "at" and value != defaults.get(key)
        }
        for row in rows
    ]
    again = [msgspec.convert(one, Entry) for one in built]

    assert again == entries
    assert chain_faults(story.RUN, again) == []
    assert {tuple(row) for row in rows} == {
        ("run", "seq", "at", "at_seconds", "tick_seconds", "kind", "what", "actor",
         "phase", "step", "why", "subject", "target", "refs", "event", "prev_hash",
         "hash")
    }  # fmt: skip
    assert rows[0]["at"] == "2026-03-14T02:10:00.000Z"


def test_json_of_a_value_json_does_not_know_is_null() -> None:
    """
    NaN in evidence does not make a file that others cannot read.
    """
    made = story.Story()
    seen = Evidence("lag", "lag", "unknown", "NaN", {"value": float("nan")})
    made.event(1, "looked", Looked(key="k", evidence=(seen,)))
    rows = json.loads(timeline_json(made.entries()), parse_constant=_refuse)

    assert rows[0]["event"]["evidence"][0]["seen"] == {"value": None}


def _refuse(name: str) -> None:
    raise AssertionError(name)


def test_html_needs_nothing_but_itself() -> None:
    """
    The page has no script and loads nothing.
    """
    page = timeline_html(story.resolved(), title="Timeline of r-7f3")

    assert [
        word for word in ("<script", "src=", "href=", "@import", "url(") if word in page
    ] == []
    assert "<title>Timeline of r-7f3</title>" in page
    assert page.count('<li class="line') == len(lines_of(story.resolved()))
