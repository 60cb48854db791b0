"""The messaging platform: its faults and repairs, its writes, its end.

One platform runs for the whole file, watched by the built-in scraper and, where it
is installed, by Prometheus with Alertmanager; both tell one receiver their alerts.
The faults of different parts run side by side, to keep the file short.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from messaging import control, monitor
from messaging.evaluate import Moment, evaluate
from messaging.promql import parse
from messaging.samples import Labels, Samples
from messaging_faults import FAULTS
from messaging_world import (
    Course,
    Receiver,
    World,
    asked,
    listening,
    query,
    run_through,
    until,
)

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with listening() as heard:
        yield heard


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, receiver: Receiver
) -> Iterator[World]:
    with control.start(tmp_path_factory.mktemp("platform")) as platform:
        hook = receiver.url
        builtin = monitor.start_monitor(
            platform, webhook=f"{hook}/builtin", kind="builtin"
        )
        prometheus = None
        if monitor.installed():
            prometheus = monitor.start_monitor(
                platform, webhook=f"{hook}/alertmanager", kind="prometheus"
            )
        yield World(platform, builtin, prometheus, receiver)


@pytest.fixture(scope="module")
def courses(world: World) -> dict[str, Course]:
    """Run every fault through once; those of one part one after another."""
    until(lambda: asked(world.builtin, "sum(client_users) == 120"), 20)

    def one_after_another(names: tuple[str, ...]) -> list[Course]:
        return [run_through(world, FAULTS[name]) for name in names]

    side_by_side = [
        ("consumer-stall", "hot-partition", "bad-rollout"),
        ("media-saturation",),
        ("expired-certificate", "key-server-errors"),
    ]
    with ThreadPoolExecutor() as pool:
        first = list(pool.map(one_after_another, side_by_side))
    last = one_after_another(("connection-storm",))
    return {course.fault: course for lane in [*first, last] for course in lane}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_shows_in_its_metric_and_its_repair_brings_it_back(
    courses: dict[str, Course], name: str
) -> None:
    """
    A fault moves its metric over the rule's threshold, and the repair alone, with the
    fault still on, brings it back.
    """
    expected = Course(name, crossed=True, repaired=True)

    print(f"{name}: seconds to cross, to heal = {courses[name].seconds}")
    assert courses[name] == expected


@pytest.mark.slow
def test_each_fault_is_told_when_it_begins_and_when_it_ends(
    world: World, courses: dict[str, Course]
) -> None:
    """Every fault's alert reaches the webhook as firing and as resolved."""
    names = {fault.alert for fault in FAULTS.values()}
    expected = {(name, status) for name in names for status in ("firing", "resolved")}

    until(lambda: world.receiver.told("/builtin") >= expected, 20)
    assert world.receiver.told("/builtin") == expected


@pytest.mark.slow
def test_no_message_is_lost_through_all_faults(
    world: World, courses: dict[str, Course]
) -> None:
    """Messages may be late; none is missing and none comes out of order."""
    seen = world.platform.get("load", "/admin/seen")["messages"]

    assert seen["received"] > 1000
    assert (seen["missing"], seen["late"] > 0) == (0.0, True)


QUERIES = (
    "sum(client_users)",
    "count by (job) (up)",
    'kafka_consumergroup_lag{topic="fanout",partition=~"[0-3]"}',
    'sum(kafka_consumergroup_lag{topic!="quarantine"})',
    "max(kafka_consumergroup_current_offset) / avg(kafka_consumergroup_current_offset)",
    "sum by (topic) (rate(kafka_consumergroup_current_offset[10s]))",
    "rate(client_messages_sent_total[5s])",
    'sum(increase(message_delivery_seconds_bucket{le="+Inf"}[30s])) by (lane)',
    (
        "histogram_quantile(0.99, sum by (le, region, topic) "
        "(rate(message_delivery_seconds_bucket[30s])))"
    ),
    "histogram_quantile(0.5, rate(auth_login_duration_seconds_bucket[20s]))",
    'sum by (code) (rate(http_requests_total{service=~"router|prekey"}[15s]))',
    (
        'sum by (shard) (rate(http_requests_total{service="prekey",code="200"}[30s])) '
        "/ ignoring(code) sum by (shard) "
        '(rate(http_requests_total{service="prekey"}[30s]))'
    ),
    (
        '(sum(rate(call_ended_total{reason="ice_failed"}[10s])) or vector(0)) '
        "/ sum(rate(call_ended_total[10s]))"
    ),
    "(min by (instance) (probe_ssl_earliest_cert_expiry) - time()) / 3600",
    "media_node_weight >= bool 50",
    'count(media_node_weight{node!~"n1|n2"} > 10) by (region)',
    "avg without (node, job) (media_node_calls) * 2 ^ 3 % 7 - -1",
    'clamp_min(media_node_load, 0.2) unless on (node) media_node_calls{node="n1"}',
    'router_build_info{ring="rest"} and on (region) gateway_build_info',
    "count(count by (version) (router_build_info)) == 1",
    "sum(client_users) - sum(gateway_connected_clients)",
    "scalar(sum(client_users)) / 2 > bool 3",
    "abs(0 - gateway_connected_clients)",
)


