"""`always`: what must hold on every path is judged in every rehearsal."""

from tests.rehearsing import play

TEXT = """
checks: {bad: {probe: {}, pass: value > 0}}
actions:
  fix: {do: {}, undo: {do: {}}}
workaround:
  only:
    - {approve: 'Fix?', from: [{group: a}, {group: b}], on_reject: undo, when: WHEN}
    - {act: fix}
always: [CLAUSE]
"""


def problems(clause: str, when: str = "'true'", **test: object) -> list[str]:
    """Return what a rehearsal with this clause complains of."""
    return play(TEXT.replace("CLAUSE", clause).replace("WHEN", when), test).problems


def test_only_after_needs_what_it_names_before_the_act() -> None:
    """A full approval, a look, an act: it must have happened before."""
    yes = ["approve", "approve"]

    assert [] == problems("{act: fix, only_after: approve}", people=yes)
    assert ["act fix was done without approve before it"] == problems(
        "{act: fix, only_after: approve}", "'false'"
    )
    assert ["act fix was done without check bad before it"] == problems(
        "{act: fix, only_after: check bad}", people=yes
    )


def test_at_end_is_judged_at_the_end() -> None:
    """True at each end, or the rehearsal fails."""
    clause = "{at_end: 'size(held) == 0'}"

    assert [] == problems(clause, people=["approve", "approve"])
    assert ["at_end: size(held) == 0 was not true"] == problems(
        clause, "'false'", actions={"fix": "fail"}
    )


def test_never_is_judged_in_every_state() -> None:
    """True in any state breaks it, also where it passes again."""
    assert ["never: size(held) > 0 was true at 0s"] == problems(
        "{never: 'size(held) > 0'}", "'false'"
    )
