"""Chat under load: a burst of entries, and the way from a click to the act.

The engine and the Slack stand-in are processes of their own. The limit of a burst is
what one post a second and room allows; that of a click is one durable commit.
"""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from tests.benchmarks.figures import Figure, percentile
from tests.end_to_end.chat_place import FLAG, ChatPlace
from tests.real_parts import free_port

ENTRIES: Final = 500
BURST_SECONDS: Final = 10.0
NOTE: Final = re.compile(r"\bburst (\d+)\b")


@contextmanager
def _place(folder: Path, runbook: str) -> Iterator[ChatPlace]:
    home = Path(mkdtemp(dir=folder))
    (home / "runbooks").mkdir()
    (home / "runbooks/flag.yaml").write_text(runbook)
    made = ChatPlace(home, free_port(), free_port())
    made.begin_slack()
    made.configure()
    made.begin()
    try:
        yield made
    finally:
        for process in made.begun:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        shutil.rmtree(home, ignore_errors=True)


def measure_chat(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Return what a burst costs, and how long a click takes to its act."""
    yield from _burst(folder, ENTRIES // 10 if quick else ENTRIES)
    yield from _clicks(folder, 5 if quick else 20)


def _burst(folder: Path, many: int) -> Iterator[Figure]:
    with _place(folder, FLAG.read_text()) as place:
        run = place.alert()
        place.message("asks")
        before = len(place.messages())
        began = time.perf_counter()
        for number in range(many):
            place.api("POST", f"/runs/{run}/note", {"text": f"burst {number} end"})
            due = began + (number + 1) * BURST_SECONDS / many
            time.sleep(max(0.0, due - time.perf_counter()))
        told = time.perf_counter()
        place.until(lambda: len(_seen(place)) >= many, within=120.0)
        caught_up = time.perf_counter()
        seen = _seen(place)
        posts = len(place.messages()) - before
    name = f"chat: {many} entries in {told - began:.1f} s"
    yield Figure(f"{name}, posts", posts, "posts", caught_up - began, "1 a second")
    yield Figure(f"{name}, lost", many - len(set(seen)), "entries", goal="= 0")
    doubled = len(seen) - len(set(seen))
    yield Figure(f"{name}, doubled", doubled, "entries", goal="= 0")
    moved = sum(1 for a, b in pairwise(seen) if b < a)
    yield Figure(f"{name}, out of order", moved, "entries", goal="= 0")
    yield Figure(f"{name}, caught up after", caught_up - told, "s")


def _seen(place: ChatPlace) -> list[int]:
    """Return the numbers of the notes that stand in Slack, in order."""
    found: list[int] = []
    for one in place.messages():
        payload = (one.get("metadata") or {}).get("event_payload") or {}
        if "/news/" in str(payload.get("key", "")):
            found += [int(number) for number in NOTE.findall(str(one["blocks"]))]
    return found


def _clicks(folder: Path, many: int) -> Iterator[Figure]:
    grouped = FLAG.read_text().replace(
        "\ninputs:", "\n    group_by: [folder]\ninputs:", 1
    )
    acknowledged: list[float] = []
    acted: list[float] = []
    with _place(folder, grouped) as place:
        for number in range(many):
            world = place.folder / f"world-{number}"
            place.alert(world)
            asked, action = place.until(
                lambda where=world: place.button("Approve", str(where))
            )
            began = time.perf_counter()
            place.do(
                "press", user="ana", action_id=action, channel="incidents",
                ts=asked["ts"],
            )  # fmt: skip
            acknowledged.append(time.perf_counter() - began)
            while (world / "broken").exists():
                time.sleep(0.001)
            acted.append(time.perf_counter() - began)
    for name, times in (("acknowledged", acknowledged), ("acted on", acted)):
        for part in (50, 99):
            figure = percentile(sorted(times), part / 100) * 1000
            yield Figure(f"chat: a click is {name}, p{part}", figure, "ms")
