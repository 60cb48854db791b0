"""kill -9 at every commit on the way from an alert to a run: F1, F6."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.adapters.sqlite import SqliteStore
from tests.crash.counting_target import CountingTarget

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
  host: {type: string, from: labels.host, pattern: '[a-z]'}
  url: {type: string, from: labels.url, pattern: 'http://127\\.0\\.0\\.1:[0-9]+'}
checks:
  marked: {http: {get: '{{ url }}/{{ host }}'}, pass: json.there}
actions:
  mark:
    http: {put: '{{ url }}/{{ host }}'}
    leaves_nothing: true
    done_when: checks.marked.ok
    after_crash: verify
isolate: [{act: mark}]
workaround: {only: [{wait: 5m}]}
"""


@pytest.fixture(scope="module")
def target() -> Iterator[CountingTarget]:
    """Return the server that counts."""
    target = CountingTarget()
    yield target
    target.close()


@pytest.fixture(scope="module")
def forks(
    target: CountingTarget, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["subprocess.Popen[str]"]:
    """Return the process that forks engines; it has lived through one run itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.killed_intake"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("first")
    (folder / "down.yaml").write_text(RUNBOOK)
    assert "exit 0" == live(process, folder, target.url, "never", 0)
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


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_f1_f6_killed_at_any_commit_each_alert_has_its_one_run(
    forks: "subprocess.Popen[str]", target: CountingTarget, tmp_path: Path, when: str
) -> None:
    """
    Two hosts, two runs, one act each, whatever the commit; and nothing is undecided.
    """
    ended, count = "killed", 0
    while ended == "killed":
        count += 1
        folder = tmp_path / f"{when}-{count}"
        folder.mkdir()
        (folder / "down.yaml").write_text(RUNBOOK)
        target.clear()
        ended = live(forks, folder, target.url, when, count)
        assert ended in ("killed", "exit 0")
        if ended == "killed":
            assert "exit 0" == live(forks, folder, target.url, "never", 0)
        await as_promised(folder, target)

    assert count > 12


async def as_promised(folder: Path, target: CountingTarget) -> None:
    """What holds after every kill."""
    store = await SqliteStore.open(folder / "data/journal.db")
    runs = await store.runs()
    decisions = await store.alerts.decisions()
    undecided, undone = (
        await store.alerts.undecided(),
        await store.alerts.to_carry_out(),
    )
    await store.close()
    outcomes = Counter(one.outcome for one in decisions)

    assert {"/a": 1, "/b": 1} == Counter(path for _, path, _ in target.changes)
    assert ["resolved", "resolved"] == [one.state for one in runs]
    assert ["a", "b"] == sorted(one.inputs["host"] for one in runs)
    assert {one.run for one in runs} == {
        one.run for one in decisions if one.outcome == "started"
    }
    assert (2, 1, 1, 2) == tuple(
        outcomes[one] for one in ("started", "attached", "still_firing", "resolved_run")
    )
    assert [[], []] == [undecided, undone]
