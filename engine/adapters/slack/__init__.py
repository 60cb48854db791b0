"""Slack: a screen for runs, and a way in for people.

`texts`, `blocks`, `modals`: what a card and a form look like there. `pacing`, `asking`:
how Slack is asked. `rooms`, `provider`: ports.ChatProvider. `inbound`: what people did.

Built by bootstrap.slack.
"""

from engine.adapters.slack.asking import SlackApi
from engine.adapters.slack.provider import SlackChat

__all__ = ["SlackApi", "SlackChat"]
