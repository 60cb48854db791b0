"""A recorded run made into a test, and that test rehearsed in the file it goes to.

Called by the command `replay --as-test`.
"""

import hashlib
import json
from typing import TYPE_CHECKING

from engine.bootstrap.kinds import kinds
from engine.bootstrap.parts import empty_store
from engine.bootstrap.rehearsing import alert_of
from engine.errors import RunbookRefused
from engine.language.adding import with_test
from engine.language.load import load_runbook
from engine.runtime.as_test import Made, as_test
from engine.runtime.library import compiled_from
from engine.runtime.rehearsal import rehearse

if TYPE_CHECKING:
    from engine.analysis.replaying.history import History
    from engine.config import Config


def made_test(config: "Config", history: "History") -> Made:
    """Return the run as a test. Raises EngineError: its texts do not load here."""
    revision = history.summary.revision
    compiled = compiled_from(history.texts, revision, kinds(config))
    return as_test(history, compiled, empty_store())


def rehearsed_in(
    config: "Config", history: "History", made: Made, text: str | None, file: str
) -> tuple[str, list[str]]:
    """Return the file's text with the test in it, and what its rehearsal shows amiss.

    Args:
        config: The kinds that may be used.
        history: The run, for the runbooks that its runbook runs.
        made: The test.
        text: What stands in the file; None: the text that the run is pinned to.
        file: Its name, for problems.

    Raises:
        RunbookRefused: the file has problems. EngineError: it holds no list of tests.
    """
    name, known = history.summary.runbook, kinds(config)
    kept = json.loads(history.texts)
    new = with_test(kept["texts"][name] if text is None else text, made.test, file)
    loaded = load_runbook(new, file, known, stem=name)
    if loaded.runbook is None:
        raise RunbookRefused(list(loaded.problems))
    kept["texts"][name] = new
    texts = json.dumps(kept, sort_keys=True)
    revision = hashlib.sha256(texts.encode()).hexdigest()
    compiled = compiled_from(texts, revision, known)
    test = next(one for one in compiled.runbook.tests if one.name == made.test["name"])
    alert = alert_of(compiled.runbook, test)
    return new, rehearse(compiled, test, empty_store(), alert=alert).problems
