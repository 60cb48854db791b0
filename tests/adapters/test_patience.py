"""A server that asks to wait is left alone by looks, and by nothing else."""

from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest

from engine.adapters.patience import PatientWeb
from engine.adapters.prometheus import PrometheusKind, PrometheusLook
from engine.adapters.web import HttpxWeb
from engine.ports import Call, WebProblem, WebRequest
from tests.adapters.loopback import LOOPBACK, always, reply, serving


@pytest.fixture
async def web() -> AsyncIterator[HttpxWeb]:
    """A web that may reach loopback."""
    made = HttpxWeb([ip_network(LOOPBACK)])
    yield made
    await made.aclose()


def asking(url: str, token: str = "a", *, patient: bool = True) -> WebRequest:
    """Return a request of one account."""
    headers = {"Authorization": token}
    return WebRequest("GET", url, headers, timeout_seconds=2.0, patient=patient)


async def held(web: PatientWeb, request: WebRequest) -> float:
    """Return how long the request is still held back; 0: it was sent."""
    try:
        await web.request(request)
    except WebProblem as problem:
        if (problem.kind, problem.sent) == ("held", False):
            return problem.wait_seconds
        raise
    return 0.0


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "7"}, 7.0),
        (429, {"x-ratelimit-reset": "7"}, 7.0),
        (429, {}, 2.0),  # the timeout of the request
        (503, {"retry-after": "7"}, 7.0),
        (503, {}, 0.0),
        (500, {"retry-after": "7"}, 0.0),
        (200, {"x-ratelimit-reset": "7", "x-ratelimit-remaining": "0"}, 0.0),
        (429, {"retry-after": "999999"}, 3600.0),
        (429, {"retry-after": "0"}, 0.0),
    ],
)
async def test_f29_answers_that_ask_to_wait_hold_back(
    web: HttpxWeb, status: int, headers: dict[str, str], seconds: float
) -> None:
    """
    The next patient request is unsent for as long as the server asked.
    """
    clock = [50.0]
    patient = PatientWeb(web, clock=lambda: clock[0])
    async with serving(always(reply(status=status, headers=headers))) as far:
        first = await held(patient, asking(far.url))
        second = await held(patient, asking(far.url))
        clock[0] += seconds
        third = await held(patient, asking(far.url))

    assert (first, second, third) == (0.0, seconds, 0.0)
    assert len(far.asked) == (2 if seconds else 3)


async def test_f29_acts_and_other_accounts_are_not_held_back(web: HttpxWeb) -> None:
    """
    Another credential, another address and what is not patient are sent.
    """
    patient = PatientWeb(web)
    wait = {"retry-after": "60"}
    async with (
        serving(always(reply(status=429, headers=wait))) as far,
        serving(always(reply())) as other,
    ):
        await patient.request(asking(far.url))
        same = await held(patient, asking(far.url + "/another/path"))
        sent = [
            await held(patient, asking(far.url, "b")),
            await held(patient, asking(other.url)),
            await held(patient, asking(far.url, patient=False)),
        ]

    assert same > 59
    assert sent == [0.0, 0.0, 0.0]


async def test_f29_prometheus_that_asks_to_wait_is_left_alone(web: HttpxWeb) -> None:
    """
    The second look of the same Prometheus is not sent, and says how long it takes.
    """
    call = Call("k", 2.0, lambda name: "", "r1")
    wait = {"retry-after": "60"}
    async with serving(always(reply(status=503, headers=wait))) as far:
        kind = PrometheusKind(PatientWeb(web), far.url)
        params = PrometheusLook(query="up")
        first, second = await kind(params, call), await kind(params, call)

    assert (first.unknown, first.wait_seconds) == (
        f"{far.url}: HTTP 503, asks to wait 60 s",
        60.0,
    )
    assert second.unknown == (
        f"{far.url}: not asked: the server wants to be left alone for 60 s"
    )
    assert 59 < second.wait_seconds <= 60
    assert len(far.asked) == 1


async def test_accounts_that_are_over_are_forgotten(web: HttpxWeb) -> None:
    """
    A thousand accounts that were limited once do not stay in memory.
    """
    clock = [0.0]
    patient = PatientWeb(web, clock=lambda: clock[0])
    wait = {"retry-after": "1"}
    async with serving(always(reply(status=429, headers=wait))) as far:
        for number in range(1000):
            await patient.request(asking(far.url, str(number)))
        clock[0] += 2
        await patient.request(asking(far.url, "last"))

    assert len(patient._until) == 1
