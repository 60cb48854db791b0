"""A person at a real (pseudo) terminal: live view, questions, Ctrl-C."""

import fcntl
import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest
from cli_place import Place

WITHIN_SECONDS = 20.0


def _own_terminal() -> None:
    """Make standard input the terminal of this session, so that Ctrl-C reaches it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """One command at its own terminal."""

    def __init__(self, place: Place, *words: str) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "engine", *words], cwd=place.folder,
            env=place.environment(), stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True,
            preexec_fn=_own_terminal,
        )  # fmt: skip
        os.close(slave)
        self.seen = ""
        self._at = 0

    def wait_for(self, text: str) -> None:
        """Read on until the text stands after what was waited for before."""
        until = time.monotonic() + WITHIN_SECONDS
        while (found := self.seen.find(text, self._at)) < 0:
            assert time.monotonic() < until, f"never seen: {text}\n{self.seen}"
            assert self._read(0.2), f"ended without: {text}\n{self.seen}"
        self._at = found + len(text)

    def _read(self, seconds: float) -> bool:
        """Take what is written; return False where the other side is closed."""
        try:
            if select.select([self._master], [], [], seconds)[0]:
                self.seen += os.read(self._master, 65536).decode("utf-8", "replace")
        except OSError:
            return False
        return True

    def type(self, text: str) -> None:
        """Type as a person does."""
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Return the exit code; what is still written is read."""
        until = time.monotonic() + WITHIN_SECONDS
        while self._read(0.2) and time.monotonic() < until:
            if self.process.poll() is not None:
                self._read(0.2)
                break
        return self.process.wait(timeout=WITHIN_SECONDS)

    def close(self) -> None:
        """Let it go."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture
def terminal(place: Place) -> Iterator[Terminal]:
    """Begin the run at a terminal, up to its question."""
    made = Terminal(place, "run", "flag", "--set", f"folder={place.world}")
    try:
        made.wait_for("approve, reject or later? ")
        yield made
    finally:
        made.close()


def test_a_question_is_answered_at_the_terminal(
    place: Place, terminal: Terminal
) -> None:
    """
    The plan is shown, a slip is asked again, an approval goes on to the end.
    """
    seen = "".join(terminal.seen.split())  # a long path is wrapped
    assert f"command:rm{place.world}/broken" in seen
    terminal.type("aproove\n")
    terminal.wait_for("'aproove' is none of: approve, reject, later")
    terminal.wait_for("approve, reject or later? ")
    terminal.type("approve\n")
    terminal.wait_for("ended as resolved")

    assert (0, []) == (terminal.end(), [*place.world.iterdir()])


def test_a_rejection_asks_why(place: Place, terminal: Terminal) -> None:
    """
    A rejection asks why, and the reason stands in the timeline.
    """
    terminal.type("reject\n")
    terminal.wait_for("why? ")
    terminal.type("peak hours\n")
    terminal.wait_for("ended as handed over")

    assert terminal.end() == 1
    run = json.loads(place.runbook("runs", "--all", "--json")[1])[0]["run"]
    assert "peak hours" in place.runbook("timeline", run)[1]


def test_the_live_view_shows_what_is_held(terminal: Terminal) -> None:
    """
    While nothing is typed the lower lines show state, phase, and what is held.
    """
    terminal.type("later\n")
    terminal.wait_for("phase: workaround")
    terminal.wait_for("held: lower for ")
    terminal.wait_for("left: Repair ")

    assert terminal.process.poll() is None


def test_ctrl_c_once_asks_and_the_run_can_go_on(terminal: Terminal) -> None:
    """
    After `go on` the question is asked again.
    """
    terminal.type("\x03")
    terminal.wait_for("leave it running on disk, cancel and give back, or go on? ")
    terminal.type("go on\n")
    terminal.wait_for("approve, reject or later? ")

    assert terminal.process.poll() is None


def test_ctrl_c_then_cancel_gives_back(place: Place, terminal: Terminal) -> None:
    """
    `cancel` undoes what is held and ends the run.
    """
    terminal.type("\x03")
    terminal.wait_for("or go on? ")
    terminal.type("cancel\n")
    terminal.wait_for("ended as cancelled")

    assert (1, ["broken"]) == (
        terminal.end(),
        [one.name for one in place.world.iterdir()],
    )


def test_ctrl_c_twice_leaves_it_on_disk(place: Place, terminal: Terminal) -> None:
    """
    The run stays as it is, nothing is given back, and the way on is told.
    """
    terminal.type("\x03")
    terminal.wait_for("or go on? ")
    terminal.type("\x03")
    terminal.wait_for("Go on with: runbook resume ")

    assert terminal.end() == 1
    assert "Traceback" not in terminal.seen
    assert ["broken", "lowered"] == sorted(one.name for one in place.world.iterdir())


def test_f81_the_menu_goes_away_when_the_run_has_ended(
    place: Place, terminal: Terminal
) -> None:
    """
    Somebody else answers while the menu of Ctrl-C stands there: the command ends.
    """
    terminal.type("\x03")
    terminal.wait_for("or go on? ")
    place.runbook("cancel", json.loads(place.runbook("runs", "--json")[1])[0]["run"])
    terminal.wait_for("ended as cancelled")

    assert terminal.end() == 1
