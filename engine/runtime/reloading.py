"""Runbooks read anew while the engine runs: on a change, on a signal, when asked.

A file that is broken keeps the last good revision of its runbook, loudly. Runs go on
with the revision they began with (F12, F13): its texts are in the journal. A folder
that cannot be read changes nothing.

Called by the host of a server.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.errors import EngineError
from engine.runtime.library import SUFFIXES, Library

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 2.0

Stamp = tuple[tuple[str, int, int], ...]


@dataclass(slots=True)
class Reloading:
    """Keeps one library as its folders are."""

    library: Library
    folders: Sequence[Path]
    read: Callable[[], Library]  # in a thread; raises EngineError
    changed: Callable[[], None]  # told after the library is another one
    loud: Callable[[str], None] = log.error
    _stamp: Stamp = ()
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def watch(self) -> None:
        """Read the runbooks anew whenever a file of theirs changes; never returns."""
        self._stamp = await asyncio.to_thread(stamp, self.folders)
        while True:
            await asyncio.sleep(POLL_SECONDS)
            now = await asyncio.to_thread(stamp, self.folders)
            if now != self._stamp:
                await self.renew()

    async def renew(self) -> list[str]:
        """Read them now; return what changed, one line each."""
        async with self._lock:
            now = await asyncio.to_thread(stamp, self.folders)
            try:
                fresh = await asyncio.to_thread(self.read)
            except EngineError as error:
                self._stamp = now
                self.loud(f"runbooks stay as they were: {error}")
                return [f"nothing: {error}"]
            told = merged(self.library, fresh, self.loud)
            self._stamp = now
            if told:
                self.changed()
                for line in told:
                    log.info("runbook %s", line)
            return told


def merged(library: Library, fresh: Library, loud: Callable[[str], None]) -> list[str]:
    """Make the library what was read, but for what is broken; return the changes."""
    told = []
    loaded, files = dict(fresh.loaded), dict(fresh.files)
    broken = {file.stem: one for file, one in fresh.refused.items()}
    for name, old in library.loaded.items():
        if name in fresh.loaded:
            if fresh.loaded[name].revision != old.revision:
                told.append(f"{name} changed to {fresh.loaded[name].revision[:12]}")
        elif name in broken:
            loaded[name], files[name] = old, library.files[name]
            first = broken[name].problems[0] if broken[name].problems else "problems"
            loud(f"{name} is broken, {old.revision[:12]} is kept: {first}")
            told.append(f"{name} is broken; its last good revision is kept")
        else:
            told.append(f"{name} is gone")
    told += [f"{name} is new" for name in fresh.loaded if name not in library.loaded]
    library.loaded, library.files = loaded, files
    library.refused = fresh.refused
    return sorted(told)


def stamp(folders: Sequence[Path]) -> Stamp:
    """Return what changes when a runbook file does."""
    found = []
    for folder in folders:
        files = [folder] if folder.is_file() else folder.glob("**/*")
        for file in files:
            if file.suffix not in SUFFIXES:
                continue
            try:
                seen = file.stat()
            except OSError:
                continue  # gone in between
            found.append((str(file), seen.st_mtime_ns, seen.st_size))
    return tuple(sorted(found))
