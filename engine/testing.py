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

from engine.adapters.memory_store import MemoryStore
from engine.bootstrap import kinds, parse_alerts
from engine.config import load_config
from engine.errors import EngineError
from engine.model.alert import Alert
from engine.model.runbook import Runbook, Test
from engine.runtime.library import Library
from engine.runtime.rehearsal import Rehearsed, rehearse


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
    bundle = library.bundle(file.stem)
    runbook = bundle.compiled.runbook
    results = [
        rehearse(bundle.compiled, test, MemoryStore(seal=False), alert=alert)
        for test in runbook.tests
        for alert in [alert_of(runbook, test)]
    ]
    problems = [f"{one.name}: {problem}" for one in results for problem in one.problems]
    return FileRehearsal(results, problems)


def alert_of(runbook: Runbook, test: Test) -> Alert | None:
    """Return the alert that a test is started by, read as its source sends it.

    Raises:
        EngineError: it is no body of the source, or holds no alert.
    """
    if test.alert is None:
        return None
    triggers = [one.alert for one in runbook.trigger if one.alert is not None]
    source = triggers[0].source if triggers else "alertmanager"
    found = parse_alerts(test.alert, source if isinstance(source, str) else source[0])
    if not found:
        raise EngineError(f"test '{test.name}': its `alert` holds no alert")
    return found[0]
