"""Chat and pager for somebody who sits at a terminal, or reads its log.

What is here: ports.Chat and ports.Pager that write one line for each message. What is
not: reading answers and drawing the run (the command line does both, from the
timeline); making text safe for a terminal (`write` does it).

Called by bootstrap.
"""

from collections.abc import Callable

from engine.model.effects import Page, Say
from engine.model.people import Question

Write = Callable[[str], None]


class TerminalChat:
    """Writes what is said; questions are left to whoever follows the run."""

    def __init__(self, write: Write) -> None:
        self._write = self.write = write
        self._paged: set[str] = set()

    async def say(self, run: str, message: Say, /, *, key: str = "") -> None:
        """Write the message, with where it would have gone."""
        to = f" to {message.to}" if message.to else ""
        self._write(f"{run} says{to}: {message.text}")

    async def ask(self, run: str, question: Question, /) -> None:
        """Nothing: an open question stands in the run's summary."""

    async def close(self, run: str, key: str, outcome: str, /) -> None:
        """Nothing: what came of it stands in the timeline."""

    async def page(self, run: str, page: Page, /) -> None:
        """Write the page, once for each key."""
        if page.key in self._paged:
            return
        self._paged.add(page.key)
        self._write(f"{run} PAGES {page.group} ({page.severity}): {page.text}")
