"""When each runbook was last rehearsed: a small file in the data folder.

What is here: `data/rehearsals.json`, runbook to Rehearsal. What is not: playing tests
(runtime.rehearsal), what an old one means (analysis.readiness). A file that cannot be
read says that nothing was rehearsed. Called by bootstrap.
"""

import fcntl
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from engine.model.health import Rehearsal


class RehearsalFile:
    """The last rehearsal of each runbook."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Rehearsal]:
        """Return each runbook's last rehearsal, by its name."""
        try:
            raw = self._path.read_bytes()
            return msgspec.json.decode(raw, type=dict[str, Rehearsal])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return {}

    def add(self, rehearsed: Mapping[str, Rehearsal]) -> None:
        """Keep these beside the others. Raises OSError: none is kept."""
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._write(msgspec.json.encode({**self.read(), **rehearsed}))

    def _write(self, raw: bytes) -> None:
        number, name = tempfile.mkstemp(prefix=".rehearsals.", dir=self._path.parent)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(raw)
            Path(name).replace(self._path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
