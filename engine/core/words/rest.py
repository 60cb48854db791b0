"""What stands behind the verb of a command, taken word by word.

Called by: grammar.
"""

import re
from typing import Final

from engine.core.words.commands import (
    EVERYTHING,
    VERBS,
    Known,
    Refusal,
    Verb,
    brief,
    completed,
)
from engine.core.words.tokens import Token, tokens

RUN_ID: Final = re.compile(r"r-[a-z0-9]{1,40}")
WHOLE_RUN_ID: Final = re.compile(r"r-[a-z0-9]{6,40}")
SHORTEST_RUN: Final = 3  # signs of a run's id that is cut short: r-7
LOOKS: Final = ("show", "status", "why", "report")  # change nothing


class Rest:
    """The words that are not read yet, and the run that is meant."""

    def __init__(self, said: str, start: int, known: Known) -> None:
        self.said, self.known, self.run = said, known, known.here
        self._at = start

    def words(self) -> list[Token] | Refusal:
        """Return all that is left as words; a quote that is not closed is refused."""
        found = tokens(self.said[self._at :])
        return Refusal(found) if isinstance(found, str) else found

    def text(self) -> str:
        """Return all that is left as it stands; quotes around the whole are taken."""
        rest = self.said[self._at :].strip()
        found = tokens(rest)
        if isinstance(found, list) and len(found) == 1 and found[0].quoted:
            return found[0].text.strip()
        return rest

    def peek(self) -> str:
        """Return the next word as it stands, or an empty string."""
        rest = self.said[self._at :].split(maxsplit=1)
        return rest[0] if rest else ""

    def take(self) -> str:
        """Return the next word, and go behind it."""
        word = self.peek()
        if word:
            self._at = self.said.index(word, self._at) + len(word)
        return word

    def take_run(self, *, every: bool = False) -> None:
        """Take the run that is named first, if one is.

        Args:
            every: `all` is every run.
        """
        word = self.peek().lower()
        if every and word == EVERYTHING:
            found = EVERYTHING
        elif RUN_ID.fullmatch(word) is None:
            return
        else:
            found = completed(word, self.known.runs, least=SHORTEST_RUN)
            found = found or (word if WHOLE_RUN_ID.fullmatch(word) else "")
        if found:
            self.run = found
            self.take()

    def no_run(self, verb: Verb) -> Refusal | None:
        """Return why no run is meant, or None; the only open one may be looked at."""
        runs = self.known.runs
        if not self.run and verb in LOOKS and len(runs) == 1:
            self.run = runs[0]
        if self.run:
            return None
        if not runs:
            return Refusal(f"There is nothing to {verb}: no run is open.")
        how = f"{verb} {runs[0]} …"
        return Refusal(f"Say which run: {how}, or say it in the run's thread.", runs)

    def too_much(self, verb: Verb) -> Refusal | None:
        """Return that something is left which the verb does not take, or None."""
        word = self.peek()
        if not word:
            return None
        usage = f"{verb} {VERBS[verb].words}".strip()
        if RUN_ID.fullmatch(word.lower()):
            return Refusal(f"'{brief(word)}' is no open run.", self.known.runs)
        return Refusal(f"'{brief(word)}' is too much: write {usage}", (usage,))
