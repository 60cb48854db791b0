"""`python -m tests.benchmarks`: measure, and print one table.

No part of the tests' verdict. Every figure stands beside its limit, measured in the
same run on the same disk; the load of the machine is shown, since others' work on it
makes every figure worse.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.benchmarks import steps
from tests.benchmarks.backtesting import measure_backtest
from tests.benchmarks.chatting import measure_chat
from tests.benchmarks.compiling import measure_compile
from tests.benchmarks.core_speed import measure_advance
from tests.benchmarks.crowding import measure_crowds
from tests.benchmarks.figures import Figure, as_json, load, table
from tests.benchmarks.proving_speed import measure_proofs
from tests.benchmarks.rehearsing_speed import measure_rehearsals
from tests.benchmarks.replaying_speed import measure_replay
from tests.benchmarks.serving import measure_alerts, measure_first_act
from tests.benchmarks.starting import measure_start
from tests.benchmarks.storing import measure_storing
from tests.benchmarks.trapping import measure_traps
from tests.benchmarks.waiting import measure_waiting

Benchmark = Callable[..., Iterator[Figure]]  # (folder, *, quick) to its figures
BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "steps": steps.measure_steps,
    "cpu": steps.measure_cpu,
    "start": measure_start,
    "waiting": measure_waiting,
    "compile": measure_compile,
    "rehearsals": measure_rehearsals,
    "replay": measure_replay,
    "advance": measure_advance,
    "prove": measure_proofs,
    "traps": measure_traps,
    "alerts": measure_alerts,
    "webhook": measure_first_act,
    "backtest": measure_backtest,
    "storing": measure_storing,
    "crowds": measure_crowds,
    "chat": measure_chat,
}


def _wanted() -> argparse.Namespace:
    asks = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    asks.add_argument("--quick", action="store_true", help="less of everything")
    asks.add_argument("--only", action="append", choices=BENCHMARKS, help="by name")
    asks.add_argument("--json", type=Path, help="also write the figures to this file")
    asks.add_argument("--folder", type=Path, help="where journals are written")
    return asks.parse_args()


def main() -> None:
    """Measure what was asked for and print it."""
    asked = _wanted()
    figures: list[Figure] = []
    machine: dict[str, Any] = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_before": load(),
    }
    with TemporaryDirectory(dir=asked.folder, prefix="benchmark-") as place:
        for name in asked.only or BENCHMARKS:
            print(f"{name} … (load {load()})", file=sys.stderr)
            figures += BENCHMARKS[name](Path(place), quick=asked.quick)
    machine["load_after"] = load()
    print(table(figures))
    print("  ".join(f"{name}: {value}" for name, value in machine.items()))
    if asked.json is not None:
        asked.json.write_text(as_json(figures, machine), encoding="utf-8")


if __name__ == "__main__":
    main()
