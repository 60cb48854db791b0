"""The keys for chat: providers, ways out when chat is down, on-call schedules.

Judged here: one value alone. What they do: adapters (providers, ways out), runtime.chat
(what is shown where), entrypoints.chat (what comes in).

Read by: settings.
"""

from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from engine.config.serving import Moment
from engine.model.values import Duration, Model, Name, SecretRef

SLACK_API: Final = "https://slack.com/api/"
EVENTS_API: Final = "https://events.pagerduty.com/v2/enqueue"


def _address(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"'{url}' is no address: begin it with https://")
    return url


Url = Annotated[str, AfterValidator(_address)]


class Slack(Model):
    """A Slack workspace; `runbook chat-manifest` prints the app to install there."""

    token: SecretRef = Field(description="The bot's token: xoxb-…")
    signing: SecretRef | list[SecretRef] | None = Field(
        None, description="The signing secret: events over HTTP; several in turn."
    )
    app: SecretRef | None = Field(
        None, description="The app's token, xapp-…: events over Socket Mode."
    )
    channel: str | None = Field(None, description="Where runs without a channel go.")
    url: Url = Field(SLACK_API, description="Where its Web API is.")

    @model_validator(mode="after")
    def _hears(self) -> "Slack":
        if self.signing is None and self.app is None:
            raise ValueError(
                "nobody could answer from Slack: give it `signing` (events over HTTP) "
                "or `app` (Socket Mode)"
            )
        return self


class Mattermost(Model):
    """A Mattermost server."""

    url: Url = Field(description="The server: https://chat.example.com")
    token: SecretRef = Field(description="The bot's access token.")
    commands: SecretRef | list[SecretRef] | None = Field(
        None, description="The token of the slash command; several in turn."
    )
    signing: SecretRef | list[SecretRef] | None = Field(
        None,
        description="What its buttons and forms are signed with; several in turn. "
        "Left out: made from the token.",
    )
    team: str = Field(description="The team's name.")
    channel: str | None = Field(None, description="Where runs without a channel go.")
    callback: Url | None = Field(
        None, description="Where Mattermost reaches this engine, for its buttons."
    )


class WayOut(Model):
    """Where messages go while chat is down: exactly one of its ways."""

    apprise: SecretRef | None = Field(
        None, description="An Apprise URL: e-mail, SMS, Teams, Telegram, WhatsApp …"
    )
    webhook: SecretRef | Url | None = Field(
        None, description="A URL that takes JSON with title and text."
    )
    file: str | None = Field(None, description="A file that lines are added to.")
    terminal: bool = Field(False, description="The engine's own terminal.")
    person: Name | None = Field(
        None, description="Whose it is: only they get one-time links that answer."
    )

    @model_validator(mode="after")
    def _one(self) -> "WayOut":
        ways = [self.apprise, self.webhook, self.file, self.terminal or None]
        if sum(one is not None for one in ways) != 1:
            raise ValueError("give exactly one of apprise, webhook, file, terminal")
        return self


class Chat(Model):
    """Where people follow runs, and steer them."""

    slack: Slack | None = Field(None, description="A Slack workspace.")
    mattermost: Mattermost | None = Field(None, description="A Mattermost server.")
    fallback: dict[Name, WayOut] = Field(
        default_factory=dict, description="Ways out when chat is down, in order."
    )
    own_channel: list[str] = Field(
        default_factory=lambda: ["sev1", "sev2"],
        description="Severities whose runs get a channel of their own.",
    )
    pin: str = Field("pushpin", description="The reaction that keeps a message.")
    link: Url | None = Field(
        None, description="Where people reach this engine: one-time links begin so."
    )
    update_every: Duration = Field(
        timedelta(minutes=30), description="Longest silence of an open run."
    )

    fallback_after: Duration = Field(
        timedelta(seconds=45),
        description="So long may chat fail before messages go to the ways out.",
    )

    @model_validator(mode="after")
    def _in_time(self) -> "Chat":
        if self.fallback_after > timedelta(seconds=60):
            raise ValueError("fallback_after is at most 60s: somebody waits to hear")
        return self

    @model_validator(mode="after")
    def _severities(self) -> "Chat":
        for one in self.own_channel:
            if one not in ("sev1", "sev2", "sev3", "sev4", "sev5"):
                raise ValueError(f"own_channel: '{one}' is no severity: sev1 to sev5")
        return self


class Shift(Model):
    """Who is on call for a time, again and again."""

    people: list[Name] = Field(min_length=1, description="In turn.")
    from_: Moment = Field(alias="from", description="When the first one begins.")
    every: Duration = Field(
        timedelta(days=7), description="How long each one has it: 168h is a week."
    )


class Override(Model):
    """Somebody else for a while."""

    person: Name = Field(description="Who takes it.")
    from_: Moment = Field(alias="from", description="From.")
    to: Moment = Field(description="Up to.")

    @model_validator(mode="after")
    def _forwards(self) -> "Override":
        if self.to <= self.from_:
            raise ValueError("it ends before it begins: `to` must be later than `from`")
        return self


class PagerDutySchedule(Model):
    """A schedule of PagerDuty; people are found by their `pagerduty` id."""

    schedule: str = Field(min_length=1, description="The schedule's id: PI7DH85.")
    token: SecretRef = Field(description="A token of its REST API.")
    url: Url = Field("https://api.pagerduty.com", description="Where its API is.")


class OnCall(Model):
    """Who of a group is on call now: a schedule of our own, or PagerDuty's."""

    shift: Shift | None = Field(None, description="A schedule of our own.")
    overrides: list[Override] = Field(
        default_factory=list, description="Exceptions to it; the first one counts."
    )
    pagerduty: PagerDutySchedule | None = Field(None, description="PagerDuty's.")

    @model_validator(mode="after")
    def _one(self) -> "OnCall":
        if (self.shift is None) == (self.pagerduty is None):
            raise ValueError("give exactly one of shift, pagerduty")
        return self


class PagerDuty(Model):
    """How groups are paged that have no service of their own."""

    routing_key: SecretRef | None = Field(
        None, description="The routing key of a service (Events API v2)."
    )
    url: Url = Field(EVENTS_API, description="Where events are taken.")


class Group(Model):
    """Where else a group is known."""

    slack: str | None = Field(None, description="Its Slack user group: S01ABC.")
    mattermost: str | None = Field(None, description="Its Mattermost group's id.")
    pagerduty: SecretRef | None = Field(
        None, description="The routing key of its service in PagerDuty."
    )
    oncall: OnCall | None = Field(None, description="Who of it is on call.")
