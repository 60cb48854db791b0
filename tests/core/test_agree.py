"""Several viewpoints together."""

from typing import Any

import pytest

from engine.core.judge import agree
from engine.model.evidence import Evidence


def part(check: str, state: Any, why: str = "") -> Evidence:
    """Return the evidence of one viewpoint."""
    return Evidence(check, check, state, why or f"{check} looked", attempts=2)


@pytest.mark.parametrize(
    ("states", "need", "expected"),
    [
        ("pass pass fail", 2, "pass"),
        ("fail fail pass", 2, "fail"),
        ("pass fail", 2, "unknown"),
        ("pass unknown", 2, "unknown"),
        ("pass pass unknown", 2, "pass"),
        ("unknown unknown", 2, "unknown"),
        ("pass pass fail", 3, "unknown"),
        ("pass pass fail fail", 2, "unknown"),
        ("pass pass fail fail fail", 3, "fail"),
        ("", 2, "unknown"),
        ("unknown unknown", 0, "unknown"),
    ],
)
def test_f35_viewpoints_must_say_the_same(
    states: str, need: int, expected: str
) -> None:
    """So many say the same, and only one answer reaches it; unknown never counts."""
    parts = [part(f"v{at}", state) for at, state in enumerate(states.split())]

    assert agree("both", "both", parts, need, tick=0, at=0).state == expected


def test_f35_who_disagrees_is_named_with_what_they_saw() -> None:
    """Both sides and their values stand in the reason."""
    parts = [part("inside", "pass", "value 1"), part("outside", "fail", "value 9")]

    assert agree("both", "both|region=eu", parts, 2, tick=3.0, at=4.0) == Evidence(
        check="both",
        slot="both|region=eu",
        state="unknown",
        why=(
            "2 of 2 must say the same; inside says pass (value 1); "
            "outside says fail (value 9)"
        ),
        seen={"parts": {"inside": "pass", "outside": "fail"}},
        tick=3.0,
        at=4.0,
        attempts=2,
    )


def test_agreement_names_who_agrees_and_who_does_not() -> None:
    """The minority's reason stays in the timeline."""
    parts = [part("a", "pass"), part("b", "pass"), part("c", "unknown", "timed out")]

    assert agree("all", "all", parts, 2, tick=0, at=0).why == (
        "2 of 3 say pass: a, b; c says unknown (timed out)"
    )
