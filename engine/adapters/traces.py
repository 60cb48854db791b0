"""Each run that ended as one OpenTelemetry trace, sent over OTLP/HTTP.

Needs the extra `otel`. What cannot be sent is dropped and logged once a minute: the
timeline has it all. Called by bootstrap, where the configuration names an endpoint.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from engine.model.run import RunSummary
from engine.model.spans import Span

log = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 10
QUIET_SECONDS: Final = 60.0
SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)


class Traces:
    """Sends the spans of runs; one thread at a time, beside the loop."""

    def __init__(self, endpoint: str) -> None:
        self._exporter = OTLPSpanExporter(endpoint, timeout=TIMEOUT_SECONDS)
        self._resource = Resource.create({"service.name": "runbook"})
        self._turn = asyncio.Lock()
        self._told = 0.0

    async def send(
        self, summary: RunSummary, trace: int, spans: Sequence[Span]
    ) -> bool:
        """Send the spans of one run; return whether they were taken."""
        made = [self._span(summary, trace, one) for one in spans]
        async with self._turn:
            try:
                done = await asyncio.to_thread(self._exporter.export, made)
            except Exception as error:  # noqa: BLE001  # tracing stops nothing
                return self._lost(summary.run, repr(error))
        if done is not SpanExportResult.SUCCESS:
            return self._lost(summary.run, "it was not taken")
        return True

    def _lost(self, run: str, why: str) -> bool:
        now = time.monotonic()
        if now - self._told > QUIET_SECONDS:
            self._told = now
            log.warning("trace not sent run=%s why=%s", run, why)
        return False

    def _span(self, summary: RunSummary, trace: int, one: Span) -> ReadableSpan:
        context = SpanContext(trace, one.id, is_remote=False, trace_flags=SAMPLED)
        parent = None
        if one.parent:
            parent = SpanContext(
                trace, one.parent, is_remote=False, trace_flags=SAMPLED
            )
        named = one.name if one.parent else f"{summary.runbook}"
        return ReadableSpan(
            named,
            context,
            parent,
            self._resource,
            {
                "runbook.run": summary.run,
                "runbook.name": summary.runbook,
                "runbook.target": one.target,
            },
            kind=SpanKind.INTERNAL,
            status=_status(one),
            start_time=int(one.begins_at * 1e9),
            end_time=int(one.ends_at * 1e9),
        )


def _status(one: Span) -> Status:
    if one.bad:
        return Status(StatusCode.ERROR, one.why or None)
    return Status(StatusCode.OK)
