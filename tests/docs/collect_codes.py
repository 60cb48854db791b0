"""The problem codes that the source can say: found in it, not listed by hand."""

import ast
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2] / "engine"
FOLDERS: Final = ("language", "config", "analysis", "runtime", "entrypoints")
CODE: Final = re.compile(r"[a-z]+(-[a-z]+)*")
AT: Final = {"Problem": 4, "add": 1, "problem": 1, "_say": 1, "_stop": 1}  # of the code


def codes_in_source() -> set[str]:
    """Return every code written at a place where a problem is made."""
    found: set[str] = set()
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).glob("**/*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call):
                    found |= _code(node)
                elif isinstance(node, ast.Return) and node.value is not None:
                    found |= _returned(node.value, file.stem)
                elif isinstance(node, ast.Assign) and folder == "language":
                    found |= _assigned(node)
    return found


def _code(call: ast.Call) -> set[str]:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    at = AT.get(name)
    given = {one.arg: one.value for one in call.keywords}
    if at is None:
        return set()
    raw = call.args[at] if len(call.args) > at else given.get("code")
    return _texts(raw)


def _returned(value: ast.expr, module: str) -> set[str]:
    """`wording` and `syntax` return (code, message, hint) for others to say."""
    if module not in ("wording", "syntax") or not isinstance(value, ast.Tuple):
        return set()
    return _texts(value.elts[0])


def _assigned(node: ast.Assign) -> set[str]:
    names = {one.id for one in node.targets if isinstance(one, ast.Name)}
    return _texts(node.value) if names == {"code"} else set()


def _texts(node: ast.expr | None) -> set[str]:
    if isinstance(node, ast.IfExp):
        return _texts(node.body) | _texts(node.orelse)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value} if CODE.fullmatch(node.value) else set()
    return set()
