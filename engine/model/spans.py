"""One stretch of a run, for tracing. Made by views.spans, sent by adapters.traces."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of a run; times in epoch seconds."""

    name: str
    begins_at: float
    ends_at: float
    id: int  # 64 bits, never 0
    parent: int  # 0: the run itself
    bad: bool = False
    target: str = ""
    why: str = ""
