"""TAB: runs, runbooks, people, questions and answers, in a real bash and as zsh asks."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest
from cli_place import ENGINE_YAML, Place

ASKING = """
format: 1
runbook: asking
title: Several questions at once
owner: ops
severity: sev3
isolate:
  - all:
      - ask: First?
        name: first
        who: ops
        within: 5m
        fields:
          fixed: boolean
          where: {type: choice, of: [here, there, '$(touch hacked)', 'two words']}
          note: string
      - {ask: Second?, name: second, who: ops, within: 5m, fields: {on: boolean}}
restore: [{undo: all}]
"""
GATED = """
format: 1
runbook: gated
title: An approval
owner: ops
severity: sev3
actions:
  drop: {risk: high, command: {argv: ['true']}, leaves_nothing: true}
restore:
  - {approve: Drop it?, name: let-it, from: {group: ops}, retype: db-2, within: 5m}
  - {act: drop}
"""
WITHIN_SECONDS = 20


@dataclass(frozen=True)
class Runs:
    """A folder with two open runs, and a command `runbook` on the path."""

    place: Place
    asking: str
    gated: str


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Begin both runs; each waits for people as long as the tests take."""
    folder = tmp_path_factory.mktemp("completing")
    (folder / "engine.yaml").write_text(ENGINE_YAML)
    (folder / "runbooks").mkdir()
    for name, text in (("asking", ASKING), ("gated", GATED)):
        (folder / f"runbooks/{name}.yaml").write_text(text)
    (folder / "bin").mkdir()
    command = folder / "bin/runbook"
    command.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m engine "$@"\n'
    )
    command.chmod(0o755)
    (folder / "elsewhere").mkdir()
    place = Place(folder, folder)
    try:
        for name in ("asking", "gated"):
            process = place.begin("run", name)
            assert process.stdout is not None
            assert any("waits for ops" in line for line in process.stdout)
        known = json.loads(place.runbook("runs", "--json")[1])
        by_name = {one["runbook"]: one["run"] for one in known}
        yield Runs(place, by_name["asking"], by_name["gated"])
    finally:
        for process in place.begun:
            process.kill()
            process.communicate()


class Bash:
    """A bash with the completion that `runbook` gives it."""

    def __init__(self, runs: Runs, folder: Path) -> None:
        found = runs.place.environment()
        path = f"{runs.place.folder}/bin:{found['PATH']}"
        self._shell = pexpect.spawn(
            "bash", ["--norc", "--noprofile"], cwd=str(folder), encoding="utf-8",
            env={**found, "PATH": path, "PS1": "> ", "TERM": "dumb"},
            timeout=WITHIN_SECONDS, dimensions=(24, 200),
        )  # fmt: skip
        for line in (
            "bind 'set bell-style none'",
            "bind 'set enable-bracketed-paste off'",
            """bind -x '"\\C-o": printf "<%s>\\n" "$READLINE_LINE"'""",
            'eval "$(_RUNBOOK_COMPLETE=source_bash runbook)"',
            "echo re''ady",
        ):
            self._shell.sendline(line)
        self._shell.expect_exact("ready\r\n")

    def line(self, typed: str) -> str:
        """Return what stands on the line once TAB was pressed after what is typed."""
        self._shell.send(f"{typed}\t\x0f")
        self._shell.expect(r"\r\n?<([^>]*)>\r\n")
        found = str(self._shell.match.group(1))
        self._shell.send("\x15")
        return found

    def offered(self, typed: str) -> set[str]:
        """Return the words that are listed for the last word of what is typed."""
        self._shell.send(f"{typed}\x1b?\x0f")
        self._shell.expect_exact(typed)
        self._shell.expect_exact("\r\n")
        self._shell.expect_exact(f"> {typed}")
        shown = str(self._shell.before)
        self._shell.expect(r"<[^>]*>\r\n")
        self._shell.send("\x15")
        return set(shown.split())

    def close(self) -> None:
        """End the shell."""
        self._shell.close(force=True)


