"""The request of a `datadog` check: which endpoint, from when to when, with whose keys.

What is not: what the answer means (answers). Called by the package.
"""

import json
from typing import Any, Final

from engine.adapters.datadog.parameters import Account, DatadogLook, base_for
from engine.model.credentials import Secretable, Unsealed, with_query
from engine.model.samples import Unseen
from engine.ports import WebRequest

WITHOUT_NAME: Final = "a"  # the name of the one query that has none


def base_of(params: DatadogLook, account: Account) -> Secretable:
    """Return the address of the API."""
    if params.url is not None:
        return params.url
    return (
        f"https://api.{params.site}" if params.site is not None else base_for(account)
    )


def request_for(
    params: DatadogLook,
    account: Account,
    unsealed: Unsealed,
    *,
    now: float,
    timeout_seconds: float,
) -> WebRequest:
    """Return the request, secrets in it.

    Raises:
        Unseen: a key is missing.
        SecretMissing: a key has no value.
    """
    address = unsealed.text(base_of(params, account)).rstrip("/")
    headers = {"accept": "application/json", **_keys(params, account, unsealed)}
    path, query, asked = _question(params, now)
    body = None if asked is None else json.dumps(asked).encode()
    return WebRequest(
        "GET" if body is None else "POST",
        with_query(address + path, query),
        headers if body is None else headers | {"content-type": "application/json"},
        body,
        timeout_seconds=timeout_seconds,
        patient=True,
    )


def _keys(params: DatadogLook, account: Account, unsealed: Unsealed) -> dict[str, str]:
    configured = base_of(params, account) == base_for(account)
    api_key = params.api_key or (account.api_key if configured else None)
    app_key = params.app_key or (account.app_key if configured else None)
    for name, key in (("api_key", api_key), ("app_key", app_key)):
        if key is None:
            raise Unseen(
                f"no {name}: write `{name}: {{secret: NAME}}`, or set datadog.{name} "
                "in the configuration for its own address",
                retryable=False,
            )
    return {
        "dd-api-key": unsealed.text(api_key or ""),
        "dd-application-key": unsealed.text(app_key or ""),
    }


def _question(
    params: DatadogLook, now: float
) -> tuple[str, dict[str, str], dict[str, Any] | None]:
    """Return the path, the query of the URL, and the body where there is one."""
    if params.monitor is not None:
        query = {"group_states": "all"} if params.groups else {}
        return f"/api/v1/monitor/{params.monitor}", query, None
    began = now - params.range.total_seconds()
    if params.query is not None and params.reduce is None:
        query = {"from": f"{began:.0f}", "to": f"{now:.0f}", "query": params.query}
        return "/api/v1/query", query, None
    form = "timeseries" if params.reduce is None else "scalar"
    attributes = {
        "from": int(began * 1000),
        "to": int(now * 1000),
        "queries": _queries(params),
        "formulas": [{"formula": params.formula or next(iter(_named(params)))}],
    }
    body = {"data": {"type": f"{form}_request", "attributes": attributes}}
    return f"/api/v2/query/{form}", {}, body


def _named(params: DatadogLook) -> dict[str, str]:
    return params.queries or {WITHOUT_NAME: params.query or ""}


def _queries(params: DatadogLook) -> list[dict[str, str]]:
    reduced = {} if params.reduce is None else {"aggregator": params.reduce}
    return [
        {"data_source": "metrics", "name": name, "query": query, **reduced}
        for name, query in _named(params).items()
    ]
