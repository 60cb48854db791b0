"""The runbooks an engine knows, and the exact texts that runs are pinned to.

A run keeps the revision it began with: the texts of its runbook and of every runbook it
runs inside are stored under one hash, and compiled again from there after a restart.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from engine.analysis.forbidden import forbidden_acts
from engine.core.code import CompiledRunbook
from engine.core.compile import compile_runbook
from engine.core.lists import every_step
from engine.errors import EngineError, NotFound, RunbookRefused
from engine.language.load import Loaded, load_runbook
from engine.language.problems import Problem, in_order
from engine.model.kinds import Kinds
from engine.model.runbook import Runbook
from engine.model.steps import RunStep
from engine.runtime.defaults import shorten

SUFFIXES: Final = (".yaml", ".yml")
PIN_LETTERS: Final = 12  # of a revision; fewer could be met by chance


@dataclass(frozen=True, slots=True)
class Bundle:
    """A runbook, compiled, with the texts it was made from."""

    compiled: CompiledRunbook
    revision: str
    stored: str  # what is kept under the revision
    file: str = ""


@dataclass(slots=True)
class Library:
    """Runbooks by name, from files and folders."""

    kinds: Kinds
    loaded: dict[str, Loaded] = field(default_factory=dict)  # by name
    files: dict[str, Path] = field(default_factory=dict)
    refused: dict[Path, Loaded] = field(default_factory=dict)
    default_seconds: Mapping[str, float] = field(default_factory=dict)  # see defaults
    forbidden: Sequence[str] = ()  # rules of core.forbidden
    pinned: Mapping[str, str] = field(default_factory=dict)  # name to revision

    def add_paths(self, paths: Iterable[Path]) -> None:
        """Load every runbook of the files and folders; what has problems is `refused`.

        Raises:
            NotFound: a path is not there. EngineError: a file cannot be read.
        """
        files = [file for path in paths for file in runbook_files(path)]
        first = {file: _read(file, self.kinds, None) for file in files}
        siblings = {
            one.runbook.runbook: one.runbook
            for one in first.values()
            if one.runbook is not None
        }
        siblings = {**self.runbooks, **siblings}
        for file in files:
            read = _read(file, self.kinds, siblings)
            self.add(lawful(read, file, self.forbidden), file)

    def add(self, one: Loaded, file: Path) -> None:
        """Take in what came of a file; what has problems is `refused`."""
        if one.runbook is None or _errors(one):
            self.refused[file] = one
        elif self._another(one.runbook.runbook, file):
            other = self.files[one.runbook.runbook]
            self.refused[file] = _second(one, file, other)
        else:
            self.loaded[one.runbook.runbook] = one
            self.files[one.runbook.runbook] = file

    def _another(self, name: str, file: Path) -> bool:
        other = self.files.get(name)
        return other is not None and other.resolve() != file.resolve()

    @property
    def runbooks(self) -> Mapping[str, Runbook]:
        """Every runbook without errors, by name."""
        return {
            name: one.runbook
            for name, one in self.loaded.items()
            if one.runbook is not None
        }

    @property
    def unpinned(self) -> Mapping[str, str]:
        """Why a runbook with `autonomy: auto` may only propose itself, by its name.

        Somebody who can change a file could make it do anything by itself: what starts
        without a person is what a person has pinned in the configuration (F102).
        """
        found = {}
        for name, runbook in self.runbooks.items():
            if runbook.autonomy != "auto":
                continue
            now, pin = self.loaded[name].revision, self.pinned.get(name)
            if pin is None:
                found[name] = f"autonomy: auto is not pinned; its hash is {now[:12]}"
            elif not (len(pin) >= PIN_LETTERS and now.startswith(pin)):
                found[name] = f"it was changed: {now[:12]}, pinned is {pin[:12]}"
        return found

    def offered_only(self, overdue: Mapping[str, str]) -> Mapping[str, str]:
        """Return why runbooks with `autonomy: auto` may only propose themselves.

        Args:
            overdue: Why the last rehearsal or run of a runbook is too old, by its name;
                what acts with nobody there is what was tried lately (G20).
        """
        found = {
            name: f"{why}: rehearse it, or start it by hand"
            for name, why in overdue.items()
            if why and name in self.runbooks and self.runbooks[name].autonomy == "auto"
        }
        return {**found, **self.unpinned}

    def bundle(self, name: str) -> Bundle:
        """Return the runbook of that name, compiled.

        Raises:
            NotFound: no such runbook; the message names the nearest.
            RunbookRefused: the file has problems.
        """
        if name not in self.loaded:
            self._refuse(name)
        texts = self._texts(name, {})
        kept: dict[str, Any] = {"main": name, "texts": texts}
        if self.default_seconds:
            kept["defaults"] = dict(self.default_seconds)
        stored = json.dumps(kept, sort_keys=True)
        revision = hashlib.sha256(stored.encode()).hexdigest()
        compiled = _compiled(stored, revision, self.kinds)
        return Bundle(compiled, revision, stored, str(self.files.get(name, "")))

    def _refuse(self, name: str) -> None:
        for file, one in self.refused.items():
            if file.stem == name:
                raise RunbookRefused(list(one.problems))
        import difflib

        near = difflib.get_close_matches(name, self.loaded, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        known = ", ".join(sorted(self.loaded)) or "none"
        raise NotFound(f"no runbook '{name}'.{hint} Known: {known}.")

    def _texts(self, name: str, found: dict[str, str]) -> dict[str, str]:
        if name in found:
            return found
        one = self.loaded.get(name)
        if one is None or one.runbook is None:
            raise NotFound(f"no runbook '{name}', which a `run` step names")
        found[name] = one.text
        for step in every_step(one.runbook):
            if isinstance(step, RunStep):
                self._texts(step.run, found)
        return found


def runbook_files(path: Path) -> list[Path]:
    """Return the runbook files at a path: itself, or those of the folder, sorted.

    Raises:
        NotFound: the path is not there, or the folder holds none.
    """
    if path.exists() and not path.is_dir():  # a pipe, too
        return [path]
    found = sorted(
        one for one in path.glob("**/*") if one.suffix in SUFFIXES and one.is_file()
    )
    if not found:
        what = "holds no .yaml file" if path.is_dir() else "is not there"
        raise NotFound(f"{path} {what}. Name a runbook file or a folder of them.")
    return found


def compiled_from(stored: str, revision: str, kinds: Kinds) -> CompiledRunbook:
    """Return the code of a revision from the texts kept under it.

    Raises:
        EngineError: the texts are not what was stored, or no longer load.
    """
    if hashlib.sha256(stored.encode()).hexdigest() != revision:
        raise EngineError(f"the texts of revision {revision[:12]} were changed on disk")
    return _compiled(stored, revision, kinds)


def _compiled(stored: str, revision: str, kinds: Kinds) -> CompiledRunbook:
    bundle = json.loads(stored)
    texts: dict[str, str] = bundle["texts"]
    runbooks = {}
    for name, text in texts.items():
        one = load_runbook(text, f"{name}.yaml", kinds, stem=name)
        if one.runbook is None:
            raise RunbookRefused(list(one.problems))
        runbooks[name] = shorten(one.runbook, bundle.get("defaults", {}))
    main = runbooks[bundle["main"]]
    return compile_runbook(main, kinds, revision=revision, library=runbooks)


def _read(file: Path, kinds: Kinds, siblings: Mapping[str, Runbook] | None) -> Loaded:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise EngineError(f"{file} cannot be read: {error.strerror}") from error
    return load_runbook(raw, str(file), kinds, stem=file.stem, siblings=siblings)


def _second(one: Loaded, file: Path, other: Path) -> Loaded:
    """Return a file as refused whose name another one has already."""
    message = f"the runbook '{file.stem}' is also in {other}"
    hint = "Give one of them another name: the file and its `runbook` key."
    problem = Problem(str(file), 1, 1, "error", "name", message, hint)
    return replace(one, runbook=None, problems=[*one.problems, problem])


def lawful(one: Loaded, file: Path, rules: Sequence[str]) -> Loaded:
    """Return the file with a problem for each act that is forbidden here (G23)."""
    if one.runbook is None or one.tree is None:
        return one
    found = forbidden_acts(one.runbook, one.tree, str(file), rules)
    return replace(one, problems=in_order([*one.problems, *found]))


def _errors(loaded: Loaded) -> bool:
    return any(problem.severity == "error" for problem in loaded.problems)
