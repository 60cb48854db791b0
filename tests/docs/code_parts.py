"""The reference of what the engine says and speaks: events, states, codes, commands."""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, Protocol, get_args, get_origin, get_type_hints

import msgspec
import typer

from engine import errors, ports, testing
from engine.core.tables import RUN_TABLE, STEP_TABLE
from engine.core.words.commands import VERBS
from engine.core.words.help import usage
from engine.entrypoints.cli.app import build
from engine.entrypoints.web.operations import OPERATIONS
from engine.model.effects import NOTE_KINDS, Effect
from engine.model.events import Event
from engine.registry import Registry
from engine.runtime.chat.asking import RIGHTS
from engine.runtime.rights import NEEDS
from tests.docs.problem_codes import CODES
from tests.docs.words import first_line, table, words

LEFT_OUT: Final = {"at", "tick"}  # of every event


def structs(union: Any) -> list[type[msgspec.Struct]]:
    """Return the members of a union, in its order."""
    return list(get_args(union))


def events() -> str:
    """Every event."""
    return _structs(structs(Event))


def effects() -> str:
    """Every effect."""
    return _structs(structs(Effect))


def _structs(kinds: list[type[msgspec.Struct]]) -> str:
    rows = []
    for kind in kinds:
        typed = get_type_hints(kind, include_extras=True)
        fields = [
            f"`{field.name}` ({words(typed[field.name])})"
            for field in msgspec.structs.fields(kind)
            if field.name not in LEFT_OUT
        ]
        doc = " ".join((kind.__doc__ or "").split())
        rows.append((f"`{kind.__name__}`", doc, "; ".join(fields)))
    return table(("name", "meaning", "fields"), rows)


def chat_words() -> str:
    """Every verb of chat, with the role it needs."""
    rows = [
        (f"`{usage(verb)}`", said.does, NEEDS[RIGHTS[verb]])
        for verb, said in VERBS.items()
    ]
    return table(("words", "what they do", "role"), rows)


def note_kinds() -> str:
    """Every kind of note."""
    return ", ".join(f"`{kind}`" for kind in NOTE_KINDS) + "."


def run_states() -> str:
    """The life of a run."""
    return _states(RUN_TABLE)


def step_states() -> str:
    """The life of a step."""
    return _states(STEP_TABLE)


def _states(machine: Mapping[str, Mapping[str, str]]) -> str:
    rows = [
        (f"`{state}`", f"`{event}`", f"`{after}`")
        for state, row in machine.items()
        for event, after in row.items()
    ]
    ends = [f"`{state}`" for state, row in machine.items() if not row]
    text = table(("from", "event", "to"), rows)
    return f"{text}\n\nFinal: {', '.join(ends)}.\n\n{_diagram(machine)}"


def _diagram(machine: Mapping[str, Mapping[str, str]]) -> str:
    first = next(iter(machine))
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
    for state, row in machine.items():
        lines += [f"    {state} --> {to}: {event}" for event, to in row.items()]
        if not row:
            lines.append(f"    {state} --> [*]")
    return "\n".join([*lines, "```"])


def every_error() -> Iterator[type[errors.EngineError]]:
    """Yield every exception of the engine, each after its base."""

    def below(kind: type[errors.EngineError]) -> Iterator[type[errors.EngineError]]:
        yield kind
        for one in kind.__subclasses__():
            if one.__module__ == errors.__name__:
                yield from below(one)

    yield from below(errors.EngineError)


def error_codes() -> str:
    """Every error code."""
    rows = [
        (f"`{kind.code}`", f"`{kind.__name__}`", first_line(kind.__doc__))
        for kind in every_error()
        if "code" in vars(kind)
    ]
    return table(("code", "exception", "meaning"), rows)


def problem_codes() -> str:
    """Every code of a problem in a file."""
    return table(
        ("code", "meaning"), [(f"`{code}`", CODES[code]) for code in sorted(CODES)]
    )


