"""Values from outside, made safe for the place they stand in.

`visible` (of the model) is for every place: what a terminal or an eye cannot show
honestly stands as its escape.
`markdown` and `html` start from it. Jinja calls both for each value of a template, so
no template can forget; text that is ours is `Markup` and passes.

Called by every module of views that shows a value from a timeline or a runbook.
"""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup, escape

from engine.model.visible import visible

__all__ = [
    "code",
    "command_text",
    "html",
    "markdown",
    "pairs_text",
    "value_text",
    "visible",
]

ALWAYS: Final = re.compile(r"[\\`*\[\]#|~$]|(?<![^\W_])_|_(?![^\W_])")
IN_FRONT: Final = re.compile(r"^\s*(?:[-+=@]|\d+(?=[.)]))")
BRACES: Final = {"{": "&#123;", "}": "&#125;"}  # other template engines read on
ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", **BRACES}
PLAIN_CODE: Final = re.compile(r"(?![=+@-])[\w .,:/@+()'\"?=%-]+", re.ASCII)
METHODS: Final = ("get", "post", "put", "patch", "delete", "head")


def html(value: object) -> Markup:
    """Return the value as HTML text, also safe for a page that fills in templates."""
    if isinstance(value, Markup):
        return value
    safe = "".join(BRACES.get(char, char) for char in escape(visible(value)))
    return Markup(safe)  # noqa: S704 - escaped on the line above


def markdown(value: object) -> str:
    """Return the value as Markdown text: no mark-up, no HTML, no cell, no formula."""
    if isinstance(value, Markup | int | float):
        return str(value)
    text = ALWAYS.sub(lambda found: "\\" + found[0], visible(value))
    text = IN_FRONT.sub(_in_front, text)
    return "".join(ENTITIES.get(char, char) for char in text)


def _in_front(found: re.Match[str]) -> str:
    lead = found[0]
    return lead + "\\" if lead[-1].isdigit() else f"{lead[:-1]}\\{lead[-1]}"


def code(value: object) -> Markup:
    """Return the value as a Markdown code span, or as text where that is not safe."""
    text = visible(value)
    plain = PLAIN_CODE.fullmatch(text) is not None and text == text.strip()
    safe = f"`{text}`" if plain else markdown(text)
    return Markup(safe)  # noqa: S704 - plain characters only, or escaped


def value_text(value: Any) -> str:
    """Return a value as a person writes it: text bare, the rest as compact JSON."""
    if isinstance(value, str):
        return visible(value)
    return visible(json.dumps(value, ensure_ascii=False, default=str))


def pairs_text(values: Mapping[str, Any]) -> str:
    """Return names and values in one line: `a 1, b "x"`."""
    return ", ".join(f"{visible(key)} {value_text(one)}" for key, one in values.items())


def command_text(kind: str, command: Any) -> str:
    """Return a rendered act in one line, in the words of its kind."""
    if command is None:
        return "none"
    if not isinstance(command, Mapping):
        return value_text(command)
    if isinstance(command.get("argv"), list | tuple):
        rest = {key: one for key, one in command.items() if key != "argv"}
        line = visible(shlex.join(str(part) for part in command["argv"]))
        return f"{line}  ({pairs_text(rest)})" if rest else line
    method = next((key for key in command if key in METHODS), None)
    if kind == "http" and method is not None:
        rest = {key: one for key, one in command.items() if key != method}
        return f"{method.upper()} {visible(command[method])} {pairs_text(rest)}".strip()
    return f"{visible(kind)} {pairs_text(command)}".strip()
