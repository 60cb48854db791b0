"""kill -9 at every write: F1-F6, F24 of the guards (G24), G5.

A real engine process plays a runbook with an isolation, a fan-out, an approval and an
undo against a server that counts. It is killed at the n-th commit, for every n until a
run goes through untouched, and started again.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.adapters.sqlite import SqliteStore
from engine.model.timeline import Entry, chain_faults
from tests.crash.counting_target import CountingTarget

RUNBOOK = """
format: 1
runbook: crash
title: crash
owner: owners
severity: sev3
inputs: {url: {type: string, pattern: 'http://127\\.0\\.0\\.1:[0-9]+'}}
checks:
  lane: {http: {get: '{{ url }}/lane'}, pass: json.there}
  host: {http: {get: '{{ url }}/hosts/{{ host }}'}, pass: json.there}
  trouble: {http: {get: '{{ url }}/trouble'}, pass: json.there}
actions:
  open_lane:
    http: {put: '{{ url }}/lane'}
    undo: {http: {delete: '{{ url }}/lane'}}
    done_when: checks.lane.ok
    undone_when: '!checks.lane.ok'
    after_crash: verify
  drain:
    http: {put: '{{ url }}/hosts/{{ host }}'}
    undo: {http: {delete: '{{ url }}/hosts/{{ host }}'}}
    done_when: checks.host.ok
    undone_when: '!checks.host.ok'
    after_crash: verify
  idempotent:
    http: {put: '{{ url }}/idempotent'}
    undo: {http: {delete: '{{ url }}/idempotent'}}
    after_crash: repeat
  asked:
    http: {put: '{{ url }}/asked'}
    undo: none
    why_no_undo: it is only asked about
isolate:
  - {act: open_lane}
  - {each: '["a", "b", "c"]', as: host, do: [{act: drain}]}
diagnose: [{check: trouble}]
workaround:
  only:
    - {act: idempotent}
    - {approve: 'Go on?', from: {group: owners}}
    - {act: asked}
"""
VERIFIED = ["/lane", "/hosts/a", "/hosts/b", "/hosts/c"]


@pytest.fixture(scope="module")
def target() -> Iterator[CountingTarget]:
    """Return the server that counts."""
    target = CountingTarget()
    yield target
    target.close()


@pytest.fixture(scope="module")
def forks() -> Iterator["subprocess.Popen[str]"]:
    """Return the process that forks engines."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.killed_engine"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield process
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


def live(
    forks: "subprocess.Popen[str]", folder: Path, url: str, when: str, count: int
) -> str:
    """Run one engine; return how its process ended."""
    assert forks.stdin is not None and forks.stdout is not None
    forks.stdin.write(f"{folder} {url} {when} {count}\n")
    forks.stdin.flush()
    return forks.stdout.readline().strip()


async def the_run(folder: Path) -> tuple[str, list[str], list[Entry]]:
    """Return end, held and timeline of the only run."""
    store = await SqliteStore.open(folder / "journal.db")
    (summary,) = await store.runs()
    entries = await store.entries(summary.run)
    assert [] == chain_faults(summary.run, entries)
    await store.close()
    return summary.state, [one.action for one in summary.held], entries


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("when", ["after", "before"])
async def test_f1_to_f6_every_effect_once_wherever_it_is_killed(
    when: str, target: CountingTarget, forks: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    """Each effect once, or found out as its after_crash says; nothing held is forgotten."""
    count, restarts = 0, []
    while True:
        count += 1
        assert count < 200
        folder = tmp_path / str(count)
        folder.mkdir()
        (folder / "crash.yaml").write_text(RUNBOOK)
        target.clear()
        first = live(forks, folder, target.url, when, count)
        ended = (
            live(forks, folder, target.url, "never", 0) if first == "killed" else first
        )
        assert ended == "exit 0", (when, count)
        state, held, entries = await the_run(folder)
        assert ("resolved", []) == (state, held), (when, count)
        check_changes(target, entries, label=(when, count))
        if first != "killed":
            break
        restarts.append(sum(entry.kind == "restarted" for entry in entries))
    once = [1] * (count - 2)  # but not where nothing was stored, or all of it
    assert count > 20
    assert {"after": [*once, 0], "before": [0, *once]}[when] == restarts


def check_changes(
    target: CountingTarget, entries: list[Entry], *, label: tuple[str, int]
) -> None:
    """Compare what the server counted with what the timeline says."""
    counted = Counter((method, path) for method, path, _ in target.changes)
    intents = [
        entry.target or entry.subject for entry in entries if entry.kind == "intent"
    ]

    assert dict.fromkeys(VERIFIED, 1) == {
        path: counted["PUT", path] for path in VERIFIED
    }, label
    assert dict.fromkeys(VERIFIED, 1) == {
        path: counted["DELETE", path] for path in VERIFIED
    }, label
    assert counted["PUT", "/asked"] == 1, label
    assert counted["PUT", "/idempotent"] in (1, 2), (
        label
    )  # safe to repeat, and it says so
    assert (
        len({key for method, path, key in target.changes if path == "/idempotent"}) == 2
    )
    wanted = ["a", "asked", "b", "c", "idempotent", "open_lane"]
    assert wanted == sorted(intents), label
    assert {"/asked"} == set(target.state), label
