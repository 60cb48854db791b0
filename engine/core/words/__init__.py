"""The words people steer runs with in chat: one grammar for `/runbook` and `@runbook`.

Pure and total: any text gives a Command or a Refusal, never an error, and never more
than that: nothing here is run by a shell, and no name is taken that is not known.

`typed` reads answers as the types of their fields, for chat, links and the terminal.

Called by: runtime.chat, entrypoints.
"""

from engine.core.words.commands import Command, Known, Refusal, Verb
from engine.core.words.grammar import parse
from engine.core.words.help import help_lines
from engine.core.words.typed import typed_answers, typed_value

__all__ = [
    "Command",
    "Known",
    "Refusal",
    "Verb",
    "help_lines",
    "parse",
    "typed_answers",
    "typed_value",
]
