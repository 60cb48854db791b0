"""The judge of drills: each rule, on journals written by hand."""

from typing import Any

import pytest

from engine.analysis.rehearsal.drill import Call, Told
from engine.analysis.rehearsal.judging import Broken, broken, promises
from engine.model.effects import Page
from engine.model.events import Answered, HoldChanged, Looked, Voted
from engine.model.evidence import Evidence
from engine.model.people import Actor
from engine.model.run import Held, RunSummary
from engine.model.timeline import Entry
from tests.rehearsing import KINDS, runbook

ANA = Actor("ana")
BOOK = """
checks: {there: {probe: {}, pass: value > 0}}
actions:
  take: {do: {}, undo: {do: {}}, done_when: checks.there.ok}
  again: {do: {}, undo: {do: {}}, after_crash: repeat}
  cut: {do: {}, undo: none, why_no_undo: it is gone}
isolate: [{act: take}]
"""
PROMISED = promises([runbook(BOOK)], KINDS)
OWNER = Page("owners", "in your hands", "sev3", "r/end")


def entry(kind: str, subject: str = "", **more: Any) -> Entry:
    """Return an entry as the engine writes it."""
    return Entry(
        "r", 1, 0.0, 0.0, kind, more.pop("what", kind), subject=subject, **more
    )


def intent(action: str) -> Entry:
    """Return the intent of an act."""
    return entry(
        "intent", action, refs={"key": f"r/{action}"}, step=f"isolate/{action}"
    )


def call(action: str, *, entries: int, undo: bool = False) -> Call:
    """Return an act that changed the world when so many entries stood."""
    key = f"r/{action}/undo" if undo else f"r/{action}"
    return Call(action, "", key, undo, entries, effect=True, answer="ok")


def summary(state: Any = "resolved", *held: str, why: str = "so") -> RunSummary:
    """Return how a run ended."""
    return RunSummary(
        "r", "small", "rev", "small", "sev3", state, "restore", "", "rehearsal", 0.0, 1.0,
        1.0, why, tuple(Held(f"r/{one}", one) for one in held), owner="owners",
    )  # fmt: skip


LOOKED = entry(
    "looked",
    event=Looked(key="k", evidence=(Evidence("there", "there", "fail", ""),)),
)
ANSWERED = entry(
    "answered", event=Answered(key="k", by=ANA, answers={"happened": False})
)
YES = entry("voted", event=Voted(key="k", by=ANA, vote="approve", plan=""))
UNDONE = entry("undone", "take", why="as scripted")
ASIDE = "act take: failed: x; done_when: checks.there.ok is false: it did not happen"
LET_GO = entry("failed", what=ASIDE, step="isolate/take")
HOLD = entry("holdchanged", event=HoldChanged(on=True, by=ANA))


def told(
    entries: list[Entry],
    calls: list[Call],
    end: RunSummary | None = None,
    *,
    paged: bool = False,
    over: str = "",
) -> Told:
    """Return what a drill left."""
    return Told(entries, end or summary(), calls, [OWNER] if paged else [], over)


CASES = {
    "sound": (told([intent("take"), UNDONE], [call("take", entries=1),
              call("take", entries=1, undo=True)]), ["intent"]),
    "given-back": (told([intent("take"), entry("undoing", "take",
                   refs={"key": "r/take/undo"}), UNDONE], [call("take", entries=1),
                   call("take", entries=2, undo=True)]), []),
    "no-intent": (told([], [call("again", entries=0)]), ["intent"]),
    "twice": (told([intent("take"), UNDONE], [call("take", entries=1),
              call("take", entries=1)]), ["twice", "undone"]),
    "twice-looked": (told([intent("take"), LOOKED, LET_GO], [call("take", entries=1),
                     call("take", entries=2)]), []),
    "twice-told": (told([intent("take"), ANSWERED, LET_GO], [call("take", entries=1),
                   call("take", entries=2)]), []),
    "twice-repeats": (told([intent("again"), entry("settled", "again")],
                      [call("again", entries=1), call("again", entries=1)]), []),
    "forgotten": (told([intent("take")], [call("take", entries=1)]), ["forgotten"]),
    "not-undone": (told([intent("take"), UNDONE], [call("take", entries=1)]),
                   ["undone"]),
    "held-resolved": (told([intent("take")], [], summary("resolved", "take"),
                      paged=True), ["owner"]),
    "nobody-paged": (told([intent("take")], [], summary("handed_over", "take")),
                     ["owner"]),
    "handed-over": (told([intent("take")], [], summary("handed_over", "take"),
                    paged=True), []),
    "no-why": (told([], [], summary(why="")), ["why"]),
    "dead-letter": (told([], [], summary(why="dead letter: x"), paged=True), ["engine"]),
    "nobody-said-yes": (told([intent("cut")], []), ["approval"]),
    "said-yes": (told([YES, intent("cut")], []), []),
    "on-hold": (told([HOLD, intent("take"), LET_GO], []), ["hold"]),
    "no-end": (told([], [], summary("waiting"), over="it did not end"), ["end"]),
    "stays-on-hold": (told([], [], summary("on_hold"), over="it did not end"), []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_judge_finds_what_breaks_a_rule(name: str) -> None:
    """
    Each rule is broken by what it forbids, and by nothing else.
    """
    left, rules = CASES[name]

    assert rules == [one.rule for one in broken(left, PROMISED)]


def test_what_is_broken_is_said_in_words() -> None:
    """
    The words name the act, and what is wrong with it.
    """
    left = told([intent("take")], [call("take", entries=1), call("take", entries=1)])

    assert [
        Broken("twice", "take was done twice, and nobody looked between"),
        Broken("forgotten", "take was taken, and nobody holds it"),
    ] == broken(left, PROMISED)
