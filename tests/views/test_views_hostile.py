"""F98, F99: nothing from outside acts on the place it is shown in."""

import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
import views_story as story
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from views_machine import small

from engine.model.events import Looked, Started
from engine.model.evidence import Evidence
from engine.model.machine import MachineEdge, MachineGraph, MachineState
from engine.model.people import Actor, Plan, PlannedAct, Question
from engine.model.run import Held, RunSummary
from engine.model.timeline import Entry
from engine.views.graph import graph_dot, graph_mermaid, graph_text
from engine.views.message import question_text
from engine.views.page import runbook_text
from engine.views.report import report_html, report_markdown
from engine.views.terminal import progress_line, status_lines
from engine.views.timeline import (
    timeline_html,
    timeline_json,
    timeline_markdown,
    timeline_text,
)

PIECES = (
    "<script>alert(1)</script>", "=cmd()", "|", "\n", "\r\n# Head\n", "\x1b[31mred\x1b[0m",
    "\u202eltr", "`code`", "{{ 7 * 7 }}", "{% raw %}", "${x}", "![a](http://x/y.png)",
    "[a](javascript:x)", "**b**", "---", "\x9b31m", "\u2028", "\x00", "&lt;", "'\"",
    "<img src=x onerror=y>", "1. one", "- item", "plain words", "é", "```", "~~~", "\\",
)  # fmt: skip
HOSTILE = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)
MOVES_TEXT = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e]"
)
SLOWER = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)


def hostile_entries(bad: str) -> list[Entry]:
    """Return a timeline with the string in every field that comes from outside."""
    made = story.Story()
    made.event(0, bad, Started(
        run=story.RUN, revision=bad, by=Actor(bad, via=bad), labels={bad: bad},
        annotations={"startsAt": bad}), bad)  # fmt: skip
    made.note(0, "phase", bad, bad, phase="isolate", step=bad)
    seen = Evidence(bad, bad, "unknown", bad, {"value": bad}, source=bad)
    made.event(1, bad, Looked(key="0@1:when", evidence=(seen,)))
    made.event(2, bad, Looked(key="impact0", evidence=(seen,)))
    for kind in ("intent", "did", "failed", "guard", "stuck", "skipped", "already",
                 "settled", "note", "cause"):  # fmt: skip
        refs: dict[str, Any] = {"by": bad, "undo": bad, "not_ruled_out": [bad]}
        made.note(3, kind, bad, bad, subject=bad, target=bad, step=bad, refs=refs)
    made.note(4, "asked", bad, bad, subject=bad, step=bad, refs={"who": [[bad, 1]]})
    made.note(5, "severity", f"severity {bad} -> {bad}", bad)
    made.note(9, "end", bad, bad, subject=bad)
    return made.entries()


def hostile_question(bad: str) -> Question:
    """Return a question with the string in every field."""
    act = PlannedAct(bad, bad, bad, {bad: bad, "argv": [bad]}, {"delete": bad},
                     before={bad: bad}, problem=bad, risk=bad)  # fmt: skip
    return Question(bad, "approve", bad, bad, ((bad, 1),), (bad,), 60.0,
                    {bad: {"type": bad, "of": [bad]}}, Plan(bad, (act,), {bad: bad}, bad),
                    bad, 1, bad)  # fmt: skip


def hostile_summary(bad: str) -> RunSummary:
    """Return a summary with the string in every field."""
    held = Held(bad, bad, bad, kind=bad, params={bad: bad}, stuck=True)
    return RunSummary(
        bad, bad, bad, bad, bad, "waiting", bad, bad, "live", story.START, story.START,
        why=bad, held=(held,), questions=(hostile_question(bad),), requester=bad,
        owner=bad, taken_by=bad,
    )  # fmt: skip


def hostile_graph(bad: str) -> MachineGraph:
    """Return a machine with the string in every label."""
    states = tuple(
        msgspec.structs.replace(one, label=bad, group=bad and one.group and bad)
        for one in small().states
    )
    edges = tuple(msgspec.structs.replace(one, label=bad) for one in small().edges)
    return MachineGraph(bad, bad, states, edges)


class _Tags(HTMLParser):
    """Collects what a browser would act on: tags with the names of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[str, ...]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag, with each attribute that is not a name or a style of ours."""
        self.seen.add((tag, *sorted(name for name, _ in attrs)))


def tags(page: str) -> set[tuple[str, ...]]:
    """Return every tag of a page with the names of its attributes."""
    parser = _Tags()
    parser.feed(page)
    return parser.seen


