"""A recorded run replayed on the runbook it was pinned to: entry for entry the same?

The recorded events go through the same session as a live run; what it writes is held
against what was written. Also here: another version of the runbook, put in the
place of that one. What it decides otherwise is found by analysis.replaying.

Called by the command line, tests.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile, zip_longest

import msgspec

from engine.analysis.replaying.branches import Branches, branches
from engine.analysis.replaying.history import History
from engine.analysis.replaying.parting import Parting, parting
from engine.core.code import CompiledRunbook
from engine.core.turn import Defect
from engine.errors import RunbookRefused
from engine.language.load import load_runbook
from engine.model.kinds import Kinds
from engine.model.timeline import GENESIS, Entry, encode_entry
from engine.runtime.driver import DEAD_LETTER
from engine.runtime.journal import events_of
from engine.runtime.library import compiled_from
from engine.runtime.session import Session


@dataclass(frozen=True, slots=True)
class Replayed:
    """How far the recorded run and its replay are the same."""

    entries: int  # that were recorded
    events: int
    same: int  # entries from the start that came out the same
    then: Entry | None = None  # the first that did not, as it was recorded
    now: Entry | None = None  # and as it comes out now
    why: str = ""  # the engine cannot go on, and why

    @property
    def parts(self) -> bool:
        """Whether anything is not the same."""
        return self.same < self.entries or bool(self.why) or self.now is not None


def replayed(history: History, compiled: CompiledRunbook) -> Replayed:
    """Return how far the same comes of the recorded events.

    Args:
        history: The recorded run.
        compiled: The code of the texts that it is pinned to.
    """
    recorded = list(takewhile(_by_the_run, history.entries))
    events = sum(entry.event is not None for entry in recorded)
    many, same, why = len(recorded), 0, ""
    made = _made(history.summary.run, compiled, recorded)
    try:
        for then, now in zip_longest(recorded, made):
            if then is None or now is None or not _alike(then, now):
                return Replayed(many, events, same, then, now)
            same += 1
    except (Defect, LookupError, ValueError, TypeError, AttributeError) as defect:
        why = f"the engine cannot go on: {type(defect).__name__}: {defect}"
        return Replayed(many, events, same, recorded[same], None, why)
    return Replayed(many, events, same)


def _made(
    run: str, compiled: CompiledRunbook, recorded: Sequence[Entry]
) -> Iterator[Entry]:
    session = Session(run, compiled)
    for entry in recorded:
        if entry.event is not None:
            yield from session.apply(entry.event).entries


def _alike(then: Entry, now: Entry) -> bool:
    """Whether they say the same; a newer engine may add facts in `refs`, no more."""
    known = {key: one for key, one in now.refs.items() if key in then.refs}
    return _plain(then) == _plain(msgspec.structs.replace(now, refs=known))


def _plain(entry: Entry) -> bytes:
    """Return the entry as it is stored, without its place in the chain."""
    return encode_entry(msgspec.structs.replace(entry, prev_hash=GENESIS, hash=""))


def _by_the_run(entry: Entry) -> bool:
    """Whether the run wrote it: not the engine itself as it gave the run up."""
    gave_up = entry.kind == "end" and entry.why.startswith(DEAD_LETTER)
    return entry.event is not None or not gave_up


@dataclass(frozen=True, slots=True)
class Changed:
    """What another version makes of a recorded run."""

    revision: str  # of the other version
    parting: Parting
    branches: Branches | None = None  # where it can go from there


def changed(history: History, text: str, file: str, kinds: Kinds) -> Changed:
    """Return where another version of the runbook decides otherwise.

    Args:
        history: The recorded run.
        text: The other version.
        file: Where it stands, for problems.
        kinds: The kinds of checks and actions that may be used.

    Raises:
        RunbookRefused: it has problems. EngineError: what was recorded does not load.
    """
    old = compiled_from(history.texts, history.summary.revision, kinds)
    name = old.runbook.runbook
    loaded = load_runbook(text, file, kinds, stem=name)
    if loaded.runbook is None:
        raise RunbookRefused(list(loaded.problems))
    kept = json.loads(history.texts)
    kept["texts"][name] = text
    texts = json.dumps(kept, sort_keys=True)
    revision = hashlib.sha256(texts.encode()).hexdigest()
    new = compiled_from(texts, revision, kinds)
    events = events_of(history.entries)
    found = parting(old, new, events)
    then = branches(new, found.standing) if found.standing is not None else None
    return Changed(revision, found, then)
