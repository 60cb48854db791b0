"""What a change of a runbook means to whoever has to respond with it.

    changes   one change: kind, weight, where in OLD and in NEW, words
    sides     one runbook on one side: file, code, places, proof
    starting  triggers, autonomy, severity, owner, inputs
    limiting  locks, rates, targets, time limits, what stops a run
    acting    acts of each branch: approvals, targets, conditions
    actions   what an act does, how it is given back, what it must see
    looking   checks, confirm
    stepping  the other steps, causes
    proving   worst-case times, what the proof finds, credentials, addresses
    amid      what is wrong between the runbooks of a folder
    telling   changes as text, as JSON, as a comment in Markdown

Meaning is taken from the compiled runbooks, not from their lines. What cannot be
weighed (another command, another condition of an act) is `riskier`: unknown is never
safe. Pure. Called by the command `diff`.
"""

from collections.abc import Iterator

from engine.analysis.comparing.acting import acts_changed
from engine.analysis.comparing.actions import actions_changed
from engine.analysis.comparing.changes import Change, in_order
from engine.analysis.comparing.limiting import limits_changed
from engine.analysis.comparing.looking import looks_changed
from engine.analysis.comparing.proving import proof_changed
from engine.analysis.comparing.sides import Pair, Side
from engine.analysis.comparing.starting import start_changed
from engine.analysis.comparing.stepping import steps_changed

__all__ = ["Change", "Pair", "Side", "compare"]

RULES = (
    start_changed,
    limits_changed,
    acts_changed,
    actions_changed,
    looks_changed,
    steps_changed,
    proof_changed,
)


def compare(old: Side | None, new: Side | None) -> list[Change]:
    """Return what changed from one runbook to the other, what is riskier first.

    None stands for a runbook that is not there; at least one is.
    """
    if old is None or new is None:
        return [_whole(old, new)]
    pair = Pair(old, new)
    return in_order(_all(pair))


def _all(pair: Pair) -> Iterator[Change]:
    for rule in RULES:
        yield from rule(pair)


def _whole(old: Side | None, new: Side | None) -> Change:
    if new is not None:
        auto = new.runbook.autonomy != "propose" and any(
            one.chat is None for one in new.runbook.trigger
        )
        words = "a new runbook" + (", which starts by itself" if auto else "")
        place = new.place(())
        return Change(new.name, "runbook", "neutral", words, None, place)
    assert old is not None
    words = "the runbook is gone: what started it finds nobody"
    return Change(old.name, "runbook", "riskier", words, old.place(()), None)
