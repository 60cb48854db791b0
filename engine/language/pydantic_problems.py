"""From pydantic's errors to problems of a file, in the words of whoever wrote it.

What is here: where in the file an error belongs (aliases, tags of steps and arms of
unions stand in pydantic's path and not in the file), and what it says. One wrong value
is one problem, however many arms of a union refused it.

Read by: load, kinds, config.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError

from engine.language.problems import (
    Problem,
    brief,
    in_order,
    nearest,
    source_line,
    suggest,
)
from engine.language.shape import Path, arms, bare, file_keys, marks, whole
from engine.language.spot import place_inside
from engine.language.tree import Tree
from engine.language.wording import type_words, words_of
from engine.model.steps import VERBS, Step

KEY: Final = "[key]"  # pydantic's mark for an error of a map's key


class Reporter:
    """Collects problems of one file by the path of the value they are about."""

    def __init__(self, tree: Tree, file: str) -> None:
        self.tree = tree
        self.file = file
        self.problems: list[Problem] = []

    def add(
        self,
        path: Sequence[str | int],
        code: str,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        severity: Literal["error", "warning"] = "error",
        inside: tuple[int, int] | None = None,
    ) -> None:
        """Add a problem at the value of the path, at its key, or inside its text.

        `inside` is a line and a column of the text itself, both from 1.
        """
        place = self.tree.position(path, key=key)
        if inside is not None:
            place = place_inside(self.tree, path, *inside)
        shown = source_line(self.tree.lines, place.line)
        self.problems.append(
            Problem(self.file, *place, severity, code, message, hint, shown)
        )


@dataclass(slots=True)
class Place:
    """Where one of pydantic's errors stands, in the file and in the types."""

    path: list[str | int]
    raw: Any
    here: Any  # the annotation of the value
    owner: type[BaseModel] | None = None  # the model whose key it is
    union: Any = None  # the innermost union without tags that was passed
    union_path: Path = ()
    union_raw: Any = None
    at_arm: bool = False  # the error is that the arm itself does not fit
    key: bool = False


def model_problems(
    error: ValidationError,
    tree: Tree,
    file: str,
    *,
    model: type[BaseModel],
    at: Sequence[str | int] = (),
    only: Sequence[Any] | None = None,
) -> list[Problem]:
    """Return the errors as problems, sorted by place, each once.

    Args:
        error: What validation of `model` raised.
        tree: The file.
        file: Its name.
        model: The model that was validated.
        at: Where in the file the validated value stands.
        only: Those of `error.errors()` to report; left out: all.
    """
    report = Reporter(tree, file)
    chosen = error.errors(include_url=False) if only is None else only
    placed = [(it, locate(it["loc"], model, tree.at(at), at)) for it in chosen]
    fitting = {
        place.union_path for _, place in placed if place.union and _arm_fits(place)
    }
    for it, place in placed:
        if it["type"] == "missing" and _is_misspelt(str(it["loc"][-1]), place):
            continue
        if place.union is None or _arm_fits(place):
            _report(report, it, place)
        elif place.union_path not in fitting:
            _report_union(report, place)
    return in_order(report.problems)


def located(loc: Sequence[str | int], model: Any, raw: Any) -> Path:
    """Return the path of an error within the raw value that was validated."""
    return tuple(locate(loc, model, raw, ()).path)


def locate(
    loc: Sequence[str | int], model: Any, raw: Any, at: Sequence[str | int]
) -> Place:
    """Return where an error stands; `raw` is what was validated, found at `at`."""
    place = Place(list(at), raw, model)
    for part in loc:
        if part == KEY:
            place.key = True
            break
        _descend(place, part)
    return place


def _descend(place: Place, part: str | int) -> None:
    options = arms(place.here)
    if len(options) > 1:
        place.here = _arm(options, part)
        if not any(isinstance(mark, Tag) for arm in options for mark in marks(arm)):
            place.union = options
            place.union_path, place.union_raw = tuple(place.path), place.raw
            place.at_arm = True
        return
    place.at_arm = False
    kind = bare(options[0]) if options else Any
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        place.owner = kind
        name = file_keys(kind).get(str(part), str(part))
        field = kind.model_fields.get(name)
        place.here = whole(field) if field else Any
    else:
        place.here = get_args(kind)[-1] if get_origin(kind) in (list, dict) else Any
    if holds(place.raw, part):
        place.path.append(part)
        place.raw = place.raw[part]


def holds(raw: Any, part: str | int) -> bool:
    """Return whether the raw value is a map or list that has such a member."""
    if isinstance(raw, dict):
        return part in raw
    return isinstance(raw, list) and isinstance(part, int) and 0 <= part < len(raw)


