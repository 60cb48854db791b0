"""The check `kubernetes`: against an emulated cluster, and servers that misbehave."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.adapters.kubernetes import KubernetesKind
from engine.adapters.kubernetes.parameters import Cluster, KubernetesCheck
from engine.adapters.web import HttpxWeb
from engine.errors import SecretMissing
from engine.model.evidence import Observation
from engine.model.values import SecretRef
from engine.ports import Call
from tests.adapters import cluster as far
from tests.adapters.certificates import server_certificate
from tests.adapters.loopback import (
    LOOPBACK,
    Asked,
    always,
    as_json,
    drip,
    hang,
    in_turn,
    reply,
    reset,
    serving,
    zipped,
)

CANARY = "canary-7f3-token"


def secret(name: str) -> str:
    if name != "KUBE":
        raise SecretMissing(f"secret '{name}' has no value")
    return CANARY


CALL = Call("r1/ready/1", 2.0, secret, "r1")


@pytest.fixture
async def web() -> AsyncIterator[HttpxWeb]:
    made = HttpxWeb([ip_network(LOOPBACK)])
    yield made
    await made.aclose()


@pytest.fixture
async def shop() -> AsyncIterator[far.Cluster]:
    async with far.cluster() as made:
        yield made


def kind(web: HttpxWeb, url: str) -> KubernetesKind:
    """Return the kind with this cluster configured."""
    return KubernetesKind(web, Cluster(url, SecretRef(secret="KUBE"), None, far.SHOP))


def asking(**given: Any) -> KubernetesCheck:
    return KubernetesCheck.model_validate(given or {"deployment": "api"})


async def look(web: HttpxWeb, answer: bytes, **given: Any) -> Observation:
    """Look at a server that gives this one answer."""
    async with serving(always(answer)) as server:
        return await kind(web, server.url).look(asking(**given), CALL)


def why(found: Observation) -> str:
    """Return why it is unknown, without the address."""
    assert found.unknown is not None
    return found.unknown.partition(": ")[2]


# What is seen


async def test_deployment_tells_its_counts_and_conditions(
    web: HttpxWeb, shop: far.Cluster
) -> None:
    """Counts, conditions and whether it has rolled out; `value` is what is ready."""
    shop.put(far.DEPLOYMENTS, far.a_deployment())
    found = await kind(web, shop.url).look(asking(), CALL)

    assert found.seen["json"] == {
        "desired": 3, "replicas": 3, "updated": 3, "ready": 3, "available": 3,
        "unavailable": 0, "generation": 1, "observed": 1, "paused": False,
        "rolled_out": True, "images": ["api:2"], "revision": "2",
        "conditions": {"Available": True, "Progressing": True},
        "reasons": {"Available": "MinimumReplicasAvailable",
                    "Progressing": "NewReplicaSetAvailable"},
    }  # fmt: skip
    assert (found.seen["value"], found.summary) == (3.0, "3 of 3 ready, 3 updated")


async def test_deployment_in_the_middle_of_a_rollout_has_not_rolled_out(
    web: HttpxWeb, shop: far.Cluster
) -> None:
    """An old pod that still runs, or a new one that is not there: not rolled out."""
    told = []
    for status in ({"updatedReplicas": 2}, {"replicas": 4}, {"availableReplicas": 2}):
        body = far.a_deployment()
        body["status"] |= status
        shop.put(far.DEPLOYMENTS, body)
        found = await kind(web, shop.url).look(asking(), CALL)
        told.append(found.seen["json"]["rolled_out"])

    assert told == [False, False, False]


async def test_zero_counts_are_left_out_by_the_server_and_are_zero(
    web: HttpxWeb, shop: far.Cluster
) -> None:
    """A status without readyReplicas has none ready."""
    body = far.a_deployment()
    body["status"] = {"observedGeneration": 1, "replicas": 3}
    shop.put(far.DEPLOYMENTS, body)
    found = await kind(web, shop.url).look(asking(), CALL)

    assert found.seen["value"] == 0.0


async def test_pods_are_counted_by_phase_readiness_and_restarts(
    web: HttpxWeb, shop: far.Cluster
) -> None:
    """Only pods with the labels count; whoever is not ready is named."""
    shop.put(far.PODS, far.a_pod("api-1", restarts=2))
    shop.put(far.PODS, far.a_pod("api-2", ready=False, waiting="CrashLoopBackOff"))
    shop.put(far.PODS, far.a_pod("api-3", phase="Pending", ready=False))
    shop.put(far.PODS, far.a_pod("other", app="other"))
    found = await kind(web, shop.url).look(asking(pods={"app": "api"}), CALL)

    assert found.seen["json"] == {
        "total": 3, "ready": 1, "not_ready": ["api-2", "api-3"], "pending": 1,
        "running": 2, "succeeded": 0, "failed": 0, "unknown": 0, "restarts": 2,
        "waiting": {"CrashLoopBackOff": 1},
    }  # fmt: skip
    assert found.summary == "1 of 3 pods ready, 2 restarts"


async def test_pod_that_is_being_deleted_is_not_ready(
    web: HttpxWeb, shop: far.Cluster
) -> None:
    """A pod on its way out serves nobody any more."""
    pod = far.a_pod("api-1")
    pod["metadata"]["deletionTimestamp"] = "2026-11-24T10:00:00Z"
    shop.put(far.PODS, pod)
    found = await kind(web, shop.url).look(asking(pods={"app": "api"}), CALL)

    assert found.seen["value"] == 0.0


def an_event(name: str, *, minutes: float, **more: Any) -> dict[str, Any]:
    """Return a warning that was last seen so many minutes ago."""
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    return {
        "metadata": {"name": name}, "type": "Warning", "reason": "BackOff",
        "message": f"{name} backs off", "count": 3,
        "involvedObject": {"kind": "Pod", "name": "api-1"},
        "lastTimestamp": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        **more,
    }  # fmt: skip


async def test_recent_warnings_are_counted_by_reason(
    web: HttpxWeb, shop: far.Cluster
) -> None:
    """Warnings of the last minutes, each as often as it came; nothing else."""
    shop.put(far.EVENTS, an_event("new", minutes=1))
    shop.put(far.EVENTS, an_event("once", minutes=2, reason="Failed", count=None))
    shop.put(far.EVENTS, an_event("old", minutes=30))
    shop.put(far.EVENTS, an_event("fine", minutes=1, type="Normal"))
    found = await kind(web, shop.url).look(asking(events={}), CALL)
    named = await kind(web, shop.url).look(
        asking(events={"reason": ["Failed"], "kind": "Pod", "name": "api-1"}), CALL
    )

    assert found.seen["json"] == {
        "count": 4, "reasons": {"BackOff": 3, "Failed": 1},
        "messages": ["new backs off", "once backs off"],
    }  # fmt: skip
    assert named.seen["value"] == 1.0


async def test_no_warning_is_zero(web: HttpxWeb, shop: far.Cluster) -> None:
    """A quiet namespace is a count of zero, not an empty answer."""
    found = await kind(web, shop.url).look(asking(events={}), CALL)

    assert found.seen["value"] == 0.0


async def test_long_list_is_read_page_by_page(web: HttpxWeb) -> None:
    """Every page counts, and each is asked for with the mark of the one before."""
    first = {"metadata": {"continue": "next/1"}, "items": [far.a_pod("api-1")]}
    second = {"metadata": {}, "items": [far.a_pod("api-2")]}
    async with serving(in_turn(as_json(first), as_json(second))) as server:
        params = asking(pods={"app": "api"})
        found = await kind(web, server.url).look(params, CALL)
        targets = [one.target for one in server.asked]

    assert found.seen["value"] == 2.0
    asked = "/api/v1/namespaces/shop/pods?labelSelector=app%3Dapi&limit=500"
    assert targets == [asked, f"{asked}&continue=next%2F1"]


# F28 to F39


@pytest.mark.parametrize("serve", [hang, drip])
@pytest.mark.timed
async def test_f28_slow_api_server_is_unknown_at_the_deadline(
    web: HttpxWeb, serve: Callable[..., Any]
) -> None:
    """A server that hangs or drips is unknown at the total deadline."""
    async with serving(serve) as server:
        began = time.monotonic()
        call = Call("k", 0.3, secret)
        found = await kind(web, server.url).look(asking(), call)
        took = time.monotonic() - began

    assert why(found).startswith("no complete answer within 0.")
    assert found.retryable is True
    assert took < 1


@pytest.mark.timed
async def test_f28_pages_share_one_deadline(web: HttpxWeb) -> None:
    """A list without an end is cut by the one limit over all its pages."""
    page = {"metadata": {"continue": "more"}, "items": [far.a_pod("api-1")]}

    async def slow(_asked: Asked, writer: Any) -> None:
        await asyncio.sleep(0.1)
        writer.write(as_json(page))

    async with serving(slow) as server:
        began = time.monotonic()
        call = Call("k", 0.5, secret)
        found = await kind(web, server.url).look(asking(pods={"app": "api"}), call)

    assert time.monotonic() - began < 1
    assert found.unknown is not None


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
async def test_f29_busy_api_server_is_unknown_and_asked_again(
    web: HttpxWeb, status: int
) -> None:
    """5xx and 429 are unknown; another attempt may help."""
    body = json.dumps({"kind": "Status", "message": "try later"})
    headers = {"retry-after": "3"}
    found = await look(web, reply(body, status=status, headers=headers))

    assert why(found) == f"HTTP {status}: try later, asks to wait 3 s"
    assert found.retryable is True


PATH = "/apis/apps/v1/namespaces/shop/deployments/api"
REFUSALS = {
    401: "the token is not accepted (HTTP 401: no); renew it",
    403: "the token's account may not do this (HTTP 403: no). Give its role the verbs "
    f"get and list for {PATH}",
    404: f"{PATH} is not there (HTTP 404: no); mend the name, the namespace or `url`",
    400: "HTTP 400: no",
    302: "HTTP 302: redirects are not followed; mend `url`",
}


@pytest.mark.parametrize("status", REFUSALS)
async def test_f29_refusal_of_a_look_says_what_to_mend(
    web: HttpxWeb, status: int
) -> None:
    """4xx is a mistake in what was asked: unknown, in words, and not asked again."""
    body = json.dumps({"kind": "Status", "message": "no"})
    found = await look(web, reply(body, status=status))

    assert why(found) == REFUSALS[status]
    assert found.retryable is False


async def test_f29_missing_deployment_is_unknown(
    web: HttpxWeb, shop: far.Cluster
) -> None:
    """What is not there is neither good nor bad: a name may be wrong."""
    shop.put(far.DEPLOYMENTS, far.a_deployment())
    found = await kind(web, shop.url).look(asking(deployment="apo"), CALL)

    assert "deployments/apo is not there (HTTP 404: " in (found.unknown or "")
    assert found.retryable is False


@pytest.mark.parametrize(
    "value", ["NaN", "", "3", 2.5, True, -1, [], {}], ids=lambda it: f"{it!r}"
)
async def test_f30_count_that_is_no_number_is_unknown(
    web: HttpxWeb, shop: far.Cluster, value: Any
) -> None:
    """Text, fractions, truth values and negative numbers are no counts."""
    shop.put(far.DEPLOYMENTS, far.a_deployment(readyReplicas=value))
    found = await kind(web, shop.url).look(asking(), CALL)

    assert why(found) == f"readyReplicas is {str(value)!r}, which is no count"


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
async def test_f30_constant_that_is_no_json_is_unknown(
    web: HttpxWeb, constant: str
) -> None:
    """NaN and infinity are no JSON, whoever writes them."""
    body = f'{{"metadata": {{}}, "status": {{"readyReplicas": {constant}}}}}'
    found = await look(web, reply(body))

    assert why(found) == f"the answer to {PATH} is not JSON"


async def test_f31_no_pod_is_unknown_unless_it_is_meant(
    web: HttpxWeb, shop: far.Cluster
) -> None:
    """No pod at all may be a wrong label; `may_be_none` says that it is zero."""
    empty = await kind(web, shop.url).look(asking(pods={"app": "api"}), CALL)
    meant = await kind(web, shop.url).look(
        asking(pods={"app": "api"}, may_be_none=True), CALL
    )

    assert why(empty) == (
        "no pod in 'shop' has app=api: none is neither good nor bad; write "
        "`may_be_none: true` where it means zero"
    )
    assert meant.seen["value"] == 0.0


@pytest.mark.parametrize(
    "body",
    [[], "text", {"metadata": []}, {"status": {}}, None],
    ids=["list", "text", "metadata", "no metadata", "null"],
)
async def test_f31_wrong_shape_is_unknown(web: HttpxWeb, body: Any) -> None:
    """JSON that is no object of Kubernetes is unknown, and says so."""
    found = await look(web, as_json(body))

    assert why(found) == f"the answer to {PATH} is no object of Kubernetes"


async def test_f31_object_where_a_list_is_needed_is_unknown(web: HttpxWeb) -> None:
    """An answer without items is no list of pods."""
    found = await look(web, as_json({"metadata": {}}), pods={"app": "api"})

    assert why(found) == "the answer to /api/v1/namespaces/shop/pods is no list"


async def test_f32_list_that_does_not_end_is_unknown(web: HttpxWeb) -> None:
    """A part of the pods is not taken for all of them."""
    page = {"metadata": {"continue": "more"}, "items": []}
    found = await look(web, as_json(page), pods={"app": "api"})

    assert why(found) == "more than 10,000 objects: name more labels"


async def test_f33_status_of_an_older_generation_is_unknown(
    web: HttpxWeb, shop: far.Cluster
) -> None:
    """A status from before the last change says nothing of it; look again."""
    shop.put(far.DEPLOYMENTS, far.a_deployment(observedGeneration=0))
    found = await kind(web, shop.url).look(asking(), CALL)

    assert why(found) == (
        "its status is of generation 0, and it is at 1: the controller has not seen "
        "the last change"
    )
    assert found.retryable is True


async def test_f33_events_are_as_recent_as_the_server_says(web: HttpxWeb) -> None:
    """What is recent is told by the server's clock, not by ours."""
    event = an_event("old by our clock", minutes=60)
    then = (datetime.now(UTC) - timedelta(minutes=58)).timestamp()
    body = json.dumps({"metadata": {}, "items": [event]})
    headers = {"date": formatdate(then, usegmt=True)}
    found = await look(web, reply(body, headers=headers), events={})

    assert found.seen["value"] == 3.0


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z"])
async def test_f33_event_without_a_time_is_unknown(web: HttpxWeb, text: str) -> None:
    """An event that does not say when it was is neither recent nor old."""
    event = {**an_event("odd", minutes=1), "lastTimestamp": text}
    found = await look(web, as_json({"metadata": {}, "items": [event]}), events={})

    assert why(found) == f"an event has the time {text!r}"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply("<html>log in</html>"), f"the answer to {PATH} is not JSON"),
        (reply('{"metadata": {"na'), f"the answer to {PATH} is not JSON"),
        (zipped(b"0" * 20_000_000), "more than 8,388,608 bytes"),
        (reply("[" * 100_000), f"the answer to {PATH} is not JSON"),
    ],
    ids=["login page", "truncated", "gzip bomb", "nested"],
)
async def test_f34_answer_that_is_no_api_answer_is_unknown(
    web: HttpxWeb, answer: bytes, words: str
) -> None:
    """A login page, half an answer or a bomb is unknown."""
    assert why(await look(web, answer)) == words


