"""A test put into the text of a runbook, at the end of `tests`; all else stays.

What is here: how a test is written as YAML, and where it goes. What is not: what it
says. The text that comes out is loaded again by whoever writes it to a file.

Called by the command line (`replay --as-test`).
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from engine.errors import EngineError
from engine.language.scalars import plain_scalar
from engine.language.tree import read_tree

PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
OPEN: Final = ("checks", "actions")  # written with one line for each name


def written(test: Mapping[str, Any], indent: str = "  ") -> str:
    """Return a test as an item of the list `tests`."""
    rows = []
    for key, value in test.items():
        if key in OPEN:
            rows.append(f"{key}:")
            rows += [f"  {_flow(name)}: {_flow(one)}" for name, one in value.items()]
        else:
            rows.append(f"{key}: {_flow(value)}")
    first, *rest = rows
    return "\n".join([f"{indent}- {first}", *(f"{indent}  {row}" for row in rest)])


def _flow(value: Any) -> str:
    """Return a value on one line; text is quoted where YAML would take it otherwise."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_flow(str(k))}: {_flow(one)}" for k, one in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str):
        plain = PLAIN.fullmatch(value) and plain_scalar(value) == value
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def with_test(text: str, test: Mapping[str, Any], file: str) -> str:
    """Return the text of a runbook with one more test.

    Raises:
        EngineError: `tests` is written in brackets, or the text is no YAML.
    """
    tree, _ = read_tree(text, file)
    if tree is None:
        raise EngineError(f"{file} is no runbook. See `runbook validate {file}`.")
    lines, ending = text.splitlines(), "\r\n" if "\r\n" in text else "\n"
    node = tree.root.children.get("tests")
    if node is None:
        return ending.join([*lines, "", "tests:", *written(test).splitlines(), ""])
    head = tree.position(("tests",), key=True)
    if not node.children:
        raise EngineError(_bracketed(file, head.line))
    first = lines[node.children[0].place.line - 1]
    indent = first[: len(first) - len(first.lstrip())]
    if not first.lstrip().startswith("- "):
        raise EngineError(_bracketed(file, head.line))
    others = [one.key.line for one in tree.root.children.values() if one.key]
    after = min((one for one in others if one > head.line), default=len(lines) + 1)
    end = after - 1
    while end > head.line and not _says(lines[end - 1]):
        end -= 1
    more = written(test, indent).splitlines()
    return ending.join([*lines[:end], *more, *lines[end:], ""])


def _says(line: str) -> bool:
    """Whether a line belongs to the list: no blank one, no remark on what follows."""
    return bool(line.strip()) and not line.startswith("#")


def _bracketed(file: str, line: int) -> str:
    return (
        f"{file}:{line}: `tests` is written in brackets. Write one test a line, each "
        "with a dash, and ask again."
    )
