"""A test that counts time may be too slow beside others, never alone."""

import re

import pytest

pytest_plugins = ["pytester"]
INI = """
[pytest]
markers = timed: counts time
addopts = -n 2
"""
BESIDE = "assert 'PYTEST_XDIST_WORKER' not in os.environ"


def _ended(pytester: pytest.Pytester, tests: str) -> tuple[int, dict[str, int]]:
    pytester.makeini(INI)
    pytester.makeconftest("pytest_plugins = ['tests.alone']")
    pytester.makepyfile("import os\nimport pytest\n" + tests)
    ran = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    last = re.findall(r"(\d+) (passed alone|passed|failed)", ran.outlines[-1])
    return int(ran.ret), {words: int(many) for many, words in last}


def _test(name: str, line: str, *, timed: bool) -> str:
    mark = "@pytest.mark.timed\n" if timed else ""
    return f"{mark}def test_{name}():\n    {line}\n"


def test_only_what_counts_time_is_run_again(pytester: pytest.Pytester) -> None:
    """Timed tests pass by their second run; with another failure all has failed."""
    slow = _test("slow", BESIDE, timed=True)
    quick = _test("quick", "pass", timed=False)
    other = _test("other", BESIDE, timed=False)

    assert (0, {"passed": 1, "passed alone": 1}) == _ended(pytester, slow + quick)
    assert (1, {"failed": 1, "passed alone": 1}) == _ended(pytester, slow + other)


def test_what_fails_alone_has_failed(pytester: pytest.Pytester) -> None:
    """The second run is the verdict, and there is no third."""
    assert (1, {"failed": 1}) == _ended(pytester, _test("slow", "assert 0", timed=True))
