"""An engine put together from its ports: live, or dry with nothing that could act.

What is here: which part is given which. What is not: the choice of adapters
(bootstrap). Called by bootstrap.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.code import CompiledRunbook
from engine.errors import NotFound
from engine.ports import Chat, Clock, GlobalHold, Ownership, Secrets, Store
from engine.registry import Registry
from engine.runtime.driver import Driver, Listener
from engine.runtime.effector import Compile, Ports
from engine.runtime.library import Library, compiled_from
from engine.runtime.perform import Actions, LiveActions, LiveChecks
from engine.runtime.redact import Redactor
from engine.runtime.run_secrets import RunSecrets, WithInputs
from engine.runtime.service import Service

People = Mapping[str, tuple[str, ...]]


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Return epoch seconds, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start, never going back."""
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Outside:
    """What an engine stands on."""

    registry: Registry
    store: Store
    secrets: Secrets
    hold: GlobalHold
    chat: Chat
    ownership: Ownership | None = None  # None: nobody else could drive the runs


def live_service(
    outside: Outside, library: Library, people: People, listener: Listener | None
) -> Service:
    """Return the use cases of an engine that acts; nothing is started yet."""
    secrets = RunSecrets(outside.secrets, outside.store)
    redactor = Redactor(secrets.values)
    actions = LiveActions(
        outside.registry,
        secrets.of,
        redactor,
        ownership=outside.ownership,
        forbidden=library.forbidden,
    )
    return _service(
        outside, library, people, actions, secrets, redactor, listener=listener
    )


def dry_service(
    outside: Outside,
    library: Library,
    people: People,
    actions: Actions,
    *,
    clock: Clock | None = None,
    listener: Listener | None = None,
) -> Service:
    """Return the use cases on real checks; `actions` are the held ones of a dry run.

    `clock`: another than the machine's, for a dry run at a moment of the past.
    """
    secrets = RunSecrets(outside.secrets, outside.store)
    redactor = Redactor(secrets.values)
    return _service(
        outside, library, people, actions, secrets, redactor, listener=listener,
        clock=clock,
    )  # fmt: skip


def _service(
    outside: Outside,
    library: Library,
    people: People,
    actions: Actions,
    secrets: RunSecrets,
    redactor: Redactor,
    *,
    listener: Listener | None,
    clock: Clock | None = None,
) -> Service:
    clock = clock or SystemClock()
    checks = LiveChecks(outside.registry, clock, secrets.of, redactor)
    world = WithInputs(secrets, checks, actions)
    ports = Ports(
        outside.store,
        world,
        world,
        outside.chat,
        clock,
        outside.hold,
        _compiles(outside.store, library),
        outside.registry.end_left,
    )
    driver = Driver(ports, listener=listener)
    return Service(driver, outside.store, library, redactor, outside.hold, people)


def _compiles(store: Store, library: Library) -> Compile:
    """Return the code of a revision from the texts that were kept when a run began."""
    kept: dict[str, CompiledRunbook] = {}

    async def compiled(revision: str) -> CompiledRunbook:
        if revision not in kept:
            stored = await store.revision(revision)
            if stored is None:
                raise NotFound(f"the texts of revision {revision[:12]} are not kept")
            kept[revision] = compiled_from(stored, revision, library.kinds)
        return kept[revision]

    return compiled
