"""A cluster: `kubernetes`, as a check and as an action with a built-in way back.

What is here: the two codes of the kind. A check sees a deployment, pods or warnings. An
action scales, restarts or rolls back a deployment, or closes a node; it is idempotent
on the act's key, fenced inside a run, and given back only where nobody else changed it.
What is not: kubeconfig files and client certificates (address and token are named),
other resources than deployments and nodes.

Registered by bootstrap.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

from engine.adapters.kubernetes.acting import act_on
from engine.adapters.kubernetes.looking import look_at
from engine.adapters.kubernetes.parameters import (
    Cluster,
    KubernetesAction,
    KubernetesCheck,
)
from engine.adapters.kubernetes.plans import verb_of
from engine.adapters.kubernetes.server import Refused, Server, server_for
from engine.errors import SecretMissing
from engine.model.evidence import Observation
from engine.model.kinds import Place
from engine.ports import ActResult, Call, Web
from engine.registry import Registry

PLACES: Final[Mapping[str, Place]] = {"url": "url"}


class KubernetesKind:
    """The code of the kind, both for looking and for acting."""

    def __init__(
        self,
        web: Web,
        cluster: Cluster | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Ask through `web`; `clock` gives epoch seconds, where a server gives none."""
        self._web = web
        self._cluster = cluster or Cluster()
        self._clock = clock

    async def look(self, params: KubernetesCheck, call: Call) -> Observation:
        """Return what is seen, or why nothing can be said."""
        source, server, began = _source(params), None, time.monotonic()
        try:
            server = server_for(self._web, self._cluster, params, call)
            seen, value, words = await look_at(server, params, self._clock())
        except SecretMissing as error:
            return Observation(unknown=str(error), retryable=False, source=source)
        except Refused as refused:
            why = _told(server, refused)
            return Observation(unknown=why, retryable=refused.retryable, source=source)
        took = time.monotonic() - began
        return Observation(
            seen={"json": seen, "value": value, "latency_seconds": took},
            summary=server.unsealed.hide(words),
            source=source,
        )

    async def act(self, params: KubernetesAction, call: Call) -> ActResult:
        """Act once, or find that it was done; with `call.built_in`, give back."""
        server = None
        try:
            server = server_for(self._web, self._cluster, params, call)
            return await act_on(server, params, call, self._clock)
        except SecretMissing as error:
            return ActResult("failed", str(error), retryable=False)
        except Refused as refused:
            why = f"{' '.join(verb_of(params))}: {_told(server, refused)}"
            return ActResult("failed", why, retryable=refused.retryable)


def _told(server: Server | None, refused: Refused) -> str:
    if server is None:
        return refused.why
    return server.unsealed.hide(f"{server.shown}: {refused.why}")


def _source(params: KubernetesCheck) -> str:
    if params.deployment is not None:
        return f"deployment {params.deployment}"
    if params.pods is not None:
        return "pods " + ",".join(f"{name}={it}" for name, it in params.pods.items())
    return "warnings"


def register(registry: Registry, web: Web, cluster: Cluster | None = None) -> None:
    """Add the check and the action `kubernetes`; `cluster` is the configured one."""
    kind = KubernetesKind(web, cluster)
    sees = ("json", "value", "latency_seconds")
    registry.add_check(
        "kubernetes", KubernetesCheck, kind.look, places=PLACES, sees=sees
    )
    registry.add_action(
        "kubernetes",
        KubernetesAction,
        kind.act,
        places=PLACES,
        built_in_undo=True,
        undo_may_be_written=True,
    )
