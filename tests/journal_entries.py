"""What tests write into a store of runs: entries and summaries with all fields filled.

Read by: the tests of the stores in tests/adapters and tests/contracts.
"""

from typing import Any

from msgspec.structs import replace

from engine.model.run import RunSummary
from engine.model.timeline import Entry


def entry(seq: int, run: str = "r-1", *, size: int = 0) -> Entry:
    """Return one entry; `size` characters of text make it big."""
    what = f"entry {seq}" + "x" * size
    return Entry(
        run=run, seq=seq, at=100.0 + seq, tick=float(seq), kind="note", what=what
    )


def summary(run: str = "r-1", **changed: Any) -> RunSummary:
    """Return a summary of a run that goes on."""
    plain = RunSummary(
        run=run,
        runbook="delay",
        revision="f" * 64,
        title="Delay",
        severity="sev2",
        state="running",
        phase="isolate",
        cause="",
        mode="live",
        started_at=100.0,
        updated_at=101.0,
    )
    return replace(plain, **changed)
