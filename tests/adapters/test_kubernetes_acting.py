"""The action `kubernetes`: against an emulated cluster that counts versions."""

import asyncio
import json
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import ValidationError

from engine.adapters.kubernetes import KubernetesKind, register
from engine.adapters.kubernetes.marks import ANNOTATION, KEPT
from engine.adapters.kubernetes.parameters import Cluster, KubernetesAction
from engine.adapters.kubernetes.rollouts import merge_patch
from engine.adapters.web import HttpxWeb
from engine.language.load import load_runbook
from engine.model.effects import Act
from engine.model.values import SecretRef
from engine.ports import ActResult, Call
from engine.registry import Registry
from engine.runtime.perform import LiveActions
from engine.runtime.redact import Redactor
from tests.adapters import cluster as far
from tests.adapters.loopback import (
    LOOPBACK,
    Asked,
    always,
    as_json,
    hang,
    reply,
    reset,
    serving,
)

TOKEN = "canary-7f3-token"
KEY = "r-1/act/1"


def a_call(
    key: str = KEY, *, seconds: float = 5.0, fence: int = 7, run: str = "r-1"
) -> Call:
    return Call(key, seconds, lambda _name: TOKEN, run, fence=fence)


def an_undo(key: str = KEY, *, fence: int = 7, run: str = "r-1") -> Call:
    """Return the call of the built-in undo of the act with this key."""
    return Call(
        f"{key}/undo", 5.0, lambda _name: TOKEN, run, undo=True, fence=fence,
        built_in=True,
    )  # fmt: skip


@pytest.fixture
async def web() -> AsyncIterator[HttpxWeb]:
    made = HttpxWeb([ip_network(LOOPBACK)])
    yield made
    await made.aclose()


@pytest.fixture
async def shop() -> AsyncIterator[far.Cluster]:
    async with far.cluster() as made:
        made.put(far.DEPLOYMENTS, far.a_deployment())
        for revision, image in ((1, "api:1"), (2, "api:2")):
            made.put(far.SETS, far.a_set(revision, image))
        made.put(far.SETS, far.a_set(9, "other:9", owner="u-other"))
        made.put(far.NODES, {"metadata": {"name": "node-7"}, "spec": {}}, place=None)
        yield made


def a_kind(web: HttpxWeb, url: str) -> KubernetesKind:
    cluster = Cluster(url, SecretRef(secret="KUBE"), None, far.SHOP)
    return KubernetesKind(web, cluster, clock=lambda: 1_790_000_000.0)


@pytest.fixture
def kind(web: HttpxWeb, shop: far.Cluster) -> KubernetesKind:
    return a_kind(web, shop.url)


def acting(**given: Any) -> KubernetesAction:
    return KubernetesAction.model_validate(given)


SCALE = acting(scale="api", replicas=6)
RESTART = acting(rollout_restart="api")
ROLL_BACK = acting(rollout_undo="api")
CORDON = acting(cordon="node-7")
UNCORDON = acting(uncordon="node-7")
EVERY = {
    "scale": SCALE,
    "rollout_restart": RESTART,
    "rollout_undo": ROLL_BACK,
    "cordon": CORDON,
    "uncordon": UNCORDON,
}


def replicas(shop: far.Cluster) -> int:
    return int(shop.get(far.DEPLOYMENTS, "api")["spec"]["replicas"])


def image(shop: far.Cluster) -> str:
    spec = shop.get(far.DEPLOYMENTS, "api")["spec"]["template"]["spec"]
    return str(spec["containers"][0]["image"])


def closed(shop: far.Cluster) -> bool:
    return bool(shop.get(far.NODES, "node-7", place=None)["spec"].get("unschedulable"))


def marks(shop: far.Cluster) -> list[dict[str, Any]]:
    notes = shop.get(far.DEPLOYMENTS, "api")["metadata"]["annotations"]
    found: list[dict[str, Any]] = json.loads(notes.get(ANNOTATION, "[]"))
    return found


# What each does, and its way back


