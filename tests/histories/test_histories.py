"""Every run that a release recorded is replayed by this engine, and comes out the same."""

from pathlib import Path
from typing import Any

import pytest

from engine import bootstrap
from engine.analysis.replaying.history import History, history_lines, read_history
from engine.runtime.library import compiled_from
from engine.runtime.replaying import Replayed, replayed

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.jsonl"))
KINDS = bootstrap.kinds()


def history_of(file: Path) -> History:
    """Return a recorded run."""
    return read_history(file.read_bytes(), str(file))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_recorded_run_comes_out_the_same(file: Path) -> None:
    """Every entry of it, in every field."""
    history = history_of(file)
    compiled = compiled_from(history.texts, history.summary.revision, KINDS)
    entries, events = len(history.entries), sum(bool(e.event) for e in history.entries)

    assert Replayed(entries, events, entries) == replayed(history, compiled)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_history_is_written_as_it_was_read(file: Path) -> None:
    """The same run gives the same bytes."""
    raw = file.read_bytes()
    version = file.name.partition("-")[0]

    assert raw == history_lines(history_of(file), version)


def test_this_release_has_histories() -> None:
    """There are some of this version, with a crash, people, a rollback, a repair."""
    ends: dict[str, Any] = {file.stem: history_of(file).summary.state for file in FILES}

    assert {
        "0.1.0-bad-rollout": "resolved",
        "0.1.0-consumer-stall": "resolved",
        "0.1.0-killed": "resolved",
        "0.1.0-media-saturation": "resolved",
    } == ends
