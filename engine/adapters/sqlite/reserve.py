"""Space that is kept for the moment when the disk is full: then even deleting fails.

One file beside the journal. It is given up at the first refusal for want of space, so
that open runs can be played to their end, and made again once there is room.

Called by: writer (its thread gives it up), engines.
"""

import os
import shutil
from pathlib import Path
from typing import Final

ROOM: Final = 4  # times its size must be free before it is made


class Reserve:
    """The file of a journal; it is made by the first engine that enrols."""

    def __init__(self, journal: Path, size: int) -> None:
        self._path = journal.with_name(f"{journal.name}.reserve")
        self._size = size
        self.given_up = False

    def make(self) -> None:
        """Make it where it is missing and there is room."""
        if not self._size or self._path.exists():
            return
        try:
            if shutil.disk_usage(self._path.parent).free < ROOM * self._size:
                return
            number = os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600)
            with os.fdopen(number, "wb") as file:
                _allocate(file.fileno(), self._size)
            self.given_up = False
        except OSError:  # full, after all
            self._path.unlink(missing_ok=True)

    def give_up(self) -> bool:
        """Free its space; return whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        self.given_up = True
        return True

    def told(self) -> str:
        """Return what people should know; empty: nothing."""
        if not self.given_up:
            return ""
        return (
            f"{self._path.parent}: the disk is full. The reserve of "
            f"{self._size // 1024 // 1024} MiB was given up, so that open runs can go "
            f"on. Free space: {ROOM * self._size // 1024 // 1024} MiB are wanted."
        )


def _allocate(number: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(number, 0, size)
        return
    for _ in range(0, size, 1 << 20):  # a hole would keep nothing
        os.write(number, bytes(min(size, 1 << 20)))
