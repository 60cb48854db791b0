"""A real server under alerts: acknowledgements, memory, and the way to the first act.

The server is a process of its own; who posts and the target that is acted on are here.
The limit of an acknowledgement is what cannot be left out, in the same run: the body
parsed once, and one durable commit of its bytes.
"""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp

import httpx
import psutil

from engine.adapters.sources import SOURCES
from engine.adapters.sqlite.opening import open_journal
from engine.ports import Posted
from tests.benchmarks.figures import Figure, percentile
from tests.soak.engines import Engines, until
from tests.soak.world import Target

SENDERS = 20
WAITING_SECONDS = 120.0


class Serving:
    """One server, its target, and how to post to it."""

    def __init__(self, folder: Path, *, pause: str = "1s") -> None:
        self.target = Target()
        self.target.start()
        self.engines = Engines(Path(mkdtemp(dir=folder)))
        self.engines.prepare(self.target.url)
        file = self.engines.folder / "runbooks/soak.yaml"
        file.write_text(file.read_text().replace("{wait: 1s}", f"{{wait: {pause}}}"))
        config = self.engines.folder / "engine.yaml"
        config.write_text(config.read_text().replace("at_once: 200", "at_once: 2000"))
        self.engines.start()
        until(lambda: self.engines.ask("/hold"), 30.0)
        self.url = f"http://127.0.0.1:{self.engines.port}/alerts/alertmanager"

    def post(self, client: httpx.Client, raw: bytes) -> float:
        """Post once; return the seconds until it was acknowledged."""
        began = time.perf_counter()
        headers = {"authorization": "Bearer soak-token"}
        answer = client.post(self.url, content=raw, headers=headers, timeout=60.0)
        assert answer.status_code == 200, answer.text
        return time.perf_counter() - began

    def memory_mb(self) -> float:
        """Return what the server has in memory, in MB."""
        assert self.engines.process is not None
        return psutil.Process(self.engines.process.pid).memory_info().rss / 1e6

    def close(self) -> None:
        """End everything."""
        self.engines.end()
        self.target.stop()


def body(names: list[str], *, known: bool) -> bytes:
    """Return a body with one alert for each name, of some 700 bytes each."""
    alerts = [
        {
            "status": "firing",
            "labels": {
                "alertname": "Wrong" if known else "Else", "thing": name,
                "severity": "page", "pad": "x" * 200,
            },
            "annotations": {"summary": "y" * 300},
            "startsAt": "2026-11-24T04:20:36Z",
            "fingerprint": f"{name:>016}",
        }
        for name in names
    ]  # fmt: skip
    return json.dumps({"version": "4", "alerts": alerts}).encode()


def plain_seconds(folder: Path, raw: bytes, times: int) -> float:
    """Return what parsing a body and one durable commit of it take, the median."""
    connection = open_journal(Path(mkdtemp(dir=folder)) / "plain.db").connection
    took = []
    for number in range(times):
        began = time.perf_counter()
        SOURCES["alertmanager"](Posted(raw, {}, 0.0), "alertmanager")
        connection.execute("BEGIN IMMEDIATE")
        row = (f"{number}", "raw", raw.decode())
        connection.execute("INSERT INTO secrets VALUES (?, ?, ?)", row)
        connection.execute("COMMIT")
        took.append(time.perf_counter() - began)
    connection.close()
    return sorted(took)[len(took) // 2]


def measure_alerts(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """One POST with 10,000 alerts, and 10,000 POSTs with one."""
    many = 1_000 if quick else 10_000
    serving = Serving(folder)
    names = [f"n{number}" for number in range(many)]
    large = body(names, known=False)
    with httpx.Client() as client:
        took = serving.post(client, large)
        yield Figure(
            f"ack, one POST with {many:,} alerts", took * 1000, "ms",
            plain_seconds(folder, large, 5) * 1000, "parse, one commit",
            "p99 < 1,000 ms",
        )  # fmt: skip
        until(lambda: _decided(serving) >= many, WAITING_SECONDS)
    small = [body([name], known=False) for name in names]
    local = threading.local()

    def send(raw: bytes) -> float:
        if not hasattr(local, "client"):
            local.client = httpx.Client()
        return serving.post(local.client, raw)

    began = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as senders:
        times = sorted(senders.map(send, small))
    whole = time.perf_counter() - began
    plain = plain_seconds(folder, small[0], 200)
    yield Figure(
        f"ack p50, {many:,} POSTs of one, {SENDERS} senders",
        percentile(times, 0.5) * 1000, "ms", plain * 1000, "parse, one commit",
    )  # fmt: skip
    yield Figure("ack p99 of the same", percentile(times, 0.99) * 1000, "ms",
                 goal="< 1,000 ms")  # fmt: skip
    yield Figure("alerts taken", many / whole, "per s", 1 / plain, "one by one")
    until(lambda: _decided(serving) >= 2 * many, WAITING_SECONDS)
    yield Figure("memory of the server after both", serving.memory_mb(), "MB",
                 goal="< 512 MB")  # fmt: skip
    serving.close()


def _decided(serving: Serving) -> int:
    text = httpx.get(f"http://127.0.0.1:{serving.engines.port}/metrics").text
    rows = [one for one in text.splitlines() if one.startswith("runbook_alerts_decid")]
    return int(sum(float(one.rsplit(" ", 1)[1]) for one in rows))


def measure_first_act(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """From the POST of an alert to the first change at the target."""
    times = 20 if quick else 100
    serving = Serving(folder, pause="1s")
    yield from _first_acts(serving, "at rest", "a", times, rest_seconds=0.05)
    serving.close()
    going = 50 if quick else 500
    serving = Serving(folder, pause="10m")
    with httpx.Client() as client:
        for at in range(0, going, 50):
            names = [f"g{number}" for number in range(at, min(at + 50, going))]
            serving.post(client, body(names, known=True))
    until(lambda: len(serving.target.calls) >= 2 * going, WAITING_SECONDS)
    yield from _first_acts(serving, f"beside {going} runs", "b", times, 0.05)
    serving.close()


def _first_acts(
    serving: Serving, when: str, stem: str, times: int, rest_seconds: float
) -> Iterator[Figure]:
    took = []
    with httpx.Client() as client:
        for number in range(times):
            thing, began = f"drained-{stem}{number}", time.time()
            serving.post(client, body([f"{stem}{number}"], known=True))
            call = until(
                lambda thing=thing: next(
                    (one for one in serving.target.calls if one.thing == thing), None
                ),
                10.0,
            )
            took.append(call.at - began)
            time.sleep(rest_seconds)
    took.sort()
    for part in (0.5, 0.99):
        yield Figure(
            f"webhook to first act p{100 * part:.0f}, {when}",
            percentile(took, part) * 1000,
            "ms",
        )
