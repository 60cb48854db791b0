"""`runbook demo`: breaks a small messaging platform for real, and repairs it for real.

Starts the example platform's processes, switches a fault on, waits until its monitor
(Prometheus and Alertmanager where they are installed, else the small built-in scraper)
raises the alert, hands the engine that alert, and lets the shipped runbook run live.
Afterwards nothing is left running, and nothing is left behind but the folder it names.

Called by: cli (the command), tests/end_to_end.
"""

import asyncio
import importlib
import json
import queue
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Literal

from engine.bootstrap import Engine, engine, kinds, parse_alerts, picture_of
from engine.config import Config, load_config
from engine.core.intake import pick_alert
from engine.core.machine import machine_graph
from engine.entrypoints.cli.demo_people import Answering, People, people_lines
from engine.entrypoints.cli.following import Follower
from engine.errors import EngineError, NotFound
from engine.model.alert import Alert
from engine.model.people import Actor
from engine.model.run import RunSummary
from engine.model.runbook import Runbook
from engine.runtime.library import Bundle, Library
from engine.runtime.service import new_run_id
from engine.views import timeline as timeline_views
from engine.views.paths import path_of
from engine.views.report import report_html, report_markdown

REGION: Final = "eu-west"
ALERT_SECONDS: Final = 45.0  # a fault shows within some ten seconds
EXAMPLES: Final = ("messaging", "chat")  # what lies there in a checkout
Write = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Story:
    """One fault, and the shipped runbook that answers it."""

    fault: str
    runbook: str
    told: str  # what breaks, for people
    ends: str = (
        ""  # what ends by itself once users are served; empty: the repair ends it
    )


STORIES: Final = {
    story.fault: story
    for story in (
        Story("bad-rollout", "message-delivery-delay",
              "a new version of the router is slow"),
        Story("hot-partition", "message-delivery-delay",
              "one conversation floods a partition of the router", "the flood"),
        Story("consumer-stall", "message-delivery-delay",
              "the router's consumers became slow", "what slowed the consumers"),
        Story("connection-storm", "gateway-connection-storm",
              "every client reconnects at once", "the storm"),
        Story("media-saturation", "media-saturation", "one media node drops calls",
              "what saturated the node"),
        Story("expired-certificate", "tls-certificate",
              "the key server's certificate has expired"),
        Story("router-errors", "bad-rollout", "a new version of the router fails"),
    )
}  # fmt: skip
SWITCH: Final = {
    "router-errors": "bad-rollout"
}  # stories of one fault, told by two alerts


def demo(
    fault: str = "",
    *,
    keep: bool = False,
    write: Write,
    folder: Path | None = None,
    monitor_kind: Literal["auto", "builtin"] = "auto",
    chat: str | None = None,
) -> int:
    """Play one fault; return 0 where the run ended resolved, else 1.

    Args:
        fault: a name of STORIES; empty: the first.
        keep: leave the platform up afterwards until Ctrl-C.
        write: takes each line.
        folder: where everything is kept; else a new temporary one.
        monitor_kind: `builtin` takes the small scraper even where Prometheus is.
        chat: people answer in a Slack stand-in; "" shows it in the terminal, a file's
            name writes it there as a page; None: they answer at a terminal.

    Raises:
        NotFound: no such fault. EngineError: the platform, or the alert, did not come.
    """
    fault = fault or next(iter(STORIES))
    if fault not in STORIES:
        raise NotFound(f"no fault '{fault}'. There are: {', '.join(STORIES)}.")
    story = STORIES[fault]
    home = folder or Path(tempfile.mkdtemp(prefix="runbook-demo-"))
    began = time.monotonic()
    with _platform(home, write, monitor_kind) as (platform, monitor, alerts):
        alert = _break(platform, story, alerts, write)
        summary = asyncio.run(_play(home, monitor, platform, story, alert, write, chat))
        config = load_config(home / "engine.yaml")
        _write_down(home, config, summary, write)
        took = time.monotonic() - began
        state = summary.state.replace("_", " ")
        write(f"{state} in {took:.0f} s, from nothing running to the report")
        if keep:
            _linger(platform, monitor, write)
    shutil.rmtree(home / "platform", ignore_errors=True)
    write(f"Nothing is left running. Everything is kept in {home}")
    write(
        f"Look around: runbook --config {home / 'engine.yaml'} timeline {summary.run}"
    )
    return 0 if summary.state == "resolved" else 1


