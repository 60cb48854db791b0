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
from engine.language.load import Loaded
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
    _there: set[Path] = field(default_factory=set)  # folders that were read
    _begun: int = 0  # readings
    _told: list[str] = field(default_factory=list)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def watch(self) -> None:
        """Read the runbooks anew whenever a file of theirs changes; never returns."""
        self._stamp = await asyncio.to_thread(stamp, self.folders)
        self._there |= await asyncio.to_thread(_there, self.folders)
        while True:
            await asyncio.sleep(POLL_SECONDS)
            now = await asyncio.to_thread(stamp, self.folders)
            if now != self._stamp:
                await self.renew()

    async def renew(self) -> list[str]:
        """Read them now; return what changed, one line each.

        Of many that wait at once one reads for all of them.
        """
        before = self._begun
        async with self._lock:
            if self._begun == before:
                self._begun += 1
                self._told = await self._renewed()
            return self._told

    async def _renewed(self) -> list[str]:
        now = await asyncio.to_thread(stamp, self.folders)
        try:
            there = await asyncio.to_thread(self._all_there)
            fresh = await asyncio.to_thread(self.read)
        except (EngineError, OSError) as error:
            self._stamp = now
            self.loud(f"runbooks stay as they were: {error}")
            return [f"nothing: {error}"]
        told = merged(self.library, fresh, self.loud)
        self._stamp, self._there = now, there
        if told:
            self.changed()
            for line in told:
                log.info("runbook %s", line)
        return told

    def _all_there(self) -> set[Path]:
        there = _there(self.folders)
        if gone := sorted(map(str, self._there - there)):
            raise EngineError(
                f"{', '.join(gone)} is not there. Bring it back, or take it out of "
                "`runbooks` and start anew."
            )
        return there


def _there(folders: Sequence[Path]) -> set[Path]:
    return {one for one in folders if one.exists()}


def merged(library: Library, fresh: Library, loud: Callable[[str], None]) -> list[str]:
    """Make the library what was read, but for what is broken; return the changes."""
    told = []
    loaded, files = dict(fresh.loaded), dict(fresh.files)
    broken = {file.stem: one for file, one in fresh.refused.items()}
    for name, old in library.loaded.items():
        if name in fresh.loaded:
            if fresh.loaded[name].revision != old.revision:
                told.append(f"{name} changed to {fresh.loaded[name].revision[:12]}")
        elif name in broken or library.files[name].is_symlink():
            loaded[name], files[name] = old, library.files[name]
            first = _first(broken.get(name))
            loud(f"{name} is broken, {old.revision[:12]} is kept: {first}")
            told.append(f"{name} is broken; its last good revision is kept")
        else:
            told.append(f"{name} is gone")
    told += [f"{name} is new" for name in fresh.loaded if name not in library.loaded]
    library.loaded, library.files = loaded, files
    library.refused = fresh.refused
    return sorted(told)


def _first(broken: Loaded | None) -> object:
    if broken is None:
        return "its link leads nowhere"
    return broken.problems[0] if broken.problems else "problems"


def stamp(folders: Sequence[Path]) -> Stamp:
    """Return what changes when a runbook file does."""
    found = []
    for folder in folders:
        try:
            files = [folder] if folder.is_file() else list(folder.glob("**/*"))
        except OSError:
            continue  # it may not be read now
        for file in files:
            if file.suffix not in SUFFIXES:
                continue
            try:
                seen = file.stat()
            except OSError:
                continue  # gone in between
            found.append((str(file), seen.st_mtime_ns, seen.st_size))
    return tuple(sorted(found))
