"""The templates that a deployment has had: its ReplicaSets, and how to take one back.

Called by acting (reads them) and plans (chooses).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.adapters.kubernetes.looking import REVISION
from engine.adapters.kubernetes.server import Refused, Server

HASH: Final = "pod-template-hash"  # of the ReplicaSet alone


@dataclass(frozen=True, slots=True)
class Template:
    """One ReplicaSet's template, as the deployment had it."""

    name: str
    revision: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rollout:
    """A deployment's present template, and every one that is kept, newest first."""

    present: dict[str, Any]
    kept: tuple[Template, ...]

    @property
    def current(self) -> Template:
        """The one in use. Raises Refused: the controller has not made it yet."""
        for one in self.kept:
            if one.body == self.present:
                return one
        raise Refused(
            "its present template has no ReplicaSet yet: the controller has not seen "
            "the last change",
            retryable=True,
        )

    def choose(self, revision: int | None) -> tuple[Template, Template]:
        """Return the template in use and the one to go back to. Raises Refused."""
        here = self.current
        others = [one for one in self.kept if one.name != here.name]
        if revision is not None:
            others = [one for one in self.kept if one.revision == revision]
        if not others:
            wanted = "earlier revision" if revision is None else f"revision {revision}"
            there = ", ".join(str(one.revision) for one in self.kept)
            raise Refused(f"it has no {wanted}; kept are: {there}")
        return here, others[0]

    def named(self, name: Any) -> Template:
        """Return the template of a ReplicaSet. Raises Refused: it is gone."""
        for one in self.kept:
            if one.name == name:
                return one
        raise Refused(f"the ReplicaSet {name} is gone, and with it the template before")

    def change_to(self, target: Template) -> dict[str, Any]:
        """Return the merge patch from the present template to another."""
        patch: dict[str, Any] = merge_patch(self.present, target.body)
        return patch


async def rollout_of(server: Server, found: Mapping[str, Any]) -> Rollout:
    """Return the templates of a deployment. Raises Refused."""
    spec = found.get("spec") or {}
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    selector = ",".join(f"{name}={text}" for name, text in sorted(labels.items()))
    query = {"labelSelector": selector} if selector else {}
    sets, _ = await server.listed(server.path("replicasets"), query)
    owner = found["metadata"].get("uid")
    own = [one for one in sets if owner and _is_owned(one, owner)]
    kept = sorted(map(_template, own), key=lambda one: one.revision, reverse=True)
    return Rollout(_plain(spec.get("template") or {}), tuple(kept))


def _is_owned(found: Mapping[str, Any], owner: str) -> bool:
    owners = (found.get("metadata") or {}).get("ownerReferences") or []
    return any(one.get("uid") == owner for one in owners)


def _template(found: Mapping[str, Any]) -> Template:
    meta = found["metadata"]
    number = str((meta.get("annotations") or {}).get(REVISION, ""))
    body = _plain((found.get("spec") or {}).get("template") or {})
    revision = int(number) if number.isascii() and number.isdigit() else 0
    return Template(str(meta.get("name", "")), revision, body)


def _plain(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template without what only one of its two places has."""
    meta = dict(template.get("metadata") or {})
    labels = dict(meta.get("labels") or {})
    labels.pop(HASH, None)
    meta = {name: it for name, it in meta.items() if it is not None}
    return {**template, "metadata": {**meta, "labels": labels}}


def merge_patch(before: Any, after: Any) -> Any:
    """Return the JSON merge patch (RFC 7396) that makes `after` of `before`."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    patch: dict[str, Any] = {name: None for name in before if name not in after}
    for name, value in after.items():
        if name not in before:
            patch[name] = value
        elif value != before[name]:
            patch[name] = merge_patch(before[name], value)
    return patch