# The platform and its monitor


def shipped(what: str) -> Path:
    """Return a folder that ships with the engine: from the checkout, or the wheel.

    Raises:
        NotFound: this installation has none.
    """
    here = Path(__file__).resolve().parents[2]
    examples = here.parent / "examples"
    checkout = (examples if what in EXAMPLES else here.parent) / what
    for found in (checkout, here / "_shipped" / what):
        if found.is_dir():
            return found
    raise NotFound(f"this installation holds no '{what}'; install the engine anew")


def _messaging(name: str) -> Any:
    parent = str(shipped("messaging").parent)
    if parent not in sys.path:
        sys.path.insert(0, parent)
    return importlib.import_module(f"messaging.{name}")


@contextmanager
def _platform(
    home: Path, write: Write, monitor_kind: str
) -> Iterator[tuple[Any, str, "queue.Queue[Any]"]]:
    control, monitor = _messaging("control"), _messaging("monitor")
    alerts: queue.Queue[Any] = queue.Queue()
    with _webhook(alerts) as webhook:
        try:
            platform = control.start(home / "platform", region=REGION)
        except control.PlatformError as error:
            raise EngineError(f"the example platform did not start: {error}") from error
        with platform:
            names = ", ".join(platform.processes)
            write(f"A messaging platform is up, each part a process: {names}")
            real = monitor_kind == "auto" and monitor.installed()
            url = monitor.start_monitor(platform, webhook=webhook, kind=monitor_kind)
            which = "Prometheus and Alertmanager" if real else "the built-in scraper"
            write(f"{which} watch it at {url}")
            yield platform, url, alerts


