"""Types, defaults and tables in the words of the reference.

Read by: the parts of the reference that are made from models.
"""

import types
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.model.steps import Step
from engine.model.values import Condition, SecretRef, Template, format_duration

PLAIN: Final = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    bytes: "bytes",
    Any: "any value",
    dict: "map",
    list: "list",
}
CONDITIONS: Final = {
    "bool": "condition (CEL)",
    "list": "CEL that gives a list",
    "any": "CEL that gives a value",
}


def hints(model: type) -> dict[str, Any]:
    """Return each field's type with its marks."""
    return get_type_hints(model, include_extras=True)


def words(kind: Any, links: dict[type, str] | None = None) -> str:
    """Return a type as an author reads it; `links` says where a model is described."""
    links = links or {}
    origin = get_origin(kind)
    if origin is Annotated:
        return _annotated(kind, links)
    if origin in (Union, types.UnionType):
        return _union(kind, links)
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in get_args(kind))
    if origin in (list, tuple):
        inner = [one for one in get_args(kind) if one is not Ellipsis]
        return f"list of {words(inner[0], links)}" if inner else "list"
    if origin is dict:
        key, value = get_args(kind)
        left = "text" if key is str else words(key, links)
        return f"map: {left} → {words(value, links)}"
    return _single(kind, links)


def _annotated(kind: Any, links: dict[type, str]) -> str:
    base, *marks = get_args(kind)
    for mark in marks:
        if isinstance(mark, Condition):
            seen = " over what was seen" if mark.names == "observation" else ""
            return CONDITIONS[mark.yields] + seen
        if isinstance(mark, Template):
            return "template"
        if isinstance(mark, FieldInfo) and any(
            getattr(one, "pattern", None) for one in mark.metadata
        ):
            return "name"
    if base is timedelta:
        return "duration"
    return words(base, links)


def _union(kind: Any, links: dict[type, str]) -> str:
    parts = [one for one in get_args(kind) if one is not type(None)]
    if all(_is_step(one) for one in parts):
        return "[step](#steps)"
    said: list[str] = []
    for one in parts:
        text = "`{secret: NAME}`" if one is SecretRef else words(one, links)
        if text not in said:
            said.append(text)
    return " or ".join(said)


def _is_step(one: Any) -> bool:
    base = get_args(one)[0] if get_origin(one) is Annotated else one
    return isinstance(base, type) and issubclass(base, Step)


def _single(kind: Any, links: dict[type, str]) -> str:
    if kind in PLAIN:
        return PLAIN[kind]
    if isinstance(kind, type) and kind in links:
        return f"[{links[kind]}](#{anchor(links[kind])})"
    if kind is timedelta:
        return "duration"
    return str(getattr(kind, "__name__", kind))


def anchor(title: str) -> str:
    """Return what a heading is linked by."""
    kept = [one for one in title.lower() if one.isalnum() or one in " -_"]
    return "".join(kept).replace(" ", "-")


def default(field: FieldInfo) -> str:
    """Return what holds where the key is left out."""
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ([], {}) or isinstance(value, BaseModel):
        return ""
    return shown(value)


def shown(value: Any) -> str:
    """Return a default as it would be written."""
    if value is None or value == "" or isinstance(value, msgspec.Struct):
        return ""
    if isinstance(value, timedelta):
        return f"`{format_duration(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list | tuple):
        return "`[" + ", ".join(map(str, value)) + "]`" if value else ""
    return f"`{value}`"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(
        "| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines
    )


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def keys_table(
    model: type[BaseModel], links: dict[type, str], *, but: Iterable[str] = ()
) -> str:
    """Return a model's keys: type, what holds where it is left out, and its meaning."""
    left_out = set(but)
    typed = hints(model)
    rows = [
        (
            f"`{field.alias or name}`",
            words(typed[name], links),
            default(field),
            field.description or "",
        )
        for name, field in model.model_fields.items()
        if name not in left_out
    ]
    return table(("key", "type", "left out", "meaning"), rows)


def first_line(text: str | None) -> str:
    """Return a docstring's first sentence or line."""
    return (text or "").strip().split("\n", 1)[0]
