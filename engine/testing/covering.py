"""What no test of a runbook takes, and the shortest test that would; put in its file.

Called by: the command line (`rehearse --coverage`, `--write`), tests.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.analysis.proof.answers import TooWide
from engine.analysis.proof.walk import TooLarge
from engine.analysis.rehearsal.drill import Drill
from engine.analysis.rehearsal.taken import Item, taken_by_run
from engine.analysis.rehearsal.ways import ways
from engine.analysis.rehearsal.writing import NotWritable, with_tests
from engine.core.code import CompiledRunbook
from engine.errors import EngineError
from engine.language.load import Loaded, load_runbook
from engine.model.runbook import Expectation, Test
from engine.runtime.journal import events_of
from engine.runtime.whole_files import write_whole
from engine.testing.guiding import script
from engine.testing.playing import Played, own_drills, play


@dataclass(slots=True)
class Covered:
    """What the tests of one runbook take, and what they do not."""

    taken: set[Item] = field(default_factory=set)
    untaken: list[Item] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)  # that would take them
    by: dict[Item, Test] = field(default_factory=dict)


def covered(
    compiled: CompiledRunbook, *, most: int, drills: Sequence[Played] = ()
) -> Covered:
    """Return what tests and drills take, and for the rest the shortest tests found.

    Raises:
        EngineError: the runbook is too large to be walked.
    """
    found = Covered()
    for one in [*(play(compiled, drill) for drill in own_drills(compiled)), *drills]:
        found.taken |= taken_by_run(compiled, events_of(one.told.entries))
    try:
        known = ways(compiled, most=most)
    except (TooLarge, TooWide) as error:
        raise EngineError(f"not walked: {error}. Allow more with --states.") from error
    found.untaken = sorted(set(known) - found.taken)
    names = {test.name for test in compiled.runbook.tests}
    for item in sorted(found.untaken, key=lambda one: (-len(known[one]), one)):
        if item in found.by:
            continue
        made = script(compiled, known[item], _name(item, names))
        if made is None:
            continue
        played = play(compiled, made)
        takes = taken_by_run(compiled, events_of(played.told.entries))
        if item not in takes or played.told.over or played.problems:
            continue
        test = made.test.model_copy(update={"expect": expected(played)})
        names.add(test.name)
        found.tests.append(test)
        for other in set(found.untaken) & takes - found.by.keys():
            found.by[other] = test
    return found


def _name(item: Item, known: set[str]) -> str:
    name = f"{item.step}: {item.what or 'it is taken'}"
    number = 2
    while name in known:
        name, number = f"{name} ({number})", number + 1
    return name


def expected(played: Played) -> Expectation:
    """Return what a test that was played shows, as it may expect it."""
    seen = played.seen
    return Expectation.model_validate(
        {
            "end": seen.end,
            "cause": seen.cause or None,
            "did": seen.did,
            "undone": seen.undone or None,
            "held": seen.held or None,
            "asked": len(seen.asked),
        }
    )


def written(
    loaded: Loaded, file: Path, compiled: CompiledRunbook, tests: Sequence[Test]
) -> None:
    """Put tests into the file of a runbook; every other byte of it stays.

    Raises:
        EngineError: nothing can be put there, or a test would not pass. Nothing is
            written then.
    """
    assert loaded.tree is not None
    raw = file.read_bytes()
    try:
        text = with_tests(raw.decode("utf-8"), loaded.tree, tests)
    except NotWritable as error:
        raise EngineError(f"{file}: {error}. Nothing was written.") from error
    read = load_runbook(text, str(file), compiled.kinds, stem=file.stem)
    if read.runbook is None:
        first = read.problems[0].message
        raise EngineError(f"{file} would not load: {first}. Nothing was written.")
    mine = {test.name for test in tests}
    for test in read.runbook.tests:
        if test.name in mine:
            base = next(iter(own_drills(compiled)), Drill(test))
            problems = play(
                compiled, Drill(test, (), base.labels, base.annotations)
            ).problems
            if problems:
                told = f"{file}: the test '{test.name}' would fail: {problems[0]}"
                raise EngineError(f"{told}. Nothing was written.")
    try:
        write_whole(file, text.encode("utf-8"))
    except OSError as error:
        raise EngineError(f"{file} cannot be written: {error.strerror}") from error