def tokens(markdown: str) -> set[str]:
    """Return the kinds of mark-up that a Markdown reader sees."""
    seen: set[str] = set()
    for block in MarkdownIt("commonmark").enable("table").parse(markdown):
        seen.add(block.type)
        seen |= {inline.type for inline in block.children or ()}
    return seen


def cells(markdown: str) -> set[int]:
    """Return the numbers of cells that the rows of the tables have."""
    counts, now = set(), 0
    for block in MarkdownIt("commonmark").enable("table").parse(markdown):
        now = 0 if block.type == "tr_open" else now + (block.type == "td_open")
        if block.type == "tr_close" and now:
            counts.add(now)
    return counts


@SLOWER
@given(HOSTILE)
def test_f99_html_shows_outside_text_and_runs_none_of_it(bad: str) -> None:
    """
    No tag, handler, template or moving character from outside is in an HTML page.
    """
    entries = hostile_entries(bad)
    report = report_html(
        entries, hostile_summary(bad), story.runbook(title=bad), picture=None
    )
    page = timeline_html(entries, title=bad)

    tame = hostile_entries("tame")
    tame_report = report_html(
        tame, hostile_summary("tame"), story.runbook(title="tame"), picture=None
    )

    assert tags(tame_report) == tags(report)
    assert tags(timeline_html(tame, title="tame")) == tags(page)
    assert re.findall(r"\{\{|\{%|\$\{|\{#", report + page) == []
    assert (MOVES_TEXT.findall(report), MOVES_TEXT.findall(page)) == ([], [])


@SLOWER
@given(HOSTILE)
def test_f99_markdown_shows_outside_text_as_text(bad: str) -> None:
    """
    The mark-up of a hostile report is the mark-up of a harmless one: no link, image,
    HTML, code block, heading or cell more.
    """
    entries = hostile_entries(bad)
    report = report_markdown(
        entries, hostile_summary(bad), story.runbook(title=bad),
        picture=graph_mermaid(hostile_graph(bad)),
    )  # fmt: skip
    table = timeline_markdown(entries)
    dangerous = {"link_open", "image", "html_inline", "html_block", "code_block", "hr",
                 "ordered_list_open", "em_open", "strong_open"}  # fmt: skip

    assert set() == tokens(report) & dangerous
    assert {"table_open"} == {one for one in tokens(table) if one == "table_open"}
    assert {5} == cells(table)
    assert re.findall(r"<script|\{\{|\{%", report + table) == []
    assert re.findall(r"^\s*\|?\s*=", table, re.M) == []
    assert MOVES_TEXT.findall(report + table) == []


@SLOWER
@given(HOSTILE)
def test_f98_a_terminal_gets_no_control_character_from_outside(bad: str) -> None:
    """
    Only our own line ends reach a terminal or a chat: no ANSI, no reversed text.
    """
    entries = hostile_entries(bad)
    summary, graph = hostile_summary(bad), hostile_graph(bad)
    shown = [
        timeline_text(entries),
        timeline_json(entries),
        "\n".join(status_lines(summary, entries, story.START + 9, width=80)),
        "\n".join(filter(None, map(progress_line, entries))),
        question_text(hostile_question(bad)),
        runbook_text(story.runbook(title=bad, description=bad, owner=bad), graph),
        graph_text(graph, proof={"start": bad}),
        graph_dot(graph, proof={"start": bad}),
        graph_mermaid(graph, proof={"start": bad}),
    ]

    assert [[]] * len(shown) == [MOVES_TEXT.findall(text) for text in shown]


@pytest.mark.parametrize("bad", ["a\nb", "\r\nfake line", "x\u2028y"])
def test_f98_a_line_break_from_outside_begins_no_line(bad: str) -> None:
    """
    One status line stays one line, whatever a title holds.
    """
    lines = status_lines(story.summary(cause=bad, why=bad), [], story.START, width=200)

    assert lines == [row for line in lines for row in line.splitlines()]


def test_a_dot_label_cannot_leave_its_quotes() -> None:
    """
    A quote or a backslash in a label stays inside the string it is in.
    """
    states = (MachineState("a", 'x"]; b [label="\\', "act"),)
    text = graph_dot(MachineGraph("r", "t", states, (MachineEdge("a", "a", '"'),)))

    assert (
        '  s0 [label="x\\"]; b [label=\\"\\\\", shape=box, fillcolor="#fde7d3"];'
        in (text.splitlines())
    )
    assert '  s0 -> s0 [label=" \\" ", color="#2457a6", fontcolor="#2457a6"];' in (
        text.splitlines()
    )
