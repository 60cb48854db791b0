"""The command line: `python -m messaging up | down | status | fault`.

`up` stays in the foreground and takes the platform with it when it ends; the other
commands find it by `platform.json` in the same --dir.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from .control import FAULTS, PlatformError, read_state, request, start, switch_fault
from .monitor import start_monitor

STOP_SECONDS = 10.0


def main() -> int:
    """Run one command; return the exit code."""
    asked = _arguments().parse_args()
    try:
        return COMMANDS[asked.command](asked)
    except PlatformError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("messaging", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        command = commands.add_parser(name)
        command.add_argument("--dir", type=Path, default=Path("messaging-state"))
        if name == "fault":
            command.add_argument("name", choices=FAULTS)
            command.add_argument("state", choices=("on", "off"))
        if name == "up":
            command.add_argument("--region", default="eu-west")
            command.add_argument("--webhook", help="where alerts are told")
            kinds = ("none", "auto", "prometheus", "builtin")
            command.add_argument("--monitor", choices=kinds, default="auto")
    return parser


def _up(asked: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with start(asked.dir, asked.region) as platform:
        if asked.monitor != "none":
            url = start_monitor(platform, webhook=asked.webhook, kind=asked.monitor)
            print(f"monitor   {url}")
        for name, url in platform.urls.items():
            print(f"{name:<9} {url}", flush=True)
        try:
            while not (ended := _ended(platform.processes)):
                time.sleep(0.5)
        except KeyboardInterrupt:
            return 0
        raise PlatformError(f"{ended} ended; see {asked.dir}/logs/{ended}.log")


def _ended(processes: dict[str, subprocess.Popen[bytes]]) -> str:
    return next((n for n, p in processes.items() if p.poll() is not None), "")


def _down(asked: argparse.Namespace) -> int:
    controller = int(read_state(asked.dir)["controller"])
    os.kill(controller, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while (asked.dir / "platform.json").exists():
        if time.monotonic() > deadline:
            raise PlatformError(f"process {controller} did not stop in 10 s")
        time.sleep(0.1)
    return 0


def _fault(asked: argparse.Namespace) -> int:
    switch_fault(read_state(asked.dir)["urls"], asked.name, on=asked.state == "on")
    return 0


def _status(asked: argparse.Namespace) -> int:
    state = read_state(asked.dir)
    for name in sorted(set(FAULTS.values())):
        state[f"{name} faults"] = request("GET", f"{state['urls'][name]}/faults")
    state["seen"] = request("GET", f"{state['urls']['load']}/admin/seen")
    print(json.dumps(state, indent=2))
    return 0


COMMANDS = {"up": _up, "down": _down, "fault": _fault, "status": _status}

if __name__ == "__main__":
    sys.exit(main())
