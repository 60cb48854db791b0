"""How the tests run side by side: how many workers, what begins first, what is measured.

Most of the suite's time is spent waiting for real processes, so there are more workers
than cores, and the files that wait longest begin first: else one worker would be left
with them at the end. Within a file the order stays, and a file stays on one worker.
"""

import os

import pytest
from hypothesis import is_hypothesis_test, settings

pytest_plugins = ["tests.alone"]
settings.register_profile("here", deadline=None)  # 200 ms of the wall is no promise
settings.load_profile("here")
WORKERS_PER_CORE, MOST_WORKERS = 2, 8
PURE = ("core", "expressions", "language", "templating", "views")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Return how many workers `-n auto` means; none for a single file."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    if len(config.args) == 1 and ".py" in config.args[0]:
        return 0
    return min((os.cpu_count() or 1) * WORKERS_PER_CORE, MOST_WORKERS)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Put files with a slow test first; coverage is of what the pure tests reach.

    Not of what chance reaches: that is another figure each time, and measuring it takes
    longer than the tests.
    """
    slow = {one.path for one in items if one.get_closest_marker("slow")}
    items.sort(key=lambda one: one.path not in slow)
    if not config.pluginmanager.hasplugin("_cov"):
        return
    pure = [config.rootpath / "tests" / one for one in PURE]
    for one in items:
        alone = one.get_closest_marker("slow") or one.get_closest_marker("timed")
        alone = alone or is_hypothesis_test(getattr(one, "obj", None))
        if alone or not any(one.path.is_relative_to(folder) for folder in pure):
            one.add_marker("no_cover")
