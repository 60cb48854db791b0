"""Answers of Datadog, New Relic and Statuspage in the forms their references show.

Used by the tests of the three kinds; each form has one place for the value that counts.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.adapters.loopback import as_json

CANARY = "canary/7f3+secret value"
KEYS = {"api_key": {"secret": "TOKEN"}, "app_key": {"secret": "TOKEN"}}


def dog_points(
    *rows: tuple[list[str], list[tuple[float, Any]]], **more: Any
) -> dict[str, Any]:
    """Return an answer of /api/v1/query: tags, and (epoch seconds, value) pairs."""
    series = [
        {
            "metric": "shop.latency",
            "display_name": "shop.latency",
            "aggr": "avg",
            "scope": ",".join(tags) or "*",
            "tag_set": tags,
            "interval": 20,
            "length": len(points),
            "pointlist": [[at * 1000, value] for at, value in points],
            "query_index": 0,
            "unit": None,
            "expression": "avg:shop.latency{*}",
        }
        for tags, points in rows
    ]
    return {
        "status": "ok",
        "res_type": "time_series",
        "resp_version": 1,
        "query": "avg:shop.latency{*}",
        "message": "",
        "group_by": [],
        "series": series,
        **more,
    }


def dog_timeseries(
    times: list[float], *rows: tuple[list[str], list[Any]]
) -> dict[str, Any]:
    """Return an answer of /api/v2/query/timeseries; times in epoch seconds."""
    attributes = {
        "times": [int(at * 1000) for at in times],
        "series": [
            {"group_tags": tags, "query_index": 0, "unit": [None, None]}
            for tags, _ in rows
        ],
        "values": [values for _, values in rows],
    }
    return {
        "data": {"id": "0", "type": "timeseries_response", "attributes": attributes}
    }


def dog_scalar(
    numbers: list[Any], groups: dict[str, list[list[str]]] | None = None
) -> dict[str, Any]:
    """Return an answer of /api/v2/query/scalar."""
    columns: list[dict[str, Any]] = [
        {"name": name, "type": "group", "values": values}
        for name, values in (groups or {}).items()
    ]
    columns.append(
        {"name": "a", "type": "number", "values": numbers, "meta": {"unit": None}}
    )
    attributes = {"columns": columns}
    return {"data": {"id": "0", "type": "scalar_response", "attributes": attributes}}


def dog_monitor(state: Any, groups: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return an answer of /api/v1/monitor/ID."""
    rows = {
        name: {
            "name": name,
            "status": one,
            "last_triggered_ts": 1,
            "last_resolved_ts": 2,
        }
        for name, one in (groups or {}).items()
    }
    return {
        "id": 83649643,
        "name": "shop latency",
        "type": "query alert",
        "query": "avg(last_5m):avg:shop.latency{*} > 1",
        "message": "",
        "tags": [],
        "overall_state": state,
        "multi": bool(rows),
        "options": {"notify_no_data": False},
        "state": {"groups": rows},
    }


def nerdgraph(
    rows: Any,
    *,
    facets: list[str] | None = None,
    messages: list[str] | None = None,
    field: str = "nrql",
    progress: dict[str, Any] | None = None,
    end: float | None = None,
) -> dict[str, Any]:
    """Return an answer of NerdGraph."""
    now = time.time() if end is None else end
    found = {
        "results": rows,
        "metadata": {
            "facets": facets,
            "messages": messages or [],
            "timeWindow": {"begin": int(now - 300) * 1000, "end": int(now * 1000)},
        },
        "queryProgress": progress
        or {
            "queryId": None,
            "completed": True,
            "retryAfter": None,
            "retryDeadline": None,
            "resultExpiration": None,
        },
    }
    return {"data": {"actor": {"account": {field: found}}}}


def running(retry_after: float, field: str = "nrql") -> dict[str, Any]:
    """Return the answer of a query that still runs."""
    progress = {
        "queryId": 4711,
        "completed": False,
        "retryAfter": retry_after,
        "retryDeadline": 300,
        "resultExpiration": 600,
    }
    told = nerdgraph(None, field=field, progress=progress)
    told["data"]["actor"]["account"][field]["metadata"] = None
    return told


@dataclass(frozen=True)
class Form:
    """One way to ask a provider for a number."""

    kind: str
    params: dict[str, Any]
    holding: Callable[[Any], Any]  # the value to the body that holds it
    several: Callable[[list[Any]], Any]  # the same of several series
    aged: Callable[[float], Any] | None = None  # a sample of this moment

    def answer(self, value: Any) -> bytes:
        """Return the whole answer that holds the value."""
        return as_json(self.holding(value))


def _now() -> float:
    return time.time() // 1


FORMS = {
    "datadog query": Form(
        "datadog",
        {"query": "avg:shop.latency{*}", **KEYS},
        lambda value: dog_points(([], [(_now(), value)])),
        lambda values: dog_points(
            *(([f"host:h{n}"], [(_now(), one)]) for n, one in enumerate(values))
        ),
        lambda at: dog_points(([], [(at, 1.0)])),
    ),
    "datadog queries": Form(
        "datadog",
        {"queries": {"a": "avg:shop.latency{*}"}, **KEYS},
        lambda value: dog_timeseries([_now()], ([], [value])),
        lambda values: dog_timeseries(
            [_now()], *(([f"host:h{n}"], [one]) for n, one in enumerate(values))
        ),
        lambda at: dog_timeseries([at], ([], [1.0])),
    ),
    "datadog reduce": Form(
        "datadog",
        {"query": "avg:shop.latency{*}", "reduce": "avg", **KEYS},
        lambda value: dog_scalar([value]),
        lambda values: dog_scalar(
            values, {"host": [[f"h{n}"] for n in range(len(values))]}
        ),
    ),
    "newrelic": Form(
        "newrelic",
        {
            "query": "SELECT average(d) FROM T",
            "account": 12,
            "api_key": KEYS["api_key"],
        },
        lambda value: nerdgraph([{"average.d": value}]),
        lambda values: nerdgraph(
            [
                {"facet": f"h{n}", "host": f"h{n}", "average.d": one}
                for n, one in enumerate(values)
            ],
            facets=["host"],
        ),
        lambda at: nerdgraph([{"average.d": 1.0}], end=at),
    ),
}
