"""Both sides of a comparison, read from files, folders or a text.

A file is known by the name that stands in it, so that an older copy may be called
anything. What `run` names is looked for beside the files of the same side.

Called by: the command `diff`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.analysis.comparing import Change, Side, compare
from engine.analysis.comparing.amid import between_changed
from engine.analysis.comparing.changes import in_order
from engine.errors import EngineError, RunbookRefused
from engine.language.load import Loaded, load_runbook
from engine.language.tree import read_tree
from engine.model.kinds import Kinds
from engine.runtime.library import Library


@dataclass(frozen=True, slots=True)
class Source:
    """One text of a side: a file, or what came from standard input."""

    file: str
    raw: bytes

    @property
    def name(self) -> str:
        """The name that stands in it; else that of the file."""
        tree, _ = read_tree(self.raw, self.file)
        name = tree.value.get("runbook") if tree is not None else None
        return name if isinstance(name, str) else Path(self.file).stem


def source_of(file: Path) -> Source:
    """Return what a file holds. Raises EngineError: it cannot be read."""
    try:
        return Source(str(file), file.read_bytes())
    except OSError as error:
        raise EngineError(f"{file} cannot be read: {error.strerror}") from error


def sides_of(
    named: Sequence[Source],
    beside: Sequence[Source],
    kinds: Kinds,
    default_seconds: Mapping[str, float],
) -> dict[str, Side]:
    """Return one side by the names of its runbooks.

    Args:
        named: What is compared.
        beside: What these may run besides each other; what has errors is left out.
        kinds: What is known of each kind.
        default_seconds: Shorter defaults of the configuration.

    Raises:
        RunbookRefused: a text that is compared has errors; all of them are told.
    """
    texts = {one.name: one for one in (*beside, *named)}
    first = {name: _loaded(one, name, kinds, None) for name, one in texts.items()}
    siblings = {
        name: one.runbook for name, one in first.items() if one.runbook is not None
    }
    library = Library(kinds, default_seconds=default_seconds)
    for source in (*named, *(one for one in beside if texts[one.name] is one)):
        one = _loaded(source, source.name, kinds, siblings)
        library.add(one, Path(source.file))
    files = {Path(one.file) for one in named}
    problems: list[object] = [
        problem
        for file, one in library.refused.items()
        if file in files
        for problem in one.problems
    ]
    if problems:
        raise RunbookRefused(problems)
    return {one.name: _side(one.name, library) for one in named}


def _loaded(
    source: Source, name: str, kinds: Kinds, siblings: Mapping[str, object] | None
) -> Loaded:
    known: dict[str, object] | None = dict(siblings) if siblings is not None else None
    return load_runbook(
        source.raw,
        source.file,
        kinds,
        stem=name,
        siblings=known,  # type: ignore[arg-type]
    )


def _side(name: str, library: Library) -> Side:
    bundle, tree = library.bundle(name), library.loaded[name].tree
    assert tree is not None
    return Side(str(library.files[name]), tree, bundle.compiled, dict(library.runbooks))


def compared(
    old: Mapping[str, Side], new: Mapping[str, Side], *, one: bool
) -> list[Change]:
    """Return what changed, runbook by runbook.

    Args:
        old: By name.
        new: By name.
        one: Each side is one file, so both are one runbook, whatever its name.
    """
    if one and len(old) == len(new) == 1:
        return _changes(next(iter(old.values())), next(iter(new.values())))
    found = list(between_changed(old, new))
    names = sorted({*old, *new})
    for name in names:
        found += _changes(old.get(name), new.get(name))
    return [one for name in names for one in in_order(found) if one.runbook == name]


def _changes(old: Side | None, new: Side | None) -> list[Change]:
    revisions = [one.compiled.revision for one in (old, new) if one is not None]
    if len(revisions) == 2 and revisions[0] == revisions[1]:
        return []
    return compare(old, new)
