"""Starting a run: inputs that hold a secret are refused, in words."""

from typing import Any

import pytest

from engine.adapters.memory_store import MemoryStore
from engine.errors import DoesNotApply
from engine.model.alert import Alert
from engine.model.people import Actor, Grant
from engine.runtime.library import Bundle
from engine.runtime.redact import Redactor
from engine.runtime.scripted import NoHold
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


PRIVATE = """
inputs:
  key: {type: string, secret: true, from: labels.key}
  host: {type: string, default: db1}
actions: {take: {do: {}, undo: {do: {}}}}
isolate: [{act: take}]
"""


class Told:
    """Keeps what a driver would be told."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    async def begin(self, session: Any, event: Any) -> None:
        """Keep the first event."""
        self.events.append(event)

    async def told(self, run: str, event: Any) -> None:
        """Keep an event."""
        self.events.append(event)


def service(told: Told, store: MemoryStore, redactor: Redactor) -> Service:
    """Return the use cases over a driver that only listens."""
    return Service(told, store, None, redactor, NoHold(), {})  # type: ignore[arg-type]


async def test_f95_a_secret_input_from_the_alert_is_not_kept_in_its_labels() -> None:
    """
    Neither the label it is read from nor another text of the alert holds the value.
    """
    told = Told()
    alert = Alert(
        "alertmanager",
        "firing",
        labels={"key": "hunter2hunter2", "region": "eu"},
        annotations={"see": "key=hunter2hunter2", "a": "b"},
    )
    bundle = Bundle(compiled(PRIVATE), "rev", "{}")
    await service(told, MemoryStore(), Redactor(list)).start(
        bundle, {}, Actor("ana"), alert=alert
    )
    started = told.events[0]

    assert (
        {"key": {"secret": "input:key"}, "host": "db1"},
        {"key": "[redacted]", "region": "eu"},
        {"see": "key=[redacted]", "a": "b"},
    ) == (started.inputs, started.labels, started.annotations)


async def test_f95_a_secret_input_that_stands_in_another_is_refused() -> None:
    """
    The value of a secret input may not come in a second time, in the open.
    """
    with pytest.raises(DoesNotApply, match="input 'host' holds the value of a secret"):
        await service(Told(), MemoryStore(), Redactor(list)).start(
            Bundle(compiled(PRIVATE), "rev", "{}"),
            {"key": "hunter2hunter2", "host": "x-hunter2hunter2"},
            Actor("ana"),
        )


async def test_f50_bytes_that_are_no_text_can_be_kept() -> None:
    """
    Half characters of an alert, an input, a name or a note are replaced, not stored.
    """
    told = Told()
    alert = Alert("alertmanager", "firing", labels={"a\udc80": "\ud800x"})
    bundle = Bundle(compiled(TEXT), "rev", "{}")
    store = MemoryStore()
    made = service(told, store, Redactor(list))
    await made.start(
        bundle, {"host": "db\udcff"}, made.actor("an\udcff", "cli"), alert=alert
    )
    started = told.events[0]

    assert ({"host": "db\ufffd"}, {"a\ufffd": "\ufffdx"}, "an\ufffd") == (
        started.inputs,
        started.labels,
        started.by.id,
    )


def test_g15_an_opened_glass_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """
    Once when it is seen to be open, whoever asks and however often; a new one anew.
    """
    grants = [Grant("ana", "sign-on is down", 0.0, 1800.0)]
    service = Service(  # type: ignore[arg-type]
        None, MemoryStore(), None, Redactor(list), NoHold(), {"ana": (), "bo": ()},
        grant=lambda: grants[-1],
    )  # fmt: skip
    for name in ("bo", "ana", "ana"):
        service.actor(name, "cli")
    first = [one.message for one in caplog.records]
    grants.append(Grant("bo", "chat is down", 0.0, 60.0))
    service.actor("ana", "cli")

    assert ["break-glass is open who=ana seconds=1800 why=sign-on is down"] == first
    assert ["break-glass is open who=bo seconds=60 why=chat is down"] == [
        one.message for one in caplog.records[1:]
    ]
