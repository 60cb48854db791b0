"""Every key of the configuration, with what it may hold.

Judged here: one value alone. Where it comes from, and what people are told: loading.
"""

import re
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from engine.config.chatting import Chat, Group, PagerDuty
from engine.config.serving import (
    Doctor,
    EngineLimits,
    Maintenance,
    Retention,
    Source,
    Token,
    Watch,
)
from engine.model.people import Role
from engine.model.values import Duration, Model, Name, SecretRef, format_duration
from engine.runtime.defaults import longest

PREFIX: Final = "RUNBOOK_"
LISTEN: Final = re.compile(r"(?:\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})")


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        raise ValueError(f"'{text}' is no network: write it like 10.0.0.0/8") from error
    return text


def _listen(text: str) -> str:
    found = LISTEN.fullmatch(text)
    if found is None or int(found[1]) > 65_535:
        raise ValueError(f"'{text}' is no address to listen at: write 127.0.0.1:8080")
    return text


def _url(text: str) -> str:
    if not re.match(r"https?://[^/\s]", text):
        raise ValueError(f"'{text}' is no web address: write http://127.0.0.1:9090")
    return text


def _split(raw: Any) -> Any:
    """Let the environment write a list with commas, or a runbook folder alone."""
    if isinstance(raw, str):
        return [part.strip() for part in raw.split(",") if part.strip()]
    return raw


Pin = Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}$")]


class Person(Model):
    """One person who may start, approve and answer."""

    groups: list[Name] = Field(
        default_factory=list, description="The groups they belong to."
    )
    slack: str | None = Field(None, description="Their member id in Slack: U01ANA.")
    mattermost: str | None = Field(None, description="Their user id in Mattermost.")
    pagerduty: str | None = Field(None, description="Their user id in PagerDuty.")
    accounts: list[str] = Field(
        default_factory=list,
        description="More accounts of theirs, PROVIDER:ID: slack:U02ANA.",
    )
    role: Role = Field("responder", description="What they may do from chat.")


class Network(Model):
    """Which private addresses checks and actions may reach."""

    allow: Annotated[
        list[Annotated[str, AfterValidator(_network)]], BeforeValidator(_split)
    ] = Field(default_factory=list, description="Networks such as 127.0.0.0/8.")


class SecretSource(Model):
    """Where the value of a secret is read from, each time it is needed."""

    env: str | None = Field(None, description="The name of a variable.")
    file: str | None = Field(None, description="A file; its last line break is cut.")

    @model_validator(mode="after")
    def _one_of_two(self) -> "SecretSource":
        if (self.env is None) == (self.file is None):
            raise ValueError("a secret has exactly one of env, file")
        return self


class Defaults(Model):
    """Shorter limits, for what a runbook leaves out."""

    check_timeout: Duration | None = Field(None, description="Of one look.")
    act_timeout: Duration | None = Field(None, description="Of one try of an act.")
    lock_wait: Duration | None = Field(None, description="For the locks of a run.")
    approve_within: Duration | None = Field(None, description="Of a gate.")
    escalate_within: Duration | None = Field(None, description="Of its next round.")
    ask_within: Duration | None = Field(None, description="Of a question.")
    wait_within: Duration | None = Field(None, description="Of a `wait_for`.")
    run_within: Duration | None = Field(None, description="Of a sub-runbook.")

    @field_validator("*")
    @classmethod
    def _only_shorter(
        cls, length: timedelta | None, field: ValidationInfo
    ) -> timedelta | None:
        if length is None:
            return None
        limit = longest(str(field.field_name))
        if not timedelta(0) < length <= limit:
            raise ValueError(
                f"{field.field_name} may only be shorter than the format's "
                f"{format_duration(limit)}, and not 0s"
            )
        return length


class Server(Model):
    """The web server of `runbook serve`."""

    listen: Annotated[str, AfterValidator(_listen)] = Field(
        "127.0.0.1:8080", description="Address and port."
    )
    tokens: dict[Name, Token] = Field(
        default_factory=dict, description="Who may use the API; empty: nobody remote."
    )


class Address(Model):
    """The server that is meant where a runbook names none."""

    url: Annotated[str, AfterValidator(_url)] | None = Field(
        None, description="Its address."
    )


class Ssh(Model):
    """How `ssh` logs in where a runbook does not say it."""

    user: str | None = Field(None, description="Who logs in.")
    known_hosts: str | None = Field(None, description="A file of host keys.")
    key: SecretRef | None = Field(None, description="The private key's text.")
    key_file: str | None = Field(None, description="A file with the private key.")
    passphrase: SecretRef | None = Field(None, description="Of the private key.")
    agent: bool = Field(False, description="Use the agent at SSH_AUTH_SOCK.")

    @model_validator(mode="after")
    def _one_key(self) -> "Ssh":
        if sum(map(bool, (self.key, self.key_file, self.agent))) > 1:
            raise ValueError("ssh has at most one of key, key_file, agent")
        return self


class Kubernetes(Address):
    """The cluster that is meant where a runbook names none."""

    token: SecretRef | None = Field(
        None, description="The token; sent to this address alone."
    )
    ca_file: str | None = Field(None, description="The cluster's own authorities.")
    namespace: str = Field("default", description="Where a runbook names none.")


