"""The keys that only a server needs: sources, limits, maintenance, watches, tokens.

Judged here: one value alone. What the settings do: adapters.sources (who may post),
core.intake (limits, maintenance), hosts (watches), entrypoints.web (tokens).

Read by: settings.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)

from engine.core.forbidden import is_regex
from engine.expressions.patterns import is_pattern
from engine.model.people import Role
from engine.model.values import DURATION, Duration, Model, Name, SecretRef

OneOrMore = SecretRef | list[SecretRef]
SourceKind = Literal[
    "alertmanager", "grafana", "datadog", "newrelic", "pagerduty", "opsgenie",
    "cloudwatch", "azure-monitor", "gcp-monitoring", "sentry", "zabbix",
    "uptime-kuma", "cloudevents", "generic",
]  # fmt: skip
SOURCE_KINDS: Final[tuple[str, ...]] = SourceKind.__args__  # type: ignore[attr-defined]


def _moment(raw: Any) -> Any:
    if not isinstance(raw, str):
        return raw
    try:
        at = datetime.fromisoformat(raw)
    except ValueError as error:
        raise ValueError(
            f"'{raw}' is no time: write it like 2026-12-01T22:00Z"
        ) from error
    if at.tzinfo is None:
        raise ValueError(f"'{raw}' has no zone: end it with Z, or with +01:00")
    return at


Moment = Annotated[datetime, BeforeValidator(_moment)]


class UserPassword(Model):
    """A user and a password in the header Authorization."""

    user: str = Field(min_length=1, description="The user's name.")
    password: OneOrMore = Field(description="The password; several while it changes.")


class Hmac(Model):
    """A signature over the raw body, as GitHub writes it: sha256=HEX."""

    secret: str | list[str] = Field(description="The name of the key; several in turn.")
    header: str = Field("X-Hub-Signature-256", description="The header it stands in.")


class SlackSignature(Model):
    """A signature over time and body, as Slack writes it; five minutes old at most."""

    secret: str | list[str] = Field(description="The name of the signing secret.")


class SnsSignature(Model):
    """Signed by Amazon SNS with a certificate of its own; topics that may post."""

    topics: list[str] = Field(min_length=1, description="ARNs of the topics.")


class AlertMap(Model):
    """For kind `generic`: CEL over `body` and `headers` for each part of an alert."""

    alerts: str | None = Field(None, description="A list inside the body, one each.")
    name: str = Field(description="The label alertname.")
    status: str = Field(description="Gives firing or resolved.")
    labels: dict[str, str] = Field(default_factory=dict, description="Label to CEL.")
    annotations: dict[str, str] = Field(default_factory=dict, description="The same.")
    severity: str | None = Field(None, description="The source's word.")
    fingerprint: str | None = Field(None, description="The same for the same alert.")
    starts_at: str | None = Field(None, description="When it began.")
    link: str | None = Field(None, description="Where to look.")


class Source(Model):
    """Who may post alerts at /alerts/NAME, and what they look like."""

    kind: SourceKind | None = Field(None, description="Left out: the source's name.")
    token: OneOrMore | None = Field(
        None, description="A bearer token; several in turn."
    )
    basic: UserPassword | None = Field(None, description="User and password.")
    hmac: Hmac | None = Field(None, description="A signature of the body.")
    slack: SlackSignature | None = Field(None, description="Slack's signature.")
    sns: SnsSignature | None = Field(None, description="Amazon SNS's signature.")
    insecure: bool = Field(False, description="Anybody who reaches it may post.")
    map: AlertMap | None = Field(None, description="For kind generic.")

    @model_validator(mode="after")
    def _closed_or_said_so(self) -> "Source":
        ways = (self.token, self.basic, self.hmac, self.slack, self.sns)
        if not any(ways) and not self.insecure:
            raise ValueError(
                "anybody could post here: give it token, basic, hmac, slack or sns, or "
                "say `insecure: true`"
            )
        if any(ways) and self.insecure:
            raise ValueError("`insecure: true` stands beside a way to tell who posts")
        return self


def names_of(wanted: str | list[str]) -> list[str]:
    """Return the secrets that are named, one or several."""
    return [wanted] if isinstance(wanted, str) else wanted


def refs_of(wanted: OneOrMore) -> list[str]:
    """Return the names of the secrets that are meant, one or several."""
    listed = [wanted] if isinstance(wanted, SecretRef) else wanted
    return [one.secret for one in listed]


def ways_in(source: Source) -> list[str]:
    """Return in words what a source asks for; nothing: it is open to anybody."""
    ways = {
        "a bearer token": source.token,
        "user and password": source.basic,
        "a signature of the body": source.hmac,
        "Slack's signature": source.slack,
        "a signature of Amazon SNS": source.sns,
    }
    return [words for words, way in ways.items() if way is not None]


def secrets_of(source: Source) -> list[list[str]]:
    """Return the secrets of each way in; of one way any that has a value will do."""
    ways = []
    if source.token is not None:
        ways.append(refs_of(source.token))
    if source.basic is not None:
        ways.append(refs_of(source.basic.password))
    signed = (one for one in (source.hmac, source.slack) if one is not None)
    return ways + [names_of(one.secret) for one in signed]


class Starts(Model):
    """How many runs alerts may start in a time."""

    max: int = Field(20, ge=1, le=10_000, description="Starts.")
    per: Duration = Field(timedelta(minutes=1), description="In this time.")


def _rule(text: str) -> str:
    if text.startswith("/") and not (is_regex(text) and is_pattern(text[1:-1])):
        raise ValueError(f"'{text}' is no RE2 pattern: write it like /drop table/")
    return text


class EngineLimits(Model):
    """What bounds the whole engine; more waits, by severity, and is never dropped."""

    starts: Starts = Field(
        default_factory=lambda: Starts(), description="Of runs that alerts start."
    )
    at_once: int = Field(
        10, ge=1, le=10_000, description="Runs that alerts started, open at once."
    )
    forbidden: list[Annotated[str, AfterValidator(_rule)]] = Field(
        default_factory=list,
        description="Acts that no runbook may do: KIND, or /regex/ over kind and text.",
    )


SHORTEST_BETWEEN: Final = timedelta(seconds=1)


class Doctor(Model):
    """How often a server looks at itself, and what counts as tried lately."""

    every: Duration = Field(
        timedelta(minutes=30), description="Between two examinations; at least 1s."
    )
    rehearsed_within: Duration = Field(
        timedelta(days=30), description="A rehearsal or a run counts for so long."
    )

    @field_validator("every")
    @classmethod
    def _not_all_the_time(cls, length: timedelta) -> timedelta:
        if length < SHORTEST_BETWEEN:
            raise ValueError("`every` is at least 1s")
        return length


LONGEST_AGE: Final = timedelta(days=36_500)
SHORTEST_AGE: Final = timedelta(days=1)


def _age(raw: Any) -> Any:
    found = DURATION.fullmatch(raw) if isinstance(raw, str) and raw else None
    if found is None:
        raise ValueError(f"'{raw}' is no age: write it like 400d")
    part = {name: float(value or 0) for name, value in found.groupdict().items()}
    age = timedelta(
        days=min(part["d"], 1e6), hours=part["h"], minutes=part["m"], seconds=part["s"]
    )
    if not SHORTEST_AGE <= age <= LONGEST_AGE:
        raise ValueError(f"'{raw}' is less than 1d, or more than 36500d")
    return age


Age = Annotated[timedelta, BeforeValidator(_age, json_schema_input_type=str)]


class Retention(Model):
    """How long the journal keeps what is over; left out: for ever."""

    runs: Age | None = Field(None, description="Runs, after their end: 400d.")
    alerts: Age | None = Field(
        None, description="Deliveries and decisions that nothing needs: 90d."
    )


class Maintenance(Model):
    """Alerts that start nothing for a time."""

    match: dict[str, str | int | float | bool | list[Any]] = Field(
        description="Labels, as in a trigger."
    )
    from_: Moment = Field(alias="from", description="The first moment, with its zone.")
    to: Moment = Field(description="The first moment after it.")
    why: str = Field("", description="For people.")

    @model_validator(mode="after")
    def _forwards(self) -> "Maintenance":
        if self.to <= self.from_:
            raise ValueError("it ends before it begins: `to` must be later than `from`")
        return self


OFTENEST: Final = timedelta(seconds=0.1)  # that a watch looks


class WatchedAlert(Model):
    """The labels of the alert that a watch raises."""

    alertname: str = Field(min_length=1, description="The alert's name.")
    severity: str = Field("page", description="The label severity.")
    labels: dict[str, str] = Field(default_factory=dict, description="More labels.")
    annotations: dict[str, str] = Field(default_factory=dict, description="Texts.")


class Heartbeat(Model):
    """An alert that must keep coming: the way of the alerts is watched by it."""

    source: str = Field("alertmanager", description="The source that sends it.")
    match: dict[str, str] = Field(description="Its labels.")


class Watch(Model):
    """A check that the engine looks at by itself, or a heartbeat that must come."""

    check: dict[str, Any] | None = Field(None, description="As in a runbook.")
    heartbeat: Heartbeat | None = Field(None, description="Missing is the alert.")
    for_: Duration = Field(
        timedelta(seconds=30), alias="for", description="So long before it fires."
    )
    every: Duration = Field(timedelta(seconds=10), description="Looked at so often.")
    unknown: Literal["keep", "fire"] = Field(
        "keep", description="What unknown does: nothing, or as a failed check."
    )
    alert: WatchedAlert = Field(description="What is raised.")

    @model_validator(mode="after")
    def _one_of_two(self) -> "Watch":
        if (self.check is None) == (self.heartbeat is None):
            raise ValueError("a watch has exactly one of check, heartbeat")
        if self.every < OFTENEST:
            raise ValueError("`every` is at least 0.1s")
        return self


class Token(Model):
    """What a bearer of a token may do, and under which name."""

    secret: str | list[str] = Field(
        description="The name of the secret; several in turn."
    )
    role: Role = Field("viewer", description="viewer, responder, commander or admin.")
    person: Name | None = Field(None, description="Left out: the token's own name.")
