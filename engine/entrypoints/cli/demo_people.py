"""The people of `runbook demo`, and how they answer at a terminal. Called by demo."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from engine.bootstrap import Engine
from engine.entrypoints.cli.following import Follower
from engine.model.people import Question
from engine.model.run import RunSummary
from engine.views.message import question_text

THINK_SECONDS: Final = 1.0  # what they take to answer
PEOPLE: Final = {
    "ana": ["messaging-oncall", "messaging", "edge", "media", "platform"],
    "bo": ["incident-commanders"],
}
Write = Callable[[str], None]


class People(Protocol):
    """Whoever answers in a demo."""

    async def begin(self) -> None:
        """Sit down, before the run begins."""
        ...

    async def answer(self) -> None:
        """Answer what is asked now."""
        ...

    async def end(self) -> None:
        """The run is over."""
        ...


def people_lines(accounts: Mapping[str, str]) -> list[str]:
    """Return `people` of the configuration; `accounts` are their ids in Slack."""
    lines = ["people:"]
    for name, groups in PEOPLE.items():
        slack = f", slack: {accounts[name]}" if name in accounts else ""
        lines.append(f"  {name}: {{groups: {json.dumps(groups)}{slack}}}")
    return lines


class Answering:
    """The demo's people: they read the plan, think a moment, and say yes."""

    def __init__(self, opened: Engine, follower: Follower, write: Write) -> None:
        self._opened, self._follower, self._write = opened, follower, write
        self._asked: set[str] = set()

    async def begin(self) -> None:
        """Nothing: they sit at the terminal already."""

    async def end(self) -> None:
        """Nothing is left to do."""

    async def answer(self) -> None:
        """Answer what is asked now."""
        for summary in self._follower.open:
            for question in summary.questions:
                if question.key not in self._asked:
                    self._asked.add(question.key)
                    await self.one(summary, question)

    async def one(self, summary: RunSummary, question: Question) -> None:
        """Answer one question."""
        for line in question_text(question).splitlines():
            self._write(f"  │ {line}")
        await asyncio.sleep(THINK_SECONDS)
        for name, groups in PEOPLE.items():
            if not any(group in groups for group, _ in question.who):
                continue
            by = self._opened.service.actor(name, "demo")
            self._write(f"  {name} answers")
            if question.kind == "approve":
                typed = question.retype or ""
                await self._opened.service.vote(
                    summary.run, by, "approve", step=question.step, typed=typed
                )
            else:
                answers = {name: field.get("type") == "boolean" or "by the demo"
                           for name, field in question.fields.items()}  # fmt: skip
                await self._opened.service.answer(
                    summary.run, by, answers, step=question.key
                )
            return