class Datadog(Address):
    """The account that is meant where a `datadog` check names none."""

    site: str | None = Field(
        None,
        pattern=r"^[a-z0-9.-]+$",
        description="As `datadoghq.eu`; left out with `url`: `datadoghq.com`.",
    )
    api_key: SecretRef | None = Field(
        None, description="The API key; sent to this address alone."
    )
    app_key: SecretRef | None = Field(
        None, description="The application key; sent to this address alone."
    )

    @model_validator(mode="after")
    def _one_address(self) -> "Datadog":
        if self.url is not None and self.site is not None:
            raise ValueError("datadog has at most one of url, site")
        return self


class NewRelic(Address):
    """The account that is meant where a `newrelic` check names none."""

    region: Literal["us", "eu"] = Field("us", description="Where the account is.")
    account: int | None = Field(None, ge=1, description="The account's number.")
    api_key: SecretRef | None = Field(
        None, description="A user key; sent to this address alone."
    )


class StatusPage(Address):
    """The page that is meant where a `status_page` act names none."""

    page: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Its id at Statuspage; left out: `url` takes JSON.",
    )
    token: SecretRef | None = Field(
        None, description="The token; sent to this address alone."
    )


class BreakGlass(Model):
    """How one person may act for every group when nothing else works."""

    codes: list[SecretRef] = Field(
        min_length=1,
        max_length=5,
        description="All are asked for: one for each person.",
    )
    lasts: Duration = Field(timedelta(hours=1), description="At most 1h.")

    @field_validator("lasts")
    @classmethod
    def _at_most_an_hour(cls, length: timedelta) -> timedelta:
        if not timedelta(0) < length <= timedelta(hours=1):
            raise ValueError("`lasts` is more than 0s, and at most 1h")
        return length


class Settings(BaseSettings):
    """Every key of the configuration."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, strict=True, env_prefix=PREFIX,
        env_nested_delimiter="__", env_ignore_empty=False,
    )  # fmt: skip

    data: str | None = Field(
        None, description="Where the journal, pictures and exports are kept."
    )
    runbooks: Annotated[list[str], BeforeValidator(_split)] = Field(
        default_factory=lambda: ["./runbooks"], description="Files and folders."
    )
    people: dict[Name, Person] = Field(
        default_factory=dict, description="Who may do what; empty: anybody."
    )
    network: Network = Field(
        default_factory=lambda: Network(), description="What may be reached."
    )
    secrets: dict[Name, SecretSource] = Field(
        default_factory=dict, description="Where secrets are read from."
    )
    defaults: Defaults = Field(
        default_factory=lambda: Defaults(), description="Shorter limits."
    )
    server: Server = Field(
        default_factory=lambda: Server(), description="The web server."
    )
    prometheus: Address = Field(
        default_factory=lambda: Address(), description="For checks without a url."
    )
    alertmanager: Address = Field(
        default_factory=lambda: Address(), description="For silences without a url."
    )
    ssh: Ssh = Field(default_factory=lambda: Ssh(), description="How to log in.")
    kubernetes: Kubernetes = Field(
        default_factory=lambda: Kubernetes(), description="For kinds without a url."
    )
    datadog: Datadog = Field(
        default_factory=lambda: Datadog(), description="For checks without a url."
    )
    newrelic: NewRelic = Field(
        default_factory=lambda: NewRelic(), description="For checks without a url."
    )
    status_page: StatusPage = Field(
        default_factory=lambda: StatusPage(), description="For acts without a page."
    )
    sources: dict[Name, Source] = Field(
        default_factory=dict, description="Who may post alerts."
    )
    pinned: dict[Name, Pin] = Field(
        default_factory=dict,
        description="Runbook to hash: what may start by itself with `autonomy: auto`.",
    )
    limits: EngineLimits = Field(
        default_factory=lambda: EngineLimits(), description="Of the whole engine."
    )
    maintenance: list[Maintenance] = Field(
        default_factory=list, description="When alerts start nothing."
    )
    watch: list[Watch] = Field(
        default_factory=list, description="What the engine looks at by itself."
    )
    retention: Retention = Field(
        default_factory=lambda: Retention(), description="What is over, kept so long."
    )
    doctor: Doctor = Field(
        default_factory=lambda: Doctor(), description="How a server looks at itself."
    )
    traces: Address = Field(
        default_factory=lambda: Address(),
        description="Where runs are sent as OpenTelemetry traces (OTLP/HTTP).",
    )
    pagerduty: PagerDuty = Field(
        default_factory=lambda: PagerDuty(), description="Where groups are paged."
    )
    chat: Chat = Field(default_factory=lambda: Chat(), description="Where people are.")
    groups: dict[Name, Group] = Field(
        default_factory=dict, description="Where else a group is known."
    )
    break_glass: BreakGlass | None = Field(
        None, description="The sealed codes for when sign-on or chat is down."
    )
    me: str | None = Field(None, description="Who sits at this terminal.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return what is given alone: loading merges the sources by itself."""
        return (init_settings,)
