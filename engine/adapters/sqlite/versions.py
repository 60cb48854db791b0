"""Which SQLite library this is, and whether a journal may be trusted to it.

SQLite 3.7.0 to 3.51.2 can damage a WAL database that two connections write or
checkpoint. Fixed in 3.51.3 and in the backports 3.44.6 and 3.50.7.

Read by: opening (refuses), store (offers `sqlite_report` to `doctor`).
"""

from dataclasses import dataclass
from typing import Final

import apsw

from engine.errors import StoreUnavailable

Version = tuple[int, int, int]

_BROKEN_FROM: Final[Version] = (3, 7, 0)
_FIXED_IN: Final[Version] = (3, 51, 3)
_BACKPORTS: Final[tuple[Version, ...]] = ((3, 44, 6), (3, 50, 7))
_OLDEST: Final[Version] = (3, 37, 0)  # STRICT tables


@dataclass(frozen=True, slots=True)
class SqliteReport:
    """The libraries in use; `problem` is empty where they can be trusted."""

    sqlite: str
    apsw: str
    problem: str

    def __str__(self) -> str:
        """Return one line for people."""
        verdict = self.problem or "safe for a WAL journal"
        return f"SQLite {self.sqlite} through apsw {self.apsw}: {verdict}"


def parse_version(text: str) -> Version:
    """Return the three numbers of "3.51.3"; missing ones are 0."""
    numbers = [int(part) for part in text.split(".")[:3]]
    major, minor, patch = [*numbers, 0, 0, 0][:3]
    return major, minor, patch


def library_problem(version: Version) -> str:
    """Return why a journal may not be trusted to this library; empty: it may."""
    if _BROKEN_FROM <= version < _FIXED_IN and not _is_backport(version):
        return (
            "can damage a WAL database that two connections write (fixed in 3.51.3, "
            "3.50.7 and 3.44.6)"
        )
    if version < _OLDEST:
        return "is older than 3.37.0, which the journal needs"
    return ""


def sqlite_report() -> SqliteReport:
    """Return the libraries in use and what is wrong with them, for `doctor`."""
    library = apsw.sqlite_lib_version()
    problem = library_problem(parse_version(library))
    return SqliteReport(library, apsw.apsw_version(), problem)


def refuse_unsafe(report: SqliteReport) -> None:
    """Pass where the library can be trusted.

    Raises:
        StoreUnavailable: it cannot; the text says what to install.
    """
    if report.problem:
        raise StoreUnavailable(
            f"SQLite {report.sqlite} {report.problem}. No journal was opened. Install "
            "the apsw wheel, which brings its own SQLite: "
            "pip install --force-reinstall 'apsw>=3.51.3'"
        )


def _is_backport(version: Version) -> bool:
    """Later patches of a repaired line keep the repair."""
    return any(version[:2] == b[:2] and version >= b for b in _BACKPORTS)
