"""Each shipped runbook, live, against the example platform broken for real.

Real processes, Debian's Prometheus and Alertmanager, a real alert, real repairs; once
more with the built-in scraper. After each: the end, the cause, what was done and given
back, that the platform is as it was, and that nothing is left running.
"""

import asyncio
import json
from pathlib import Path

import pytest

from engine.adapters.sqlite import SqliteStore
from engine.entrypoints.cli.demo import STORIES, demo
from engine.model.timeline import chain_faults
from tests.real_parts import need

LOCK = ["lock_pipeline"]
# Of each fault: the cause, what is done, what is given back.
EXPECTED = {
    "bad-rollout": ("bad-rollout", [*LOCK, "roll_back_router"], LOCK),
    "hot-partition": (
        "hot-partition",
        [*LOCK, "open_quarantine_lane"],
        ["open_quarantine_lane", *LOCK],
    ),
    "consumer-stall": (
        "too-few-consumers",
        [*LOCK, "add_consumers"],
        ["add_consumers", *LOCK],
    ),
    "connection-storm": (
        "reconnect-storm",
        ["lower_accept_limit", "push_backoff", "shed_small_events"],
        ["shed_small_events", "push_backoff", "lower_accept_limit"],
    ),
    "media-saturation": (
        "one-bad-node",
        ["drain_node", "cap_video"],
        ["cap_video", "drain_node"],
    ),
    "expired-certificate": ("expired-certificate", [*LOCK, "deploy_standby"], LOCK),
    "router-errors": ("fresh-rollout", [*LOCK, *["pin_ring"] * 3], LOCK),
}


def still_running(pids: list[int]) -> list[int]:
    """Return those of the processes that are still there."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


async def told(folder: Path) -> tuple[str, str, list[str], list[str]]:
    """Return end, cause, did and undone as the journal tells them."""
    store = await SqliteStore.open(folder / "state" / "journal.db")
    (summary,) = await store.runs()
    entries = await store.entries(summary.run)
    await store.close()
    assert [] == chain_faults(summary.run, entries)
    did = [entry.subject for entry in entries if entry.kind == "did"]
    undone = [entry.subject for entry in entries if entry.kind == "undone"]
    return summary.state, summary.cause, did, undone


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    ("fault", "monitor"),
    [
        *((fault, "auto") for fault in STORIES if fault != "bad-rollout"),
        (
            "bad-rollout",
            "builtin",
        ),  # by Prometheus it is repaired in test_chat_platform
    ],
)
def test_a_real_fault_is_repaired(fault: str, monitor: str, tmp_path: Path) -> None:
    """The alert comes, the cause is named, users are served, everything is given back."""
    if monitor == "auto":
        need("prometheus")
        need("prometheus-alertmanager")
    lines: list[str] = []
    pids: list[int] = []

    def write(line: str) -> None:
        lines.append(line)
        state = tmp_path / "platform" / "platform.json"
        if state.exists() and not pids:
            pids.extend(json.loads(state.read_text())["pids"].values())

    code = demo(fault, write=write, folder=tmp_path, monitor_kind=monitor)  # type: ignore[arg-type]
    cause, did, undone = EXPECTED[fault]
    assert 0 == code, "\n".join(lines)
    assert ("resolved", cause, sorted(did), undone) == (
        *(found := asyncio.run(told(tmp_path)))[:2],
        sorted(found[2]),
        found[3],
    )
    assert pids
    assert [] == still_running(pids)
    assert {
        "engine.yaml",
        "report.html",
        "report.md",
        "timeline.txt",
        "picture.svg",
    } <= {file.name for file in tmp_path.iterdir()}
