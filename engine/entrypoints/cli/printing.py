"""`runbook print`: a runbook as a sheet of paper, for when no engine runs.

Nothing outside is reached, nothing is done; the journal is not opened. Secrets stand as
blanks; should a value of one be in a text all the same, it is taken out.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.entrypoints.cli.choosing import chosen, config_of, given_of
from engine.entrypoints.cli.completing import runbook_names
from engine.entrypoints.cli.screen import say, write_file

if TYPE_CHECKING:
    from engine.config import Config


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        name="print",
        epilog="Example: runbook print disk-full --format html -o paper.html",
    )(print_)


def print_(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|PATH", help="The runbook.", autocompletion=runbook_names
        ),
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="An input; else its default, or a blank."
        ),
    ] = None,
    format_: Annotated[
        Literal["text", "markdown", "html"],
        typer.Option("--format", help="html prints on A4."),
    ] = "text",
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Else the terminal.")
    ] = "-",
) -> None:
    """Print a runbook to be done by hand: commands, undo, decisions, whom to call."""
    import time

    from engine.analysis.checklist import checklist
    from engine.bootstrap import secrets
    from engine.model.times import moment_text
    from engine.runtime.redact import Redactor
    from engine.views.sheet import sheet_html, sheet_markdown, sheet_text

    config = config_of(context)
    _, bundle = chosen(config, name)
    now = time.time()
    sheet = checklist(
        bundle.compiled,
        given_of(set_ or []),
        printed=moment_text(now),
        groups=_groups(config, now),
        urls=_urls(config),
    )
    shown = {"text": sheet_text, "markdown": sheet_markdown, "html": sheet_html}
    text = Redactor(secrets(config).values).text(shown[format_](sheet))
    if output == "-":
        say(text)
    else:
        write_file(output, text.encode())


def _groups(config: "Config", now: float) -> dict[str, Any]:
    """Return who is in each group, and who has its turn now by a schedule of ours."""
    from engine.analysis.checklist import Group
    from engine.bootstrap.people import turns

    called = turns(config, now)
    members: dict[str, list[str]] = {group: [] for group in called}
    for person, one in config.settings.people.items():
        for group in one.groups:
            members.setdefault(group, []).append(person)
    return {
        group: Group(tuple(people), called.get(group, ""))
        for group, people in members.items()
    }


def _urls(config: "Config") -> dict[str, str]:
    """Return the configured addresses of the kinds that may leave theirs out."""
    settings = config.settings
    found = {
        "prometheus": settings.prometheus.url,
        "silence": settings.alertmanager.url,
    }
    return {kind: url for kind, url in found.items() if url}
