"""The composition root: the only place that chooses adapters and the host.

Everything is imported when it is needed, so that `runbook --help` loads none of it.
Called by the entry points; nothing below imports this. `kinds`: checks and actions;
`alerts`: how alerts come in; `parts`: single adapters; `opening`: one open engine.
"""

from engine.bootstrap.alerts import parse_alerts, rules, silences, sources, watched
from engine.bootstrap.chatting import channel_of, chat_providers
from engine.bootstrap.dry_running import dry_service
from engine.bootstrap.kinds import door, kinds, registry
from engine.bootstrap.opening import Engine, engine, journal
from engine.bootstrap.parts import (
    JOURNAL,
    break_glass,
    empty_store,
    hold,
    journal_file,
    picture,
    secrets,
    sqlite_report,
)

__all__ = [
    "JOURNAL",
    "Engine",
    "break_glass",
    "channel_of",
    "chat_providers",
    "door",
    "dry_service",
    "empty_store",
    "engine",
    "hold",
    "journal",
    "journal_file",
    "kinds",
    "parse_alerts",
    "picture",
    "registry",
    "rules",
    "secrets",
    "silences",
    "sources",
    "sqlite_report",
    "watched",
]