async def test_scale_sets_an_absolute_number_and_gives_the_one_before_back(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """Six instead of three, and three again."""
    done = await kind.act(SCALE, a_call())
    between = replicas(shop)
    undone = await kind.act(SCALE, an_undo())

    assert done == ActResult("ok", "scale api: 6 replicas, 3 before")
    assert undone == ActResult("ok", "scale api: 3 replicas again")
    assert (between, replicas(shop)) == (6, 3)


async def test_two_scales_are_given_back_newest_first(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """A ramp of 3, 6, 9 goes back over 6 to 3."""
    nine = acting(scale="api", replicas=9)
    await kind.act(SCALE, a_call("r-1/ramp~1/1"))
    await kind.act(nine, a_call("r-1/ramp~2/1"))
    seen = []
    for params, key in ((nine, "r-1/ramp~2/1"), (SCALE, "r-1/ramp~1/1")):
        await kind.act(params, an_undo(key))
        seen.append(replicas(shop))

    assert seen == [6, 3]


async def test_restart_stamps_the_template_with_time_and_key(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """The pods are replaced since their template changed; nothing is left to undo."""
    done = await kind.act(RESTART, a_call())
    template = shop.get(far.DEPLOYMENTS, "api")["spec"]["template"]
    undone = await kind.act(RESTART, an_undo())

    assert template["metadata"]["annotations"] == {
        "kubectl.kubernetes.io/restartedAt": "2026-09-21T14:13:20+00:00",
        "incident-runbook/restarted-by": KEY,
    }
    assert done.detail == "rollout_restart api: its pods are being replaced"
    assert undone == ActResult(
        "ok", "rollout_restart api: a restart leaves nothing to give back"
    )


async def test_rollout_undo_takes_the_template_before_and_gives_it_back(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """Back to the revision before, whole; the way back is the one that was there."""
    done = await kind.act(ROLL_BACK, a_call())
    between = shop.get(far.DEPLOYMENTS, "api")["spec"]["template"]
    undone = await kind.act(ROLL_BACK, an_undo())

    assert done.detail == "rollout_undo api: back to revision 1 from 2"
    assert between == far.template("api:1")
    assert undone.detail == "rollout_undo api: the template of api-h2 again"
    assert image(shop) == "api:2"


async def test_rollout_undo_removes_what_the_new_template_added(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """A merge patch keeps what it does not name; what was added is named, as null."""
    added = {"spec": {"template": {"spec": {"nodeSelector": {"disk": "fast"}}}}}
    shop.change(far.DEPLOYMENTS, "api", added)
    newest = far.a_set(3, "api:2")
    newest["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "fast"}
    shop.put(far.SETS, newest)
    await kind.act(ROLL_BACK, a_call())

    assert shop.get(far.DEPLOYMENTS, "api")["spec"]["template"] == (
        far.template("api:2")
    )


async def test_rollout_undo_goes_to_a_named_revision(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """`revision` names one that is kept; one that is not is refused with the list."""
    shop.put(far.SETS, far.a_set(0, "api:0"))
    gone = await kind.act(acting(rollout_undo="api", revision=8), a_call("a"))
    done = await kind.act(acting(rollout_undo="api", revision=1), a_call("b"))

    assert gone.detail.endswith("it has no revision 8; kept are: 2, 1, 0")
    assert (done.outcome, image(shop)) == ("ok", "api:1")


async def test_rollout_undo_without_an_earlier_revision_is_refused(
    web: HttpxWeb,
) -> None:
    """A deployment's first template has none before it."""
    async with far.cluster() as young:
        young.put(far.DEPLOYMENTS, far.a_deployment())
        young.put(far.SETS, far.a_set(2, "api:2"))
        done = await a_kind(web, young.url).act(ROLL_BACK, a_call())

    assert done.detail.endswith("it has no earlier revision; kept are: 2")
    assert (done.outcome, done.retryable) == ("failed", False)


@pytest.mark.parametrize("params", [RESTART, ROLL_BACK], ids=["restart", "undo"])
async def test_paused_deployment_is_not_rolled(
    kind: KubernetesKind, shop: far.Cluster, params: KubernetesAction
) -> None:
    """Nothing would happen while it is paused, so nothing is called done."""
    shop.change(far.DEPLOYMENTS, "api", {"spec": {"paused": True}})
    done = await kind.act(params, a_call())

    assert done.detail.endswith(
        "its rollout is paused, so nothing would happen; resume it first"
    )
    assert (done.outcome, shop.patched) == ("failed", [])


async def test_cordon_closes_a_node_and_opens_it_again(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """No new pods, and new pods again."""
    done = await kind.act(CORDON, a_call())
    between = closed(shop)
    undone = await kind.act(CORDON, an_undo())

    assert (done.detail, undone.detail) == (
        "cordon node-7: cordoned", "cordon node-7: open for pods again"
    )  # fmt: skip
    assert (between, closed(shop)) == (True, False)


async def test_node_that_was_closed_before_stays_closed(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """Somebody else's cordon is not taken back with ours."""
    shop.change(far.NODES, "node-7", {"spec": {"unschedulable": True}}, place=None)
    done = await kind.act(CORDON, a_call())
    undone = await kind.act(CORDON, an_undo())

    assert done.detail == "cordon node-7: already cordoned"
    assert undone.detail == "cordon node-7: cordoned, as before already"
    assert closed(shop) is True


async def test_uncordon_opens_a_node_and_closes_it_again(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """The way back of uncordon is cordon."""
    shop.change(far.NODES, "node-7", {"spec": {"unschedulable": True}}, place=None)
    await kind.act(UNCORDON, a_call())
    between = closed(shop)
    await kind.act(UNCORDON, an_undo())

    assert (between, closed(shop)) == (False, True)


async def test_written_undo_is_an_act_of_its_own(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """An undo that a runbook writes sets its own number, whatever stands there."""
    await kind.act(SCALE, a_call())
    shop.change(far.DEPLOYMENTS, "api", {"spec": {"replicas": 8}})
    call = Call(f"{KEY}/undo", 5.0, lambda _name: TOKEN, "r-1", undo=True, fence=7)
    undone = await kind.act(acting(scale="api", replicas=4), call)

    assert (undone.outcome, replicas(shop)) == ("ok", 4)


# F2 to F5, G5: the same act is done once


@pytest.mark.parametrize("params", EVERY.values(), ids=EVERY)
async def test_f2_act_with_the_same_key_is_done_once(
    kind: KubernetesKind, shop: far.Cluster, params: KubernetesAction
) -> None:
    """A second try under the key finds it done, and changes nothing."""
    first = await kind.act(params, a_call())
    second = await kind.act(params, a_call())

    assert (first.outcome, second.outcome) == ("ok", "ok")
    assert second.detail.endswith(": done already under this key")
    assert len(shop.patched) == 1


async def test_f3_patch_whose_answer_is_lost_is_found_by_its_key(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """The change arrived and the answer did not: the object is looked at."""
    shop.server["patch"] << 503  # the emulator changes the object all the same
    done = await kind.act(SCALE, a_call())

    assert done == ActResult(
        "ok",
        "scale api: 6 replicas, 3 before (the answer was lost, and it is done)",
    )
    assert replicas(shop) == 6


@pytest.mark.parametrize("behave", [hang, reset], ids=["hangs", "resets"])
async def test_f3_patch_that_left_no_trace_cannot_be_told(
    web: HttpxWeb, behave: Any
) -> None:
    """The answer is lost and the object is as it was: it may still arrive."""
    body = as_json({**far.a_deployment(), "metadata": {"name": "api"}})

    async def serve(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.method == "PATCH":
            await behave(asked, writer)
        else:
            writer.write(body)

    async with serving(serve) as server:
        done = await a_kind(web, server.url).act(SCALE, a_call(seconds=1))

    assert done.outcome == "unknown"
    assert done.detail.endswith("; it may have been done")


@pytest.mark.parametrize("params", EVERY.values(), ids=EVERY)
async def test_f5_undo_may_be_repeated(
    kind: KubernetesKind, shop: far.Cluster, params: KubernetesAction
) -> None:
    """An undo in flight at a crash is done again: it finds itself done."""
    await kind.act(params, a_call())
    first = await kind.act(params, an_undo())
    second = await kind.act(params, an_undo())

    assert (first.outcome, second.outcome) == ("ok", "ok")
    assert second.detail.endswith(" was given back already")
    assert len(shop.patched) == 2


@pytest.mark.parametrize("params", EVERY.values(), ids=EVERY)
async def test_f5_act_after_its_undo_is_refused(
    kind: KubernetesKind, params: KubernetesAction
) -> None:
    """A try that was on its way while the act was given back comes too late."""
    await kind.act(params, a_call())
    await kind.act(params, an_undo())
    late = await kind.act(params, a_call())

    assert (late.outcome, late.retryable) == ("failed", False)
    assert late.detail.endswith("was given back already; a late act is not done")


async def test_f5_undo_of_what_never_arrived_bars_its_way(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """Nothing is there to give back; but the act cannot come after it any more."""
    undone = await kind.act(SCALE, an_undo())
    late = await kind.act(SCALE, a_call())

    assert undone == ActResult("ok", "scale api: nothing of ours is there to give back")
    assert (late.outcome, replicas(shop)) == ("failed", 3)


async def test_g5_a_cancelled_act_can_be_told_by_its_key(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """Cut off in the middle and tried again: one effect in the end."""
    task = asyncio.create_task(kind.act(SCALE, a_call()))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0.1)
    done = await kind.act(SCALE, a_call())

    assert done.outcome == "ok"
    assert [one["key"] for one in marks(shop)] == [KEY]


# G19: an engine that was replaced


@pytest.mark.parametrize("params", EVERY.values(), ids=EVERY)
async def test_g19_engine_that_was_replaced_is_refused(
    kind: KubernetesKind, params: KubernetesAction
) -> None:
    """Once a newer owner has acted for the run, the old one changes nothing."""
    await kind.act(params, a_call("r-1/act/1", fence=8))
    old = await kind.act(params, a_call("r-1/act/2", fence=7))

    assert (old.outcome, old.retryable) == ("failed", False)
    assert old.detail.endswith(
        "a newer engine (fence 8, ours is 7) has taken over run r-1; nothing was done"
    )


async def test_g19_fences_of_two_runs_are_not_compared(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """Two engines with two databases count apart; neither shuts the other out."""
    await kind.act(SCALE, a_call("r-1/act/1", fence=50))
    other = acting(scale="api", replicas=4)
    done = await kind.act(other, a_call("x-1/act/1", fence=2, run="x-1"))

    assert (done.outcome, replicas(shop)) == ("ok", 4)


async def test_g19_key_and_fence_stand_on_the_object(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """Whoever looks at the object sees which act of which run changed it."""
    await kind.act(SCALE, a_call())

    assert marks(shop) == [
        {
            "key": KEY,
            "verb": "scale",
            "before": 3,
            "after": 6,
            "run": "r-1",
            "fence": 7,
        }
    ]


# F73, F74: what somebody else did meanwhile


async def test_f73_already_as_before_is_given_back(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """A person has set the number before: that is success, and it stays."""
    await kind.act(SCALE, a_call())
    shop.change(far.DEPLOYMENTS, "api", {"spec": {"replicas": 3}})
    undone = await kind.act(SCALE, an_undo())

    assert undone == ActResult("ok", "scale api: 3 replicas, as before already")
    assert replicas(shop) == 3


async def test_f74_value_that_someone_else_changed_is_not_overwritten(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """It is neither ours nor the one before: refused, for a person to decide."""
    await kind.act(SCALE, a_call())
    shop.change(far.DEPLOYMENTS, "api", {"spec": {"replicas": 8}})
    undone = await kind.act(SCALE, an_undo())

    assert undone == ActResult(
        "failed",
        f"scale api: {shop.url}: someone else changed it: it is 8, we had set 6, and "
        "it was 3 before; nothing was done. Decide, and set it by hand",
        retryable=False,
    )
    assert replicas(shop) == 8


async def test_f74_template_that_someone_else_rolled_out_is_not_overwritten(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """A new release after our rollback is not taken back with it."""
    await kind.act(ROLL_BACK, a_call())
    shop.put(far.SETS, far.a_set(4, "api:4"))
    spec = {"template": far.template("api:4")}
    shop.change(far.DEPLOYMENTS, "api", {"spec": spec})
    undone = await kind.act(ROLL_BACK, an_undo())

    assert undone.outcome == "failed"
    assert "it is api-h4, we had set api-h1, and it was api-h2 before" in undone.detail
    assert image(shop) == "api:4"


async def test_f73_template_that_is_gone_is_said(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """The ReplicaSet before was cleaned up: no template to go back to."""
    await kind.act(ROLL_BACK, a_call())
    shop.server.objects[far.SETS, far.SHOP, "api-h2"].delete()
    undone = await kind.act(ROLL_BACK, an_undo())

    assert undone.detail.endswith(
        "the ReplicaSet api-h2 is gone, and with it the template before"
    )


async def test_conflict_is_planned_anew_for_what_is_there_now(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """Somebody was faster twice: the number before is the one they set."""
    for number in (4, 5):
        patch = {"spec": {"replicas": number}}
        shop.faster.append(
            lambda patch=patch: shop.change(far.DEPLOYMENTS, "api", patch)
        )
    done = await kind.act(SCALE, a_call())

    assert done.detail == "scale api: 6 replicas, 5 before"
    assert len(shop.patched) == 1


async def test_f74_undo_that_meets_a_faster_hand_compares_again(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """A change between our look and our patch is not overwritten either."""
    await kind.act(SCALE, a_call())
    shop.faster.append(
        lambda: shop.change(far.DEPLOYMENTS, "api", {"spec": {"replicas": 8}})
    )
    undone = await kind.act(SCALE, an_undo())

    assert (undone.outcome, replicas(shop)) == ("failed", 8)


async def test_endless_conflict_ends_at_the_limit(web: HttpxWeb) -> None:
    """Where somebody is always faster, it ends in time: nothing was done."""
    body = as_json(far.a_deployment())
    conflict = as_json({"message": "it was modified"}, status=409)

    async def serve(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(conflict if asked.method == "PATCH" else body)

    async with serving(serve) as server:
        done = await a_kind(web, server.url).act(SCALE, a_call(seconds=0.6))

    assert (done.outcome, done.retryable) == ("failed", True)


async def test_acts_side_by_side_lose_none(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """Eight acts on one object at a time: each stands there in the end."""
    acts = [
        kind.act(
            acting(scale="api", replicas=number),
            a_call(f"r-1/{number}/1", seconds=20.0),
        )
        for number in range(8)
    ]
    done = await asyncio.gather(*acts)

    assert {one.outcome for one in done} == {"ok"}
    assert sorted(one["key"] for one in marks(shop)) == [
        f"r-1/{number}/1" for number in range(8)
    ]


# The annotation


async def test_marks_are_bounded_and_what_was_undone_goes_first(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """At most so many acts stand there; one that is not given back stays longer."""
    await kind.act(SCALE, a_call("r-1/held/1"))
    await kind.act(RESTART, a_call("r-1/undone/1"))
    await kind.act(RESTART, an_undo("r-1/undone/1"))
    for number in range(KEPT - 1):
        await kind.act(RESTART, a_call(f"r-1/more{number}/1"))
    keys = [one["key"] for one in marks(shop)]

    assert len(keys) == KEPT
    assert ("r-1/held/1" in keys, "r-1/undone/1" in keys) == (True, False)


async def test_forgotten_act_is_not_called_given_back(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """Where an act may have been forgotten, its undo fails and says so."""
    for number in range(KEPT + 1):
        await kind.act(RESTART, a_call(f"r-1/more{number}/1"))
    undone = await kind.act(RESTART, an_undo("r-1/more0/1"))

    assert undone.outcome == "failed"
    assert undone.detail.endswith(
        "too many acts stand on api to tell what it was before; set it by hand"
    )


@pytest.mark.parametrize("text", ["{", "[1]", "{}", '[{"key": 1}]', ""])
async def test_damaged_annotation_is_refused(
    kind: KubernetesKind, shop: far.Cluster, text: str
) -> None:
    """Without knowing what was done, nothing is done."""
    notes = {"metadata": {"annotations": {ANNOTATION: text}}}
    shop.change(far.DEPLOYMENTS, "api", notes)
    done = await kind.act(SCALE, a_call())

    assert done.detail.endswith(
        f"the annotation {ANNOTATION} is damaged, so it cannot be told what was done "
        "before; repair or remove it"
    )
    assert (done.retryable, replicas(shop)) == (False, 3)


# F28, F29: refusals


PATH = "/apis/apps/v1/namespaces/shop/deployments/api"
REFUSALS = {
    401: ("the token is not accepted (HTTP 401: no); renew it", False),
    403: (
        (
            "the token's account may not do this (HTTP 403: no). Give its role the "
            f"verbs get and patch for {PATH}"
        ),
        False,
    ),
    404: (
        f"{PATH} is not there (HTTP 404: no); mend the name, the namespace or `url`",
        False,
    ),
    422: ("HTTP 422: no", False),
    429: ("HTTP 429: no", True),
}


@pytest.mark.parametrize("status", REFUSALS)
async def test_f29_refused_patch_surely_did_nothing(web: HttpxWeb, status: int) -> None:
    """The server says no: failed, in words, and again only where that may help."""
    body = as_json(far.a_deployment())
    refusal = as_json({"message": "no"}, status=status)

    async def serve(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(refusal if asked.method == "PATCH" else body)

    async with serving(serve) as server:
        done = await a_kind(web, server.url).act(SCALE, a_call())

    words, again = REFUSALS[status]
    assert done == ActResult("failed", f"scale api: {server.url}: {words}", again)


async def test_f29_missing_object_is_not_created(
    kind: KubernetesKind, shop: far.Cluster
) -> None:
    """A wrong name is a mistake; nothing is done, nothing is tried again."""
    done = await kind.act(acting(scale="apo", replicas=2), a_call())

    assert "deployments/apo is not there (HTTP 404: " in done.detail
    assert (done.outcome, done.retryable, shop.patched) == ("failed", False, [])


async def test_f28_slow_api_server_means_that_nothing_was_done(web: HttpxWeb) -> None:
    """Before the patch is sent, an act surely did not happen."""
    async with serving(hang) as server:
        done = await a_kind(web, server.url).act(SCALE, a_call(seconds=0.3))

    assert (done.outcome, done.retryable) == ("failed", True)


async def test_f34_login_page_is_no_object_to_act_on(web: HttpxWeb) -> None:
    """Something that is no API server is not patched."""
    async with serving(always(reply("<html>log in</html>"))) as server:
        done = await a_kind(web, server.url).act(SCALE, a_call())

    assert done.detail.endswith(f"the answer to {PATH} is not JSON")
    assert [one.method for one in server.asked] == ["GET"]


# Through the engine


RUNBOOK = """\
format: 1
runbook: grow
title: More of the api
owner: ops
severity: sev4
actions:
  built-in:
    kubernetes: {scale: api, replicas: 6}
  written:
    kubernetes: {scale: api, replicas: 6}
    undo:
      kubernetes: {scale: api, replicas: 2}
  nothing:
    kubernetes: {rollout_restart: api}
    leaves_nothing: true
isolate:
  - act: built-in
  - act: written
  - act: nothing
"""


def problems(text: str) -> list[str]:
    registry = Registry()
    register(registry, HttpxWeb())
    return [
        str(one) for one in load_runbook(text, "grow.yaml", registry.kinds).problems
    ]


def test_way_back_may_be_built_in_or_written() -> None:
    """An action without `undo` gives back by itself; one with `undo` as written."""
    assert problems(RUNBOOK) == []


def test_undo_none_is_no_way_back_for_isolate() -> None:
    """`undo: none` turns the built-in way back off, so `isolate` may not do it."""
    text = RUNBOOK.replace(
        "  written:", "    undo: none\n    why_no_undo: on purpose\n  written:"
    )

    assert [
        one for one in problems(text) if "'isolate' acts only with a way back" in one
    ] != []


@pytest.mark.parametrize(
    ("built_in", "number"), [(True, 3), (False, 6)], ids=["built in", "written"]
)
async def test_engine_tells_a_built_in_undo_from_a_written_one(
    web: HttpxWeb, shop: far.Cluster, built_in: bool, number: int
) -> None:
    """With the act's own parameters, only a built-in undo goes back to before."""
    registry = Registry()
    register(registry, web, Cluster(shop.url, SecretRef(secret="KUBE"), None, far.SHOP))
    actions = LiveActions(
        registry, lambda _run: lambda _name: TOKEN, Redactor(list), fence=7
    )
    params = {"scale": "api", "replicas": 6}
    act = Act("k1", "grow", "kubernetes", params, 5.0, KEY)
    undo = Act(
        "k2", "grow", "kubernetes", params, 5.0, f"{KEY}/undo", undo=True,
        built_in=built_in,
    )  # fmt: skip
    done = [(await actions.act(one, run="r-1")).outcome for one in (act, undo)]

    assert (done, replicas(shop)) == (["ok", "ok"], number)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"scale": "api"},
        {"replicas": 3},
        {"scale": "api", "replicas": -1},
        {"scale": "api", "replicas": 2.5},
        {"scale": "api", "replicas": True},
        {"scale": "api", "replicas": 3, "cordon": "node-7"},
        {"cordon": "node-7", "revision": 2},
        {"cordon": "../pods/x"},
        {"rollout_restart": ""},
    ],
    ids=str,
)
def test_action_says_one_thing_and_all_of_it(given: dict[str, Any]) -> None:
    """One verb, with what belongs to it, and names of Kubernetes' own form."""
    with pytest.raises(ValidationError):
        KubernetesAction.model_validate(given)


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, {"b": None}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": None}}),
        ({"a": [1, 2]}, {"a": [2]}, {"a": [2]}),
        ({}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": 1}, {"a": 1}, {}),
    ],
)
def test_merge_patch_makes_one_of_the_other(
    before: dict[str, Any], after: dict[str, Any], patch: dict[str, Any]
) -> None:
    """What is gone is null, lists are whole, what is the same is left out."""
    assert merge_patch(before, after) == patch
