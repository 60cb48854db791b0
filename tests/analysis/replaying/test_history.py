"""A recorded run as a file: what is missing, or was changed, is told."""

from pathlib import Path

import pytest

from engine.analysis.replaying.history import read_history
from engine.errors import EngineError

RAW = Path("tests/histories/0.1.0-consumer-stall.jsonl").read_bytes()
LINES = RAW.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (LINES[0], "its 0 entries tell of no end"),
        (b"".join(LINES[:-3]), "entries tell of no end"),
        (RAW.replace(b'"state":"resolved"', b'"state":"cancelled"', 1),
         "the run ended cancelled, its 78 entries tell of resolved"),
    ],
    ids=["head-alone", "cut", "head-changed"],
)  # fmt: skip
def test_f97_a_history_that_was_cut_or_changed_is_refused(
    raw: bytes, told: str
) -> None:
    """
    What the first line says of the end is what the entries tell.
    """
    with pytest.raises(EngineError, match=told):
        read_history(raw, "x.jsonl")


def test_a_whole_history_is_read() -> None:
    """
    As it was written: the run, and each of its entries.
    """
    found = read_history(RAW, "x.jsonl")

    assert ("resolved", len(LINES) - 1) == (found.summary.state, len(found.entries))
