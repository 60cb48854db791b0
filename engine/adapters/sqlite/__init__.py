"""The journal in SQLite, through apsw: ports.Store for one process and one file.

    settings    what can be set
    versions    which SQLite libraries are trusted; `sqlite_report` for `doctor`
    places      which disks are fit for it
    schema      the tables, as numbered migrations
    opening     look before touching; create, check, narrow the rights, migrate
    migrations  forward only, with a copy before
    appending   one group of appends: check, seal, write
    reserve     space for when the disk is full
    writer      the one thread that writes, with group commit
    reader      the threads that read
    copied      a copy knows that it is one
    owning      who drives which run, inside the transaction
    engines     the processes that drive runs: ports for their lease
    locking     path locks
    mail        events from other processes
    queries     what is read
    auditing    verify, integrity, stats
    removals    which runs were removed, and the word of it
    retaining   what is too old is removed
    old_alerts  which decisions and deliveries nothing needs
    copies      a checked copy of a journal that is written
    restoring   a copy is checked and put in the journal's place
    journal_file the three above, for the command line
    problems    what people are told
    store       SqliteStore, the whole of it

Called by: bootstrap and `doctor`. Nothing else of the package is public.
"""

from engine.adapters.sqlite.auditing import Stats
from engine.adapters.sqlite.copies import Copied
from engine.adapters.sqlite.journal_file import JournalFile
from engine.adapters.sqlite.restoring import Draft
from engine.adapters.sqlite.retaining import Retained
from engine.adapters.sqlite.settings import SqliteSettings
from engine.adapters.sqlite.store import SqliteStore
from engine.adapters.sqlite.versions import SqliteReport, sqlite_report

__all__ = [
    "Copied",
    "Draft",
    "JournalFile",
    "Retained",
    "SqliteReport",
    "SqliteSettings",
    "SqliteStore",
    "Stats",
    "sqlite_report",
]
