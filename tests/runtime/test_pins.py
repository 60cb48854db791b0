"""F102: what starts without a person is what a person has pinned."""

from pathlib import Path

import pytest

from engine.bootstrap import kinds
from engine.runtime.library import Library

TEXT = """\
format: 1
runbook: own
title: x
owner: o
severity: sev3
autonomy: AUTONOMY
isolate: [{say: x}]
"""


def library(folder: Path, autonomy: str, pin: str = "") -> Library:
    """Return a library with one runbook, pinned so."""
    (folder / "own.yaml").write_text(TEXT.replace("AUTONOMY", autonomy))
    made = Library(kinds(), pinned={"own": pin} if pin else {})
    made.add_paths([folder])
    return made


@pytest.mark.parametrize("autonomy", ["propose", "approve"])
def test_f102_only_auto_needs_a_pin(tmp_path: Path, autonomy: str) -> None:
    """
    What a person starts, or approves, needs none.
    """
    assert {} == library(tmp_path, autonomy).unpinned


def test_f102_auto_without_its_pin_is_offered_and_says_so(tmp_path: Path) -> None:
    """
    No pin, another one, one that is too short: the reason names the hash of the file.
    """
    revision = library(tmp_path, "auto").loaded["own"].revision
    reasons = [
        library(tmp_path, "auto", pin).unpinned
        for pin in ("", "0" * 64, revision[:11], revision[:12], revision)
    ]

    assert [
        {"own": f"autonomy: auto is not pinned; its hash is {revision[:12]}"},
        {"own": f"it was changed: {revision[:12]}, pinned is 000000000000"},
        {"own": f"it was changed: {revision[:12]}, pinned is {revision[:11]}"},
        {},
        {},
    ] == reasons


def test_g20_auto_that_was_not_tried_lately_is_offered_and_says_so(
    tmp_path: Path,
) -> None:
    """
    What acts with nobody there was tried within the month; others start as before, and
    what is not known to be old is not held back.
    """
    pin = library(tmp_path, "auto").loaded["own"].revision
    why = "rehearsed or run 31 d ago, more than 30 d"
    asked = [("auto", why), ("auto", ""), ("approve", why), ("propose", why)]
    found = [
        library(tmp_path, autonomy, pin).offered_only({"own": told, "gone": why})
        for autonomy, told in asked
    ]
    unpinned = library(tmp_path, "auto").offered_only({"own": why})

    assert [{"own": f"{why}: rehearse it, or start it by hand"}, {}, {}, {}] == found
    assert unpinned == library(tmp_path, "auto").unpinned
