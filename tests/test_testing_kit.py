"""The public test kit rehearses a file as the command does."""

from pathlib import Path

import pytest

from engine.testing import rehearse_file

RUNBOOKS = sorted(Path("runbooks").glob("*.yaml"))


@pytest.mark.parametrize("file", RUNBOOKS, ids=lambda file: file.stem)
def test_every_shipped_runbook_passes_its_rehearsals(file: Path) -> None:
    """Each has at least four rehearsals inside, and all of them pass."""
    shown = rehearse_file(file)

    assert [] == shown.problems
    assert len(shown.results) >= 4
