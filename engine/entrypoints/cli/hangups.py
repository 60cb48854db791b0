"""SIGHUP while a server begins: it ends nothing, and is not forgotten.

A server is told by SIGHUP to read its runbooks anew; before it is loaded the signal
would end it. Whoever sends it then gets the same: once the server is ready, the
runbooks are read once more. Importing this loads nothing of the engine.

Read by: main (from the first moment), a_server (once its loop turns).
"""

import signal
from collections.abc import Sequence
from typing import Final

VALUED: Final = ("--config", "--server", "--token-file")  # a value follows


class Hangups:
    """Takes SIGHUP until a server can do something about it."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, *_: object) -> None:
        """Take note of one."""
        self.came = True


def serves(words: Sequence[str]) -> bool:
    """Return whether a command line is `serve`, whatever stands before the command."""
    rest = iter(words)
    for word in rest:
        if word in VALUED:
            next(rest, "")
        elif not word.startswith("-"):
            return word == "serve"
    return False


def await_hangups() -> Hangups:
    """Return what takes SIGHUP from now on: what takes it already, or a new one."""
    there = signal.getsignal(signal.SIGHUP)
    if isinstance(there, Hangups):
        return there
    made = Hangups()
    signal.signal(signal.SIGHUP, made)
    return made