@pytest.fixture(scope="module")
def bash(runs: Runs) -> Iterator[Bash]:
    """Open a bash beside the configuration."""
    shell = Bash(runs, runs.place.folder)
    yield shell
    shell.close()


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("runbook appr", "runbook approve "),
        ("runbook run ga", "runbook run gated "),
        ("runbook approve r", "runbook approve GATED "),
        ("runbook answer r", "runbook answer ASKING "),
        ("runbook reject r", "runbook reject GATED "),
        ("runbook take r-", "runbook take r-"),
        ("runbook answer x", "runbook answer x"),
        ("runbook approve GATED ", "runbook approve GATED let-it "),
        ("runbook approve GATED --as b", "runbook approve GATED --as bo "),
        ("runbook answer ASKING fi", "runbook answer ASKING fi"),
        ("runbook answer ASKING fir", "runbook answer ASKING first "),
        ("runbook answer ASKING first f", "runbook answer ASKING first fixed="),
        (
            "runbook answer ASKING first fixed=t",
            "runbook answer ASKING first fixed=true ",
        ),
        (
            "runbook answer ASKING fixed=true whe",
            "runbook answer ASKING fixed=true where=",
        ),
        (
            "runbook answer ASKING first fixed=true no",
            "runbook answer ASKING first fixed=true note= ",
        ),
        ("runbook answer ASKING second ", "runbook answer ASKING second on="),
    ],
)
def test_tab_goes_on_with_the_line(
    runs: Runs, bash: Bash, typed: str, line: str
) -> None:
    """
    What only one thing can follow is written out; a field waits for its value.
    """

    def named(text: str) -> str:
        return text.replace("ASKING", runs.asking).replace("GATED", runs.gated)

    assert named(line) == bash.line(named(typed))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", {"first", "second", "fixed=true", "fixed=false", "where=here",
              "where=there", "note=", "on=true", "on=false"}),
        ("first fixed=", {"true", "false"}),
        ("where=", {"here", "there"}),
        ("first fixed=true ", {"where=here", "where=there", "note="}),
    ],
)  # fmt: skip
def test_tab_lists_what_may_come(
    runs: Runs, bash: Bash, typed: str, words: set[str]
) -> None:
    """
    Questions, fields not yet given, and a field's values; no text a shell would run.
    """
    assert words == bash.offered(f"runbook answer {runs.asking} {typed}")
    assert not (runs.place.folder / "hacked").exists()


def test_tab_hears_of_another_configuration(runs: Runs) -> None:
    """
    In another folder nothing is offered or made, with --config all of it.
    """
    elsewhere = runs.place.folder / "elsewhere"
    shell = Bash(runs, elsewhere)
    try:
        lines = [
            shell.line("runbook approve r"),
            shell.line("runbook run ga"),
            shell.line("runbook --config ../engine.yaml approve r"),
            shell.line("runbook --config ../engine.yaml run ga"),
        ]
    finally:
        shell.close()

    assert [
        "runbook approve r",
        "runbook run ga",
        f"runbook --config ../engine.yaml approve {runs.gated} ",
        "runbook --config ../engine.yaml run gated ",
    ] == lines
    assert [] == [*elsewhere.iterdir()]


def for_zsh(runs: Runs, line: str) -> str:
    """Return what the completion tells zsh for the line, by its own protocol."""
    asked = {"_RUNBOOK_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line}
    done = subprocess.run(
        [sys.executable, "-m", "engine"],
        cwd=runs.place.folder, env=runs.place.environment() | asked,
        capture_output=True, text=True, timeout=WITHIN_SECONDS, check=False,
    )  # fmt: skip
    assert "" == done.stderr
    return done.stdout.strip()


def test_zsh_is_told_whole_words(runs: Runs) -> None:
    """
    Zsh keeps `key=value` together, so the whole of it is offered.
    """
    told = [
        for_zsh(runs, f"runbook {words}")
        for words in (
            "approve r-",
            f"approve {runs.gated} ",
            f"answer {runs.asking} first fixed=",
            f"answer {runs.asking} first fixed=true where=h",
            "run ga",
        )
    ]

    assert [
        f"_arguments '*: :((\"{runs.gated}\"))'",
        "_arguments '*: :((\"let-it\"))'",
        '_arguments \'*: :(("fixed=true"\n"fixed=false"))\'',
        "_arguments '*: :((\"where=here\"))'",
        "_arguments '*: :((\"gated\"))'",
    ] == told


def test_tab_is_quiet_where_nothing_can_be_read(runs: Runs, tmp_path: Path) -> None:
    """
    A broken configuration or journal offers nothing and says nothing.
    """
    (tmp_path / "engine.yaml").write_text("data: [")
    broken = tmp_path / "journal"
    broken.mkdir()
    (broken / "engine.yaml").write_text(ENGINE_YAML)
    (broken / "state").mkdir()
    (broken / "state/journal.db").write_text("no database at all, and long enough" * 9)
    told = [
        for_zsh(runs, f"runbook --config {folder}/engine.yaml approve r-")
        for folder in (tmp_path, broken)
    ]

    assert ["_files", "_files"] == told
