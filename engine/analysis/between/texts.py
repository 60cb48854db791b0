"""Texts in which values are left open: can two be the same, and are they surely.

A text is a row of parts: words as they stand, and open values. An open value that the
alert brings (`labels.region`) is one value wherever it is named: two runbooks are held
against each other in one trouble. Any other is free: it may be anything that its
choice or its pattern allows. Texts are compared segment by segment, as paths and
addresses are; what two texts have to agree on to be the same is kept in `Same`.

Read by: naming, effects, opposing, locks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from engine.expressions import matches


@dataclass(frozen=True, slots=True)
class Open:
    """A value that is known at run time only."""

    key: str  # the same key, the same value
    shown: str = field(compare=False)
    choices: tuple[str, ...] = field(default=(), compare=False)  # empty: see pattern
    pattern: str = field(default="", compare=False)  # empty: anything

    def takes(self, text: str) -> bool:
        """Return whether it can be this text."""
        if self.choices:
            return text in self.choices
        return bool(text) and (not self.pattern or matches(self.pattern, text))

    def another(self) -> "Open":
        """Return a value like it, which is not the same."""
        return Open(f"{self.key}, another", self.shown, self.choices, self.pattern)


Part = str | Open
Text = tuple[Part, ...]  # no two words stand beside each other


def joined(parts: list[Part]) -> Text:
    """Return the parts as a text: neighbouring words are one."""
    made: list[Part] = []
    for part in parts:
        if isinstance(part, str) and made and isinstance(made[-1], str):
            made[-1] += part
        elif part != "":
            made.append(part)
    return tuple(made)


def shown(text: Text) -> str:
    """Return the text for people, what is open in braces."""
    return "".join(
        one if isinstance(one, str) else f"{{{one.shown}}}" if one.shown else ""
        for one in text
    )


@lru_cache(maxsize=8192)
def segments(text: Text) -> tuple[Text, ...]:
    """Return the text between its slashes."""
    found: list[list[Part]] = [[]]
    for part in text:
        if isinstance(part, Open):
            found[-1].append(part)
            continue
        first, *more = part.split("/")
        found[-1].append(first)
        found += [[one] for one in more]
    return tuple(joined(one) for one in found)


@dataclass(slots=True)
class Same:
    """What has to be the same for two texts to be the same."""

    sure: bool = True  # nothing but what stands there and what the alert brings
    known: dict[str, Part] = field(default_factory=dict)  # key to what it is

    def meets(self, one: Text, other: Text) -> bool:
        """Return whether both can be the same text; keep what that asks for."""
        mine, theirs = segments(one), segments(other)
        if len(mine) != len(theirs):
            return self._longer(mine, theirs) or self._longer(theirs, mine)
        return all(map(self._segment, mine, theirs))

    def is_same(self, one: Text, other: Text) -> bool:
        """Return whether both are surely one text, by what is kept."""
        return self._put(one) == self._put(other)

    def _longer(self, short: Sequence[Text], long: Sequence[Text]) -> bool:
        """An address that is left open as a whole may have segments of its own."""
        more = len(long) - len(short)
        if more <= 0 or len(short[0]) != 1 or not isinstance(short[0][0], Open):
            return False
        self.sure = False
        return all(map(self._segment, short[1:], long[more + 1 :]))

    def _segment(self, one: Text, other: Text) -> bool:
        one, other = self._put(one), self._put(other)
        if one == other:
            return True
        mine, theirs = _only(one), _only(other)
        if isinstance(mine, str) and isinstance(theirs, str):
            return False
        self.sure = False
        if isinstance(mine, Open) and theirs is not None:
            return self._binds(mine, theirs)
        if isinstance(theirs, Open) and mine is not None:
            return self._binds(theirs, mine)
        return _may_fit(one, other)

    def _binds(self, one: Open, other: Part) -> bool:
        if isinstance(other, str):
            fits = one.takes(other)
        else:
            both = set(one.choices) & set(other.choices)
            fits = bool(both) or not (one.choices and other.choices)
        if fits:
            self.known[one.key] = other
        return fits

    def _put(self, text: Text) -> Text:
        return joined([self._value(part) for part in text])

    def _value(self, part: Part) -> Part:
        seen = set()
        while isinstance(part, Open) and part.key in self.known:
            if part.key in seen:
                break
            seen.add(part.key)
            part = self.known[part.key]
        return part


def _only(text: Text) -> Part | None:
    """Return the one part of a text, or None where it has more."""
    if not text:
        return ""
    return text[0] if len(text) == 1 else None


def _may_fit(one: Text, other: Text) -> bool:
    """Return whether words and gaps can be laid over each other."""
    mine, theirs = _letters(one), _letters(other)
    row = [True] + [False] * len(theirs)
    for column, letter in enumerate(theirs, 1):
        row[column] = row[column - 1] and letter is None
    for letter in mine:
        next_row = [row[0] and letter is None]
        for column, their in enumerate(theirs, 1):
            if letter is None or their is None:
                fits = row[column] or next_row[column - 1] or row[column - 1]
            else:
                fits = row[column - 1] and letter == their
            next_row.append(fits)
        row = next_row
    return row[-1]


def _letters(text: Text) -> list[str | None]:
    """Return the letters of a text; None stands for any letters."""
    found: list[str | None] = []
    for part in text:
        found += [None] if isinstance(part, Open) else list(part)
    return found
