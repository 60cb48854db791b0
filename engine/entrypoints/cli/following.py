"""What is seen of runs while they go on: a live view at a terminal, else plain lines.

A follower is the driver's listener: it is told of each change after it is in the
journal. It shows, and remembers the last summary of each run; it decides nothing.

Read by: attending, telling, at_a_server, the demos; its JSON: reading, plans,
looking_back.
"""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from engine.entrypoints.cli.screen import coloured
from engine.errors import EngineError
from engine.model.run import ENDS, RunSummary
from engine.model.timeline import Entry
from engine.views.escape import visible
from engine.views.terminal import progress_line, status_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

REFRESH_PER_SECOND: Final = 4
RULE: Final = 60  # columns of the line above the live view


class Follower:
    """Shows runs; `write` takes each finished line."""

    def __init__(self, write: Callable[[str], None], *, live: bool = False) -> None:
        self.summaries: dict[str, RunSummary] = {}
        self.entries: dict[str, list[Entry]] = {}
        self.news = asyncio.Event()
        self.named = False  # more than one run: each line says whose it is
        self._write = write
        self._unread = False  # nobody reads any more: the run goes on without telling
        self._live = _Panel(self) if live else None

    def __enter__(self) -> Self:
        """Begin to show."""
        self.show()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""
        self.hide()

    def known(self, summary: RunSummary, entries: list[Entry]) -> None:
        """Take a run as it stands, without telling what happened before."""
        self.summaries[summary.run] = summary
        self.entries[summary.run] = list(entries)
        self.named = len(self.summaries) > 1

    def changed(self, summary: RunSummary, entries: list[Entry]) -> None:
        """Show what happened to a run."""
        self.summaries[summary.run] = summary
        self.entries.setdefault(summary.run, []).extend(entries)
        for entry in entries:
            line = progress_line(entry)
            if line is not None:
                self.line(f"{summary.run} {line}" if self.named else line)
        self.news.set()

    def said(self, text: str) -> None:
        """Show what is said or paged; it may hold anything."""
        self.line(visible(text))

    def line(self, text: str) -> None:
        """Write one line above the live view, as long as somebody reads."""
        if self._unread:
            return
        try:
            if self._live is None or not self._live.print(text):
                self._write(text)
        except (OSError, EngineError):
            self._unread = True

    @property
    def open(self) -> list[RunSummary]:
        """The runs that have not ended."""
        return [one for one in self.summaries.values() if one.state not in ENDS]

    def show(self) -> None:
        """Draw the live view, where there is one."""
        if self._live is not None:
            self._live.start()

    def hide(self) -> None:
        """Take the live view away: something is typed, or it is over."""
        if self._live is not None:
            self._live.stop()

    def lines(self, width: int) -> list[str]:
        """Return the state of every open run as lines."""
        now = time.time()
        found = [
            status_lines(one, self.entries.get(one.run, []), now, width=width)
            for one in self.open
        ]
        return [line for lines in found for line in lines]


class _Panel:
    """The lower part of the terminal, drawn again and again by rich."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._live: Live | None = None
        self._console: Console | None = None

    def start(self) -> None:
        from rich.console import Console
        from rich.live import Live

        if self._live is None:
            self._console = Console(no_color=not coloured(), highlight=False)
            self._live = Live(
                console=self._console, transient=True, get_renderable=self._drawn,
                refresh_per_second=REFRESH_PER_SECOND, redirect_stdout=False,
                redirect_stderr=False,
            )  # fmt: skip
            self._live.start(refresh=True)

    def stop(self) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def print(self, text: str) -> bool:
        """Write above the view; return False where none is drawn."""
        if self._live is None:
            return False
        from rich.text import Text

        self._live.console.print(Text(text))
        return True

    def _drawn(self) -> "Text":
        from rich.text import Text

        columns = (self._console.width if self._console else RULE) - 1
        lines = self._follower.lines(columns)
        rule = "─" * min(RULE, columns)
        return Text("\n".join([rule, *lines]) if lines else "", style="dim")


def summary_json(summary: RunSummary) -> dict[str, Any]:
    """Return a run's line for programs; times are epoch seconds."""
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(summary)
    for question in found.get("questions", ()):
        question.pop("plan", None)
    return found