def _arm(options: Sequence[Any], label: str | int) -> Any:
    for arm in options:
        if any(isinstance(mark, Tag) and mark.tag == label for mark in marks(arm)):
            return arm
    for arm in options:
        kind = bare(arm)
        origin = get_origin(kind) or kind
        name = getattr(origin, "__name__", str(origin)).lower()
        if str(label).lower().startswith(name):
            return arm
    return Any


def _arm_fits(place: Place) -> bool:
    """Whether the error is inside the arm that the written value was meant for."""
    return not place.at_arm or (
        isinstance(place.union_raw, dict)
        and isinstance(bare(place.here), type)
        and issubclass(bare(place.here), BaseModel)
    )


def _is_misspelt(key: str, place: Place) -> bool:
    """Whether the missing key stands there with a slip, which is told already."""
    if place.owner is None or not isinstance(place.raw, dict):
        return False
    known = file_keys(place.owner)
    if key in VERBS and any(verb in place.raw for verb in VERBS):
        return True  # another verb stands there
    others = [other for other in place.raw if other not in known]
    return any(f"'{key}'" in nearest(other, known) for other in others)


def _report_union(report: Reporter, place: Place) -> None:
    words = " or ".join(type_words(arm) for arm in place.union)
    name = _name_of(place.union_path)
    message = f"{name} must be {words}; found {brief(place.union_raw)}"
    literal = [
        value
        for arm in place.union
        if get_origin(bare(arm)) is Literal
        for value in get_args(bare(arm))
    ]
    hint = nearest(str(place.union_raw), literal) if literal else ""
    report.add(place.union_path, "type", message, hint)


def _report(report: Reporter, error: Any, place: Place) -> None:
    kind = error["type"]
    if kind == "extra_forbidden":
        _extra(report, place)
    elif kind == "missing":
        _missing(report, error, place)
    elif kind == "verb":
        _no_verb(report, place)
    else:
        name = _name_of(place.path)
        code, message, hint = words_of(error, name, place.raw, place.here)
        report.add(place.path, code, message, hint, key=place.key)


def _extra(report: Reporter, place: Place) -> None:
    key = str(place.path[-1])
    known = sorted(file_keys(place.owner)) if place.owner else []
    if place.owner and issubclass(place.owner, Step) and key in VERBS:
        _two_verbs(report, place)
        return
    parent = _name_of(place.path[:-1]) if len(place.path) > 1 else "the file"
    message = f"unknown key '{key}' in {parent}"
    report.add(
        place.path, "unknown-key", message, suggest(key, known, "keys"), key=True
    )


def _two_verbs(report: Reporter, place: Place) -> None:
    step = place.path[:-1]
    verbs = [key for key in report.tree.at(step) or {} if key in VERBS]
    if len(verbs) == 1:
        message = f"'{step[0]}' holds only checks; '{verbs[0]}' is none"
        hint = "Move it to isolate, diagnose, a workaround or restore."
        report.add(place.path, "phase", message, hint, key=True)
        return
    named = " and ".join(f"'{verb}'" for verb in verbs)
    message = f"a step needs exactly one verb; this one has {named}"
    report.add([*step, verbs[1]], "verb", message, "Make it two steps.", key=True)


def _missing(report: Reporter, error: Any, place: Place) -> None:
    key = str(error["loc"][-1])
    parent = _name_of(place.path) if place.path else "the file"
    hint = ""
    if place.owner is not None:
        field = place.owner.model_fields.get(file_keys(place.owner).get(key, key))
        hint = (field.description or "") if field else ""
    report.add(place.path, "missing", f"{parent} lacks the key '{key}'", hint)


def _no_verb(report: Reporter, place: Place) -> None:
    verbs = ", ".join(VERBS)
    if not isinstance(place.raw, dict):
        message = f"a step is a map with exactly one verb; found {brief(place.raw)}"
        report.add(place.path, "verb", message, f"Verbs: {verbs}.")
        return
    others = [key for key in place.raw if key not in file_keys(Step)]
    near = [hint for key in others if (hint := nearest(key, VERBS))]
    message = "a step needs exactly one verb"
    if others:
        message += "; " + ", ".join(f"'{key}'" for key in others[:3]) + " is none"
    hint = (near[0] + " " if near else "") + f"Verbs: {verbs}."
    slip = next((key for key in others if nearest(key, VERBS)), "") or "".join(
        others[:1]
    )
    at = [*place.path, slip] if others else place.path
    report.add(at, "verb", message, hint, key=bool(others))


def _name_of(path: Sequence[str | int]) -> str:
    keys = [part for part in path if isinstance(part, str)]
    if not path:
        return "the file"
    if isinstance(path[-1], int):
        return f"item {path[-1] + 1} of '{keys[-1]}'" if keys else "an item"
    return f"'{path[-1]}'"
