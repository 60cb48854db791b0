"""The big red switch as a file: while it is there, no new act begins.

What is here: ports.HoldSwitch over one file, `data/HOLD`, that holds who set it, why
and when, as JSON, for the account that runs the engine alone. What is not: the look at
it before every act (the driver), and what may stand in it (runtime.holding).

A file that cannot be read counts as on: `touch data/HOLD` is enough in an emergency.
Called by bootstrap, and by the doors that set and lift it.
"""

import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 64 * 1024
OWN: Final = 0o600  # who cannot read it sees it as on


def _now() -> datetime:
    return datetime.now(UTC)


class HoldFile:
    """ports.HoldSwitch over a file. Read at every question; it survives a restart."""

    def __init__(self, path: Path, *, now: Callable[[], datetime] = _now) -> None:
        self._path = path
        self._now = now

    def reason(self) -> str | None:
        """Return who set it, why and since when, or None while it is off."""
        try:
            with self._path.open("rb") as file:
                raw = file.read(MOST_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"{self._path} cannot be read ({error.strerror}), so it counts as on"
        try:
            found = json.loads(raw)
            return f"{found['by']}: {found['why']} (since {found['at']})"
        except (ValueError, KeyError, TypeError, RecursionError):
            return f"{self._path} is there without a reason, so it counts as on"

    def set(self, by: str, why: str) -> None:
        """Switch it on, or say a new reason; durable when it returns.

        Raises:
            OSError: it could not be written; what was there before still holds.
        """
        at = self._now().isoformat(timespec="seconds")
        text = json.dumps({"by": by, "why": why, "at": at}, ensure_ascii=False)
        folder = self._path.parent
        folder.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=folder)
        try:
            with os.fdopen(number, "w", encoding="utf-8", errors="replace") as file:
                os.fchmod(number, OWN)
                file.write(text + "\n")
                file.flush()
                os.fsync(number)
            Path(name).replace(self._path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
        _sync(folder)

    def lift(self) -> None:
        """Switch it off; durable when it returns. Off already: nothing happens.

        Raises:
            OSError: it could not be removed, so it is still on.
        """
        self._path.unlink(missing_ok=True)
        if self._path.parent.is_dir():
            _sync(self._path.parent)


def _sync(folder: Path) -> None:
    """Make a new or removed name survive a power cut."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
