"""When a watch becomes an alert, look by look."""

import pytest

from engine.core.intake.pulse import Pulse, felt


@pytest.mark.parametrize(
    ("looks", "unknown_fires", "told"),
    [
        ("ppp", False, ["", "", ""]),
        ("fff", False, ["", "", "fire"]),
        ("ffpfff", False, ["", "", "", "", "", "fire"]),
        ("ffffp", False, ["", "", "fire", "", "over"]),
        ("fuuuf", False, ["", "", "", "", "fire"]),
        ("uuu", False, ["", "", ""]),
        ("uuu", True, ["", "", "fire"]),
        ("fffup", False, ["", "", "fire", "", "over"]),
    ],
)
def test_failing_lasts_before_it_is_told_and_a_pass_ends_it(
    looks: str, unknown_fires: bool, told: list[str]
) -> None:
    """
    One look every 10 s, 20 s of failing: fail, unknown and pass as they are declared.
    """
    states = {"p": "pass", "f": "fail", "u": "unknown"}
    pulse, seen = Pulse(), []
    for number, look in enumerate(looks):
        pulse, turn = felt(
            pulse, states[look], number * 10.0,  # type: ignore[arg-type]
            for_seconds=20.0, unknown_fires=unknown_fires,
        )  # fmt: skip
        seen.append(turn)

    assert told == seen
