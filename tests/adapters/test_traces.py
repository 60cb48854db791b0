"""A run as an OpenTelemetry trace, sent to a real OTLP/HTTP listener."""

import asyncio
import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from engine.views.spans import spans_of, trace_id
from tests.rehearsing import play

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` is not installed")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from engine.adapters.traces import Traces

TEXT = """
actions:
  take: {do: {to: x}, undo: {do: {back: x}}}
isolate: [{act: take}, {wait: 1m}]
"""


def test_a_timeline_is_a_tree_of_spans() -> None:
    """
    The run, its phases, and in them the act and its undo; ids are the same each time.
    """
    rehearsed = play(TEXT)
    spans = spans_of(rehearsed.entries)
    named = {one.id: one.name for one in spans}
    tree = [(one.name, named.get(one.parent, "")) for one in spans]

    assert ("run", "") == tree[0]
    assert ("act take", "phase isolate") in tree
    assert ("undo take", "phase restore") in tree
    assert 60.0 == spans[0].ends_at - spans[0].begins_at
    assert [one.id for one in spans] == [one.id for one in spans_of(rehearsed.entries)]
    assert len(named) == len(spans)


def test_spans_arrive_and_a_listener_that_is_gone_stops_nothing() -> None:
    """
    What arrives is one trace with its tree; where nobody listens it is told, not raised.
    """
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            zipped = self.headers.get("Content-Encoding") == "gzip"
            got.append(gzip.decompress(raw) if zipped else raw)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/v1/traces"
    rehearsed = play(TEXT)
    spans, trace = spans_of(rehearsed.entries), trace_id("r")

    async def send() -> bool:
        return await Traces(url).send(rehearsed.summary, trace, spans)

    assert asyncio.run(send())
    server.shutdown()
    server.server_close()
    request = ExportTraceServiceRequest.FromString(got[0])
    seen = request.resource_spans[0].scope_spans[0].spans
    assert [one.id.to_bytes(8, "big") for one in spans] == [it.span_id for it in seen]
    assert {trace.to_bytes(16, "big")} == {it.trace_id for it in seen}
    assert "small" == seen[0].name