@pytest.fixture(scope="module")
def same_samples(world: World, courses: dict[str, Course]) -> Moment:
    """The samples that Prometheus holds of the last two minutes, in our own store."""
    if world.prometheus is None:
        pytest.skip("prometheus and alertmanager are not both installed")
    at = round(time.time() - 2, 3)
    everything = '{__name__=~".+"}'
    ranges = query(world.prometheus, f"{everything}[2m]", at)["result"]
    live = {
        _labels(series) for series in query(world.prometheus, everything, at)["result"]
    }
    samples = Samples()
    for series in ranges:
        labels = _labels(series)
        values = {when: float(text) for when, text in series["values"]}
        for when, value in values.items():
            samples.add_scrape(f"{labels}", when, {labels: value})
        if labels not in live:
            samples.add_scrape(f"{labels}", max(values) + 0.001, {})
    return Moment(samples, at)


def _labels(series: dict[str, Any]) -> Labels:
    return tuple(sorted(series["metric"].items()))


@pytest.mark.slow
@pytest.mark.parametrize("text", QUERIES)
def test_the_scraper_computes_what_prometheus_computes(
    world: World, same_samples: Moment, text: str
) -> None:
    """On the same samples, at the same time, both give the same series and numbers."""
    assert world.prometheus is not None
    found = query(world.prometheus, text, same_samples.at)
    if found["resultType"] == "scalar":
        expected: object = pytest.approx(float(found["result"][1]), nan_ok=True)
    else:
        numbers = {_labels(s): float(s["value"][1]) for s in found["result"]}
        assert numbers, "a query without a result compares nothing"
        expected = pytest.approx(numbers, rel=1e-9, nan_ok=True)

    assert evaluate(parse(text), same_samples) == expected


@pytest.mark.slow
def test_both_monitors_see_the_same_platform(
    world: World, courses: dict[str, Course]
) -> None:
    """Scraped at different moments, steady numbers agree and rates are close."""
    if world.prometheus is None:
        pytest.skip("prometheus and alertmanager are not both installed")
    steady = "sum(client_users) + count(up == 1) * 1000"
    pace = "sum(rate(http_requests_total[20s]))"

    def ask(url: str, text: str) -> float:
        return float(query(url, text)["result"][0]["value"][1])

    assert ask(world.builtin, steady) == ask(world.prometheus, steady) == 6120
    expected = pytest.approx(ask(world.prometheus, pace), rel=0.15)
    assert ask(world.builtin, pace) == expected


@pytest.mark.slow
def test_both_monitors_tell_the_same_alerts(
    world: World, courses: dict[str, Course]
) -> None:
    """Alertmanager and the scraper give one alert the same labels and fingerprint."""
    if world.prometheus is None:
        pytest.skip("prometheus and alertmanager are not both installed")
    ours = world.receiver.fingerprints("/builtin")
    until(
        lambda: world.receiver.fingerprints("/alertmanager").keys() >= ours.keys(), 20
    )

    assert world.receiver.fingerprints("/alertmanager") == ours


