"""DOT text to a picture, with the program of the package `graphviz-pure`.

What is here: one call of that program, with a limit of its own and no files. What is
not: the DOT text (views), where a picture goes (chat, web, report).

DOT that cannot be drawn is an error with the program's words. A picture holds no
script, no link but http, https, mailto or a place on the page, and no file of this
machine.

It blocks: 10 ms for 20 steps in a row, but more than 10 s where 100 steps all have an
edge to one node, since such edges have to be laid between all others. Call it in a
thread. Built into the doors by bootstrap.
"""

import subprocess
from pathlib import Path
from typing import Final, Literal
from xml.etree import ElementTree as ET

from engine.errors import EngineError

PACKAGE: Final = "graphviz-pure"
LIMIT_SECONDS: Final = 10.0
MOST_BYTES: Final = 1024 * 1024  # of DOT
NO_FILES: Final = {"SERVER_NAME": "runbook"}  # with it the program opens no image file
SAFE_LINKS: Final = ("http://", "https://", "mailto:", "#")
XLINK: Final = "{http://www.w3.org/1999/xlink}href"
SVG: Final = "{http://www.w3.org/2000/svg}"
HARMLESS: Final = frozenset(
    f"{SVG}{name}"
    for name in (
        "a", "circle", "clipPath", "defs", "ellipse", "g", "line", "linearGradient",
        "path", "polygon", "polyline", "radialGradient", "rect", "stop", "svg", "text",
        "textPath", "title", "tspan",
    )
)  # fmt: skip


def draw(
    dot: str, form: Literal["svg", "png"], *, limit_seconds: float = LIMIT_SECONDS
) -> bytes:
    """Return the picture of a graph: SVG (UTF-8) or PNG.

    Raises:
        EngineError: the text is no DOT or too large, the program is not installed, it
            took longer than the limit, or the picture would hold more than a picture.
    """
    raw = dot.encode("utf-8", errors="replace").replace(b"\0", b"")
    if len(raw) > MOST_BYTES:
        size = f"{len(raw) // 1024} KiB"
        raise EngineError(f"the picture cannot be drawn: {size} of DOT; draw a part")
    try:
        done = subprocess.run(  # noqa: S603  # our own program, no outside argument
            [_program(), f"-T{form}"],
            input=raw,
            capture_output=True,
            timeout=limit_seconds,
            env=NO_FILES,
            check=False,
        )
    except subprocess.TimeoutExpired:
        words = f"no end within {limit_seconds:g} s; draw a part"
        raise EngineError(f"the picture cannot be drawn: {words}") from None
    except OSError as error:
        words = error.strerror or "no reason given"
        raise EngineError(f"the picture cannot be drawn: {words}") from error
    if done.returncode != 0 or not done.stdout:
        raise EngineError(f"the picture cannot be drawn: {_why(done.stderr)}")
    return _checked(done.stdout) if form == "svg" else done.stdout


def _program() -> str:
    """Return the path of the program as its package installed it."""
    from importlib.metadata import PackageNotFoundError, files

    try:
        found = files(PACKAGE) or []
    except PackageNotFoundError:
        found = []
    for file in found:
        if Path(file.name).stem == PACKAGE:
            return str(file.locate())
    raise EngineError(
        f"the picture cannot be drawn: the package '{PACKAGE}' is not installed; "
        f"install it beside the engine"
    )


def _why(errors: bytes) -> str:
    lines = errors.decode("utf-8", errors="replace").splitlines()
    named = [line for line in lines if line.startswith("Error")]
    return (named or lines or ["there is nothing to draw"])[0].removeprefix("Error: ")


def _checked(svg: bytes) -> bytes:
    """Return the picture if it is one and nothing more. Raises EngineError."""
    try:
        root = ET.fromstring(svg)  # noqa: S314 - our own program wrote it
    except ET.ParseError as error:
        words = f"the SVG cannot be read: {error}"
        raise EngineError(f"the picture cannot be drawn: {words}") from error
    for element in root.iter():
        link = element.get(XLINK, "#")
        if element.tag not in HARMLESS:
            name = element.tag.removeprefix(SVG)
            raise EngineError(f"the picture cannot be drawn: <{name}> is not allowed")
        if not link.lower().startswith(SAFE_LINKS):
            shown = f"the link '{link[:80]}' is not allowed; write an http address"
            raise EngineError(f"the picture cannot be drawn: {shown}")
        if any(name.lower().startswith("on") for name in element.attrib):
            raise EngineError("the picture cannot be drawn: it holds a script")
    return svg
