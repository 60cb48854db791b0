"""A Kubernetes API server on loopback, with a state: kmock, made strict about versions.

Used by the tests of kubernetes. Like a real server, and unlike kmock alone, it counts a
`resourceVersion`, and answers 409 to a patch that names an older one. It runs no
controllers: statuses are what a test sets.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import kmock
from aiohttp import web
from kmock import KubernetesEmulator, Server

SHOP = "shop"
DEPLOYMENTS = "apps/v1/deployments"
SETS = "apps/v1/replicasets"
PODS = "v1/pods"
NODES = "v1/nodes"
EVENTS = "v1/events"


class Strict(KubernetesEmulator):  # type: ignore[misc]
    """The emulator with optimistic locking, and a hand that is faster than ours."""

    async def _handle(self, request: Any) -> Any:
        if request.action == kmock.action.UPDATE and request.name is not None:
            key = (request.resource, request.namespace, request.name)
            if key in self.objects:
                if faster := getattr(self, "faster", []):
                    faster.pop(0)()
                here = self.objects[key].raw["metadata"]
                asked = request.data["metadata"].get("resourceVersion")
                if asked not in (None, here["resourceVersion"]):
                    told = {"kind": "Status", "code": 409, "message": "it was modified"}
                    return web.json_response(told, status=409)
                self.patched.append(deepcopy(request.data))
                version = int(here["resourceVersion"]) + 1
                request.data["metadata"]["resourceVersion"] = str(version)
        return await super()._handle(request)


@dataclass(slots=True)
class Cluster:
    """The running server, and short ways to what it holds."""

    server: Any
    url: str
    faster: list[Callable[[], None]] = field(default_factory=list)
    patched: list[dict[str, Any]] = field(default_factory=list)

    def put(
        self, resource: str, body: dict[str, Any], *, place: str | None = SHOP
    ) -> None:
        """Put an object there."""
        meta = {"resourceVersion": "1", "generation": 1, **body["metadata"]}
        meta |= {"namespace": place} if place else {}
        name = meta["name"]
        self.server.objects[resource, place, name] = {**body, "metadata": meta}

    def get(self, resource: str, name: str, *, place: str | None = SHOP) -> Any:
        """Return an object as it is now."""
        return deepcopy(self.server.objects[resource, place, name].raw)

    def change(
        self,
        resource: str,
        name: str,
        patch: dict[str, Any],
        *,
        place: str | None = SHOP,
    ) -> None:
        """Change an object as somebody else would: its version grows."""
        found = self.server.objects[resource, place, name]
        version = int(found.raw["metadata"]["resourceVersion"]) + 1
        meta = {**patch.get("metadata", {}), "resourceVersion": str(version)}
        found.patch({**patch, "metadata": meta})


@asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    """Run an API server for the block."""
    emulator = Strict()
    made = Cluster(emulator, "")
    emulator.faster, emulator.patched = made.faster, made.patched
    for resource in (DEPLOYMENTS, SETS, PODS, EVENTS):
        emulator.resources[resource] = {"namespaced": True}
    emulator.resources[NODES] = {"namespaced": False}
    async with emulator, Server(emulator):
        made.url = str(emulator.url).rstrip("/")
        yield made


def template(image: str, **notes: str) -> dict[str, Any]:
    """Return a pod template with one container."""
    meta: dict[str, Any] = {"labels": {"app": "api"}}
    meta |= {"annotations": notes} if notes else {}
    spec = {"containers": [{"name": "api", "image": image}]}
    return {"metadata": meta, "spec": spec}


def a_deployment(
    *, replicas: int = 3, image: str = "api:2", **status: Any
) -> dict[str, Any]:
    """Return a deployment `api` that has rolled out, its status changed by `status`."""
    notes = {"deployment.kubernetes.io/revision": "2"}
    told = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas"), replicas)
    told |= {"availableReplicas": replicas, "observedGeneration": 1}
    conditions = [
        {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
    ]
    return {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "api", "uid": "u-api", "annotations": notes},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "api"}},
            "template": template(image),
        },
        "status": {**told, "conditions": conditions, **status},
    }  # fmt: skip


def a_set(revision: int, image: str, *, owner: str = "u-api") -> dict[str, Any]:
    """Return the ReplicaSet that the controller made of a template."""
    body = template(image)
    body["metadata"]["labels"]["pod-template-hash"] = f"h{revision}"
    return {
        "metadata": {
            "name": f"api-h{revision}",
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "ownerReferences": [{"kind": "Deployment", "name": "api", "uid": owner}],
        },
        "spec": {"template": body},
    }


def a_pod(
    name: str, *, phase: str = "Running", ready: bool = True, restarts: int = 0,
    waiting: str = "", app: str = "api",
) -> dict[str, Any]:  # fmt: skip
    """Return a pod."""
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    return {
        "metadata": {"name": name, "labels": {"app": app}},
        "status": {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [{"restartCount": restarts, "state": state}],
        },
    }
