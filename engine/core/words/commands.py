"""What words can mean: each verb as one row, and a command, or why it is none.

Read by: grammar, help, runtime.chat.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final, Literal

import msgspec

from engine.model.vocabulary import Input

Verb = Literal[
    "run", "dry-run", "list", "show", "status", "why", "approve", "reject", "answer",
    "note", "hold", "cancel", "retry", "take", "sev", "page", "report", "help",
]  # fmt: skip
SEVERITIES: Final = ("sev1", "sev2", "sev3", "sev4", "sev5")
HOLD_WORDS: Final = ("on", "off")
EVERYTHING: Final = "all"  # in place of a run: every run of the engine
WORD_SHOWN: Final = 40  # characters of a word that a refusal repeats
MOST_CHOICES: Final = 20  # that a refusal lists
NEAR: Final = 0.6  # difflib's ratio from which a name is told as the nearest


class Usage(msgspec.Struct, frozen=True):
    """One verb for people."""

    words: str  # what stands after it
    does: str


VERBS: Final[Mapping[Verb, Usage]] = {
    "run": Usage("NAME key=value …", "start a runbook; what is missing is asked for"),
    "dry-run": Usage("NAME key=value …", "look for real, do nothing, tell the plan"),
    "list": Usage("[WORDS]", "the runbooks, or those that fit the words"),
    "show": Usage("[RUN|NAME]", "a run as it stands, or what a runbook does"),
    "status": Usage("[RUN]", "where the run is; without one, all that are open"),
    "why": Usage("[RUN]", "why the run is where it is, with its evidence"),
    "approve": Usage("[RUN] [STEP] [plan=HASH] [typed=TEXT]", "say yes to the plan"),
    "reject": Usage("[RUN] REASON", "say no, and why"),
    "answer": Usage("[RUN] [STEP] [field=value …]", "answer what the run asks"),
    "note": Usage("[RUN] TEXT", "keep words in the timeline"),
    "hold": Usage("[RUN|all] [on REASON|off]", "begin no further act, or go on"),
    "cancel": Usage("[RUN] [keep] [REASON]", "stop it; what is held is given back"),
    "retry": Usage("[RUN]", "try again now what waits for its next try"),
    "take": Usage("[RUN] [commander|deputy|scribe|liaison]", "take a role, or the run"),
    "sev": Usage("[RUN] 1…5 [REASON]", "set the severity"),
    "page": Usage("[RUN] GROUP [TEXT]", "page a group"),
    "report": Usage("[RUN]", "the report"),
    "help": Usage("[VERB]", "these words"),
}


class Known(msgspec.Struct, frozen=True):
    """What can be named, and where the words were said."""

    runbooks: Mapping[str, Mapping[str, Input]] = {}  # name to its inputs
    runs: tuple[str, ...] = ()  # those that are open
    groups: tuple[str, ...] = ()
    here: str = ""  # the run that is shown where it was said


class Command(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is to be done. What is not named by the verb is empty."""

    verb: Verb
    run: str = ""  # an id; `all` for every run; empty: none is meant
    name: str = ""  # of a runbook, a role, a severity, a group, a verb
    given: dict[str, str] = {}  # inputs of a run, fields of an answer, as text
    text: str = ""  # a reason, a note, words, an answer without its field
    step: str = ""  # which question, where several are asked
    plan: str = ""  # first digits of a plan's hash
    on: bool | None = None  # of hold: set, lifted, or only looked at
    keep: bool = False  # of cancel
    missing: tuple[str, ...] = ()  # what is still to be given: a form asks for it


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why words are no command, what could have stood there, and what is nearest."""

    why: str
    choices: tuple[str, ...] = ()
    nearest: str = ""
    meant: str = ""  # the whole command with the nearest word in it

    @property
    def text(self) -> str:
        """Everything in one line."""
        hint = f" Did you mean '{self.nearest}'?" if self.nearest else ""
        shown = ", ".join(self.choices[:MOST_CHOICES])
        more = len(self.choices) - MOST_CHOICES
        rest = f" and {more} more" if more > 0 else ""
        return f"{self.why}{hint}" + (f" Choices: {shown}{rest}." if shown else "")


def refused(
    why: str, choices: Iterable[str], word: str = "", *, said: str = ""
) -> Refusal:
    """Return a refusal with the choice that is nearest to a word.

    Args:
        said: The whole command; the nearest choice is put in the word's place.
    """
    listed = tuple(choices)
    near = nearest(word, listed)
    meant = said.replace(word, near, 1) if near and word else ""
    return Refusal(why, listed, near, meant)


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return the choice that is like the word, or an empty string."""
    found = get_close_matches(word[:64].lower(), list(choices), n=1, cutoff=NEAR)
    return found[0] if found else ""


def completed(word: str, choices: Iterable[str], *, least: int) -> str:
    """Return the one choice that is the word or begins with it; else an empty string.

    Args:
        least: Characters that a beginning has at least.
    """
    listed = list(choices)
    if word in listed:
        return word
    found = [one for one in listed if one.startswith(word)]
    return found[0] if len(word) >= least and len(found) == 1 else ""


def brief(word: str) -> str:
    """Return a word as a refusal repeats it."""
    return word if len(word) <= WORD_SHOWN else word[: WORD_SHOWN - 1] + "…"
