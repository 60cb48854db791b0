"""The built-in scraper: what the platform needs of Prometheus, where there is none.

It reads /metrics of every process each second, keeps ten minutes, answers
/api/v1/query for the subset of PromQL in promql.py, evaluates rules.yml and tells a
webhook. A query outside the subset is answered 400 with what is not supported.

Used by: run.py starts it; monitor.py decides whether it or Prometheus runs.
"""

import asyncio
import json
import math
import time
from typing import Any
from urllib.parse import parse_qsl

from .alerting import Alert, Alerts, Notifier, load_rules
from .evaluate import Moment, Value, evaluate
from .monitor import RULES
from .process import Process, Setup
from .promql import QueryError, parse
from .samples import Labels, Samples, read_text
from .wire import Request, Response, get, serve_http

SCRAPE_SECONDS = 1.0


class Scraper:
    """Samples and alerts, kept up to date."""

    def __init__(self, targets: dict[str, int], webhook: str | None, url: str) -> None:
        self.samples = Samples()
        self.alerts = Alerts(load_rules(RULES))
        self.rounds = 0
        self._targets = targets
        self._notifier = Notifier(webhook, url) if webhook else None
        self._telling: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Scrape, evaluate and tell, once a second for ever."""
        due = time.time()
        while True:
            await asyncio.gather(
                *(self._scrape(job, port) for job, port in self._targets.items())
            )
            now = round(time.time(), 3)
            changed = self.alerts.look(Moment(self.samples, now))
            self._tell(changed, now)
            self.rounds += 1
            due = max(due + SCRAPE_SECONDS, now - SCRAPE_SECONDS)
            await asyncio.sleep(max(0.0, due - time.time()))

    async def _scrape(self, job: str, port: int) -> None:
        at = round(time.time(), 3)
        target = {"job": job, "instance": f"127.0.0.1:{port}"}
        up: Labels = tuple(sorted({"__name__": "up", **target}.items()))
        try:
            status, body = await get("127.0.0.1", port, "/metrics", timeout=1.0)
            values = read_text(body.decode(), target) if status == 200 else {}
        except (OSError, ValueError):
            values = {}
        self.samples.add_scrape(job, at, {**values, up: float(bool(values))})

    def _tell(self, changed: list[Alert], now: float) -> None:
        """Tell in the background: a slow receiver must not delay a scrape."""
        if self._notifier is None:
            return
        self._notifier.add(changed, now)
        task = asyncio.create_task(self._notifier.tell(now))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


class Api:
    """The part of Prometheus' HTTP API that is answered."""

    def __init__(self, scraper: Scraper) -> None:
        self._scraper = scraper

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        match request.path:
            case "/api/v1/query":
                return self._query(_parameters(request))
            case "/api/v1/alerts":
                return _success({"alerts": self._alerts()})
            case "/-/ready" | "/-/healthy":
                ready = self._scraper.rounds > 0
                return Response(200 if ready else 503, b"", "text/plain")
        return _error(404, "not_found", f"{request.path} is not answered here")

    def _query(self, parameters: dict[str, str]) -> Response:
        text = parameters.get("query", "")
        if not text:
            return _error(400, "bad_data", "query is missing")
        try:
            at = round(float(parameters.get("time") or time.time()), 3)
        except ValueError:
            return _error(400, "bad_data", "time must be Unix seconds")
        try:
            value = evaluate(parse(text), Moment(self._scraper.samples, at))
        except (QueryError, RecursionError) as error:
            said = str(error) if isinstance(error, QueryError) else "nested too deep"
            return _error(400, "bad_data", said)
        return _success(result(value, at))

    def _alerts(self) -> list[dict[str, Any]]:
        return [
            {
                "labels": alert.labels,
                "annotations": alert.annotations(),
                "state": "pending" if alert.fired_at is None else "firing",
                "activeAt": alert.active_at,
                "value": repr(alert.value),
            }
            for alert in self._scraper.alerts.all.values()
        ]


def result(value: Value, at: float) -> dict[str, Any]:
    """Return a value as the API shows it."""
    if isinstance(value, float):
        return {"resultType": "scalar", "result": [at, _text(value)]}
    shown = [
        {"metric": dict(labels), "value": [at, _text(number)]}
        for labels, number in value.items()
    ]
    return {"resultType": "vector", "result": shown}


def _text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value) if value != int(value) else str(int(value))


def _parameters(request: Request) -> dict[str, str]:
    form = request.headers.get("content-type", "")
    posted = request.body.decode() if form.startswith("application/x-www-form") else ""
    return {**request.query, **dict(parse_qsl(posted))}


def _success(found: dict[str, Any]) -> Response:
    return Response(200, json.dumps({"status": "success", "data": found}).encode())


def _error(status: int, kind: str, text: str) -> Response:
    body = {"status": "error", "errorType": kind, "error": text}
    return Response(status, json.dumps(body).encode())


async def start(setup: Setup) -> None:
    """Start scraping the targets of the setup's options, and answering queries."""
    process = Process(setup)
    options = setup.options
    url = f"http://127.0.0.1:{setup.ports['scraper.http']}"
    scraper = Scraper(options["targets"], options["webhook"], url)
    api = Api(scraper)
    await process.listen("http", lambda r, w: serve_http(r, w, api.answer))
    process.spawn(scraper.run())
