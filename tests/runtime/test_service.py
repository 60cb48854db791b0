"""Starting a run: inputs that hold a secret are refused, in words."""

import pytest

from engine.adapters.memory_store import MemoryStore
from engine.errors import DoesNotApply
from engine.model.people import Actor
from engine.runtime.library import Bundle
from engine.runtime.redact import Redactor
from engine.runtime.rehearsal import NoHold
from engine.runtime.service import Service
from tests.rehearsing import compiled

TEXT = """
inputs:
  host: {type: string}
actions: {take: {do: {}, undo: {do: {}}}}
isolate: [{act: take}]
"""


async def test_f95_an_input_that_holds_a_secret_is_refused() -> None:
    """It would stand in the timeline as it is; the message says what to do, not what."""
    redactor = Redactor(lambda: ["hunter2hunter2"])
    service = Service(None, MemoryStore(), None, redactor, NoHold(), {})  # type: ignore[arg-type]
    bundle = Bundle(compiled(TEXT), "rev", "{}")

    with pytest.raises(DoesNotApply) as refused:
        await service.start(bundle, {"host": "db hunter2hunter2"}, Actor("ana"))

    assert (
        "input 'host' holds the value of a secret: give the input `secret: true` in the "
        "runbook, or another value"
    ) == str(refused.value)
