"""What a `status_page` act may say, and what the configuration says for it.

Read by: the package, the reference page.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Literal, Protocol, Self

from pydantic import Field, model_validator

from engine.model.credentials import Secretable
from engine.model.values import Model

STATUSPAGE_URL: Final = "https://api.statuspage.io"

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=64)]
ComponentStatus = Literal[
    "operational",
    "under_maintenance",
    "degraded_performance",
    "partial_outage",
    "major_outage",
]


class StatusPageAct(Model):
    """An incident on a status page, or only the states of its components.

    With a `page` it is Atlassian Statuspage; an incident carries the act's key in its
    metadata, so that the same act opens none twice. Without, it is any service that
    takes JSON at `url`: a POST with key, run, name, status, body, impact, components,
    a PATCH of the same for what follows, each with an Idempotency-Key. The way back
    resolves the incident that this act opened, and gives its components back.
    """

    page: Id | None = Field(
        None, description="The page's id at Statuspage; left out: the configured one."
    )
    url: Secretable | None = Field(
        None,
        description="Statuspage's address, or without `page` where JSON is taken; "
        "left out: the configured one.",
    )
    token: Secretable | None = Field(
        None, description="`{secret: NAME}`; left out: the configured one."
    )
    name: str | None = Field(
        None, min_length=1, description="The title: opens an incident."
    )
    key: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Acts of one run with one key are one incident: the first opens "
        "it, the others write to it. Left out: the act's own.",
    )
    status: Literal["investigating", "identified", "monitoring", "resolved"] = Field(
        "investigating", description="How far the incident is."
    )
    body: str | None = Field(None, description="What is told to users.")
    impact: Literal["none", "minor", "major", "critical"] | None = Field(
        None, description="How bad; left out: as the page counts it."
    )
    components: dict[Id, ComponentStatus] = Field(
        default_factory=dict, description="Component to its state."
    )
    restored: ComponentStatus = Field(
        "operational",
        description="What components are given back to, where no incident remembers "
        "their state; without one, an act on a component in another state is refused.",
    )
    closing: str = Field(
        "This incident has been resolved.",
        description="What is told when the way back resolves the incident.",
    )
    notify: bool = Field(True, description="Send notifications to subscribers.")
    headers: dict[str, Secretable] = Field(
        default_factory=dict, description="Further headers, without a `page`."
    )

    @property
    def is_incident(self) -> bool:
        """Whether it is about an incident, and not about components alone."""
        return self.name is not None or self.key is not None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.is_incident and not self.components:
            raise ValueError(
                "write `name` to open an incident, `key` to write to one, or "
                "`components`"
            )
        if self.page is not None and self.headers:
            raise ValueError("`headers` belong to an address without `page`")
        return self


class Account(Protocol):
    """What the configuration says; its token is sent to its own address alone."""

    @property
    def url(self) -> str | None: ...  # noqa: D102

    @property
    def page(self) -> str | None: ...  # noqa: D102

    @property
    def token(self) -> Secretable | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class StatusPageAccount:
    """An account in code: nothing of it has to be said."""

    url: str | None = None
    page: str | None = None
    token: Secretable | None = None


def base_for(account: Account) -> str | None:
    """Return the address that the configuration means, or None."""
    return account.url or (STATUSPAGE_URL if account.page is not None else None)
