"""The incident report in both forms."""

import re
import subprocess
from base64 import b64decode
from pathlib import Path

import pytest
import views_story as story
from views_golden import golden
from views_machine import small

from engine.model.timeline import Entry
from engine.views.graph import graph_mermaid
from engine.views.report import report_html, report_markdown

PARTS = [
    "What this is about",
    "Summary and impact",
    "Trigger, contributing factors, resolution",
    "Timeline",
    "What went well, what went badly, where we were lucky",
    "What the automation did",
    "Action items",
    "Questions for people",
    "Messages, drafts",
    "Data quality",
]
BLAME = re.compile(r"\b(fault|blame|mistake|careless|should have|human error)\b", re.I)
PROMISE = re.compile(
    r"\b(soon|shortly|within|(?<!user-)minutes|hours|by \d|expect to)\b", re.I
)
CHROMIUM = Path("/usr/bin/chromium")


def html(entries: list[Entry], picture: str | None = None) -> str:
    """Return the HTML report of a resolved run."""
    return report_html(entries, story.summary(), story.runbook(), picture=picture)


def test_a_resolved_run_has_a_whole_report() -> None:
    """
    Ten parts, exact numbers, the timeline, the picture, and a survey.
    """
    picture = graph_mermaid(small(), path=("start", "isolate/1", "end/resolved"))
    report = report_markdown(
        story.resolved(), story.summary(), story.runbook(), picture=picture
    )

    assert report == golden("report.md")


def test_a_rehearsal_is_marked_and_what_is_held_is_told_with_its_way_back() -> None:
    """
    [REHEARSAL] stands before title and messages; the stuck undo has its command.
    """
    report = report_markdown(
        story.handed_over("rehearsal"), story.handed_summary(), story.runbook(),
        picture=None,
    )  # fmt: skip

    assert report == golden("report_rehearsal.md")


def test_both_forms_have_the_ten_parts_in_order() -> None:
    """
    Part 1 to part 10, none left out.
    """
    entries = story.resolved()
    text = report_markdown(entries, story.summary(), story.runbook(), picture=None)
    written = re.findall(r"^## \d+\. (.+)$", text, re.M)
    page = re.findall(r"<h2><i>\d+</i>([^<]+)</h2>", html(entries))

    assert (written, page) == (PARTS, PARTS)


@pytest.mark.parametrize(
    ("mode", "mark"),
    [("live", []), ("rehearsal", ["[REHEARSAL] "]), ("dry-run", ["[DRY RUN] "])],
)
def test_a_page_says_what_is_not_a_live_incident(mode: str, mark: list[str]) -> None:
    """
    The mark stands in the title of the page and above everything on it.
    """
    page = report_html(
        story.resolved(), story.summary(mode=mode), story.runbook(), picture=None
    )

    assert re.findall(r'<p class="mark">([^<]*)</p>', page) == mark
    assert re.findall(r"<title>(\[.*\] )?", page) == (mark or [""])


def test_message_drafts_name_nobody_and_promise_no_time() -> None:
    """
    No word of blame, and no word on when it will be over, in any state of a run.
    """
    found = []
    for entries, summary in (
        (story.resolved(), story.summary()),
        (story.handed_over(), story.handed_summary()),
        (story.beginning().entries(), story.summary("running")),
        (story.beginning().entries(), story.summary("cleared")),
    ):
        report = report_markdown(entries, summary, story.runbook(), picture=None)
        part = report.partition("## 9.")[2].partition("## 10.")[0]
        found += BLAME.findall(part) + PROMISE.findall(part)

    assert found == []


def test_users_are_told_nothing_of_systems_and_people() -> None:
    """
    The draft for users has no action, cause, run or group in it.
    """
    report = report_markdown(
        story.resolved(), story.summary(), story.runbook(), picture=None
    )
    users = report.partition("To users:")[2].partition("## 10.")[0]
    inside = ("open_quarantine_lane", "roll_back", "bad-rollout", "r-7f3", "may", "oda")

    assert [word for word in inside if re.search(rf"\b{word}\b(?! have)", users)] == []


def test_what_nobody_knows_is_not_known() -> None:
    """
    A run without samples, cause or alert says so and counts nothing.
    """
    made = story.Story()
    made.note(0, "phase", "phase isolate", phase="isolate")
    report = report_markdown(
        made.entries(), story.summary("running", cause="", requester=""),
        story.runbook(), picture=None,
    )  # fmt: skip
    rows = [
        "| Users affected | not known: no sample was seen |",
        "| Started by | not known |",
        "| Alert fired at | not known |",
        "| Cause class | not named |",
        "| Resolution | the run goes on |",
        "| Report | draft, the run goes on; not yet reviewed by people |",
    ]

    assert [row for row in rows if row not in report.splitlines()] == []


def test_f97_a_changed_entry_is_told_under_data_quality() -> None:
    """
    A report of a timeline that was changed says so, and where.
    """
    entries = story.resolved()
    text = report_markdown(
        [*entries[:5], *entries[6:]], story.summary(), story.runbook(), picture=None
    )

    assert (
        "| Timeline | BROKEN in 2 places, first at entry 6: entry 6 is missing |"
        in (text.splitlines())
    )


def test_the_page_needs_nothing_but_itself() -> None:
    """
    No script, no network: the only thing loaded is the picture in the page.
    """
    page = html(story.resolved(), "<svg xmlns='http://www.w3.org/2000/svg'/>")

    assert re.findall(r"<script|@import|url\(|href=|<link|<iframe", page) == []
    assert re.findall(r'src="([^,]*),', page) == ["data:image/svg+xml;base64"]
    assert "default-src 'none'; img-src data:" in page


def test_a_large_picture_stands_whole_in_the_page() -> None:
    """
    A picture is not cut, and is nothing but an image to the page.
    """
    picture = f"<svg><script>alert(1)</script>{'x' * 50_000}</svg>"
    page = html(story.resolved(), picture)
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', page)

    assert found is not None
    assert b64decode(found[1]).decode() == picture


def test_a_fence_is_longer_than_the_backticks_in_a_picture() -> None:
    """
    A picture cannot end its own block.
    """
    report = report_markdown(
        story.resolved(), story.summary(), story.runbook(), picture="a\n````\nb"
    )

    assert "`````mermaid\na\n````\nb\n`````\n" in report


@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium")
def test_a_browser_reads_the_page(
    tmp_path: Path,
) -> None:
    """
    Chromium reads the page, with its ten parts in the tree.
    """
    file = tmp_path / "report.html"
    file.write_text(html(story.resolved()), encoding="utf-8")
    tree = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         f"--user-data-dir={tmp_path / 'profile'}", file.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip

    assert re.findall(r"<h2><i>(\d+)</i>", tree) == [str(n) for n in range(1, 11)]


def test_a_report_says_who_had_which_role() -> None:
    """
    Commander first; a run without roles has no such line.
    """
    roles = {"scribe": "bo", "commander": "ana"}
    text = report_markdown(
        story.resolved(), story.summary(roles=roles), story.runbook(), picture=None
    )

    assert "| Roles | commander ana, scribe bo |" in text.splitlines()
    assert "Roles" not in golden("report.md")
