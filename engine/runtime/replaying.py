"""A recorded run replayed on the runbook it was pinned to: entry for entry the same?

The recorded events go through the same session as a live run; what it writes is held
against what was written. What is not here: another version of the runbook
(analysis.replaying), a run made into a test (as_test).

Called by the command line, tests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile, zip_longest

import msgspec

from engine.analysis.replaying.history import History
from engine.core.code import CompiledRunbook
from engine.core.turn import Defect
from engine.model.timeline import GENESIS, Entry, encode_entry
from engine.runtime.driver import DEAD_LETTER
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
            if then is None or now is None or _plain(then) != _plain(now):
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


def _plain(entry: Entry) -> bytes:
    """Return the entry as it is stored, without its place in the chain."""
    return encode_entry(msgspec.structs.replace(entry, prev_hash=GENESIS, hash=""))


def _by_the_run(entry: Entry) -> bool:
    """Whether the run wrote it: not the engine itself as it gave the run up."""
    gave_up = entry.kind == "end" and entry.why.startswith(DEAD_LETTER)
    return entry.event is not None or not gave_up
