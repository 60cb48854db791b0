"""What a deployment, pods and events say, as `pass` may use it.

What is here: reading objects into counts, strictly: a count that is no number, or a
status that the controller has not brought up to date, is unknown. What is not: asking
(server), judging (`pass`).

Called by the package.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

from engine.adapters.kubernetes.parameters import Events, KubernetesCheck
from engine.adapters.kubernetes.server import Refused, Server
from engine.model.times import epoch_seconds

MESSAGES: Final = 5  # of events, and names of pods that are not ready
TRUTH: Final = {"True": True, "False": False, "Unknown": None}
REVISION: Final = "deployment.kubernetes.io/revision"
Seen = tuple[dict[str, Any], float, str]  # json, value, summary


async def look_at(server: Server, params: KubernetesCheck, now: float) -> Seen:
    """Return what is seen. Raises Refused: nothing can be said."""
    if params.deployment is not None:
        path = server.path("deployments", params.deployment)
        return deployment(*(await server.get(path))[:1])
    if params.pods is not None:
        labels = ",".join(f"{name}={text}" for name, text in params.pods.items())
        path = server.path("pods", core=True)
        found, _ = await server.listed(path, {"labelSelector": labels})
        pods = [it for it in found if _has_labels(it, params.pods)]
        if not pods and not params.may_be_none:
            raise Refused(
                f"no pod in '{server.namespace}' has {labels}: none is neither good "
                "nor bad; write `may_be_none: true` where it means zero",
                retryable=True,
            )
        return pods_seen(pods)
    assert params.events is not None
    path = server.path("events", core=True)
    wanted = _field_selector(params.events)
    found, answer = await server.listed(path, {"fieldSelector": wanted})
    since = _server_time(answer.headers, now) - params.within.total_seconds()
    return events_seen(found, params.events, since)


def deployment(found: Mapping[str, Any]) -> Seen:
    """Return what a deployment says. Raises Refused: its status is old, or odd."""
    spec, status = _map(found, "spec"), _map(found, "status")
    meta = found["metadata"]
    generation = count(meta, "generation")
    observed = count(status, "observedGeneration")
    if observed < generation:
        raise Refused(
            f"its status is of generation {observed}, and it is at {generation}: the "
            "controller has not seen the last change",
            retryable=True,
        )
    desired = count(spec, "replicas", default=1)
    counts = {
        "replicas": count(status, "replicas"),
        "updated": count(status, "updatedReplicas"),
        "ready": count(status, "readyReplicas"),
        "available": count(status, "availableReplicas"),
        "unavailable": count(status, "unavailableReplicas"),
    }
    conditions = [one for one in _list(status, "conditions") if "type" in one]
    seen: dict[str, Any] = {
        "desired": desired,
        **counts,
        "generation": generation,
        "observed": observed,
        "paused": spec.get("paused") is True,
        "rolled_out": all(
            counts[name] == desired
            for name in ("replicas", "updated", "ready", "available")
        ),
        "conditions": {
            it["type"]: TRUTH.get(str(it.get("status"))) for it in conditions
        },
        "reasons": {it["type"]: str(it.get("reason", "")) for it in conditions},
        "images": _images(spec),
        "revision": str((meta.get("annotations") or {}).get(REVISION, "")),
    }
    words = f"{counts['ready']} of {desired} ready, {counts['updated']} updated"
    return seen, float(counts["ready"]), words


def pods_seen(pods: list[dict[str, Any]]) -> Seen:
    """Return what pods say together."""
    phases: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    not_ready, restarts = [], 0
    for pod in pods:
        status = _map(pod, "status")
        phases[str(status.get("phase", "Unknown")).lower()] += 1
        if not _is_ready(pod, status):
            not_ready.append(str(pod["metadata"].get("name", "?")))
        for one in _list(status, "containerStatuses"):
            restarts += count(one, "restartCount")
            reason = _map(_map(one, "state"), "waiting").get("reason")
            waiting.update([str(reason)] if reason else [])
    ready = len(pods) - len(not_ready)
    names = ("pending", "running", "succeeded", "failed", "unknown")
    seen = {
        "total": len(pods),
        "ready": ready,
        "not_ready": sorted(not_ready)[:MESSAGES],
        **{name: phases[name] for name in names},
        "restarts": restarts,
        "waiting": dict(waiting),
    }
    return seen, float(ready), f"{ready} of {len(pods)} pods ready, {restarts} restarts"


def events_seen(found: list[dict[str, Any]], wanted: Events, since: float) -> Seen:
    """Return what the warnings since then say."""
    recent = [
        one for one in found if _is_wanted(one, wanted) and _last_time(one) >= since
    ]
    recent.sort(key=_last_time, reverse=True)
    number = sum(max(1, count(_series(one), "count")) for one in recent)
    reasons: Counter[str] = Counter()
    for one in recent:
        reasons[str(one.get("reason", ""))] += max(1, count(_series(one), "count"))
    messages = [str(one.get("message", ""))[:300] for one in recent[:MESSAGES]]
    seen = {"count": number, "reasons": dict(reasons), "messages": messages}
    newest = f": {messages[0][:120]}" if messages else ""
    return seen, float(number), f"{number} warnings{newest}"


def count(found: Mapping[str, Any], name: str, *, default: int = 0) -> int:
    """Return a count; Kubernetes leaves out what is zero. Raises Refused: no count."""
    value = found.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Refused(f"{name} is {str(value)[:40]!r}, which is no count")
    return value


def _map(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Refused(f"'{name}' is no map")
    return value


def _list(found: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = found.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(it, Mapping) for it in value):
        raise Refused(f"'{name}' is no list of maps")
    return value


def _images(spec: Mapping[str, Any]) -> list[str]:
    inner = _map(_map(spec, "template"), "spec")
    return [str(one.get("image", "")) for one in _list(inner, "containers")]


def _has_labels(found: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    labels = _map(_map(found, "metadata"), "labels")
    return all(labels.get(name) == text for name, text in wanted.items())


def _is_ready(pod: Mapping[str, Any], status: Mapping[str, Any]) -> bool:
    if _map(pod, "metadata").get("deletionTimestamp"):
        return False
    conditions = _list(status, "conditions")
    return any(
        one.get("type") == "Ready" and one.get("status") == "True" for one in conditions
    )


def _field_selector(wanted: Events) -> str:
    parts = ["type=Warning"]
    parts += [f"involvedObject.name={wanted.name}"] if wanted.name else []
    parts += [f"involvedObject.kind={wanted.kind}"] if wanted.kind else []
    return ",".join(parts)


def _is_wanted(event: Mapping[str, Any], wanted: Events) -> bool:
    about = _map(event, "involvedObject")
    return (
        event.get("type") == "Warning"
        and wanted.name in (None, about.get("name"))
        and wanted.kind in (None, about.get("kind"))
        and (wanted.reason is None or event.get("reason") in wanted.reason)
    )


def _series(event: Mapping[str, Any]) -> Mapping[str, Any]:
    series = _map(event, "series")
    return series if series else {"count": event.get("count") or 0}


def _last_time(event: Mapping[str, Any]) -> float:
    """Return when it was last seen, epoch seconds. Raises Refused: it does not say."""
    places: Iterable[Any] = (
        _map(event, "series").get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        _map(event, "metadata").get("creationTimestamp"),
    )
    text = next((str(one) for one in places if one), "")
    at = epoch_seconds(text, UTC)
    if at is None:
        raise Refused(f"an event has the time {text[:40]!r}")
    return at


def _server_time(headers: Mapping[str, str], now: float) -> float:
    """Return the server's own time, which its events are of; else ours."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return now
