"""What a runbook says of a cluster: what to look at, what to change.

Names have Kubernetes' own form, so none can leave its place in a path or a selector.

Read by: the check and the action `kubernetes`, the reference page.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from engine.model.credentials import Secretable
from engine.model.values import Duration, Model, SecretRef, parse_duration

ObjectName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", min_length=1, max_length=253
    ),
]
Namespace = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=63
    ),
]
LabelName = Annotated[
    str,
    StringConstraints(
        pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
        max_length=317,
    ),
]
LabelText = Annotated[
    str,
    StringConstraints(
        pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", max_length=63
    ),
]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]+$", max_length=63)]
LOOKS: Final = ("deployment", "pods", "events")
ACTS: Final = ("scale", "rollout_restart", "rollout_undo", "cordon", "uncordon")


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster of the configuration; a runbook may name another."""

    url: str | None = None
    token: SecretRef | None = None
    ca_file: str | None = None
    namespace: str = "default"


class _Asking(Model):
    """What a check and an action share."""

    namespace: Namespace | None = Field(
        None, description="Where it is; left out: the configured one."
    )
    url: Secretable | None = Field(
        None,
        description="The API server's address; left out: the configured one. The "
        "configured token and authorities go to the configured address alone.",
    )
    token: SecretRef | None = Field(
        None, description="The token of a service account: `{secret: NAME}`."
    )
    ca_file: str | None = Field(
        None, description="Trust the authorities in this file, not the system's."
    )

    def _exactly_one(self, names: tuple[str, ...]) -> None:
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"write exactly one of {', '.join(names)}, not {found}")


class Events(Model):
    """Which warnings are counted."""

    name: ObjectName | None = Field(None, description="Of the object of this name.")
    kind: Word | None = Field(None, description="Of objects of this kind: Pod.")
    reason: list[Word] | None = Field(
        None, min_length=1, description="With one of these reasons: BackOff."
    )


class KubernetesCheck(_Asking):
    """A deployment, pods or recent warnings of a cluster."""

    deployment: ObjectName | None = Field(
        None,
        description="A deployment: `json` has desired, replicas, updated, ready, "
        "available, unavailable, generation, observed, rolled_out, paused, conditions "
        "(type to true, false or null), reasons, images, revision; `value` is ready.",
    )
    pods: dict[LabelName, LabelText] | None = Field(
        None,
        min_length=1,
        description="The pods with all these labels: `json` has total, ready, "
        "not_ready (names), pending, running, succeeded, failed, unknown, restarts, "
        "waiting (reason to number); `value` is ready. None at all is unknown.",
    )
    events: Events | None = Field(
        None,
        description="Recent warnings, all with `{}`, or of one `name`, `kind` and "
        "list of `reason`: `json` has count, reasons (to number), messages; `value` is "
        "count. None is zero.",
    )
    within: Duration = Field(
        parse_duration("10m"), description="How recent `events` are, by their last."
    )
    may_be_none: bool = Field(
        False, description="No pods at all are zero pods, not unknown."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self._exactly_one(LOOKS)
        if self.may_be_none and self.pods is None:
            raise ValueError("`may_be_none` belongs to `pods`")
        return self


class KubernetesAction(_Asking):
    """A change of a deployment or a node; its way back is built in.

    What it did stands in the annotation `incident-runbook/acts` of the object, under
    the act's key, so the same act is never done twice.
    """

    scale: ObjectName | None = Field(None, description="A deployment to scale.")
    replicas: int | None = Field(
        None,
        ge=0,
        description="The number for `scale`. The way back is the number before, "
        "where nobody has changed it since.",
    )
    rollout_restart: ObjectName | None = Field(
        None,
        description="A deployment whose pods are all replaced. There is nothing to "
        "give back: write `leaves_nothing: true`.",
    )
    rollout_undo: ObjectName | None = Field(
        None,
        description="A deployment to take back to its template before the present "
        "one. The way back is the present one.",
    )
    revision: int | None = Field(
        None, ge=1, description="Of `rollout_undo`: this revision, not the one before."
    )
    cordon: ObjectName | None = Field(
        None, description="A node that takes no new pods. The way back is uncordon."
    )
    uncordon: ObjectName | None = Field(
        None, description="A node that takes pods again. The way back is cordon."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self._exactly_one(ACTS)
        if (self.scale is None) != (self.replicas is None):
            raise ValueError("`scale` and `replicas` stand together")
        if self.revision is not None and self.rollout_undo is None:
            raise ValueError("`revision` belongs to `rollout_undo`")
        return self
