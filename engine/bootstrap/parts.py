"""Single adapters: secrets, the hold, the journal as a file, pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from engine.adapters.break_glass import GrantFile
    from engine.adapters.hold_file import HoldFile
    from engine.adapters.sqlite import JournalFile, SqliteReport
    from engine.config import Config
    from engine.ports import Secrets, Store

JOURNAL: Final = "journal.db"


def secrets(config: "Config") -> "Secrets":
    """Return the secrets that the configuration names."""
    from engine.adapters.secrets import ConfiguredSecrets

    places = {}
    for name, one in config.settings.secrets.items():
        file = config.secret_file(name)
        places[name] = {"file": str(file)} if file else {"env": str(one.env)}
    found = ConfiguredSecrets(places, folder=Path())
    found.read_all()
    return found


def hold(config: "Config") -> "HoldFile":
    """Return the global hold: a file in the data folder."""
    from engine.adapters.hold_file import HoldFile

    return HoldFile(config.data / "HOLD")


def break_glass(config: "Config") -> "GrantFile":
    """Return the broken glass: a file in the data folder."""
    from engine.adapters.break_glass import GrantFile

    return GrantFile(config.data / "BREAK-GLASS")


def journal_file(config: "Config") -> "JournalFile":
    """Return the journal as a file, to copy it, put it back, bring it forward."""
    from engine.adapters.sqlite import JournalFile

    return JournalFile(config.data / JOURNAL)


def sqlite_report() -> "SqliteReport":
    """Return which SQLite library is in use, and whether it can be trusted."""
    from engine.adapters.sqlite import sqlite_report

    return sqlite_report()


def empty_store() -> "Store":
    """Return a journal in memory, for rehearsals and dry runs."""
    from engine.adapters.memory_store import MemoryStore

    return MemoryStore(seal=False)


def picture(dot: str, form: Literal["svg", "png"]) -> bytes:
    """Return DOT text drawn as `svg` or `png`."""
    from engine.adapters.pictures import draw

    return draw(dot, form)
