"""The page beside the platform says what the platform has."""

import re
from pathlib import Path

from messaging import control
from messaging.alerting import load_rules
from messaging.monitor import RULES
from messaging.promql import parse

PAGE = (Path(control.__file__).parent / "README.md").read_text()
SOURCES = Path(control.__file__).parent.glob("*.py")
ROUTE = re.compile(r'route\(\s*"GET", "(/admin/[^"]+)"')


def test_the_page_names_every_fault_and_every_alert() -> None:
    """Each fault of the controller and each rule that can fire has its row."""
    names = [*control.FAULTS, *(rule.name for rule in load_rules(RULES))]

    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_the_page_names_every_state_endpoint() -> None:
    """Each GET under /admin/ is on the page, an example standing for its parameter."""
    paths = {path for source in SOURCES for path in ROUTE.findall(source.read_text())}
    patterns = {
        path: re.sub(r"\\{\w+\\}", r"[\\w-]+", re.escape(path)) for path in paths
    }

    missing = [p for p, pattern in patterns.items() if not re.search(pattern, PAGE)]
    assert (len(paths) > 15, missing) == (True, [])


def test_the_queries_of_the_page_are_in_the_subset() -> None:
    """What the page offers as PromQL can be asked of the built-in scraper."""
    table = PAGE.partition("## PromQL that shows it")[2].partition("## ")[0]
    rows = [
        re.split(r"(?<!\\)\|", line)[2] for line in table.splitlines() if "`" in line
    ]
    queries = [re.findall(r"`([^`]+)`", row)[0].replace("\\|", "|") for row in rows]

    assert len([parse(query) for query in queries]) == 19
