"""Every shipped runbook is proved."""

from pathlib import Path

import pytest

from engine.analysis.bounds import bounds
from engine.analysis.proof import prove
from engine.bootstrap import kinds
from engine.config import load_config
from engine.runtime.library import Library

SHIPPED = sorted(Path("runbooks").glob("*.yaml"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_runbook_is_proved(file: Path) -> None:
    """
    Nothing is refused on any path, and the worst cases are inside the bound from above.
    """
    library = Library(kinds(load_config()))
    library.add_paths([file])
    compiled = library.bundle(file.stem).compiled
    most = bounds(compiled)
    proof = prove(compiled)

    assert (True, []) == (proof.proved, proof.findings)
    assert {"resolved", "handed_over", "cancelled", "cleared"} == set(proof.ends)
    assert proof.times.isolated <= most.isolated
    assert proof.times.mitigated <= most.mitigated
    assert proof.times.total <= most.total
