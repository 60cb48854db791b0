"""How the walk grows with a runbook: with its steps, not with what it might hold."""

from tests.benchmarks.proving_speed import made, timed


def test_states_grow_with_the_steps_not_with_their_powerset() -> None:
    """
    Twice as many steps, many of them acts that may be skipped, are no more than three
    times as many states, and a runbook of 40 steps with two fan-outs takes seconds.
    """
    (few, _), (many, took) = timed(made(20)), timed(made(40))

    assert ([], []) == (few.findings, many.findings)
    assert many.states < 3 * few.states
    assert took < 10.0
