"""A test that counts time may be too slow beside others, never alone."""

import re

import pytest

pytest_plugins = ["pytester"]
INI = """
[pytest]
markers = timed: counts time
addopts = -n 1 -p no:hypothesispytest -p no:anyio -p no:asyncio -p no:_cov -p no:timeout
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


def test_what_counts_time_passes_alone(pytester: pytest.Pytester) -> None:
    """It failed beside others: its second run is the verdict of the session."""
    slow = _test("slow", BESIDE, timed=True)
    quick = _test("quick", "pass", timed=False)

    assert (0, {"passed": 1, "passed alone": 1}) == _ended(pytester, slow + quick)


def test_nothing_else_has_a_second_run(pytester: pytest.Pytester) -> None:
    """Another failure is one, whatever comes of those that count time."""
    slow = _test("slow", BESIDE, timed=True)
    other = _test("other", BESIDE, timed=False)

    assert (1, {"failed": 1, "passed alone": 1}) == _ended(pytester, slow + other)
