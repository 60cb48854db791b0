"""A night of faults: `python -m tests.soak --seconds 120 --seed 7`.

Random alerts, and beside them random faults: kill -9, SIGSTOP, SIGTERM, a full disk,
slow, dripping, lying and broken checks, a target that is away, lost answers, storms of
doubled deliveries, several at once. Then everything is made well, the runs get time to
end, and what happened is judged from outside. Exit code 0: every invariant holds; else
each that does not is printed, with the seed.
"""

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.small_disk import fill, mounted
from tests.soak.engines import Engines, until
from tests.soak.invariants import broken
from tests.soak.world import Moods, Target

SETTLE_SECONDS = 150.0
THINGS, NEW_SECONDS = 12, 20.0  # at a time, and how long: people keep what they have
DISK_MB, MORE_MB = (
    96,
    0.25,
)  # the journal's, and for each second; a fault takes the rest
STORM = 300  # deliveries of the same alert, from ten senders at once


class Night:
    """One soak."""

    def __init__(self, folder: Path, seed: int, *, small: bool) -> None:
        self.small = small  # the state is on a disk that can be filled
        self.dice = random.Random(seed)
        self.target = Target()
        self.target.start()
        self.engines = Engines(folder)
        self.engines.prepare(self.target.url)
        self.taken: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.number = 0
        self.began = time.monotonic()
        self.firing: dict[str, int] = {}

    def thing(self, one: int) -> str:
        """Return the name of one of the things that alerts are about now."""
        return f"t{int((time.monotonic() - self.began) / NEW_SECONDS)}-{one}"

    def alerts(self) -> None:
        """Deliver one or several alerts; what nobody took is delivered again later."""
        some = self.dice.sample(range(THINGS), self.dice.randint(1, 4))
        things = [self.thing(one) for one in some]
        over = self.dice.random() < 0.3
        if over:
            things = [one for one in things if one in self.firing]
        if not things:
            return
        self.number += 1
        number = self.firing[things[0]] if over else self.number
        times = 20 if self.dice.random() < 0.05 else 1
        for _ in range(times):
            if self.engines.post(things, over=over, number=number) == 200:
                self.taken.update(things)
                for one in things:
                    if over:
                        self.firing.pop(one, None)
                    else:
                        self.firing[one] = number

    def storm(self) -> None:
        """The same alert again and again, from many at once."""
        self.number += 1
        thing, number = self.thing(self.dice.randrange(THINGS)), self.number

        def send(_: int) -> int:
            return self.engines.post([thing], over=False, number=number)

        with ThreadPoolExecutor(10) as several:
            taken = sum(status == 200 for status in several.map(send, range(STORM)))
        if taken:
            self.taken[thing] += taken
            self.firing[thing] = number

    def fill_disk(self) -> None:
        """There is no space for a while; the engine may die meanwhile."""
        wall = self.engines.folder / "state/in-the-way"
        fill(wall)
        for _ in range(self.dice.randint(2, 12)):
            self.alerts()
            time.sleep(0.2)
        if self.dice.random() < 0.3:
            self.kill()
            time.sleep(1.0)
        wall.unlink()
        if self.engines.ended():
            self.engines.start()

    def fault(self) -> None:
        """Let something go wrong."""
        faults = [
            self.kill, self.kill, self.freeze, self.terminate, self.moody, self.moody,
            self.moody, self.well, self.storm,
        ]  # fmt: skip
        if self.small:
            faults.append(self.fill_disk)
        one = self.dice.choice(faults)
        self.faults[one.__name__] += 1
        one()

    def kill(self) -> None:
        """The engine dies, and is started again after a while."""
        self.engines.end(signal.SIGKILL)
        time.sleep(self.dice.uniform(0.0, 1.0))
        self.engines.start()

    def terminate(self) -> None:
        """The engine is told to end, and is started again."""
        self.engines.end(signal.SIGTERM)
        self.engines.start()

    def freeze(self) -> None:
        """The engine stands still for a while."""
        self.engines.send(signal.SIGSTOP)
        time.sleep(self.dice.uniform(0.2, 3.0))
        self.engines.send(signal.SIGCONT)

    def moody(self) -> None:
        """The target is slow, drips, lies, breaks, is away, or loses answers."""
        self.target.moods = self.dice.choice(
            [Moods(slow_seconds=1.5), Moods(slow_seconds=5.0), Moods(lying=True),
             Moods(broken=True), Moods(losing=True), Moods(away=True),
             Moods(dripping=True)]
        )  # fmt: skip

    def well(self) -> None:
        """The target is well."""
        self.target.moods = Moods()

    def play(self, seconds: float) -> None:
        """Alerts and faults for so long, then rest."""
        self.engines.start()
        until(lambda: self.engines.ask("/hold"), 30.0)
        ends = time.monotonic() + seconds
        next_fault = time.monotonic() + 2.0
        while time.monotonic() < ends:
            self.alerts()
            if time.monotonic() > next_fault:
                self.fault()
                next_fault = time.monotonic() + self.dice.uniform(1.0, 4.0)
            time.sleep(self.dice.uniform(0.05, 0.4))
        self.well()
        if self.engines.ended():
            self.engines.start()
        until(self.at_rest, SETTLE_SECONDS)
        self.engines.end(signal.SIGTERM)
        self.target.stop()

    def at_rest(self) -> bool:
        """Return whether every run has ended, or waits for a person's word."""
        runs = self.engines.ask("/runs?open=true")
        return runs is not None and all(one.get("questions") for one in runs)


def main() -> int:
    """Play one night; print what happened; return 0 where everything holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    print(f"soak: seed {given.seed}, {given.seconds:g} s, in {folder}", flush=True)
    with mounted(
        folder / "state", size=f"{DISK_MB + MORE_MB * given.seconds:.0f}m"
    ) as small:
        if not small:
            print("soak: no disk is filled: mounting one needs root")
        night = Night(folder, given.seed, small=small)
        night.play(given.seconds)
        problems = broken(folder, night.target, night.taken)
        if problems or given.keep:
            shutil.copytree(folder / "state", folder / "state-kept")
    print(
        f"soak: {sum(night.taken.values())} alerts taken, "
        f"{len(night.target.calls)} changes at the target, "
        f"{night.engines.starts} starts of the engine, faults {dict(night.faults)}"
    )
    for one in problems:
        print(f"soak: BROKEN: {one}")
    if not (problems or given.keep):
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
