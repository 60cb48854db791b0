"""The pages are true: links lead somewhere, runbooks load, commands do what is shown."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.language.load import load_runbook
from tests.docs.blocks import Block, blocks, commands, missing
from tests.docs.format_parts import known_kinds
from tests.docs.regenerate import PICTURE, ROOT, pages, picture
from tests.docs.words import anchor

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCED = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)


def _runbooks() -> list[tuple[Path, Block]]:
    return [
        (page, block)
        for page in pages()
        for block in blocks(page)
        if "runbook" in block.marks
    ]


def _played() -> list[Path]:
    return [
        page
        for page in pages()
        if any(one.language == "console" and not one.marks for one in blocks(page))
    ]


def _problem(page: Path, target: str) -> str:
    place, _, part = target.partition("#")
    file = (page.parent / place).resolve() if place else page
    if not file.exists():
        return f"{page.relative_to(ROOT)}: {target} is not there"
    if part and part not in {anchor(title) for title in _headings(file)}:
        return f"{page.relative_to(ROOT)}: {target} has no such heading"
    return ""


def _headings(file: Path) -> list[str]:
    plain = FENCED.sub("", file.read_text())
    return [title.replace("`", "") for title in HEADING.findall(plain)]


def test_every_link_leads_somewhere() -> None:
    """
    A link inside the documentation leads to a file, and to a heading where it names one.
    """
    found = [
        _problem(page, target)
        for page in pages()
        for target in LINK.findall(FENCED.sub("", page.read_text()))
        if "://" not in target
    ]

    assert [] == [problem for problem in found if problem]


def test_every_page_is_reached_from_the_readme() -> None:
    """
    Whoever begins at the README can get to every page by links.
    """
    seen, to_do = set[Path](), [ROOT / "README.md"]
    while to_do:
        page = to_do.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        targets = LINK.findall(page.read_text())
        to_do += [
            (page.parent / target.partition("#")[0]).resolve()
            for target in targets
            if "://" not in target
        ]

    assert set() == set(pages()) - seen


@pytest.mark.parametrize(
    ("page", "block"),
    _runbooks(),
    ids=[block.marks["runbook"] for _, block in _runbooks()],
)
def test_whole_runbook_in_a_page_loads(page: Path, block: Block) -> None:
    """
    A runbook that a page shows as a whole has no problem, and no warning either.
    """
    name = block.marks["runbook"]
    loaded = load_runbook(block.text, f"{name}.yaml", known_kinds(), stem=name)

    assert [] == [str(problem) for problem in loaded.problems]


@pytest.mark.parametrize("page", _played(), ids=lambda page: page.stem)
def test_commands_of_a_page_do_what_is_shown(page: Path, tmp_path: Path) -> None:
    """
    Every console block that is no illustration runs, and shows what the page shows.
    """
    wrong = []
    for block in blocks(page):
        if "file" in block.marks:
            target = tmp_path / block.marks["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text)
        elif block.language == "console" and not block.marks:
            for command, shown in commands(block.text):
                ran = _run(command, tmp_path)
                lines = missing(shown, ran.stdout)
                if ran.returncode or lines:
                    wrong.append((block.line, command, lines, ran.stdout, ran.stderr))

    assert [] == wrong


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = {"PATH": path, "HOME": str(folder), "COLUMNS": "120", "LANG": "C.UTF-8"}
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_console_blocks_are_run_or_marked() -> None:
    """
    A console block is run, or says that it is an illustration; nothing in between.
    """
    odd = [
        (str(page.relative_to(ROOT)), block.line)
        for page in pages()
        for block in blocks(page)
        if block.language in ("bash", "sh", "shell")
        or (block.language == "console" and set(block.marks) - {"illustration"})
    ]

    assert [] == odd


def test_picture_of_the_readme_is_the_machine() -> None:
    """
    The picture in the README is what `runbook graph` draws of the shipped runbook.
    """
    assert picture() == PICTURE.read_bytes()
