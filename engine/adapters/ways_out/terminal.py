"""A way out to the engine's own terminal, or whoever keeps its log."""

from collections.abc import Callable


class TerminalWay:
    """Writes each message, a line at a time; `write` makes text safe to show."""

    def __init__(self, name: str, write: Callable[[str], None]) -> None:
        self.name, self._write = name, write

    async def send(self, title: str, text: str, /) -> None:
        """Write the message."""
        for line in (title, *text.splitlines()):
            self._write(line)
