"""The composition root: the only place that chooses adapters and the host.

Everything is imported when it is needed, so that `runbook --help` loads none of it.
Called by the entry points; nothing below imports this. `kinds`: checks and actions;
`alerts`: how alerts come in; `parts`: single adapters; `opening`: one open engine;
`doctoring` and `needed`, which are imported by their names: what `doctor` looks at.
"""

from engine.bootstrap.alerts import (
    parse_alerts,
    rules,
    silences,
    sources,
    starting_alert,
    watched,
)
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
    picture_of,
    rehearsals,
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
    "picture_of",
    "registry",
    "rehearsals",
    "rules",
    "secrets",
    "silences",
    "sources",
    "sqlite_report",
    "starting_alert",
    "watched",
]
