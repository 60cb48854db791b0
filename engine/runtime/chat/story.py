"""One run as its messages need it: its line, its entries, its runbook, its questions.

Read from the journal alone, so that what chat shows can be made again at any time. What
was read last is kept for some runs; the rest is on disk.

Called by screen, screens, steps, cards, rooms, fallback, asking, voting.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from engine.analysis.bounds import after_yes
from engine.core.code import CompiledRunbook
from engine.errors import NotFound
from engine.model.effects import Ask
from engine.model.people import Question
from engine.model.run import ENDS, RunSummary
from engine.model.runbook import Runbook
from engine.model.timeline import Entry
from engine.ports import Store
from engine.runtime.effector import Compile
from engine.runtime.on_call import OnCall
from engine.runtime.session import Session
from engine.views.chat.asked import ASKING, open_questions

replace = msgspec.structs.replace
MOST_KEPT: Final = 64  # runs whose entries stay in memory


@dataclass(slots=True)
class Story:
    """What the journal says of one run."""

    summary: RunSummary
    compiled: CompiledRunbook
    entries: list[Entry] = field(default_factory=list)
    asked: dict[int, Question] = field(default_factory=dict)  # by its entry's number
    on_call: dict[str, tuple[str, ...]] = field(default_factory=dict)  # of who is asked
    worst: dict[str, float] = field(default_factory=dict)  # step to seconds after a yes

    @property
    def runbook(self) -> Runbook:
        """The runbook of the run."""
        return self.compiled.runbook

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return self.summary.state in ENDS

    @property
    def live(self) -> bool:
        """Whether it is an incident: no drill, no dry run."""
        return self.summary.mode == "live"

    @property
    def last(self) -> int:
        """The number of its newest entry."""
        return self.entries[-1].seq if self.entries else 0

    def after(self, seq: int) -> Sequence[Entry]:
        """Return the entries after one; they have no gaps."""
        return self.entries[seq:]

    def open_questions(self) -> list[tuple[int, Question]]:
        """Return what is asked now, each with the number of the entry that says so."""
        return open_questions(self.summary, self.entries)

    def question(self, seq: int) -> Question | None:
        """Return what was asked by an entry."""
        if seq not in self.asked:
            self.asked |= _all_asked(self)
        return self.asked.get(seq)

    def while_asked(self, seq: int) -> Sequence[Entry]:
        """Return the entries up to where the question of an entry is asked again."""
        key = self.entries[seq - 1].subject
        for entry in self.after(seq):
            if entry.subject == key and entry.kind in ASKING:
                return self.entries[: entry.seq - 1]
        return self.entries

    def until(self, seq: int, question: Question) -> float:
        """Return when a question that an entry asked expires, epoch seconds."""
        return self.entries[seq - 1].at + question.within_seconds


class Stories:
    """The runs of a journal."""

    def __init__(
        self,
        store: Store,
        compiled: Compile,
        on_call: OnCall | None = None,
        *,
        most: int = MOST_KEPT,
    ) -> None:
        self._store, self._compiled, self._most = store, compiled, most
        self.on_call = on_call
        self._kept: OrderedDict[str, Story] = OrderedDict()

    async def of(self, run: str) -> Story:
        """Return a run as it is now.

        Raises:
            NotFound: no such run, or its runbook is not kept. StoreUnavailable.
        """
        summary = await self._store.summary(run)
        if summary is None:
            raise NotFound(f"no run '{run}'. See `runbook runs`.")
        kept = self._kept.get(run)
        if kept is None:
            kept = Story(summary, await self._compiled(summary.revision))
        new = await self._store.entries(run, after=kept.last)
        kept.entries += [entry for entry in new if entry.seq > kept.last]
        kept.summary = _with_worst(summary, kept)
        if self.on_call is not None:
            groups = [group for one in summary.questions for group, _ in one.who]
            kept.on_call = await self.on_call.of_all(groups)
        kept.asked |= dict(kept.open_questions())
        self._kept[run] = kept
        self._kept.move_to_end(run)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return kept


def _with_worst(summary: RunSummary, story: Story) -> RunSummary:
    """Return the run with how long the acts of each question can take after a yes."""
    for one in summary.questions:
        if one.step not in story.worst:
            story.worst[one.step] = after_yes(story.compiled, one.step)
    asked = tuple(
        replace(one, worst_case_seconds=story.worst[one.step])
        for one in summary.questions
    )
    return replace(summary, questions=asked) if asked else summary


def _all_asked(story: Story) -> dict[int, Question]:
    """Return every question of a run: its timeline, played again."""
    session = Session(story.summary.run, story.compiled)
    found: dict[int, Question] = {}
    for entry in story.entries:
        if entry.event is None:
            continue
        step = session.apply(entry.event)
        asks = {one.key: one.question for one in step.effects if isinstance(one, Ask)}
        for number, made in enumerate(step.entries):
            if made.kind in ASKING and made.subject in asks:
                found[entry.seq + number] = asks[made.subject]
    return found
