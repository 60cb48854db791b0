"""Who is on call: turns, and exceptions to them."""

import pytest

from engine.core.oncall import Override, Schedule, Shift, on_call

WEEK = 7 * 86_400.0
START = 1_764_000_000.0
SCHEDULE = Schedule(
    Shift(("ana", "bo", "cai"), START, WEEK),
    (
        Override("bo", START + 100, START + 200),
        Override("cai", START + 150, START + 300),
    ),
)


@pytest.mark.parametrize(
    ("after", "person"),
    [
        (-1.0, ""),
        (0.0, "ana"),
        (100.0, "bo"),
        (199.0, "bo"),
        (200.0, "cai"),
        (300.0, "ana"),
        (WEEK - 1, "ana"),
        (WEEK, "bo"),
        (2 * WEEK, "cai"),
        (3 * WEEK, "ana"),
        (1000 * WEEK, "bo"),
    ],
)
def test_people_take_turns_and_the_first_exception_counts(
    after: float, person: str
) -> None:
    """
    Each has it for the same time, again and again; nobody before the first turn.
    """
    assert person == on_call(SCHEDULE, START + after)
