"""Commands about the journal's file: backup, restore, migrate, retain.

Also here: `keep_short`, which a server does once a day. What a whole copy is, and how
files change places: adapters.sqlite. Called by app, serving.
"""

import logging
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from engine.entrypoints.cli.choosing import As, config_of, person
from engine.entrypoints.cli.reaching import named_server
from engine.entrypoints.cli.screen import PROBLEMS, plain, say, tell, wrong_use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.config import Config

log = logging.getLogger("engine.storing")

STAMP: Final = "%Y%m%dT%H%M%SZ"
OURS: Final = re.compile(r"journal-\d{8}T\d{6}Z\.db")
DAY: Final = 86_400.0  # seconds
MOST_WHY: Final = 2_000  # characters: what held before stands in it too
SHOWN: Final = 20  # of a list; more are counted


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: runbook backup /mnt/copies/ --keep 14")(backup)
    app.command(epilog="Example: runbook restore copies/journal-20261124T103000Z.db")(
        restore
    )
    app.command(epilog="Example: runbook migrate --check")(migrate)
    app.command(epilog="Example: runbook retain --dry-run")(retain)


def _stamp() -> str:
    return time.strftime(STAMP, time.gmtime())


# Copies


def backup(
    context: typer.Context,
    target: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE|FOLDER]", help="Else the folder `backups` in `data`."
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Remove all but the newest N there."),
    ] = None,
) -> None:
    """Copy the journal while engines go on; the copy is whole, and was checked."""
    from engine.bootstrap import journal_file

    config = config_of(context)
    folder = target or config.data / "backups"
    to_folder = target is None or target.is_dir() or not target.suffix
    if keep is not None and not to_folder:
        wrong_use("--keep counts the copies of a folder: name a folder, not a file")
    _make(folder if to_folder else folder.parent)
    file = folder / f"journal-{_stamp()}.db" if to_folder else folder
    made = journal_file(config).back_up(file)
    say(
        f"{made.path}: {made.size:,} bytes, {made.runs:,} runs, "
        f"{made.entries:,} entries; checked"
    )
    for old in _too_many(folder, keep) if keep is not None else []:
        old.unlink()
        tell(f"removed: {old}")


def _make(folder: Path) -> None:
    from engine.errors import EngineError

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(f"{folder} cannot be made: {error.strerror}") from error


def _too_many(folder: Path, keep: int) -> list[Path]:
    """Return the oldest of our copies, by the time in their names; nobody else's."""
    ours = sorted(one for one in folder.iterdir() if OURS.fullmatch(one.name))
    return ours[:-keep]


def restore(
    context: typer.Context,
    copy: Annotated[Path, typer.Argument(metavar="FILE", help="A copy.")],
    with_faults: Annotated[
        bool,
        typer.Option(
            "--with-faults", help="Also where a timeline is not as it was written."
        ),
    ] = False,
    as_: As = "",
) -> None:
    """Put a copy in the journal's place, and hold: nothing is done a second time."""
    from engine.bootstrap import hold, journal_file, secrets
    from engine.runtime.holding import set_hold
    from engine.runtime.redact import Redactor

    config = config_of(context)
    who, file = person(config, as_), journal_file(config)
    _refuse_living(config)
    draft = file.take_copy(copy)
    try:
        _refuse_faults(copy, draft, allowed=with_faults)
        _refuse_living(config)
        clean = Redactor(secrets(config).values).text
        set_hold(hold(config), clean, who, _why(config, copy), most=MOST_WHY)
        aside = file.put_in_place(draft, _stamp())
    finally:
        file.throw_away(draft)
    say(f"{file.path}: {draft.runs:,} runs, {draft.entries:,} entries from {copy}")
    if aside is not None:
        say(f"what was there before is kept in {aside}")
    for line in _open(draft):
        say(line)
    say("The global hold is on. Look at each open run, then: runbook hold off")


def _why(config: "Config", copy: Path) -> str:
    from engine.bootstrap import hold

    before = hold(config).reason()
    why = (
        f"the journal was put back from {copy.name}: what was done after that copy is "
        "not in it"
    )
    return f"{why}. Held before: {before}" if before else why


def _refuse_living(config: "Config") -> None:
    """Pass where no engine drives runs: none has its file locked. Raises."""
    from engine.errors import DoesNotApply

    living = [
        one.stem for one in (config.data / "engines").glob("*.lock") if _held(one)
    ]
    if living:
        raise DoesNotApply(
            f"{config.data}: an engine drives runs of this journal (token "
            f"{', '.join(living)}). Nothing was changed. End it, then try again."
        )


def _held(lock: Path) -> bool:
    import fcntl

    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _refuse_faults(copy: Path, draft: Any, *, allowed: bool) -> None:
    from engine.errors import StoreDamaged

    for one in draft.faults[:SHOWN]:
        tell(f"{one.run} entry {one.seq}: {plain(one.problem)}")
    if draft.faults and not allowed:
        raise StoreDamaged(
            f"{copy}: {len(draft.faults)} places are not as they were written. Nothing "
            "was changed. Take an older copy, or say --with-faults."
        )


def _open(draft: Any) -> "Iterator[str]":
    from engine.model.times import moment_text

    yield f"open runs in it: {len(draft.open):,}"
    for one in draft.open[:SHOWN]:
        last = moment_text(one.updated_at)
        yield f"  {one.run} {plain(one.runbook)}: {one.state}, last entry {last}"
    if len(draft.open) > SHOWN:
        yield f"  and {len(draft.open) - SHOWN:,} more: runbook runs"


# The schema


def migrate(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Only look; exit 1 where it is older.")
    ] = False,
) -> None:
    """Bring the journal to the schema of this engine, with a copy before."""
    from engine import __version__
    from engine.bootstrap import journal_file

    file = journal_file(config_of(context))
    written, known = file.schemas()
    say(f"{file.path}: schema {written.schema}, written by engine {written.engine}")
    say(f"this is engine {__version__}: it knows schemas up to {known}")
    if check and written.schema < known:
        say("it is brought forward by: runbook migrate")
        raise typer.Exit(PROBLEMS)
    if check and written.schema == known:
        say("nothing to do")
        return
    for line in file.migrate() or ["nothing to do"]:
        say(line)


# What is too old


def retain(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count what would be removed.")
    ] = False,
) -> None:
    """Remove what ended longer ago than `retention` says; without it nothing."""
    from engine.bootstrap import journal
    from engine.runtime.retention import NEVER, remove_old

    config, there = config_of(context), named_server(context)
    if there is not None:
        for line in there.ask_once("POST", "/retain", {"dry_run": dry_run})["told"]:
            say(plain(line))
        return
    ages = config.settings.retention
    if ages.runs is None and ages.alerts is None:
        say(NEVER)
        return

    async def removed() -> list[str]:
        async with journal(config) as store:
            return await remove_old(store, ages, time.time(), dry=dry_run)

    import asyncio

    for line in asyncio.run(removed()):
        say(line)


async def keep_short(store: Any, config: "Config") -> None:
    """Remove what is too old, now and once a day, for ever; trouble is logged."""
    import asyncio

    from engine.errors import EngineError
    from engine.runtime.retention import remove_old

    ages = config.settings.retention
    while ages.runs or ages.alerts:
        try:
            for line in await remove_old(store, ages, time.time(), dry=False):
                log.info("retention: %s", line)
        except EngineError as error:
            log.warning("retention: %s", error)
        await asyncio.sleep(DAY)