async def on_loopback(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


@pytest.mark.parametrize(
    ("days_left", "trusted", "words"),
    [
        (30, False, "the certificate is not accepted: self-signed certificate"),
        (-1, True, "the certificate is not accepted: certificate has expired"),
        (30, True, None),
    ],
    ids=["of nobody", "expired", "good"],
)
async def test_f39_api_server_proves_who_it_is(
    tmp_path: Path, days_left: int, trusted: bool, words: str | None
) -> None:
    """A certificate of nobody, or an old one: nothing is sent, no fallback."""
    context, file = server_certificate(tmp_path, "kube.example", days_left=days_left)
    web = HttpxWeb([ip_network(LOOPBACK)], lookup=on_loopback)
    async with serving(always(as_json(far.a_deployment())), tls=context) as server:
        address = f"https://kube.example:{server.port}"
        ca_file = file if trusted else None
        cluster = Cluster(address, SecretRef(secret="KUBE"), ca_file, far.SHOP)
        found = await KubernetesKind(web, cluster).look(asking(), CALL)
    await web.aclose()

    assert (None if found.unknown is None else why(found)) == words
    assert len(server.asked) == (words is None)


async def test_f39_reset_and_refused_connections_are_unknown(web: HttpxWeb) -> None:
    """A server that cuts the connection, or is not there, is unknown."""
    async with serving(reset) as server:
        cut = await kind(web, server.url).look(asking(), CALL)
    gone = await kind(web, server.url).look(asking(), CALL)

    assert why(cut) == "the connection was closed before the answer was complete"
    assert why(gone).startswith("no connection: ")


async def test_f39_name_that_cannot_be_resolved_is_no_cluster(web: HttpxWeb) -> None:
    """A lookup that fails is unknown."""
    found = await kind(web, "https://kube.invalid").look(asking(), CALL)

    assert "'kube.invalid' cannot be resolved" in why(found)


async def test_f93_private_api_server_needs_to_be_allowed(shop: far.Cluster) -> None:
    """Without the network in the configuration, loopback is not reached."""
    closed = HttpxWeb()
    found = await kind(closed, shop.url).look(asking(), CALL)
    await closed.aclose()

    assert "which is not a public address" in why(found)
    assert found.retryable is False


# The token


async def test_token_is_sent_and_never_shown(web: HttpxWeb) -> None:
    """The server gets the bearer token; what people see does not have it."""
    body = json.dumps({"message": f"no access with {CANARY}"})
    async with serving(always(reply(body, status=403))) as server:
        found = await kind(web, server.url).look(asking(), CALL)
        sent = server.asked[0].headers["authorization"]

    assert sent == f"Bearer {CANARY}"
    assert "no access with [hidden]" in (found.unknown or "")
    assert CANARY not in (found.unknown or "")


async def test_configured_token_goes_to_no_other_address(web: HttpxWeb) -> None:
    """A runbook that names its own address brings its own token."""
    async with serving(always(as_json({"metadata": {}}))) as server:
        check = asking(deployment="api", url=server.url)
        found = await kind(web, "https://kube.example").look(check, CALL)

    assert found.unknown == (
        "no token: write `token: {secret: NAME}`, or set kubernetes.token in the "
        "configuration for its own address"
    )
    assert server.asked == []


async def test_f96_missing_token_fails_closed(web: HttpxWeb) -> None:
    """Without its secret nothing is asked."""
    check = asking(deployment="api", token={"secret": "NONE"})
    found = await kind(web, "http://127.0.0.1:1").look(check, CALL)

    assert (found.unknown, found.retryable) == ("secret 'NONE' has no value", False)


async def test_cluster_has_to_be_named_somewhere(web: HttpxWeb) -> None:
    """Neither the runbook nor the configuration has an address."""
    found = await KubernetesKind(web).look(asking(), CALL)

    assert found.unknown == (
        "no cluster: write `url`, or set kubernetes.url in the configuration"
    )


# What a runbook may write


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"deployment": "api", "events": {}},
        {"deployment": "api/../../secrets/x"},
        {"deployment": "Api"},
        {"deployment": "api?x=1"},
        {"pods": {}},
        {"pods": {"app": "api,other"}},
        {"pods": {"app=x": "api"}},
        {"deployment": "api", "namespace": "a/b"},
        {"deployment": "api", "may_be_none": True},
        {"deployment": "api", "token": "in plain text"},
        {"events": {"kind": "Pod,type=Normal"}},
    ],
    ids=lambda given: "+".join(f"{given}".split())[:60],
)
def test_what_would_leave_its_place_is_no_parameter(given: dict[str, Any]) -> None:
    """A name keeps to Kubernetes' own form, so it cannot change path or selector."""
    with pytest.raises(ValidationError):
        KubernetesCheck.model_validate(given)
