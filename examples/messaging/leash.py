"""Run a program that would outlive us: `python -m messaging.leash PROGRAM ARG...`.

Prometheus and Alertmanager do not watch their standard input, so this does it for
them: when it closes, because the controller is gone, the program is killed.

Used by: monitor.py.
"""

import os
import subprocess
import sys
import threading


def main(command: list[str]) -> int:
    """Run a program to its end and return its exit code."""
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def watch() -> None:
        while os.read(0, 4096):
            pass
        program.kill()

    threading.Thread(target=watch, daemon=True).start()
    return program.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
