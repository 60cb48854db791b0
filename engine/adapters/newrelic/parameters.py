"""What a `newrelic` check may say, and what the configuration says for it.

Read by: the package, the reference page.
"""

from dataclasses import dataclass
from typing import Final, Literal, Protocol

from pydantic import Field

from engine.model.credentials import Secretable
from engine.model.values import Duration, Model, parse_duration

Region = Literal["us", "eu"]
ADDRESSES: Final[dict[Region, str]] = {
    "us": "https://api.newrelic.com/graphql",
    "eu": "https://api.eu.newrelic.com/graphql",
}


class NewRelicLook(Model):
    """An NRQL query, asked through NerdGraph.

    A FACET gives one series for each of its values; a TIMESERIES gives samples, and
    the last of them is the value.
    """

    query: str = Field(
        min_length=1,
        description="NRQL. Thresholds belong in `pass`. `count(*)` is 0 where nothing "
        "reports, and for a name with a slip in it.",
    )
    column: str | None = Field(
        None,
        min_length=1,
        description="Which number counts, where the query selects several: "
        "`average.duration`, or the name after AS.",
    )
    account: int | None = Field(
        None, ge=1, description="The account's number; left out: the configured one."
    )
    accept_partial: bool = Field(
        False, description="Take an answer that comes with messages of the database."
    )
    max_age: Duration = Field(
        parse_duration("120s"),
        description="An older sample is unknown. A sample has the end of its bucket "
        "(TIMESERIES), else `latest(timestamp)`, else the end of the query's window.",
    )
    region: Region | None = Field(
        None, description="`us` or `eu`; left out: the configured one, or `us`."
    )
    url: Secretable | None = Field(
        None, description="The address of NerdGraph instead of the region's."
    )
    api_key: Secretable | None = Field(
        None, description="A user key, `{secret: NAME}`; left out: the configured one."
    )


class Account(Protocol):
    """What the configuration says; its key is sent to its own address alone."""

    @property
    def url(self) -> str | None: ...  # noqa: D102

    @property
    def region(self) -> Region: ...  # noqa: D102

    @property
    def account(self) -> int | None: ...  # noqa: D102

    @property
    def api_key(self) -> Secretable | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class NewRelicAccount:
    """An account in code: nothing of it has to be said."""

    url: str | None = None
    region: Region = "us"
    account: int | None = None
    api_key: Secretable | None = None


def base_for(account: Account) -> str:
    """Return the address of NerdGraph that the configuration means."""
    return account.url or ADDRESSES[account.region]
