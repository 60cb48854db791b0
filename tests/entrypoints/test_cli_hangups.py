"""SIGHUP while a server begins."""

import os
import signal
import subprocess
import sys

import pytest

from engine.entrypoints.cli.hangups import await_hangups, serves

LOADING = """
import os, signal, sys
def hook(event, args):
    if event == "import" and args[0] == "engine.entrypoints.cli.app":
        os.kill(os.getpid(), signal.SIGHUP)
sys.addaudithook(hook)
sys.argv = ["runbook", *sys.argv[1:]]
from engine.entrypoints.cli import main
main()
"""


@pytest.mark.parametrize(
    ("command", "code"), [("serve", 0), ("runs", -signal.SIGHUP)], ids=str
)
def test_a_hangup_while_a_server_is_loaded_does_not_end_it(
    command: str, code: int
) -> None:
    """
    From the first moment, before the engine is loaded; other commands end by it.
    """
    process = subprocess.run(
        [sys.executable, "-c", LOADING, command, "--help"], check=False,
        capture_output=True, timeout=60,
    )  # fmt: skip

    assert code == process.returncode, process.stderr


def test_a_hangup_before_the_server_is_ready_is_remembered() -> None:
    """
    What takes it at the first moment is what the server asks later.
    """
    before = signal.getsignal(signal.SIGHUP)
    try:
        first = await_hangups()
        os.kill(os.getpid(), signal.SIGHUP)

        assert (await_hangups(), first.came) == (first, True)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["serve"], True),
        (["--config", "serve", "serve"], True),
        (["--config=x", "serve", "--log-format", "json"], True),
        (["--config", "serve", "runs"], False),
        (["run", "serve"], False),
        ([], False),
    ],
    ids=range(6),
)
def test_only_the_command_serve_takes_hangups(words: list[str], expected: bool) -> None:
    """
    A configuration or a runbook of that name is no server.
    """
    assert expected == serves(words)
