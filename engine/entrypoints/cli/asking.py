"""Questions answered at this terminal: approve or reject, typed fields, retype.

What is typed is checked for its form here; whether it counts is the core's to say. An
empty line, or the end of what is typed, is never an answer.
Read by: attending, at_a_server.
"""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from engine.core.words.typed import field_words, typed_value
from engine.model.people import Question
from engine.views.escape import visible
from engine.views.message import question_text

CHUNK: Final = 4096


class Lines:
    """What is typed, line by line; the terminal edits, we read."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._part = b""
        self._news = asyncio.Event()
        self._file = sys.stdin.fileno()
        self.over = False  # nobody types any more

    def open(self) -> None:
        """Begin to listen."""
        asyncio.get_running_loop().add_reader(self._file, self._read)

    def close(self) -> None:
        """Listen no more."""
        asyncio.get_running_loop().remove_reader(self._file)

    def _read(self) -> None:
        try:
            raw = os.read(self._file, CHUNK)
        except OSError:
            raw = b""
        if not raw:
            self.over = True
            self.close()
        *whole, self._part = (self._part + raw).split(b"\n")
        self._lines += [one.decode("utf-8", "replace").strip() for one in whole]
        self._news.set()

    def forget(self) -> None:
        """Drop what was typed before anything was asked."""
        self._lines.clear()

    async def line(self, prompt: str) -> str | None:
        """Return the next line, or None when nobody types any more."""
        sys.stdout.write(prompt)
        sys.stdout.flush()
        while not self._lines:
            if self.over:
                return None
            self._news.clear()
            await self._news.wait()
        return self._lines.popleft()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person said to a question."""

    kind: Literal["approve", "reject", "answer", "later"]
    reason: str = ""
    typed: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)


LATER: Final = Reply("later")
EMPTY: Final = '""'  # how empty text is typed: a line without anything answers nothing
NOTHING: Final = f"nothing was typed, so nothing is answered; empty text is {EMPTY}"


async def ask(
    lines: Lines, run: str, question: Question, write: Callable[[str], None]
) -> Reply:
    """Ask until the answer has the right form; return it."""
    write(f"\n{run} asks ({question.called}):")
    write(question_text(question))
    lines.forget()
    if question.kind == "approve":
        return await _vote(lines, question, write)
    return await _fields(lines, question, write)


async def _vote(
    lines: Lines, question: Question, write: Callable[[str], None]
) -> Reply:
    while True:
        said = await lines.line("approve, reject or later? ")
        word = "later" if said is None else said.lower()
        if word in ("l", "later"):
            return LATER
        if word in ("r", "reject", "n", "no"):
            return Reply("reject", reason=await lines.line("why? ") or "")
        if word not in ("a", "approve", "y", "yes"):
            write(f"'{visible(word, most=40)}' is none of: approve, reject, later")
            continue
        if question.retype is None:
            return Reply("approve")
        typed = await lines.line(f"type {visible(question.retype)} to approve: ")
        if typed == question.retype:
            return Reply("approve", typed=typed)
        write("that is not the same; nothing was approved")


async def _fields(
    lines: Lines, question: Question, write: Callable[[str], None]
) -> Reply:
    answers: dict[str, Any] = {}
    for name, spec in question.fields.items():
        while name not in answers:
            shown = visible(field_words(spec))
            said = await lines.line(f"{visible(name)} ({shown}), or later: ")
            if said is None or said.lower() == "later":
                return LATER
            if not said:
                write(NOTHING)
                continue
            value, problem = typed_value(spec, "" if said == EMPTY else said)
            if problem:
                write(f"'{visible(said, most=40)}' does not fit; expected {problem}")
            else:
                answers[name] = value
    return Reply("answer", answers=answers)
