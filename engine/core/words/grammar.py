"""The grammar: a verb, then what its row in commands.VERBS says.

A name may be cut short where only one fits, and is never corrected behind anybody's
back: the nearest one is offered, and whoever meant it says so.

Called by: runtime.chat, through engine.core.words.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from engine.core.words.commands import (
    EVERYTHING,
    HOLD_WORDS,
    SEVERITIES,
    VERBS,
    Command,
    Known,
    Refusal,
    Verb,
    brief,
    completed,
    refused,
)
from engine.core.words.rest import Rest
from engine.core.words.tokens import Token, unfit
from engine.model.people import RUN_ROLES

SHORTEST_VERB: Final = 3  # letters of a verb that is cut short
SHORTEST_NAME: Final = 2
SEVERITY: Final = re.compile(r"(?:sev)?-?([1-5])")
HASH: Final = re.compile(r"[0-9a-f]{6,64}")
ALSO: Final[Mapping[str, Verb]] = {"severity": "sev", "start": "run", "?": "help"}


def parse(text: str, known: Known | None = None) -> Command | Refusal:
    """Return what the words mean, or why they mean nothing; never raises.

    Args:
        text: What stands behind `/runbook` or `@runbook`, as the person wrote it.
        known: What can be named here.
    """
    known = Known() if known is None else known
    if problem := unfit(text):
        return refused(problem, VERBS)
    said = text.strip()
    head = said.split(maxsplit=1)[0] if said else "help"
    verb = _verb(head.lower())
    rest = Rest(said, len(head), known)
    if verb == "" and SEVERITY.fullmatch(head.lower()) and head[:3].lower() == "sev":
        verb, rest = "sev", Rest(said, 0, known)
    if verb == "":
        return _no_verb(head, said, known)
    return PARSERS[verb](rest)


def _verb(word: str) -> str:
    return ALSO.get(word) or completed(word, VERBS, least=SHORTEST_VERB)


def _no_verb(head: str, said: str, known: Known) -> Refusal:
    shown = brief(head)
    if head.lower() in known.runbooks:
        why = f"'{shown}' is a runbook; say what to do with it."
        return Refusal(why, (f"run {head.lower()}", f"show {head.lower()}"))
    return refused(f"'{shown}' is no command.", VERBS, head, said=said)


# Runbooks


def _run(rest: Rest, verb: Verb = "run") -> Command | Refusal:
    word = rest.take()
    name = _runbook(word, rest)
    if isinstance(name, Refusal):
        return name
    words = rest.words()
    if isinstance(words, Refusal):
        return words
    inputs = rest.known.runbooks[name]
    given = _pairs(words, inputs, f"input of '{name}'", rest.said)
    if isinstance(given, Refusal):
        return given
    missing = [one for one, it in inputs.items() if it.required and one not in given]
    return Command(verb, name=name, given=given, missing=tuple(missing))


def _dry_run(rest: Rest) -> Command | Refusal:
    return _run(rest, "dry-run")


def _runbook(word: str, rest: Rest) -> str | Refusal:
    runbooks = rest.known.runbooks
    if not word:
        return Refusal("Say which runbook.", tuple(runbooks))
    found = completed(word.lower(), runbooks, least=SHORTEST_NAME)
    if found:
        return found
    fit = [one for one in runbooks if one.startswith(word.lower())]
    if fit and len(word) >= SHORTEST_NAME:
        return Refusal(f"'{brief(word)}' may be any of several.", tuple(fit))
    why = f"'{brief(word)}' is no runbook."
    return refused(why, runbooks, word, said=rest.said)


def _pairs(
    words: Sequence[Token], names: Mapping[str, object], what: str, said: str
) -> dict[str, str] | Refusal:
    """Return name to value; names may be cut short."""
    given: dict[str, str] = {}
    listed = tuple(f"{one}=…" for one in names)
    for word in words:
        pair = word.key_value()
        if pair is None:
            return Refusal(f"'{brief(word.text)}' is no key=value.", listed)
        name = completed(pair[0], names, least=SHORTEST_NAME)
        if not name:
            why = f"'{brief(pair[0])}' is no {what}."
            return refused(why, names, pair[0], said=said)
        if name in given:
            return Refusal(f"'{name}' is given twice; give it once.", listed)
        given[name] = pair[1]
    return given


def _list(rest: Rest) -> Command | Refusal:
    return Command("list", text=rest.text())


def _show(rest: Rest) -> Command | Refusal:
    rest.take_run()
    if rest.peek():
        name = _runbook(rest.take(), rest)
        if isinstance(name, Refusal):
            return name
        return rest.too_much("show") or Command("show", name=name)
    if refusal := rest.no_run("show"):
        both = (*rest.known.runs, *rest.known.runbooks)
        return Refusal("Say which run, or which runbook.", both or refusal.choices)
    return Command("show", run=rest.run)


# One run


def _status(rest: Rest) -> Command | Refusal:
    rest.take_run()
    return rest.too_much("status") or Command("status", run=rest.run)


def _only_run(verb: Verb) -> Callable[[Rest], Command | Refusal]:
    def parsed(rest: Rest) -> Command | Refusal:
        rest.take_run()
        refusal = rest.too_much(verb) or rest.no_run(verb)
        return refusal or Command(verb, run=rest.run)

    return parsed


def _approve(rest: Rest) -> Command | Refusal:
    rest.take_run()
    words = rest.words()
    if isinstance(words, Refusal):
        return words
    if refusal := rest.no_run("approve"):
        return refusal
    step = [word.text for word in words if word.key_value() is None]
    pairs = [word for word in words if word.key_value() is not None]
    names = {"typed": "", "plan": ""}
    given = _pairs(pairs, names, "part of approve", rest.said)
    if isinstance(given, Refusal):
        return given
    if len(step) > 1:
        why = f"'{brief(step[1])}' is too much: name one step."
        return Refusal(why, ("approve", f"approve {brief(step[0])}"))
    plan = given.get("plan", "")
    if plan and HASH.fullmatch(plan) is None:
        return Refusal(f"'{brief(plan)}' is no hash of a plan.", ("plan=HASH",))
    typed = {"typed": given["typed"]} if "typed" in given else {}
    return Command("approve", run=rest.run, step="".join(step), plan=plan, given=typed)


def _with_text(verb: Verb, missing: str) -> Callable[[Rest], Command | Refusal]:
    """Return what reads a run and words; without words they are missing."""

    def parsed(rest: Rest) -> Command | Refusal:
        rest.take_run()
        text = rest.text()
        if refusal := rest.no_run(verb):
            return refusal
        return Command(
            verb, run=rest.run, text=text, missing=() if text else (missing,)
        )

    return parsed


def _answer(rest: Rest) -> Command | Refusal:
    rest.take_run()
    if refusal := rest.no_run("answer"):
        return refusal
    text, words = rest.text(), rest.words()
    if isinstance(words, Refusal):
        return words
    pairs = [word.key_value() for word in words]
    if not any(pairs):
        missing = () if text else ("answers",)
        return Command("answer", run=rest.run, text=text, missing=missing)
    step = words[0].text if pairs[0] is None else ""
    given: dict[str, str] = {}
    for word, pair in list(zip(words, pairs, strict=True))[1 if step else 0 :]:
        if pair is None or pair[0] in given:
            told = "is no field=value" if pair is None else "stands there twice"
            return Refusal(f"'{brief(word.text)}' {told}.", ("field=value",))
        given[pair[0]] = pair[1]
    return Command("answer", run=rest.run, step=step, given=given)


def _cancel(rest: Rest) -> Command | Refusal:
    rest.take_run()
    keep = rest.peek().lower() == "keep"
    if keep:
        rest.take()
    refusal = rest.no_run("cancel")
    return refusal or Command("cancel", run=rest.run, keep=keep, text=rest.text())


def _hold(rest: Rest) -> Command | Refusal:
    rest.take_run(every=True)
    run = rest.run or EVERYTHING
    word = rest.take().lower()
    if not word:
        return Command("hold", run=run)
    if word not in HOLD_WORDS:
        return refused(f"'{brief(word)}' is neither on nor off.", HOLD_WORDS, word)
    text = rest.text()
    missing = ("reason",) if word == "on" and not text else ()
    return Command("hold", run=run, on=word == "on", text=text, missing=missing)


def _take(rest: Rest) -> Command | Refusal:
    rest.take_run()
    word = rest.take().lower()
    role = completed(word, RUN_ROLES, least=SHORTEST_NAME) if word else ""
    if word and not role:
        return refused(f"'{brief(word)}' is no role.", RUN_ROLES, word, said=rest.said)
    refusal = rest.too_much("take") or rest.no_run("take")
    return refusal or Command("take", run=rest.run, name=role)


def _sev(rest: Rest) -> Command | Refusal:
    rest.take_run()
    word = rest.take().lower()
    found = SEVERITY.fullmatch(word)
    if found is None:
        what = f"'{brief(word)}' is no severity." if word else "Say which severity."
        return Refusal(what, SEVERITIES)
    refusal = rest.no_run("sev")
    name = f"sev{found[1]}"
    return refusal or Command("sev", run=rest.run, name=name, text=rest.text())


def _page(rest: Rest) -> Command | Refusal:
    rest.take_run()
    groups, word = rest.known.groups, rest.take()
    if not word:
        return Refusal("Say which group.", groups)
    group = completed(word.lower(), groups, least=SHORTEST_NAME)
    if not group:
        why = f"'{brief(word)}' is no group."
        return refused(why, groups, word, said=rest.said)
    refusal = rest.no_run("page")
    return refusal or Command("page", run=rest.run, name=group, text=rest.text())


def _help(rest: Rest) -> Command | Refusal:
    word = rest.take().lower()
    return Command("help", name=_verb(word) if word else "")


PARSERS: Final[Mapping[str, Callable[[Rest], Command | Refusal]]] = {
    "run": _run,
    "dry-run": _dry_run,
    "list": _list,
    "show": _show,
    "status": _status,
    "why": _only_run("why"),
    "approve": _approve,
    "reject": _with_text("reject", "reason"),
    "answer": _answer,
    "note": _with_text("note", "text"),
    "hold": _hold,
    "cancel": _cancel,
    "retry": _only_run("retry"),
    "take": _take,
    "sev": _sev,
    "page": _page,
    "report": _only_run("report"),
    "help": _help,
}
