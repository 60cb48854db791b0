"""A way out that adds lines to a file that only its owner reads."""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from engine.errors import ChatDown

OWNER_ONLY: Final = 0o600
MOST: Final = 20_000  # characters of one message


def _now() -> datetime:
    return datetime.now(UTC)


class FileWay:
    """Adds each message, with its time, to one file; durable when `send` returns."""

    def __init__(
        self, name: str, path: Path, *, now: Callable[[], datetime] = _now
    ) -> None:
        self.name, self._path, self._now = name, path, now

    async def send(self, title: str, text: str, /) -> None:
        """Add the message. Raises ChatDown: it could not be written."""
        at = self._now().isoformat(timespec="seconds")
        lines = [f"{at} {title}", *(f"  {line}" for line in text[:MOST].splitlines())]
        try:
            await asyncio.to_thread(self._add, "\n".join(lines) + "\n")
        except OSError as error:
            raise ChatDown(f"'{self.name}': {self._path}: {error.strerror}") from error

    def _add(self, text: str) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        number = os.open(self._path, flags, OWNER_ONLY)
        with os.fdopen(number, "a", encoding="utf-8", errors="replace") as file:
            os.fchmod(number, OWNER_ONLY)
            file.write(text)
            file.flush()
            os.fsync(number)
