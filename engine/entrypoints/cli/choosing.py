"""What a command line means: which configuration, which runbooks, whose word.

Read by: every command. Importing it loads nothing of the engine.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.entrypoints.cli.completing import people_names
from engine.entrypoints.cli.screen import wrong_use

if TYPE_CHECKING:
    from engine.config import Config
    from engine.runtime.library import Bundle, Library

As = Annotated[
    str,
    typer.Option(
        "--as", metavar="NAME", help="Who you are; else `me`, else you.",
        autocompletion=people_names,
    ),
]  # fmt: skip


def config_of(context: typer.Context) -> "Config":
    """Return the configuration. Raises ConfigRefused."""
    from engine.config import load_config

    return load_config(context.obj)


def library_of(config: "Config", paths: Iterable[Path]) -> "Library":
    """Return the runbooks of these paths; those beside them may be named by `run`."""
    from engine.bootstrap import kinds
    from engine.runtime.library import Library, runbook_files

    files = [file for path in paths for file in runbook_files(path)]
    beside = {other for file in files for other in _beside(file)}
    library = Library(
        kinds(config),
        default_seconds=config.default_seconds,
        forbidden=config.settings.limits.forbidden,
        pinned=config.settings.pinned,
    )
    own = config.file.resolve() if config.file else None
    library.add_paths(one for one in sorted({*files, *beside}) if one.resolve() != own)
    return library


def _beside(file: Path) -> list[Path]:
    return [one for one in file.parent.glob("*.y*ml") if one.is_file()]


def given_of(pairs: list[str]) -> dict[str, Any]:
    """Return the inputs of `--set key=value`; exits with 2 where one has no `=`."""
    given: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            wrong_use(f"'{pair}' is no KEY=VALUE")
        given[key] = value
    return given


def is_file(name: str) -> bool:
    """Return whether a runbook is named by its file."""
    return Path(name).suffix in (".yaml", ".yml")


def chosen(config: "Config", name: str) -> "tuple[Library, Bundle]":
    """Return the runbook of a name or a file, and the library it stands in.

    Raises:
        NotFound: no such runbook. RunbookRefused: it has problems.
    """
    file = Path(name)
    if is_file(name):
        library = library_of(config, [file])
        return library, library.bundle(file.stem)
    library = known_library(config)
    return library, library.bundle(name)


def known_library(config: "Config") -> "Library":
    """Return the runbooks of the configured folders that are there."""
    return library_of(config, [one for one in config.runbooks if one.exists()])


def person(config: "Config", named: str) -> str:
    """Return who sits here: --as, `me`, or the user of the system.

    Exits with 2 where people are configured and --as is none of them.
    """
    import getpass

    people = config.settings.people
    if named and people and named not in people:
        wrong_use(f"'{named}' is not one of the people: {', '.join(sorted(people))}")
    try:
        return named or config.settings.me or getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return "unknown"


def body_of(source: str) -> bytes:
    """Return what a file, or standard input for `-`, holds. Raises EngineError."""
    from engine.errors import EngineError

    try:
        return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise EngineError(f"{source} cannot be read: {error.strerror}") from error
