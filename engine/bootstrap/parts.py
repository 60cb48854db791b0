"""Single adapters: secrets, the hold, the journal as a file, pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.adapters.break_glass import GrantFile
    from engine.adapters.hold_file import HoldFile
    from engine.adapters.rehearsal_file import RehearsalFile
    from engine.adapters.sqlite import JournalFile, SqliteReport
    from engine.config import Config
    from engine.model.machine import MachineGraph
    from engine.ports import Secrets, Store

Form = Literal["svg", "png", "dot", "mermaid", "text"]

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


def rehearsals(config: "Config") -> "RehearsalFile":
    """Return when each runbook was last rehearsed: a file in the data folder."""
    from engine.adapters.rehearsal_file import RehearsalFile

    return RehearsalFile(config.data / "rehearsals.json")


def drills(config: "Config") -> "RehearsalFile":
    """Return when each runbook was last drilled with people: a file beside it."""
    from engine.adapters.rehearsal_file import RehearsalFile

    return RehearsalFile(config.data / "drills.json")


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


def picture_of(
    machine: "MachineGraph",
    form: "Form",
    path: "Sequence[str]" = (),
    *,
    marks: "Mapping[str, str] | None" = None,
) -> bytes:
    """Return a machine drawn: svg, png, dot, mermaid or text.

    `path`: the ids of the states a run visited, in order. `marks`: state id to what
    stands in it (`engine.views.marks`); a legend says what they mean.
    """
    from engine.views.graph import graph_dot, graph_mermaid, graph_text
    from engine.views.marks import with_legend

    drawn = {"text": graph_text, "mermaid": graph_mermaid}.get(form, graph_dot)
    text = drawn(machine, path=path, proof=marks)
    if marks is not None:
        text = with_legend(text, form)
    if form in {"svg", "png"}:
        return picture(text, form)
    return text.encode()
