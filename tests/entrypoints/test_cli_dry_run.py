"""F83: a dry run with live credentials writes nothing, and says what it would write."""

import json
from collections.abc import Iterator

import pytest
from cli_place import Place

from tests.crash.counting_target import CountingTarget

RUNBOOK = """
format: 1
runbook: dry
title: dry
owner: ops
severity: sev3
inputs: {url: {type: string, pattern: 'http://127\\.0\\.0\\.1:[0-9]+'}}
checks:
  there: {http: {get: '{{ url }}/lane'}, pass: json.there}
actions:
  open: {http: {put: '{{ url }}/lane'}, undo: {http: {delete: '{{ url }}/lane'}}, done_when: checks.there.ok}
  gone: {http: {post: '{{ url }}/gone'}, undo: none, why_no_undo: gone}
isolate: [{act: open}]
workaround:
  only:
    - {approve: 'Sure?', from: {group: ops}}
    - {act: gone}
    - {wait: 10m}
"""


@pytest.fixture
def target() -> Iterator[CountingTarget]:
    """Return a server that counts every change."""
    target = CountingTarget()
    yield target
    target.close()


@pytest.mark.parametrize("people", ["approve", "reject", "silence"])
def test_f83_a_dry_run_writes_nothing(
    people: str, target: CountingTarget, place: Place
) -> None:
    """Zero changes at the target, whatever people answer; the plan names each command."""
    (place.folder / "runbooks" / "dry.yaml").write_text(RUNBOOK)
    with (place.folder / "engine.yaml").open("a") as config:
        config.write("network: {allow: [127.0.0.0/8]}\n")
    words = ("run", "dry", "--set", f"url={target.url}", "--dry-run", "--json")
    code, out, errors = place.runbook(*words, "--people", people)
    shown = json.loads(out)
    planned = {"approve": ["open", "gone"]}.get(people, ["open"])

    assert [] == target.changes, errors
    assert ({"approve": 0}.get(people, 1), planned) == (
        code,
        [act["action"] for act in shown["plan"]],
    )
