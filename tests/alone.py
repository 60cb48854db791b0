"""Tests that count time have their verdict where nothing else runs.

Beside others a test that is marked `timed` measures the machine as well. Where one fails
there, it is run once more at the end of the session, alone, and that is its verdict;
which ones were is told. Any other failure stays what it is.

Called by: pytest, through conftest.
"""

import os
import subprocess
import sys

import pytest

SWITCH = "TESTS_RUN_ALONE"  # set for the tests of the second run


def pytest_configure(config: pytest.Config) -> None:
    """Watch a session whose tests run side by side."""
    beside = config.getoption("numprocesses", None) or 0
    if beside and not hasattr(config, "workerinput") and SWITCH not in os.environ:
        config.pluginmanager.register(_Alone(config), "alone")


class _Alone:
    """What failed beside others, and what came of it alone."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.failed: list[pytest.TestReport] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a failure of a test that counts time."""
        if report.failed and "timed" in report.keywords:
            self.failed.append(report)

    @pytest.hookimpl(trylast=True)  # the workers are gone by then
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Run them again; the session has passed where nothing else failed."""
        if not self.failed or session.shouldfail or session.shouldstop:
            return
        names = sorted({one.nodeid for one in self.failed})
        told = self.config.get_terminal_writer()
        told.line(f"\nagain, alone, because they count time: {', '.join(names)}")
        if not _passed(self.config, names):
            return
        stats = self.config.pluginmanager.get_plugin("terminalreporter").stats
        stats["failed"] = [one for one in stats["failed"] if one not in self.failed]
        stats.setdefault("passed alone", []).extend(self.failed)
        if session.testsfailed == len(self.failed):
            session.exitstatus = pytest.ExitCode.OK


def _passed(config: pytest.Config, names: list[str]) -> bool:
    asked = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider"]
    given = {key: one for key, one in os.environ.items() if "PYTEST" not in key}
    found = subprocess.run(
        [*asked, *names], cwd=config.rootpath, env=given | {SWITCH: "1"}, check=False
    )
    return found.returncode == 0
