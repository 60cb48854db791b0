"""Ways out when chat is down: Apprise (e-mail, SMS, …), a webhook, a file, a terminal.

What is here: ports.WayOut over each of them; plain text with a title, sent once, within
ten seconds. What is not: when, to whom, and what (runtime.chat.fallback).

Built into an engine by bootstrap.
"""

from engine.adapters.ways_out.apprised import AppriseWay
from engine.adapters.ways_out.file import FileWay
from engine.adapters.ways_out.terminal import TerminalWay
from engine.adapters.ways_out.webhook import WebhookWay

__all__ = ["AppriseWay", "FileWay", "TerminalWay", "WebhookWay"]
