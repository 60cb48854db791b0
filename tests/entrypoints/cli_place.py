"""A folder with a configuration and one runbook that works on plain files."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.warm import ran

FLAG = Path(__file__).parent / "places/flag.yaml"
ENGINE_YAML = """\
data: ./state
runbooks: [./runbooks]
people:
  ana: {groups: [ops]}
  bo: {groups: [other]}
secrets: {token: {env: TOKEN}}
me: ana
"""
LIMIT_SECONDS = 60


@dataclass(frozen=True)
class Place:
    """Where `runbook` is called, and what it works on."""

    folder: Path
    world: Path
    begun: list["subprocess.Popen[str]"] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """Return what a command finds in its environment."""
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        return kept | {"TERM": "xterm", "COLUMNS": "100"}

    def runbook(self, *words: str, **more: str) -> tuple[int, str, str]:
        """Return exit code, output and errors of one command."""
        environment = self.environment() | more
        return ran(words, self.folder, environment, within=LIMIT_SECONDS)

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        """Begin a command that goes on; nobody sits at its terminal."""
        process = subprocess.Popen(
            [sys.executable, "-m", "engine", *words],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.begun.append(process)
        return process


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Make the folder; the world is broken."""
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks/flag.yaml").write_text(FLAG.read_text())
    (tmp_path / "engine.yaml").write_text(ENGINE_YAML)
    world = tmp_path / "world"
    world.mkdir()
    (world / "broken").touch()
    made = Place(tmp_path, world)
    yield made
    for process in made.begun:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def until() -> Callable[["subprocess.Popen[str]", str], str]:
    """Return a way to read a command's lines until one has the text."""

    def read(process: "subprocess.Popen[str]", text: str) -> str:
        assert process.stdout is not None
        for line in process.stdout:
            if text in line:
                return line
        raise AssertionError(f"the command ended without: {text}")

    return read
