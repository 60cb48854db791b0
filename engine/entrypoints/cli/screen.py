"""Where a command writes: colour only at a terminal, plain lines anywhere else.

Read by: every command. Text that came from outside is made visible by the views before
it gets here; `plain` does it for the rest.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NoReturn, TextIO

import typer

WIDE: Final = 200  # columns of a table that nobody's terminal bounds
FINE: Final = 0
PROBLEMS: Final = 1
USAGE: Final = 2


def coloured(stream: TextIO | None = None) -> bool:
    """Return whether colours may be written: a terminal, and NO_COLOR is not set."""
    stream = stream or sys.stdout
    dumb = os.environ.get("TERM") == "dumb"
    return stream.isatty() and not os.environ.get("NO_COLOR") and not dumb


def width() -> int:
    """Return the columns of the terminal; without one, a width that cuts nothing."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE


def say(text: str = "") -> None:
    """Write to standard output: what was asked for."""
    with _written():
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()


def tell(text: str) -> None:
    """Write to standard error: what goes on beside it."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def say_json(value: Any) -> None:
    """Write a value as JSON; times are ISO 8601 or seconds, as their names say."""
    import json

    say(json.dumps(value, indent=2, ensure_ascii=True, default=str))


def say_bytes(raw: bytes) -> None:
    """Write bytes as they are."""
    with _written():
        sys.stdout.flush()
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()


@contextmanager
def _written() -> Iterator[None]:
    """Say in plain words that standard output takes nothing, as on a full disk."""
    from engine.errors import EngineError

    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        words = f"standard output cannot be written: {error.strerror}"
        raise EngineError(words) from error


def plain(text: object) -> str:
    """Return a value as one line that cannot move or hide what stands on a terminal."""
    from engine.views.escape import visible

    return visible(text)


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write aligned columns; the last one takes what is left of the line."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(
        width=width(),
        no_color=not coloured(),
        force_terminal=coloured(),
        highlight=False,
    )
    made = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        made.add_column(title, overflow="fold")
    for row in rows:
        made.add_row(*(Text(plain(cell)) for cell in row))
    with _written():
        console.print(made)


def write_file(target: str, raw: bytes, *, runbook: bool = False) -> None:
    """Write a whole file, or nothing: `-` is standard output.

    Exits with 2 where a runbook or a configuration stands there and `raw` is none.
    """
    if target == "-":
        say_bytes(raw)
        return
    from pathlib import Path

    from engine.errors import EngineError
    from engine.runtime.whole_files import write_whole

    file = Path(target)
    if not runbook and file.suffix in (".yaml", ".yml") and file.exists():
        wrong_use(
            f"{target} is a YAML file that is there: name another one to write to"
        )
    try:
        write_whole(file, raw)
    except OSError as error:
        raise EngineError(f"{target} cannot be written: {error.strerror}") from error
    tell(f"written: {target}")


def wrong_use(message: str) -> NoReturn:
    """Say what is wrong with the command line, and exit with 2."""
    raise typer.BadParameter(message)
