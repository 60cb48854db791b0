"""Records what the tests replay: `python -m tests.histories.record [--samples] FAULT…`.

Each fault is put into the example platform for real, the shipped runbook repairs it
live (as `runbook demo` does), and the whole run is written down here, named after the
version that ran it. With `--samples`, beside it stand the samples that Prometheus had
of what the runbook's checks ask for, as OpenMetrics text, in seconds since the epoch.

`killed` is a small runbook on plain files, whose engine is killed in the middle and
started again. Nothing in a recorded file is ever changed by hand; a release adds files.
"""

import asyncio
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Final

from engine import __version__
from engine.analysis.replaying.history import History, history_lines
from engine.bootstrap import journal
from engine.config import Config, load_config
from engine.entrypoints.cli.demo import STORIES, demo

HERE: Final = Path(__file__).parent
OVER: Final = re.compile(r"\w+ in \d+ s, from nothing running")
METRIC: Final = re.compile(r"\b([a-z][a-z0-9]*(?:_[a-z0-9]+)+)\{")
LOOK_BACK: Final = "5m"


def record(fault: str, *, with_samples: bool) -> None:
    """Break the platform, let it be repaired, and write down the run."""
    samples: list[str] = []
    monitor = ""

    def heard(line: str) -> None:
        nonlocal monitor
        if "watch it at " in line:
            monitor = line.rpartition(" ")[2]
        if OVER.match(line):  # the platform is still up
            samples.append(samples_of(monitor, STORIES[fault].runbook))

    with tempfile.TemporaryDirectory() as folder:
        code = demo(fault, write=heard, folder=Path(folder))
        history = asyncio.run(newest(load_config(Path(folder) / "engine.yaml")))
    write(fault, history)
    if with_samples:
        (HERE / f"{__version__}-{fault}.om").write_text(samples[0])
    print(f"{fault}: exit code {code}, {len(history.entries)} entries")


def killed() -> None:
    """Kill an engine in the middle of an act, start another, and answer it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "killed.yaml").write_text((HERE / "killed.yaml").read_text())
        lines = ["data: ./state", "runbooks: [killed.yaml]", "me: ana"]
        (folder / "engine.yaml").write_text("\n".join(lines) + "\n")
        first = begin(folder, "run", "killed.yaml")
        while not (folder / "opened").exists():
            time.sleep(0.05)
        time.sleep(0.5)  # the act goes on
        first.send_signal(signal.SIGKILL)
        first.wait()
        config = load_config(folder / "engine.yaml")
        run = asyncio.run(newest(config)).summary.run
        second = begin(folder, "resume")
        for step, words in (
            ("hand", ("answer", run, "many=3")),
            ("gate", ("approve", run)),
        ):
            while step not in asked(config):
                time.sleep(0.2)
            begin(folder, *words).wait()
        second.wait()
        history = asyncio.run(newest(config))
    write("killed", history)
    print(f"killed: {history.summary.state}, {len(history.entries)} entries")


def begin(folder: Path, *words: str) -> "subprocess.Popen[bytes]":
    """Begin a command; nobody sits at its terminal."""
    command = [sys.executable, "-m", "engine", *words]
    return subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL)


def asked(config: Config) -> list[str]:
    """Return which steps ask people now."""
    return [one.called for one in asyncio.run(newest(config)).summary.questions]


async def newest(config: Config) -> History:
    """Return the newest run of a journal, as it was recorded."""
    async with journal(config) as store:
        summary = (await store.runs(limit=1))[0]
        texts = await store.revision(summary.revision)
        assert texts is not None
        return History(summary, texts, await store.entries(summary.run))


def write(name: str, history: History) -> None:
    """Write a run down."""
    file = HERE / f"{__version__}-{name}.jsonl"
    file.write_bytes(history_lines(history, __version__))


def samples_of(monitor: str, runbook: str) -> str:
    """Return what Prometheus has of every metric that the runbook's checks ask for."""
    text = (HERE.parents[1] / "runbooks" / f"{runbook}.yaml").read_text()
    names = sorted(set(METRIC.findall(text)))
    rows: list[str] = []
    for name in names:
        asked = urllib.parse.quote(f"{name}[{LOOK_BACK}]")
        with urllib.request.urlopen(f"{monitor}/api/v1/query?query={asked}") as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        rows += [f"# TYPE {name} unknown"]
        for series in found:
            labels = series["metric"].items()
            shown = ",".join(
                f"{key}={json.dumps(one)}" for key, one in labels if key != "__name__"
            )
            rows += [
                f"{name}{{{shown}}} {value} {at}" for at, value in series["values"]
            ]
    return "\n".join([*rows, "# EOF", ""])


if __name__ == "__main__":
    wanted = [one for one in sys.argv[1:] if one != "--samples"]
    for named in wanted:
        if named == "killed":
            killed()
        else:
            record(named, with_samples="--samples" in sys.argv)
