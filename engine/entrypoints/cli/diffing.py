"""The command `diff`: what a change of runbooks means to whoever responds with them.

Nothing outside is reached and nothing is done.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from engine.entrypoints.cli.choosing import body_of, config_of
from engine.entrypoints.cli.screen import PROBLEMS, say, say_json, wrong_use

if TYPE_CHECKING:
    from engine.config import Config
    from engine.runtime.comparing import Source

INPUT: Final = "-"
SHOWN: Final = "stdin"  # as places show it


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Example: runbook diff main/runbooks runbooks --fail-on riskier"
    )(diff)


def diff(
    context: typer.Context,
    old: Annotated[
        str,
        typer.Argument(metavar="OLD", help="A file or folder as it was; - reads one."),
    ],
    new: Annotated[
        str,
        typer.Argument(metavar="NEW", help="A file or folder as it is; - reads one."),
    ],
    format_: Annotated[
        Literal["text", "json", "markdown"],
        typer.Option("--format", help="For people, programs, or a pull request."),
    ] = "text",
    fail_on: Annotated[
        Literal["never", "riskier"],
        typer.Option("--fail-on", help="Exit with 1 where something is riskier."),
    ] = "never",
) -> None:
    """Say what a change of runbooks means to a responder: riskier, safer, neither."""
    from engine.analysis.comparing.telling import as_markdown, as_object, as_text
    from engine.bootstrap import kinds
    from engine.runtime.comparing import compared, sides_of

    if old == new == INPUT:
        wrong_use("only one of OLD and NEW can be read from standard input")
    config = config_of(context)
    before, after = _sources(old, config), _sources(new, config)
    if not before and not after:
        wrong_use(f"neither {old} nor {new} holds a runbook")
    if Path(old).is_dir() != Path(new).is_dir():
        if Path(old).is_dir():
            before = _of(before, after)
        else:
            after = _of(after, before)
    known, shorter = kinds(config), config.default_seconds
    sides = [
        sides_of(named, _beside(of, named, other, config), known, shorter)
        for named, of, other in ((before, old, new), (after, new, old))
    ]
    one = not Path(old).is_dir() and not Path(new).is_dir()
    changes = compared(*sides, one=one)
    if format_ == "json":
        say_json(as_object(changes))
    else:
        rows = as_text(changes) if format_ == "text" else as_markdown(changes)
        say("\n".join(rows))
    if fail_on == "riskier" and any(it.weight == "riskier" for it in changes):
        raise typer.Exit(PROBLEMS)


def _sources(path: str, config: "Config") -> "list[Source]":
    """Return the texts of a side; a folder may hold none.

    Raises:
        NotFound: the path is not there. EngineError: a file cannot be read.
    """
    from engine.runtime.comparing import Source, source_of
    from engine.runtime.library import SUFFIXES, runbook_files

    if not path:
        wrong_use("OLD or NEW is empty: name a file, a folder, or `-`")
    if path == INPUT:
        return [Source(SHOWN, body_of(INPUT))]
    if Path(path).is_dir() and not any(
        one.suffix in SUFFIXES for one in Path(path).glob("**/*")
    ):
        return []
    found = [source_of(one) for one in runbook_files(Path(path))]
    own = config.file.name if config.file is not None else ""
    if not Path(path).is_dir():
        return found
    return [
        one
        for one in found
        if Path(one.file).name != own or b"\nrunbook:" in b"\n" + one.raw
    ]


def _of(folder: "list[Source]", one: "list[Source]") -> "list[Source]":
    """Return, of a folder, what stands on the other side, too."""
    names = {each.name for each in one}
    return [each for each in folder if each.name in names]


def _beside(
    path: str, named: "list[Source]", other: str, config: "Config"
) -> "list[Source]":
    """Return what the texts of a side may run that is not among them."""
    from engine.runtime.comparing import source_of

    here = Path(other if path == INPUT else path)
    if here.is_dir():
        here = here / "any"
    own = {one.name for one in named}
    files = [one for one in sorted(here.parent.glob("*.y*ml")) if one.is_file()]
    found = [source_of(one) for one in files if one != config.file]
    return [one for one in found if one.name not in own]
