"""Chance that can be had again: every throw follows from a seed.

Called by: faults.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Throws that a seed decides, on every machine and Python the same."""

    def __init__(self, seed: int) -> None:
        self._seed, self._thrown = seed, 0

    def below(self, most: int) -> int:
        """Return a whole number from 0 to most - 1."""
        self._thrown += 1
        told = f"{self._seed}/{self._thrown}".encode()
        return int.from_bytes(hashlib.sha256(told).digest()[:8]) % most

    def chance(self, percent: int) -> bool:
        """Return true so many times of a hundred."""
        return self.below(100) < percent

    def one_of(self, choices: Sequence[T]) -> T:
        """Return one of the choices, each as likely."""
        return choices[self.below(len(choices))]

    def some_of(self, choices: Sequence[T], most: int) -> list[T]:
        """Return one to `most` of the choices, with repetitions."""
        return [self.one_of(choices) for _ in range(1 + self.below(most))]
