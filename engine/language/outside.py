"""Rule: what comes from outside may not become a host, a program, or a shell line.

Read by: lint.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from engine.errors import TemplateProblem
from engine.language.context import Context
from engine.language.shape import Path, marked, strings
from engine.language.walk import Placed
from engine.model.kinds import Place
from engine.model.steps import EachStep
from engine.model.values import Template
from engine.model.vocabulary import ActionBody, Input
from engine.templating import is_whole, template_names

HOST_PART: Final = re.compile(r"^\s*(?:[A-Za-z][A-Za-z0-9+.-]*:)?//([^/?#]*)")
STARTS_BARE: Final = re.compile(r"^\s*\{\{")
SHELLS: Final = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "csh"})
COMMAND_FLAG: Final = re.compile(r"-[A-Za-z]*c[A-Za-z]*|--command")
WILDCARDS: Final = frozenset({"*", "all", ".*", "%"})
LIST_LITERAL: Final = re.compile(r"\[\s*\]")
STRING_LITERAL: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"")


def outside(context: Context) -> None:
    """Report values from outside where they could do harm, and empty target lists."""
    for params, path, places in _bodies(context):
        for key, value in params.items() if isinstance(params, dict) else ():
            for where, text in strings(value, (*path, key)):
                _hosts(context, text, where, places.get(key, "text"))
            if isinstance(value, list):
                _command(context, value, (*path, key))
    _secrets(context)
    for placed in context.placed:
        if isinstance(placed.step, EachStep):
            _targets(context, placed.step, placed)


def _bodies(context: Context) -> Iterator[tuple[Any, Path, dict[str, Place]]]:
    for name, check in context.checks.items():
        kind = context.check_kind(name)
        places = dict(kind.places) if kind else {}
        yield check.params, (*context.check_path(name), check.kind), places
    for name, action in context.runbook.actions.items():
        bodies: list[tuple[str, Any, Path]] = [
            (action.kind, action.params, ("actions", name, action.kind))
        ]
        if isinstance(action.undo, ActionBody):
            undo = action.undo
            place: Path = ("actions", name, "undo", undo.kind)
            bodies.append((undo.kind, undo.params, place))
        for kind_name, params, path in bodies:
            known = context.kinds.actions.get(kind_name)
            yield params, path, dict(known.places) if known else {}


def _names(text: str) -> frozenset[str]:
    try:
        return template_names(text) if "{{" in text else frozenset()
    except TemplateProblem:
        return frozenset()  # texts reports it


def _hosts(context: Context, text: str, path: Path, place: Place) -> None:
    part = text if place == "host" else ""
    if found := HOST_PART.match(text):
        part = found[1]
    elif place == "url" and STARTS_BARE.match(text):
        part = text.split("}}", 1)[0] + "}}"
    for name in sorted(_names(part)):
        for source in _sources(context, name):
            if _names_freely(context.runbook.inputs[source]):
                message = f"the input '{source}' names a host, and anybody may fill it"
                hint = f"Give the input '{source}' a pattern, or make it a choice."
                at = text.find(name, text.find("{{"))
                inside = (1, at + 1) if "\n" not in text[:at] else None
                context.add(path, "outside-host", message, hint, inside=inside)


def _sources(context: Context, name: str) -> set[str]:
    """Return the inputs that a name in a body may take its value from."""
    inputs = context.runbook.inputs
    if name in inputs:
        return {name}
    found: set[str] = set()
    for placed in context.placed:
        value = placed.bound.get(name)
        lists = [placed.each[name]] if name in placed.each else []
        if isinstance(value, dict) and isinstance(value.get("cel"), str):
            lists.append(value["cel"])
        if isinstance(value, str):
            found |= _names(value) & inputs.keys()
        for expression in lists:
            found |= set(re.findall(r"[A-Za-z_]\w*", expression)) & inputs.keys()
    return found


def _names_freely(given: Input) -> bool:
    if given.type in ("choice", "integer", "number", "boolean"):
        return False
    return given.pattern is None


def _command(context: Context, argv: list[Any], path: Path) -> None:
    if path[-1] not in ("argv", "command") or not argv:
        return
    if isinstance(argv[0], str) and "{{" in argv[0]:
        message = "the program to run comes from outside"
        hint = "Name the program; only its arguments may come from outside."
        context.add((*path, 0), "outside-program", message, hint)
    for index, word in enumerate(argv):
        if isinstance(word, str) and PurePosixPath(word).name in SHELLS:
            _shell(context, argv, index, path)
            return


def _shell(context: Context, argv: list[Any], at: int, path: Path) -> None:
    for index in range(at + 1, len(argv)):
        word = argv[index]
        if not isinstance(word, str) or not COMMAND_FLAG.fullmatch(word):
            continue
        line = argv[index + 1] if index + 1 < len(argv) else None
        if isinstance(line, str) and "{{" in line:
            message = "a shell line is built from values of outside"
            hint = "Pass them as arguments: [sh, -c, 'echo \"$1\"', sh, '{{ x }}']."
            context.add((*path, index + 1), "outside-shell", message, hint)
        return


def _secrets(context: Context) -> None:
    secrets = {name for name, it in context.runbook.inputs.items() if it.secret}
    if not secrets:
        return
    for params, path, _ in _bodies(context):
        for place, text in strings(params, path):
            used = _names(text) & secrets
            if used and is_whole(text) not in used:
                _embedded(context, min(used), place)
    for place, text in _shown(context):
        for name in sorted(_names(text) & secrets):
            message = f"the secret '{name}' would be shown to everybody"
            context.add(place, "secret", message, "Take it out of this text.")


def _embedded(context: Context, name: str, path: Path) -> None:
    message = f"the secret '{name}' stands inside a longer text"
    hint = f"A secret stands alone in its value: '{{{{ {name} }}}}'."
    context.add(path, "secret", message, hint)


def _shown(context: Context) -> list[tuple[Path, str]]:
    title: tuple[Path, str] = (("title",), context.runbook.title)
    found = [it for placed in context.placed for it in marked(placed.step, placed.path)]
    for part in ("limits", "chat"):
        found += marked(getattr(context.runbook, part), (part,))
    return [title] + [
        (it.path, it.text) for it in found if isinstance(it.mark, Template)
    ]


def _targets(context: Context, step: EachStep, placed: Placed) -> None:
    path = (*placed.path, "each")
    expression = step.each.strip()
    literals = {
        single or double for single, double in STRING_LITERAL.findall(expression)
    }
    given = context.runbook.inputs.get(expression)
    default = given.default if given is not None else None
    if LIST_LITERAL.fullmatch(expression) or (given and default == []):
        message = "the list of targets is empty, and empty never means all"
        context.add(path, "targets", message, "Name the targets.")
    elif wild := sorted(literals & WILDCARDS):
        message = f"{wild[0]!r} as a target would mean everything"
        context.add(path, "targets", message, "Name the targets one by one.")
    elif isinstance(default, list) and (
        wild := sorted({str(it) for it in default} & WILDCARDS)
    ):
        message = (
            f"the default of '{expression}' holds {wild[0]!r}, which is everything"
        )
        context.add(path, "targets", message, "Name the targets one by one.")
