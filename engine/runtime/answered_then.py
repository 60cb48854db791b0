"""What was answered in a recorded run, under the key of what was asked.

Read by: as_test.
"""

from engine.analysis.replaying.history import History
from engine.analysis.replaying.recorded import Asked, recorded
from engine.core.code import CompiledRunbook
from engine.model.effects import Act, Ask
from engine.model.events import Acted, Event, Started
from engine.model.timeline import Entry
from engine.runtime.journal import events_of


class Then:
    """What was answered, under the key of what was asked."""

    def __init__(self, history: History, compiled: CompiledRunbook) -> None:
        self.entries = history.entries
        self.events = events_of(history.entries)
        first = self.events[0]
        assert isinstance(first, Started)
        self.started = first
        self.left_out: list[str] = []
        self.questions = 0
        self._asked: dict[str, list[Asked]] = {}
        found = recorded(compiled, self.events)
        for one in found.asked:
            key = one.effect.key
            self._asked.setdefault(key, []).append(one)
            self.questions += isinstance(one.effect, Ask)
        self._refused = _refused(self.entries)
        self.outside = found.outside

    def take(self, key: str) -> Asked | None:
        """Return the next that was asked under the key; the last one stays."""
        found = self._asked.get(key)
        if not found:
            return None
        return found.pop(0) if len(found) > 1 else found[0]

    def counted(self, asked: Asked) -> list[Event]:
        """Return what people said to a question, without what was refused."""
        return [self.events[one] for one in asked.answers if one not in self._refused]

    def happened(self, act: Act) -> bool:
        """Whether an act of which no answer came was done after all."""
        told = [
            one.kind
            for one in self.entries
            if one.kind in ("did", "failed")
            and (one.subject, one.target) == (act.action, act.target)
        ]
        return "did" in told

    def did(self) -> list[str]:
        """Return the acts that were done, in order."""
        done: dict[str, str] = {}
        acts = [one for all_ in self._asked.values() for one in all_]
        for one in sorted(acts, key=lambda one: (one.by, one.tick)):
            act = one.effect
            if not isinstance(act, Act) or act.undo:
                continue
            if self.outcome(one, act) in ("ok", "lost"):
                done.setdefault(act.idempotency_key, act.action)
        return list(done.values())

    def outcome(self, asked: Asked | None, act: Act) -> str:
        """Return what came of an act, as a script says it."""
        events = [self.events[one] for one in asked.answers] if asked else []
        outcome = events[0].outcome if events and isinstance(events[0], Acted) else ""
        if outcome in ("ok", "failed"):
            return {"ok": "ok", "failed": "fail"}[outcome]
        return "lost" if self.happened(act) else "timeout"


def _refused(entries: list[Entry]) -> set[int]:
    """Return the indexes of the events whose answer did not count."""
    found, index = set[int](), -1
    for entry in entries:
        index += entry.event is not None
        if entry.kind == "refused":
            found.add(index)
    return found