@contextmanager
def _webhook(alerts: "queue.Queue[Any]") -> Iterator[str]:
    """Take what the monitor tells, as an Alertmanager webhook."""

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            alerts.put(json.loads(self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/alerts"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _break(
    platform: Any, story: Story, alerts: "queue.Queue[Any]", write: Write
) -> Alert:
    """Switch the fault on; return the alert that the monitor raises for it."""
    time.sleep(2.0)  # some ordinary traffic first
    write(f"Breaking it: {story.told} ({story.fault})")
    platform.fault(SWITCH.get(story.fault, story.fault), on=True)
    began = time.monotonic()
    wanted = _library().runbooks[story.runbook]
    while (left := ALERT_SECONDS - (time.monotonic() - began)) > 0:
        try:
            body = alerts.get(timeout=min(left, 5.0))
        except queue.Empty:
            write(f"  waiting for the alert, {time.monotonic() - began:.0f} s …")
            continue
        alert, _ = pick_alert(wanted, parse_alerts(body, "alertmanager"))
        if alert is not None:
            name = alert.labels.get("alertname", "")
            write(f"Alert after {time.monotonic() - began:.1f} s: {name}")
            return alert
    raise EngineError(
        f"no alert within {ALERT_SECONDS:g} s; the fault may not show here"
    )


def _linger(platform: Any, monitor: str, write: Write) -> None:
    write(f"The platform stays up until Ctrl-C. Monitor: {monitor}")
    for name, url in platform.urls.items():
        write(f"  {name:<8} {url}")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        write("")


# The engine


def _library(config: Config | None = None) -> Library:
    library = Library(kinds(config or load_config(None, environ={})))
    library.add_paths([shipped("runbooks")])
    return library


async def _play(
    home: Path, monitor: str, platform: Any, story: Story, alert: Alert, write: Write,
    chat: str | None,
) -> RunSummary:  # fmt: skip
    """Repair it, with chat or without."""
    if chat is None:
        config = _config(home, monitor)
        return await _repair(config, platform, story, alert, write, Answering)
    from engine.entrypoints.cli.demo_chat import talking

    page = Path(chat) if chat else None
    async with talking(home, shipped("chat"), write, page) as talk:
        config = _config(home, monitor, talk.configuration())
        return await _repair(config, platform, story, alert, write, talk.people)


def _config(home: Path, monitor: str, more: Sequence[str] = ()) -> Config:
    """Write the demo's configuration into its folder, and read it from there."""
    lines = [
        "# Written by `runbook demo`; everything of the demo can be looked at with it.",
        "data: ./state",
        f"runbooks: [{json.dumps(str(shipped('runbooks')))}]",
        "network: {allow: [127.0.0.0/8]}",
        f"prometheus: {{url: {json.dumps(monitor)}}}",
        *(more or people_lines({})),
    ]
    file = home / "engine.yaml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load_config(file)


def inputs_for(
    runbook: Runbook, urls: Mapping[str, str], monitor: str
) -> dict[str, str]:
    """Return the inputs of a shipped runbook that fit the example platform."""
    known: dict[str, Any] = {
        **urls,
        "prometheus": monitor,
        "window": "5s",
        "late": "gt2s",
    }
    return {name: known[name] for name in runbook.inputs if name in known}


async def _repair(
    config: Config, platform: Any, story: Story, alert: Alert, write: Write,
    people_of: Callable[[Engine, Follower, Write], People],
) -> RunSummary:  # fmt: skip
    library = _library(config)
    bundle = library.bundle(story.runbook)
    follower = Follower(lambda line: write(f"  {line}"))
    async with engine(
        config, library, write=follower.said, listener=follower.changed
    ) as opened:
        await opened.host.start()
        run = await _start(opened, bundle, platform, config, alert)
        write(f"Run {run} of {story.runbook} begins")
        people = people_of(opened, follower, write)
        await people.begin()
        ended = False
        while follower.open:
            await follower.news.wait()
            follower.news.clear()
            await people.answer()
            if not ended and story.ends and follower.summaries[run].phase == "restore":
                ended = True
                write(f"  ({story.ends} ends by itself: its cause is outside)")
                await asyncio.to_thread(platform.fault, story.fault, on=False)
        await people.end()
    return follower.summaries[run]


async def _start(
    opened: Engine, bundle: Bundle, platform: Any, config: Config, alert: Alert
) -> str:
    monitor = str(config.settings.prometheus.url)
    places = {**platform.urls, "key_port": platform.ports["keys.tls"]}
    given = inputs_for(bundle.compiled.runbook, places, monitor)
    by = Actor("alertmanager", kind="source", via="alertmanager")
    run = new_run_id()
    opened.host.begins(run)
    return await opened.service.start(bundle, given, by, alert=alert, run=run)


# What is kept


def _write_down(home: Path, config: Config, summary: RunSummary, write: Write) -> None:
    """Write timeline, report and picture into the folder; show the timeline."""
    entries = asyncio.run(_entries(config, summary.run))
    bundle = _library(config).bundle(summary.runbook)
    graph = machine_graph(bundle.compiled, title=summary.title)
    path = path_of(entries)
    svg, png = (picture_of(graph, form, path) for form in ("svg", "png"))
    runbook = bundle.compiled.runbook
    title = f"{summary.runbook} {summary.run}"
    text = timeline_views.timeline_text(entries, width=100, colour=False)
    report = report_html(entries, summary, runbook, picture=svg.decode())
    files = {
        "timeline.txt": text.encode(),
        "timeline.html": timeline_views.timeline_html(entries, title=title).encode(),
        "report.html": report.encode(),
        "report.md": report_markdown(entries, summary, runbook, picture=None).encode(),
        "picture.svg": svg,
        "picture.png": png,
    }
    for name, content in files.items():
        (home / name).write_bytes(content)
    write("")
    write("The timeline:")
    for line in text.splitlines():
        write(line)
    write("")
    write(f"Report   {home / 'report.html'}")
    write(f"Picture  {home / 'picture.png'}")


async def _entries(config: Config, run: str) -> list[Any]:
    from engine.bootstrap import journal

    async with journal(config) as store:
        return list(await store.entries(run))
