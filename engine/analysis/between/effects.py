"""What an act, or its undo, does: on which target, by which words, to which value.

By kind. `http`: the target is the URL, `delete` is one word and `put`, `post`, `patch`
another, each leaf of `json` and `form` is a value. `command`, `ssh`: the target is the
host and each word of `argv` that is no option; `--name=VALUE` and `--name NUMBER` are
values. `kubernetes` and kinds of plug-ins: each text is a word or part of the target,
with its key; numbers and truth values are values. What speaks to people (`page`,
`silence`, `status_page`, a text with a space in it, a key such as `why`) is none, and
neither are credentials.

Read by: opposing, locks, deadlocks.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.analysis.between.members import Inner, Member, holds, plain_map, steps_of
from engine.analysis.between.naming import (
    Names,
    at_step,
    inputs_of,
    inside,
    text_of,
)
from engine.analysis.between.texts import Open, Text
from engine.language.shape import Path
from engine.language.walk import Placed
from engine.model.kinds import Kinds
from engine.model.steps import ActStep, RunStep
from engine.model.vocabulary import Action

TO_PEOPLE: Final = frozenset({"page", "silence", "status_page"})  # kinds
ABOUT: Final = frozenset(
    {"by", "comment", "description", "message", "note", "reason", "title", "why"}
)
SETS: Final = ("put", "post", "patch")
HIDDEN: Final = frozenset(
    {"token", "bearer", "basic", "headers", "ca_file", "key", "key_file", "passphrase"}
)
CONFIGURED: Final = ("namespace", "url")  # of kubernetes, where it is left out
OPTION: Final = re.compile(r"--?([A-Za-z][A-Za-z0-9-]*)=(.*)", re.DOTALL)
NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?%?")
DEEPEST: Final = 5  # runbooks inside runbooks, as core.compile takes them


@dataclass(frozen=True, slots=True)
class Effect:
    """One change of one target."""

    member: Member  # whose file it is told at
    path: Path  # of the step there
    holder: Member  # the runbook that has the action
    action: str
    undo: bool
    kind: str
    target: tuple[tuple[str, Text], ...]  # key or place to text
    values: Mapping[str, Text]  # what it sets

    @property
    def of(self) -> str:
        """The name of the runbook that has the action."""
        return self.holder.name

    @property
    def place(self) -> str:
        """Where it is done: file, line, column."""
        return self.member.place(self.path)


def effects_of(
    member: Member, library: Mapping[str, Member], kinds: Kinds
) -> list[Effect]:
    """Return what a run of a runbook does, that of its sub-runbooks included."""
    return list(_effects(member, inputs_of(member), library, kinds, ()))


def _effects(
    member: Member,
    names: Names,
    library: Mapping[str, Member],
    kinds: Kinds,
    outer: tuple[tuple[Member, Path], ...],
) -> Iterator[Effect]:
    for placed in steps_of(member):
        if isinstance(placed.step, ActStep):
            yield from _of_act(member, placed, names, kinds, outer)
        elif isinstance(placed.step, RunStep) and len(outer) < DEEPEST:
            inner = library.get(placed.step.run)
            if inner is not None:
                there = at_step(placed, names, member)
                given = inside(Inner(placed.step, placed.path, inner), there)
                way = (*outer, (member, placed.path))
                yield from _effects(inner, given, library, kinds, way)


def _of_act(
    member: Member,
    placed: Placed,
    names: Names,
    kinds: Kinds,
    outer: tuple[tuple[Member, Path], ...],
) -> Iterator[Effect]:
    assert isinstance(placed.step, ActStep)
    name = placed.step.act
    action = member.runbook.actions.get(name)
    if action is None or action.kind in TO_PEOPLE:
        return
    told, path = outer[0] if outer else (member, placed.path)
    bound = at_step(placed, names, member)
    for undo, kind, params in _bodies(action, kinds):
        here = f"{member.file} {placed.path} {name}"
        target, values = target_of(kind, params, bound, here)
        yield Effect(told, path, member, name, undo, kind, target, values)


def _bodies(action: Action, kinds: Kinds) -> Iterator[tuple[bool, str, Any]]:
    yield False, action.kind, action.params
    if action.undo_body is not None:
        yield True, action.undo_body.kind, action.undo_body.params
    elif holds(action, kinds):
        yield True, action.kind, _turned(plain_map(action.params))


def _turned(params: dict[str, Any]) -> dict[str, Any]:
    """Return what a built-in undo does: the other word, the value that was before."""
    other = {"cordon": "uncordon", "uncordon": "cordon"}
    made = {other.get(key, key): value for key, value in params.items()}
    return {k: None if isinstance(v, int) else v for k, v in made.items()}


def target_of(
    kind: str, params: Any, names: Names, here: str
) -> tuple[tuple[tuple[str, Text], ...], dict[str, Text]]:
    """Return the target of a body and what it sets there."""
    given = plain_map(params)
    if isinstance(given.get("argv"), list):
        return _of_program(kind, given, names, here)
    if kind == "http":
        given = _of_http(given)
    left = CONFIGURED if kind == "kubernetes" else ()
    target: list[tuple[str, Text]] = [
        (key, (Open(f"configured {key}", ""),)) for key in left if key not in given
    ]
    values: dict[str, Text] = {}
    for key, value in sorted(given.items()):
        if key in HIDDEN:
            continue
        if isinstance(value, str) and "." not in key:
            target.append((key, text_of(value, names, here)))
        elif not isinstance(value, str):
            values |= dict(_values(key, value, names, here))
        elif _counts(key, value):
            values[key] = text_of(value, names, here)
    return tuple(target), values


def _of_http(given: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key in ("get", *SETS, "delete"):
        if isinstance(given.get(key), str):
            made["put" if key in SETS else key] = given[key].rstrip("/")
    for key in ("json", "form"):
        for name, value in plain_map(given.get(key)).items():
            made[f"{key}.{name}"] = value
    return made


def _values(
    key: str, value: Any, names: Names, here: str
) -> Iterator[tuple[str, Text]]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _values(f"{key}.{name}", one, names, here)
    elif value is None:
        yield key, (Open(f"{here} before {key}", "what was before"),)
    elif _counts(key, value):
        yield key, text_of(value, names, here)


def _counts(key: str, value: Any) -> bool:
    """Whether it is a value that something is set to, and no text for people."""
    if isinstance(value, list) or key.rpartition(".")[2] in ABOUT:
        return False
    bare = re.sub(r"\{\{.*?\}\}", "", str(value))
    return " " not in bare.strip()


def _of_program(
    kind: str, given: dict[str, Any], names: Names, here: str
) -> tuple[tuple[tuple[str, Text], ...], dict[str, Text]]:
    words = [str(one) for one in given["argv"] if isinstance(one, str | int | float)]
    target: list[tuple[str, Text]] = []
    values: dict[str, Text] = {}
    if kind == "ssh":
        target.append(("host", text_of(given.get("host"), names, here)))
    option = ""
    for at, word in enumerate(words):
        found = OPTION.fullmatch(word)
        if found is not None:
            values[found[1]] = text_of(found[2], names, here)
        elif at and word.startswith("-"):
            option = word.lstrip("-")
            continue
        elif option and (NUMBER.fullmatch(word) or word.startswith("{{")):
            values[option] = text_of(word, names, here)
        else:
            plain = word.rpartition("/")[2] if at == 0 else word
            target.append((f"argv {len(target)}", text_of(plain, names, here)))
        option = ""
    return tuple(target), values
