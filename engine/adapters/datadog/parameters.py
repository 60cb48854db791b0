"""What a `datadog` check may say, and what the configuration says for it.

Read by: the package, the reference page.
"""

from dataclasses import dataclass
from typing import Final, Literal, Protocol, Self

from pydantic import Field, model_validator

from engine.model.credentials import Secretable
from engine.model.values import Duration, Identifier, Model, parse_duration

SITE: Final = "datadoghq.com"
LOOKS: Final = ("query", "queries", "monitor")


class DatadogLook(Model):
    """A metrics query, or the state of a monitor.

    `query` alone asks `/api/v1/query`; with `reduce` it asks `/api/v2/query/scalar`;
    `queries` ask `/api/v2/query/timeseries`, with `reduce` again the scalar.
    """

    query: str | None = Field(
        None,
        min_length=1,
        description="A metrics query: `avg:shop.latency{env:prod} by {region}`.",
    )
    queries: dict[Identifier, str] | None = Field(
        None, min_length=1, description="Several, by name, for a `formula`."
    )
    formula: str | None = Field(
        None, min_length=1, description="Of the names of `queries`: `errors / all`."
    )
    reduce: (
        Literal["avg", "sum", "min", "max", "last", "l2norm", "area", "mean"] | None
    ) = Field(
        None,
        description="One number of the whole `range`; without it, the last point "
        "counts. Such a number has no time: only the `range` bounds its age.",
    )
    range: Duration = Field(
        parse_duration("5m"), description="Look back so far, ending now."
    )
    accept_partial: bool = Field(
        False,
        description="Where the newest points are nil, take the last that is not; "
        "without it, a nil at the end is unknown.",
    )
    max_age: Duration = Field(
        parse_duration("120s"),
        description="An older point is unknown; a point has the time at which its "
        "interval begins. Counted to the server's own time.",
    )
    monitor: int | None = Field(
        None,
        ge=1,
        description="A monitor's number: `value` is 0 for OK, 1 for Warn, 2 for Alert; "
        "No Data and every other state is unknown. `json` has id, name, type, state, "
        "groups.",
    )
    groups: bool = Field(
        False, description="Of a `monitor`: one series for each group, not the whole."
    )
    site: str | None = Field(
        None, description="As `datadoghq.eu`; left out: the configured one."
    )
    url: Secretable | None = Field(
        None, description="The API's address instead of the site's."
    )
    api_key: Secretable | None = Field(
        None, description="`{secret: NAME}`; left out: the configured one."
    )
    app_key: Secretable | None = Field(
        None, description="`{secret: NAME}`; left out: the configured one."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        given = [key for key in LOOKS if getattr(self, key) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"write exactly one of {', '.join(LOOKS)}, not {found}")
        if self.site is not None and self.url is not None:
            raise ValueError("a look has `site` or `url`, not both")
        self._one_answer()
        if not 10 <= self.range.total_seconds() <= 31 * 86_400:
            raise ValueError("`range` is at least 10s and at most 31d")
        return self

    def _one_answer(self) -> None:
        if self.formula is not None and self.queries is None:
            raise ValueError("`formula` belongs to `queries`")
        if self.queries is not None and len(self.queries) > 1 and self.formula is None:
            raise ValueError(
                "several `queries` need a `formula` that makes one of them"
            )
        if self.groups and self.monitor is None:
            raise ValueError("`groups` belongs to `monitor`")
        if self.monitor is not None and self.reduce is not None:
            raise ValueError("`reduce` belongs to `query` or `queries`")


class Account(Protocol):
    """What the configuration says; its keys are sent to its own address alone."""

    @property
    def url(self) -> str | None: ...  # noqa: D102

    @property
    def site(self) -> str | None: ...  # noqa: D102

    @property
    def api_key(self) -> Secretable | None: ...  # noqa: D102

    @property
    def app_key(self) -> Secretable | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class DatadogAccount:
    """An account in code: nothing of it has to be said."""

    url: str | None = None
    site: str | None = None
    api_key: Secretable | None = None
    app_key: Secretable | None = None


def base_for(account: Account) -> str:
    """Return the address of the API that the configuration means."""
    return account.url or f"https://api.{account.site or SITE}"
