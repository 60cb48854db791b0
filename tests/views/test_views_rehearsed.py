"""The views read what the engine really writes: every rehearsal of every runbook."""

from pathlib import Path

import pytest

from engine.adapters.memory_store import MemoryStore
from engine.bootstrap import kinds
from engine.bootstrap.rehearsing import alert_of
from engine.core.compile import compile_runbook
from engine.core.machine import machine_graph
from engine.language.load import load_runbook
from engine.runtime.rehearsal import rehearse
from engine.views.facts import facts
from engine.views.graph import graph_dot, graph_mermaid, graph_text
from engine.views.page import runbook_text
from engine.views.report import report_html, report_markdown
from engine.views.terminal import progress_line, status_lines
from engine.views.timeline import timeline_json, timeline_text

RUNBOOKS = sorted((Path(__file__).parents[2] / "runbooks").glob("*.yaml"))


@pytest.mark.parametrize("file", RUNBOOKS, ids=lambda file: file.stem)
def test_facts_agree_with_what_each_rehearsal_saw(file: Path) -> None:
    """
    Done, given back, held, skipped, cause and end, read from the timeline alone, are
    what the rehearsal itself counted; and every view can be made of it.
    """
    known = kinds()
    runbook = load_runbook(file.read_text(encoding="utf-8"), file.name, known).runbook
    assert runbook is not None
    compiled = compile_runbook(runbook, known, revision="0" * 64)
    graph = machine_graph(compiled)
    expected, actual = [], []
    for test in runbook.tests:
        played = rehearse(compiled, test, MemoryStore(), alert=alert_of(runbook, test))
        seen, entries = facts(played.entries), played.entries
        expected.append((test.name, played.seen.end, played.seen.cause,
                         played.seen.did, played.seen.undone,
                         sorted(played.seen.held), played.seen.skipped))  # fmt: skip
        actual.append((test.name, seen.end, seen.cause,
                       [one.name for one in seen.did], [one.name for one in seen.undone],
                       sorted(one.name for one in seen.held),
                       [one.name for one in seen.skipped]))  # fmt: skip
        path = [entry.step for entry in entries if entry.step]
        made = [
            timeline_text(entries), timeline_json(entries),
            report_html(entries, played.summary, runbook, picture=None),
            report_markdown(entries, played.summary, runbook,
                            picture=graph_mermaid(graph, path=path)),
            graph_dot(graph, path=path), graph_text(graph, path=path),
            "\n".join(status_lines(played.summary, entries, 0.0, width=80)),
            "\n".join(filter(None, map(progress_line, entries))),
            runbook_text(runbook, graph),
        ]  # fmt: skip

        assert all(made)

    assert expected == actual
