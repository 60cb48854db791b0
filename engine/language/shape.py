"""The models seen as a file: which type stands at a path, which strings have a mark.

A path holds the keys as they are written in the file: aliases (`from`, `pass`), the
kind of a check instead of `params`, no key that the model alone knows.

Read by: pydantic_problems (from an error's place to the file's), lint (to find every
template and condition).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.model.steps import Step
from engine.model.values import Condition, Template
from engine.model.vocabulary import Action, ActionBody, Check, Impact

Path = tuple[str | int, ...]
KINDED = (Check, Action, ActionBody)


@dataclass(frozen=True, slots=True)
class Marked:
    """One string of the file that is text to render or a condition to judge."""

    path: Path
    text: str
    mark: Template | Condition


def file_keys(model: type[BaseModel]) -> dict[str, str]:
    """Return each key of the file with the model's own name for it."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


def bare(annotation: Any) -> Any:
    """Return the annotation without its marks."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def marks(annotation: Any) -> tuple[Any, ...]:
    """Return the marks of the annotation itself."""
    if get_origin(annotation) is not Annotated:
        return ()
    inner, *own = get_args(annotation)
    return (*marks(inner), *own)


def arms(annotation: Any) -> tuple[Any, ...]:
    """Return the types that the annotation allows, None left out."""
    plain = bare(annotation)
    if get_origin(plain) not in (Union, UnionType):
        return (annotation,)
    found = [arm for part in get_args(plain) for arm in arms(part)]
    return tuple(arm for arm in found if bare(arm) is not NoneType)


def whole(field: FieldInfo) -> Any:
    """Return the field's annotation with its marks."""
    if not field.metadata:
        return field.annotation
    return Annotated[(field.annotation, *field.metadata)]


def marked(value: BaseModel, path: Path) -> Iterator[Marked]:
    """Yield every marked string of the value, but not of steps inside it."""
    for name, field in type(value).model_fields.items():
        child = getattr(value, name)
        if child is not None and (isinstance(child, BaseModel | list | dict | str)):
            key = child_path(value, name, path)
            yield from _marked(child, whole(field), key)


def child_path(owner: BaseModel, name: str, path: Path) -> Path:
    """Return the path of the owner's field in the file."""
    if isinstance(owner, KINDED) and name == "params":
        return (*path, owner.kind)
    if isinstance(owner, Impact) and name == "checks":
        return path
    return (*path, type(owner).model_fields[name].alias or name)


def _marked(value: Any, annotation: Any, path: Path) -> Iterator[Marked]:
    if isinstance(value, Step):
        return
    if isinstance(value, BaseModel):
        yield from marked(value, path)
    elif isinstance(value, str):
        if mark := _mark(annotation):
            yield Marked(path, value, mark)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _marked(item, _member(annotation, list), (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _marked(item, _member(annotation, dict), (*path, key))


def _mark(annotation: Any) -> Template | Condition | None:
    for candidate in (annotation, *arms(annotation)):
        for mark in marks(candidate):
            if isinstance(mark, Template | Condition):
                return mark
    return None


def _member(annotation: Any, kind: type) -> Any:
    for arm in arms(annotation):
        if get_origin(bare(arm)) is kind:
            return get_args(bare(arm))[-1]
    return Any


def strings(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield every string inside plain values with its path, keys left out."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(item, (*path, key))
