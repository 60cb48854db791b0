"""What the shell's TAB offers: runs, runbooks, people, questions and their answers.

Nothing here fails or writes: where the configuration or the journal cannot be read,
nothing is offered. Only plain words are: what an author wrote with a `$`, a quote or a
space would be read by the shell, not typed. What is to be retyped is never offered.

Read by: the commands. Importing it loads nothing of the engine.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

if TYPE_CHECKING:
    from engine.config import Config
    from engine.model.people import Question
    from engine.model.run import RunSummary

PLAIN: Final = re.compile(r"[A-Za-z0-9_.@%+,/-]+=?[A-Za-z0-9_.@%+,/-]*")
NEWEST: Final = 50  # runs; of an older one the id is copied


def run_ids(context: typer.Context, incomplete: str) -> list[str]:
    """Return the newest runs that begin so."""
    return _runs(context, incomplete, lambda one: True)


def asked_runs(context: typer.Context, incomplete: str) -> list[str]:
    """Return the runs that begin so and ask what the command answers."""
    kinds = _kinds(context)
    return _runs(
        context, incomplete, lambda one: any(it.kind in kinds for it in one.questions)
    )


def open_runs(context: typer.Context, incomplete: str) -> list[str]:
    """Return the runs that begin so and have not ended."""
    from engine.model.run import ENDS

    return _runs(context, incomplete, lambda one: one.state not in ENDS)


def taken_runs(context: typer.Context, incomplete: str) -> list[str]:
    """Return the runs that begin so and are open, or still hold something."""
    from engine.model.run import ENDS

    return _runs(
        context, incomplete, lambda one: one.state not in ENDS or bool(one.held)
    )


def held_words(context: typer.Context, incomplete: str) -> list[str]:
    """Return what may come next of `hold`: whose, then on or off."""
    said = [*(context.params.get("words") or ())]
    states = _beginning(["on", "off"], incomplete)
    if said:
        return [] if set(said) & {"on", "off"} else states
    return [*states, *_beginning(["all"], incomplete), *open_runs(context, incomplete)]


def runbook_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the configured runbooks that begin so; their files are not read."""
    from engine.errors import EngineError
    from engine.runtime.library import runbook_files

    try:
        places = [one for one in _config(context).runbooks if one.exists()]
        names = {file.stem for one in places for file in runbook_files(one)}
    except (EngineError, OSError):
        return []
    return _beginning(sorted(names), incomplete)


def proposal_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of what is proposed that begin so."""
    from engine.bootstrap.offers import offered
    from engine.errors import EngineError

    try:
        found = offered(_config(context))
    except (EngineError, OSError):
        return []
    return _beginning([one["proposal"] for one in found], incomplete)


def people_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the people of the configuration that begin so."""
    from engine.errors import EngineError

    try:
        return _beginning(sorted(_config(context).settings.people), incomplete)
    except (EngineError, OSError):
        return []


def questions(context: typer.Context, incomplete: str) -> list[str]:
    """Return what the run's questions are called."""
    return _beginning([it.called for it in _asked(context)], incomplete)


def what_may_come(context: typer.Context, incomplete: str) -> list[str]:
    """Return what may come next: a question's name, a field, or a field's value.

    Bash takes `=` for the end of a word, so there only what follows it is offered.
    """
    asked = _asked(context)
    written = [*(context.params.get("answers") or ()), incomplete]
    if written[-2:-1] and not incomplete and _is_field(written[-2], asked):
        written[-1] = "="  # which has been taken off on the way here
    *done, last = _joined(written)
    step = done[0] if done and "=" not in done[0] else ""
    asked = [it for it in asked if step in ("", it.called, it.key)]
    given = {word.partition("=")[0] for word in done if "=" in word}
    names = [] if done else [it.called for it in asked]
    for question in asked:
        for name, spec in question.fields.items():
            if name not in given:
                names += [f"{name}={value}" for value in _values(spec)]
    found = _beginning(names, last)
    cut = last.partition("=")[0] + "=" if "=" in written else ""
    return [one.removeprefix(cut) for one in found if one != cut]


def _is_field(word: str, asked: "Iterable[Question]") -> bool:
    return any(word in it.fields and word != it.called for it in asked)


def _joined(words: Iterable[str]) -> list[str]:
    """Return the words as they were typed, where a shell has cut them at each `=`."""
    found: list[str] = []
    glued = False
    for word in words:
        if found and (word == "=" or (glued and word)):
            found[-1] += word
        else:
            found.append(word)
        glued = word == "="
    return found


def _values(spec: Any) -> list[Any]:
    kind = spec.get("type") if isinstance(spec, dict) else spec
    if kind == "boolean":
        return ["true", "false"]
    values = spec.get("of") if isinstance(spec, dict) and kind == "choice" else None
    return values if isinstance(values, list) and values else [""]


def _beginning(words: Iterable[str], incomplete: str) -> list[str]:
    return [
        word for word in words if word.startswith(incomplete) and PLAIN.fullmatch(word)
    ]


def _kinds(context: typer.Context) -> tuple[str, ...]:
    """Return the kinds of question that the command answers."""
    from engine.runtime.service import ANSWERED

    return ANSWERED if context.info_name == "answer" else ("approve",)


def _asked(context: typer.Context) -> "list[Question]":
    run, kinds = context.params.get("run"), _kinds(context)
    found = [one for one in _summaries(context) if one.run == run]
    return [it for one in found for it in one.questions if it.kind in kinds]


def _runs(
    context: typer.Context, incomplete: str, wanted: "Callable[[RunSummary], bool]"
) -> list[str]:
    found = [one.run for one in _summaries(context) if wanted(one)]
    return _beginning(found, incomplete)


def _summaries(context: typer.Context) -> "list[RunSummary]":
    import asyncio

    from engine.bootstrap import journal
    from engine.errors import EngineError

    async def found() -> "list[RunSummary]":
        async with journal(_config(context)) as store:
            newest = await store.runs(limit=NEWEST)
            known = {one.run for one in newest}
            still_open = await store.runs(open_only=True, limit=NEWEST)
            return [*newest, *(one for one in still_open if one.run not in known)]

    try:
        return asyncio.run(found())
    except (EngineError, OSError):
        return []


def _config(context: typer.Context) -> "Config":
    """Return the configuration that was named before the command, or the usual one."""
    from engine.config import load_config

    named = context.find_root().params.get("config")
    return load_config(Path(named) if named else None)
