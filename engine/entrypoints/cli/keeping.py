"""Commands for whoever keeps the engine: reload, doctor, config show, demo."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.entrypoints.cli.choosing import As, config_of, library_of
from engine.entrypoints.cli.reaching import named_server, reached
from engine.entrypoints.cli.screen import (
    PROBLEMS,
    coloured,
    plain,
    say,
    say_json,
    table,
)

if TYPE_CHECKING:
    from engine.config import Config
    from engine.model.health import Examined


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: runbook reload")(reload)
    app.command(epilog="Example: runbook doctor")(doctor)
    config = typer.Typer(
        help="The configuration.", no_args_is_help=True, rich_markup_mode=None
    )
    config.command("show", epilog="Example: runbook config show")(show_config)
    config.callback()(_config)
    app.add_typer(config, name="config")
    app.command(epilog="Example: runbook demo")(demo)


def _config() -> None:
    """Look at the configuration."""


def reload(context: typer.Context, as_: As = "") -> None:
    """Let the server read its runbooks anew, and say what changed."""
    from engine.errors import DoesNotApply

    config = config_of(context)
    there, _ = reached(context, config, as_)
    if there is None:
        raise DoesNotApply(
            f"no server runs on {config.data}: nothing is loaded that could be read "
            "anew. Name one with --server, or begin one: runbook serve"
        )
    changed = there.ask_once("POST", "/reload")["changed"]
    for line in changed or ["nothing changed"]:
        say(plain(line))


def doctor(
    context: typer.Context,
    json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look for what would be in the way in an incident, and how ready runbooks are."""
    found = _examined(context)
    if json_:
        import msgspec

        say_json(msgspec.to_builtins(found))
    else:
        for one in found.findings:
            say(f"{_painted(one.state)}  {one.what}: {plain(one.told)}")
            if one.do:
                say(f"      {plain(one.do)}")
        for ready in found.readiness:
            say(f"{_graded(ready.grade)}  {ready.runbook}")
            for reason in ready.reasons:
                say(f"      {plain(reason)}")
    if any(one.state == "fail" for one in found.findings):
        raise typer.Exit(PROBLEMS)


def _examined(context: typer.Context) -> "Examined":
    """Return what is found here, or what a server at another address finds."""
    import asyncio

    from engine.bootstrap.doctoring import examined, holds_any
    from engine.model.health import Examined

    config, there = config_of(context), named_server(context)
    if there is not None:
        from engine.entrypoints.cli.at_a_server import converted

        found: Examined = converted(there, there.ask_once("POST", "/doctor"), Examined)
        return found
    library = library_of(config, [one for one in config.runbooks if holds_any(one)])
    return asyncio.run(examined(config, library))


def _painted(state: str) -> str:
    colour = {"ok": "32", "warn": "33", "fail": "31"}[state]
    return f"\x1b[{colour}m{state:<4}\x1b[0m" if coloured() else f"{state:<4}"


def _graded(grade: str) -> str:
    colour = {"ready": "32", "doubtful": "33", "not ready": "31"}[grade]
    return f"\x1b[{colour}m{grade:<9}\x1b[0m" if coloured() else f"{grade:<9}"


def show_config(
    context: typer.Context,
    json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show every setting with where it comes from; secrets by name, never by value."""
    rows = settings_of(config_of(context))
    if json_:
        say_json([{"key": key, "value": value, "from": origin}
                  for key, value, origin in rows])  # fmt: skip
    else:
        table(["key", "value", "from"], rows)


def settings_of(config: "Config") -> list[tuple[str, str, str]]:
    """Return key, value and origin of every setting, in the order of the models."""
    shown: dict[str, Any] = {
        "data": str(config.data),
        "runbooks": ", ".join(map(str, config.runbooks)),
    }
    rows = []
    for key, origin in config.origins.items():
        if key in shown:
            rows.append((key, shown[key], origin))
        elif key.startswith("secrets."):
            rows.append((key, _secret(config, key), origin))
        else:
            rows.append((key, _value(config.settings, key), origin))
    return rows


def _secret(config: "Config", key: str) -> str:
    name = key.split(".")[1] if "." in key else ""
    if key.endswith(".file"):
        return f"[hidden] read from {config.secret_file(name)}"
    return f"[hidden] read from ${config.settings.secrets[name].env}"


def _value(settings: Any, key: str) -> str:
    value: Any = settings
    for part in key.split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    if value is None or (isinstance(value, list | dict) and not value):
        return "not set"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return _written(value)


def _written(value: Any) -> str:
    """Return a value as a file would say it, without what was left out."""
    from datetime import datetime, timedelta

    from pydantic import BaseModel

    from engine.model.values import format_duration

    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, BaseModel):
        names = type(value).model_fields
        given = [name for name in names if name in value.model_fields_set]
        value = {names[name].alias or name: getattr(value, name) for name in given}
    if isinstance(value, dict):
        parts = (f"{key}: {_written(one)}" for key, one in value.items())
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return str(value)


def demo(
    fault: Annotated[
        str, typer.Option(help="Which fault is put into the platform.")
    ] = "",
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the platform running.")
    ] = False,
    chat: Annotated[
        bool, typer.Option("--chat", help="People answer in a chat, shown beside it.")
    ] = False,
    chat_page: Annotated[
        str, typer.Option(metavar="FILE", help="Write that chat as a page instead.")
    ] = "",
) -> None:
    """Break a small messaging platform of real processes, and see it repaired."""
    from engine.entrypoints.cli.demo import demo as play

    shown = chat_page if chat or chat_page else None
    raise typer.Exit(play(fault, keep=keep, write=say, chat=shown))
