"""Effects of two runbooks that oppose each other on targets that can meet.

Two effects meet where their kinds are the same and every part of their targets can be
the same at once. They oppose each other where one part, or its key, says the opposite
word (`drain` and `undrain`, `put` and `delete`), or where both set one thing to values
that are not surely the same. An act is held against acts, and against what the other
gives back; two that give back are not. What no run can do while the other is at work,
since both lock the same path, is no trouble.

Called by: between.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from engine.analysis.between.effects import Effect
from engine.analysis.between.locks import apart
from engine.analysis.between.texts import Open, Same, Text, segments, shown
from engine.analysis.between.words import oppose
from engine.language.problems import Problem

HINT = (
    "Give both the same path, or one a parent of the other's, in `limits.lock`: then "
    "one waits for the other."
)


class Opposition(NamedTuple):
    """How two effects oppose each other, in words of each."""

    mine: str
    theirs: str
    sure: bool  # whatever the values that are open
    same: Same


def opposed(mine: Sequence[Effect], theirs: Sequence[Effect]) -> Iterator[Problem]:
    """Yield a problem for each pair of actions of two runbooks that oppose each other.

    Args:
        mine: What a run of one does; the problems stand in its file.
        theirs: What a run of the other does.
    """
    found: dict[tuple[str, ...], tuple[Effect, Effect, Opposition]] = {}
    for a, b in sorted(product(mine, theirs), key=lambda it: it[0].undo + it[1].undo):
        key = (a.of, a.action, b.of, b.action)
        if (a.undo and b.undo) or a.of == b.of or key in found:
            continue
        how = opposition(a, b)
        if how is not None and not apart(a.member, b.member, how.same):
            found[key] = a, b, how
    for a, b, how in found.values():
        yield _told(a, b, how)


def opposition(one: Effect, other: Effect) -> Opposition | None:
    """Return how two effects oppose each other, or None where they do not."""
    same = Same()
    words = _differences(one, other, same)
    if words is None or len(words) > 1:
        return None
    if words:
        return Opposition(*words[0], same.sure, same)
    for key in sorted(one.values.keys() & other.values.keys()):
        a, b = one.values[key], other.values[key]
        if same.is_same(a, b):
            continue
        told = key.removeprefix("json.").removeprefix("form.")
        sure = same.sure and not any(isinstance(it, Open) for it in (*a, *b))
        return Opposition(f"{told} {shown(a)}", f"{told} {shown(b)}", sure, same)
    return None


def _differences(
    one: Effect, other: Effect, same: Same
) -> list[tuple[str, str]] | None:
    """Return the opposite words in two targets that meet, or None: they do not."""
    if one.kind != other.kind or len(one.target) != len(other.target):
        return None
    words: list[tuple[str, str]] = []
    for (key, mine), (their_key, theirs) in _side_by_side(one, other):
        if key != their_key:
            if not oppose(key, their_key):
                return None
            words.append((key, their_key))
        if same.meets(mine, theirs):
            continue
        differ = _one_word(mine, theirs, same)
        if differ is None:
            return None
        words.append(differ)
    return words if one.target else None


def _side_by_side(
    one: Effect, other: Effect
) -> Iterator[tuple[tuple[str, Text], tuple[str, Text]]]:
    """Yield the parts of both targets: those of one key, then what is left over."""
    mine, theirs = dict(one.target), dict(other.target)
    for key in [key for key in mine if key in theirs]:
        yield (key, mine.pop(key)), (key, theirs.pop(key))
    yield from zip(mine.items(), theirs.items(), strict=True)


def _one_word(mine: Text, theirs: Text, same: Same) -> tuple[str, str] | None:
    """Return the one segment in which two texts say the opposite, or None."""
    ours, others = segments(mine), segments(theirs)
    if len(ours) != len(others):
        return None
    found = []
    for a, b in zip(ours, others, strict=True):
        if same.meets(a, b):
            continue
        plain = len(a) == len(b) == 1
        x, y = (a[0], b[0]) if plain else (None, None)
        if not isinstance(x, str) or not isinstance(y, str) or not oppose(x, y):
            return None
        found.append((x, y))
    return found[0] if len(found) == 1 else None


def _told(one: Effect, other: Effect, how: Opposition) -> Problem:
    message = (
        f"{_named(one, how.mine)} is opposed by {_named(other, how.theirs)} of "
        f"'{other.member.name}' ({other.place}) on {_target(one)}, and no lock keeps "
        "the two runs apart"
    )
    certain = how.sure and not one.undo and not other.undo
    return one.member.problem(
        one.path, "opposed", message, HINT, "error" if certain else "warning"
    )


def _named(effect: Effect, how: str) -> str:
    whose = f" of '{effect.of}'" if effect.of != effect.member.name else ""
    what = f"'{effect.action}'{whose}"
    return f"{f'the undo of {what}' if effect.undo else what} ({how})"


def _target(effect: Effect) -> str:
    return " ".join(filter(None, (shown(text) for _, text in effect.target)))