def commands() -> dict[str, Any]:
    """Return every command by its full name; groups are left out."""
    top: Any = typer.main.get_command(build())
    found: dict[str, Any] = {}
    for name, one in top.commands.items():
        inside = getattr(one, "commands", None)
        if inside is None:
            found[name] = one
        else:
            found |= {f"{name} {key}": sub for key, sub in inside.items()}
    return found


def operations() -> str:
    """Every operation of the HTTP API."""
    rows = []
    for one in OPERATIONS:
        fields = one.body.model_fields if one.body is not None else {}
        asked = [f"`{field}`" for field in fields]
        asked += [f"`?{name}=`" for name, _ in one.queries]
        at = f"`{one.method} {one.path}`"
        rows.append((at, one.role, one.told, ", ".join(asked)))
    return table(("operation", "role", "does", "takes"), rows)


def global_options() -> str:
    """What stands before the command."""
    top: Any = typer.main.get_command(build())
    return _parameters(top)


def command_line() -> str:
    """Every command, with its arguments and options."""
    return "\n\n".join(_command(name, one) for name, one in commands().items())


def _command(name: str, command: Any) -> str:
    text = " ".join((command.help or "").split())
    parts = [f"### runbook {name}", text, _parameters(command)]
    if command.epilog:
        example = command.epilog.removeprefix("Example:").strip()
        parts.append(f"```console illustration\n$ {example}\n```")
    return "\n\n".join(part for part in parts if part)


def _parameters(command: Any) -> str:
    rows = []
    for one in command.params:
        option = one.param_type_name == "option"
        written = ", ".join(f"`{name}`" for name in [*one.opts, *one.secondary_opts])
        if not option:
            written = f"`{one.metavar or (one.name or '').upper()}`"
        plain = isinstance(one.default, str) and bool(one.default)
        needed = "**required**" if one.required else f"`{one.default}`" * plain
        rows.append((written, _choices(one), needed, one.help or ""))
    return (
        table(("argument or option", "one of", "left out", "meaning"), rows)
        if rows
        else ""
    )


def _choices(parameter: Any) -> str:
    """Return the words that may be given; typer keeps them at one of two places."""
    described = getattr(parameter, "type_descriptor", None)
    for kind in (
        (described.annotation, *get_args(described.annotation)) if described else ()
    ):
        if get_origin(kind) is Literal:
            return words(kind)
    choices = getattr(getattr(parameter, "type", None), "choices", ())
    return ", ".join(f"`{getattr(one, 'value', one)}`" for one in choices)


PORTS: Final = tuple(
    kind
    for kind in vars(ports).values()
    if isinstance(kind, type)
    and issubclass(kind, Protocol)
    and kind.__module__.startswith(f"{ports.__name__}.")
)


def python_ports() -> str:
    """Every port, with its methods."""
    return "\n\n".join(_class(kind, "port") for kind in PORTS)


def python_kit() -> str:
    """The registry and the test kit."""
    kit = _class(Registry, "class")
    call = _signature(testing.rehearse_file)
    doc = inspect.getdoc(testing.rehearse_file) or ""
    return (
        f"{kit}\n\n### `engine.testing.rehearse_file`\n\n"
        f"```python\nrehearse_file{call}\n```\n\n{_indented(doc)}"
    )


def _class(kind: type, what: str) -> str:
    parts = [f"### {what} `{kind.__name__}`", inspect.getdoc(kind) or ""]
    for name, method in vars(kind).items():
        shown = not name.startswith("_") or name == "__call__"
        if shown and inspect.isfunction(method) and method.__doc__:
            call = "async " if inspect.iscoroutinefunction(method) else ""
            parts.append(f"```python\n{call}def {name}{_signature(method)}\n```")
            parts.append(_indented(inspect.getdoc(method) or ""))
    return "\n\n".join(parts)


def _signature(function: Any) -> str:
    """Return the arguments without the modules that their types come from."""
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", str(inspect.signature(function)))


def _indented(doc: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in doc.splitlines())
