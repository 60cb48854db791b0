"""Which SQLite a journal may be trusted to."""

import apsw
import pytest

from engine.adapters.sqlite import SqliteReport, sqlite_report
from engine.adapters.sqlite.versions import (
    library_problem,
    parse_version,
    refuse_unsafe,
)
from engine.errors import StoreUnavailable


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ("3.6.23", False),  # before the fault, and too old for the tables
        ("3.7.0", False),
        ("3.40.1", False),
        ("3.44.5", False),
        ("3.44.6", True),
        ("3.45.0", False),
        ("3.50.6", False),
        ("3.50.7", True),
        ("3.51.0", False),
        ("3.51.2", False),
        ("3.51.3", True),
        ("3.52.0", True),
        ("4.0", True),
    ],
)
def test_f25_versions_that_can_damage_a_journal(version: str, safe: bool) -> None:
    """
    3.7.0 to 3.51.2 is refused, except the backports 3.44.6 and 3.50.7.
    """
    assert (library_problem(parse_version(version)) == "") is safe


def test_f25_an_unsafe_library_stops_the_start() -> None:
    """
    The refusal names the version, the fault, and the command that repairs it.
    """
    report = SqliteReport("3.40.1", "3.40.1.0", library_problem((3, 40, 1)))

    with pytest.raises(StoreUnavailable) as refused:
        refuse_unsafe(report)

    assert str(refused.value) == (
        "SQLite 3.40.1 can damage a WAL database that two connections write (fixed in "
        "3.51.3, 3.50.7 and 3.44.6). No journal was opened. Install the apsw wheel, "
        "which brings its own SQLite: pip install --force-reinstall 'apsw>=3.51.3'"
    )


def test_f25_the_report_names_the_library_in_use() -> None:
    """
    `doctor` shows the version that runs, not the one Python was built with.
    """
    report = sqlite_report()

    assert report == SqliteReport(apsw.sqlite_lib_version(), apsw.apsw_version(), "")
    assert str(report) == (
        f"SQLite {report.sqlite} through apsw {report.apsw}: safe for a WAL journal"
    )