def test_a_query_outside_the_subset_is_refused_by_name(world: World) -> None:
    """The answer is 400 and says what is not supported."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        query(world.builtin, "sum(client_users offset 1w)")
    with refused.value as answer:
        told = (answer.code, json.load(answer))

    error = "offset is not supported here"
    assert told == (400, {"status": "error", "errorType": "bad_data", "error": error})


def _change(
    world: World, path: str, body: dict[str, Any], key: str
) -> tuple[int, str, dict[str, Any]]:
    headers = {"Idempotency-Key": key, "X-Fencing-Token": "7"}
    asked = urllib.request.Request(
        world.platform.urls["gateway"] + path,
        json.dumps(body).encode(),
        headers,
        method="PUT",
    )
    try:
        with urllib.request.urlopen(asked, timeout=5) as answer:
            replay = answer.headers.get("Idempotent-Replay", "")
            return answer.status, replay, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, "", json.load(error)


def _writes(world: World, key: str) -> list[dict[str, Any]]:
    writes = world.platform.get("gateway", "/admin/writes")["writes"]
    names = ("method", "path", "key", "fence", "status", "repeats")
    return [{n: write[n] for n in names} for write in writes if write["key"] == key]


def test_a_repeated_key_has_one_effect(world: World) -> None:
    """
    The same change under the same key is answered as the first time and counted once;
    another change under that key is refused.
    """
    path, seconds = "/admin/backoff", {"seconds": 0}
    first = _change(world, path, seconds, "r-1/set/1")
    again = _change(world, path, seconds, "r-1/set/1")
    other = _change(world, path, {"seconds": 9}, "r-1/set/1")

    assert first == (200, "", {"seconds": 0})
    assert again == (200, "true", {"seconds": 0})
    assert (other[0], world.platform.get("gateway", path)) == (422, {"seconds": 0})
    assert _writes(world, "r-1/set/1") == [
        {
            "method": "PUT",
            "path": path,
            "key": "r-1/set/1",
            "fence": "7",
            "status": 200,
            "repeats": 1,
        }
    ]


def test_a_refused_change_is_no_effect(world: World) -> None:
    """Bad input is answered 400 in plain words, counted nowhere, and can be retried."""
    told = _change(world, "/admin/limit", {"limit": 0}, "r-2/set/1")

    assert told == (400, "", {"error": "'limit' is 0, not from 1 to 10000"})
    assert _writes(world, "r-2/set/1") == []
    assert _change(world, "/admin/limit", {"limit": 1000}, "r-2/set/1")[0] == 200


def test_a_lost_answer_is_a_change_that_happened(world: World) -> None:
    """With lost-answer on, the connection is cut after the effect; a retry is safe."""
    world.platform.send("POST", "gateway", "/faults/lost-answer", {"times": 1})
    with pytest.raises(OSError):
        _change(world, "/admin/shed", {"typing": True}, "r-3/shed/1")
    world.platform.send("DELETE", "gateway", "/faults/lost-answer")

    state = {"presence": False, "typing": True, "receipts": False}
    assert world.platform.get("gateway", "/admin/shed") == state
    told = _change(world, "/admin/shed", {"typing": True}, "r-3/shed/1")
    assert told == (200, "true", state)
    assert [write["repeats"] for write in _writes(world, "r-3/shed/1")] == [1]


def _up(directory: Path, monitor_kind: str) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a platform from the command line; return it and all its process ids."""
    command = [sys.executable, "-m", "messaging", "up", "--dir", str(directory)]
    command += ["--monitor", monitor_kind]
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES)}
    up = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, cwd=directory
    )
    assert up.stdout is not None
    for line in up.stdout:
        if line.startswith("monitor"):
            break
    state = control.read_state(directory)
    return up, [state["controller"], *state["pids"].values()]


def _alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    """Return whether a process is there and no zombie."""
    try:
        os.kill(pid, 0)
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True
        )
    except ProcessLookupError:
        return False
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")


@pytest.mark.slow
def test_down_leaves_nothing_running(tmp_path: Path) -> None:
    """`up`, `fault`, `down` from the shell: every process and the state file are gone."""
    up, pids = _up(tmp_path, "builtin")
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES)}

    def run(*words: str) -> int:
        command = [sys.executable, "-m", "messaging", *words, "--dir", str(tmp_path)]
        return subprocess.run(command, env=environment, timeout=20).returncode

    assert (len(_alive(pids)), run("fault", "consumer-stall", "on")) == (8, 0)
    assert (run("down"), up.wait(10)) == (0, 0)
    up.stdout.close()  # type: ignore[union-attr]
    assert (_alive(pids), (tmp_path / control.STATE_FILE).exists()) == ([], False)
    assert run("down") == 1


@pytest.mark.slow
def test_a_killed_controller_leaves_nothing_running(tmp_path: Path) -> None:
    """After kill -9 of the controller its processes end by themselves."""
    up, pids = _up(tmp_path, "auto")
    up.send_signal(signal.SIGKILL)
    up.wait(5)
    up.stdout.close()  # type: ignore[union-attr]

    until(lambda: not _alive(pids), 10)
    assert _alive(pids) == []
