"""From the file and the environment to one configuration, every problem at its place.

Read by: the package, which offers `Config` and `load_config`.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from engine.config.chatting import OnCall
from engine.config.environment import (
    environment_values,
    every_key,
    stray_variables,
    variable_problems,
)
from engine.config.settings import Settings
from engine.errors import ConfigRefused
from engine.language.problems import Problem, in_order, suggest
from engine.language.pydantic_problems import Reporter, model_problems
from engine.language.tree import Node, Position, Tree, read_tree
from engine.runtime.defaults import FORMAT

FILE: Final = "engine.yaml"


@dataclass(frozen=True, slots=True)
class Config:
    """The settings, and where each comes from."""

    settings: Settings
    file: Path | None = None
    origins: Mapping[str, str] = field(default_factory=dict)  # dotted key to its place
    folder: Path = field(default_factory=Path)  # what the file's paths are relative to

    @property
    def data(self) -> Path:
        """The folder of the journal."""
        if self.settings.data is None:
            home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
            return Path(home) / "runbook"
        return self._path("data", self.settings.data)

    @property
    def runbooks(self) -> list[Path]:
        """The files and folders of runbooks."""
        return [self._path("runbooks", one) for one in self.settings.runbooks]

    def file_of(self, key: str, written: str | None) -> str | None:
        """Return the path that stands under a dotted key, seen from this process."""
        return None if written is None else str(self._path(key, written))

    def secret_file(self, name: str) -> Path | None:
        """Return the file a secret is read from, or None. Raises KeyError."""
        written = self.settings.secrets[name].file
        return None if written is None else self._path(f"secrets.{name}.file", written)

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Each person's groups."""
        return {name: tuple(one.groups) for name, one in self.settings.people.items()}

    @property
    def default_seconds(self) -> Mapping[str, float]:
        """The shorter limits that are set, in seconds."""
        limits = {name: getattr(self.settings.defaults, name) for name in FORMAT}
        return {name: one.total_seconds() for name, one in limits.items() if one}

    def _path(self, key: str, written: str) -> Path:
        from_file = not self.origins.get(key, "").startswith("environment")
        start = self.folder if from_file else Path()
        return start / Path(written).expanduser()


def load_config(
    named: Path | None = None, *, environ: Mapping[str, str] | None = None
) -> Config:
    """Return the configuration.

    Args:
        named: The file, as `--config` names it; left out: as described above.
        environ: The environment; left out: that of the process.

    Raises:
        ConfigRefused: with every problem at its place.
    """
    environ = os.environ if environ is None else environ
    file = _file(named, environ)
    tree = _tree(file) if file is not None else EMPTY
    shown = str(file) if file is not None else FILE
    problems = _file_problems(tree, shown)
    given, variables = environment_values(environ)
    problems += stray_variables(environ, tree.value)
    if problems:
        raise ConfigRefused(list(in_order(problems)))
    merged = _merged(tree.value, given)
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        raise ConfigRefused(variable_problems(error, variables)) from error
    origins = dict(_origins(settings, tree, shown, variables))
    if strangers := list(_strangers(settings, origins, tree, shown)):
        raise ConfigRefused([*strangers])
    return Config(settings, file, origins, file.parent if file else Path())


EMPTY: Final = Tree({}, Node(Position(1, 1)), ())


def _file(named: Path | None, environ: Mapping[str, str]) -> Path | None:
    wanted = named or (
        Path(environ["RUNBOOK_CONFIG"]) if environ.get("RUNBOOK_CONFIG") else None
    )
    if wanted is None:
        return Path(FILE) if Path(FILE).is_file() else None
    if not wanted.is_file():
        source = "--config" if named is not None else "RUNBOOK_CONFIG"
        message = f"{wanted} is not there"
        hint = f"Name an existing file with {source}, or leave it out."
        problem = Problem(str(wanted), 1, 1, "error", "config", message, hint)
        raise ConfigRefused([problem])
    return wanted


def _tree(file: Path) -> Tree:
    try:
        raw = file.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        problem = Problem(str(file), 1, 1, "error", "config", message, "")
        raise ConfigRefused([problem]) from error
    tree, problems = read_tree(raw, str(file))
    if tree is None and [one.code for one in problems] == ["empty"]:
        return EMPTY
    if tree is None:
        raise ConfigRefused([_worded(one) for one in problems])
    return tree


def _worded(problem: Problem) -> Problem:
    """The YAML reader speaks of runbooks where the top of a file is no map."""
    if problem.code != "top":
        return problem
    return Problem(**{**vars(problem), "hint": "Begin with a key such as `data:`."})


def _file_problems(tree: Tree, file: str) -> list[Problem]:
    try:
        Settings(**tree.value)
    except ValidationError as error:
        return model_problems(error, tree, file, model=Settings)
    return []


def _merged(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    both = dict(below)
    for key, value in above.items():
        both[key] = _merged(below[key], value) if key in below else value
    return both


def _origins(
    settings: Settings, tree: Tree, file: str, variables: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    for key in every_key(settings):
        path = key.split(".")
        ways = [".".join(path[:length]) for length in range(len(path), 0, -1)]
        variable = next((variables[one] for one in ways if one in variables), None)
        if variable is not None:
            yield key, f"environment {variable}"
        elif tree.at(path) is not None:
            yield key, f"{file}:{tree.position(path).line}"
        else:
            yield key, "default"


def _strangers(
    settings: Settings, origins: Mapping[str, str], tree: Tree, file: str
) -> Iterator[Problem]:
    """Whoever is named must be one of the people, where people are listed."""
    named: dict[tuple[str, ...], str | None] = {("me",): settings.me}
    for token, one in settings.server.tokens.items():
        named["server", "tokens", token, "person"] = one.person
    for way, out in settings.chat.fallback.items():
        named["chat", "fallback", way, "person"] = out.person
    for group, known in settings.groups.items():
        if known.oncall is not None:
            named |= _on_call(("groups", group, "oncall"), known.oncall)
    for path, name in named.items():
        if name is None or not settings.people or name in settings.people:
            continue
        key = ".".join(path)
        message = f"'{name}' ({key}) is not one of the people"
        hint = suggest(name, settings.people, "people")
        if origins.get(key, "").startswith("environment"):
            yield Problem("environment", 1, 1, "error", "config", message, hint)
            continue
        report = Reporter(tree, file)
        report.add(path, "config", message, hint)
        yield report.problems[0]


def _on_call(path: tuple[str, ...], oncall: OnCall) -> dict[tuple[str, ...], str]:
    """Return who is named by a schedule, with the place of each."""
    found = {
        (*path, "overrides", str(number), "person"): one.person
        for number, one in enumerate(oncall.overrides)
    }
    if oncall.shift is not None:
        for number, person in enumerate(oncall.shift.people):
            found[*path, "shift", "people", str(number)] = person
    return found
