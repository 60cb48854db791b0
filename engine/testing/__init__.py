"""The public test kit: rehearse a runbook file from a test of your own.

    from engine.testing import rehearse_file

    def test_my_runbook() -> None:
        assert [] == rehearse_file("runbooks/my.yaml").problems

Everything plays in virtual time on scripted checks, actions and people; nothing is
reached and nothing is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.bootstrap import kinds
from engine.bootstrap.rehearsing import played
from engine.config import load_config
from engine.runtime.library import Library
from engine.runtime.rehearsal import Rehearsed


@dataclass(frozen=True, slots=True)
class FileRehearsal:
    """What the tests of one file showed."""

    results: Sequence[Rehearsed] = ()
    problems: Sequence[str] = field(default_factory=list)


def rehearse_file(path: str | Path) -> FileRehearsal:
    """Return what every test of a file shows; `problems` is empty if all passed.

    Raises:
        RunbookRefused: the file has problems.
        NotFound: it is not there.
    """
    file = Path(path)
    library = Library(kinds(load_config()))
    library.add_paths([file.parent])
    shows = played(library, file, "")
    results = [one.rehearsed for one in shows if one.rehearsed is not None]
    problems = [f"{one.name}: {problem}" for one in shows for problem in one.problems]
    return FileRehearsal(results, problems)
