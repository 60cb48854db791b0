"""Rewrite what is generated in docs/: `python -m tests.docs.regenerate`.

A region begins with `<!-- generated: NAME -->` and ends with `<!-- /generated -->`; what
stands between is made from the code, all around it is written by hand. A test fails
where a page, or the picture of the README, is not what this would write.
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from engine import bootstrap
from engine.config import load_config
from engine.core.machine import machine_graph
from engine.runtime.library import Library
from engine.views.graph import graph_dot
from tests.docs import code_parts, format_parts

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
REGION: Final = re.compile(
    r"(<!-- generated: (?P<name>[a-z-]+) -->\n)(?P<body>.*?)(<!-- /generated -->)",
    re.DOTALL,
)
PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "format-keys": format_parts.format_keys,
    "step-keys": format_parts.step_keys,
    "check-kinds": format_parts.check_kinds,
    "action-kinds": format_parts.action_kinds,
    "config-keys": format_parts.config_keys,
    "events": code_parts.events,
    "effects": code_parts.effects,
    "note-kinds": code_parts.note_kinds,
    "run-states": code_parts.run_states,
    "step-states": code_parts.step_states,
    "error-codes": code_parts.error_codes,
    "problem-codes": code_parts.problem_codes,
    "operations": code_parts.operations,
    "global-options": code_parts.global_options,
    "command-line": code_parts.command_line,
    "chat-words": code_parts.chat_words,
    "ports": code_parts.python_ports,
    "kit": code_parts.python_kit,
}


def pages() -> list[Path]:
    """Return every page, the README and the changelog included."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("**/*.md"))]


def regenerated(text: str) -> str:
    """Return a page with its generated regions made anew."""

    def made(found: re.Match[str]) -> str:
        body = PARTS[found["name"]]().strip()
        return f"{found[1]}\n{body}\n\n{found[4]}"

    return REGION.sub(made, text)


SHOWN: Final = "message-delivery-delay"
PICTURE: Final = DOCS / "pictures" / f"{SHOWN}.svg"


def picture() -> bytes:
    """Return the machine of a shipped runbook, as `runbook graph` draws it."""
    library = Library(bootstrap.kinds(load_config(environ={})))
    library.add_paths([ROOT / "runbooks"])
    graph = machine_graph(library.bundle(SHOWN).compiled)
    return bootstrap.picture(graph_dot(graph), "svg")


def main() -> None:
    """Rewrite what differs; say which."""
    for page in pages():
        text = page.read_text()
        new = regenerated(text)
        if new != text:
            page.write_text(new)
            sys.stdout.write(f"written: {page.relative_to(ROOT)}\n")
    drawn = picture()
    if not PICTURE.exists() or PICTURE.read_bytes() != drawn:
        PICTURE.write_bytes(drawn)
        sys.stdout.write(f"written: {PICTURE.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
