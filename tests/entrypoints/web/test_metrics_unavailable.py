"""Metrics while the journal cannot be asked."""

from collections import Counter
from typing import Any

import httpx

from engine.entrypoints.web.app import application
from engine.entrypoints.web.metrics import Metrics, Now
from engine.errors import StoreUnavailable


async def test_metrics_of_a_full_disk_are_503_in_words(caplog: Any) -> None:
    """
    Whoever scrapes is told to come again; the log holds no trace of a defect.
    """

    async def now() -> Now:
        raise StoreUnavailable("the disk is full")

    nothing: Any = None
    metrics = Metrics(nothing, nothing, now, Counter(), nothing, nothing)
    door = httpx.ASGITransport(application(metrics.routes()))
    async with httpx.AsyncClient(transport=door, base_url="http://engine") as client:
        answer = await client.get("/metrics")

    assert (503, {"error": "the disk is full"}) == (answer.status_code, answer.json())
    assert [] == caplog.records
