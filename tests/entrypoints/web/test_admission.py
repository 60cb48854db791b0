"""Who may post: rotation, windows, replays, odd headers; no server in between."""

import base64
import hashlib
import hmac
import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.bootstrap import secrets
from engine.config import Config, Settings
from engine.config.serving import Source, ways_in
from engine.entrypoints.web.admission import (
    KEPT_SECONDS,
    Admission,
    Closed,
    Refused,
)
from engine.ports import Posted

TOKENS = {"token": [{"secret": "new"}, {"secret": "old"}]}
BODY = b'{"a": "\xff"}'
NOW = 1_700_000_000.0


class World:
    """Secret files that can be changed, and clocks that are set."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now, self.ticks = folder, NOW, 0.0
        files = {name: {"file": str(folder / name)} for name in ("new", "old")}
        settings = Settings(secrets=files)
        self.admission = Admission(
            secrets(Config(settings)),
            clock=lambda: self.now,
            monotonic=lambda: self.ticks,
        )

    def write(self, name: str, value: str) -> None:
        """Give a secret a value."""
        path = self.folder / name
        path.touch(0o600)
        path.write_text(value)

    def headers(self, source: dict[str, object], **headers: str) -> str:
        """Return what is said to headers."""
        made = Source(kind="generic", **source)  # type: ignore[arg-type]
        return _told(lambda: self.admission.by_headers(made, headers))

    def body(self, source: dict[str, object], headers: Mapping[str, str]) -> str:
        """Return what is said to a body."""
        made = Source(kind="generic", **source)  # type: ignore[arg-type]
        posted = Posted(BODY, headers, self.now)
        return _told(lambda: self.admission.by_body(made, posted))


def _told(judged: object) -> str:
    try:
        judged()  # type: ignore[operator]
    except Refused as refused:
        return f"401 {refused}"
    except Closed as closed:
        return f"503 {closed}"
    return "passed"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Begin with two secrets, of which one has a value."""
    made = World(tmp_path)
    made.write("new", "tök-1")
    return made


def bearer(token: str) -> str:
    """Return the header as a server hands it on: its bytes as Latin-1."""
    return "Bearer " + token.encode().decode("latin-1")


def test_f96_while_a_secret_changes_the_one_there_is_counts(world: World) -> None:
    """
    Of two secrets one has no value: the other one passes, a wrong one is 401.
    """
    told = [world.headers(TOKENS, authorization=bearer(one)) for one in ("tök-1", "x")]

    assert ["passed", "401 the bearer token is not one that may post here"] == told


def test_f96_a_rotated_secret_counts_without_a_restart(world: World) -> None:
    """
    Within a few seconds the new value passes and the old one does not.
    """
    first = world.headers(TOKENS, authorization=bearer("tök-1"))
    world.write("new", "tok-2")
    world.ticks += KEPT_SECONDS + 0.1
    told = [world.headers(TOKENS, authorization=bearer(t)) for t in ("tok-2", "tök-1")]

    assert ["passed", "passed", "401"] == [first, told[0], told[1][:3]]


def test_f51_without_any_value_the_source_is_closed_and_it_is_loud(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """
    A missing secret opens nothing; it is logged once for each time it is read.
    """
    (world.folder / "new").unlink()
    with caplog.at_level(logging.ERROR):
        told = [world.headers(TOKENS, authorization="Bearer ") for _ in range(50)]

    assert {"503 nobody can be let in: no value for secret 'new', 'old'"} == set(told)
    assert 2 == len([one for one in caplog.messages if "is closed" in one])
    world.write("old", "tok-0")
    world.ticks += KEPT_SECONDS + 0.1
    assert "passed" == world.headers(TOKENS, authorization="Bearer tok-0")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "bearer \xff\xfe", "Basic x", "tok", "Bearer tök-1 x"],
    ids=range(7),
)
def test_f51_odd_headers_are_401(world: World, header: str) -> None:
    """
    Whatever stands in the header: refused, never a failure.
    """
    assert "401" == world.headers(TOKENS, authorization=header)[:3]


def test_f51_user_and_password_may_hold_anything(world: World) -> None:
    """
    Colons and letters of any language; both parts count.
    """
    world.write("new", "a:b\u20ac")
    source = {"basic": {"user": "ü", "password": {"secret": "new"}}}

    def told(pair: str) -> str:
        packed = base64.b64encode(pair.encode()).decode()
        return world.headers(source, authorization=f"Basic {packed}")[:3]

    assert ["pas", "401", "401", "401"] == [
        told("ü:a:b\u20ac"), told("u:a:b\u20ac"), told("ü:a"), told("ü"),
    ]  # fmt: skip


def signed(key: str, body: bytes = BODY, *, hash_: str = "sha256") -> str:
    """Return the HMAC of a body."""
    return hmac.new(key.encode(), body, hash_).hexdigest()


def test_f51_signatures_in_the_forms_that_are_used(world: World) -> None:
    """
    GitHub's, PagerDuty's with several, Sentry's bare one; SHA-1 and others are not.
    """
    source = {"hmac": {"secret": ["new", "old"], "header": "X-Sig"}}
    right, wrong = signed("tök-1"), signed("other")
    passed = [
        f"sha256={right}",
        f"SHA256={right.upper()}",
        f"v1={wrong}, v1={right}",
        right,
    ]
    refused = [
        f"sha1={signed('tök-1', hash_='sha1')}",
        f"sha256={wrong}",
        f"sha256={right}0",
        f"md5={right}",
        "sha256=",
        "\xff",
        "",
        ",".join([f"v1={wrong}"] * 8 + [f"v1={right}"]),
    ]

    assert ["passed"] * 4 == [world.body(source, {"x-sig": one}) for one in passed]
    assert ["401"] * 8 == [world.body(source, {"x-sig": one})[:3] for one in refused]
    assert "401 a signature is needed in X-Sig: sha256=…" == world.body(source, {})


def slack(world: World, at: float) -> dict[str, str]:
    """Return Slack's headers for a body that was signed then."""
    stamp = str(int(at))
    base = b"v0:" + stamp.encode() + b":" + BODY
    sig = hmac.new("tök-1".encode(), base, hashlib.sha256).hexdigest()
    return {"x-slack-signature": f"v0={sig}", "x-slack-request-timestamp": stamp}


SLACK = {"slack": {"secret": "new"}}


def test_f51_slacks_window_is_five_minutes_both_ways(world: World) -> None:
    """
    300 s pass, 301 s do not, neither old nor early.
    """
    told = [world.body(SLACK, slack(world, NOW + by)) for by in (300, -300, 301, -301)]

    assert ["pas", "pas", "401", "401"] == [one[:3] for one in told]


@pytest.mark.parametrize(
    "stamp", ["", "x", "-1", "\u0661", "1e9", "9" * 5_000, " 1700000000"], ids=range(7)
)
def test_f51_an_odd_time_is_401(world: World, stamp: str) -> None:
    """
    What is no time in seconds is refused before anything is computed with it.
    """
    headers = slack(world, NOW) | {"x-slack-request-timestamp": stamp}

    assert "401" == world.body(SLACK, headers)[:3]


def test_f51_the_same_request_passes_once_unless_it_was_not_kept(world: World) -> None:
    """
    A replay is refused for as long as its time would let it pass, in other spelling
    too; taken back, since it could not be stored, it may come again.
    """
    headers = slack(world, NOW)
    source = Source(kind="generic", **SLACK)  # type: ignore[arg-type]
    take_back = world.admission.by_body(source, Posted(BODY, headers, NOW))
    louder = headers | {"x-slack-signature": headers["x-slack-signature"].upper()}
    replays = [world.body(SLACK, one) for one in (headers, louder)]
    world.now += 299
    replays.append(world.body(SLACK, headers))
    take_back()

    assert ["401 the same request came before"] * 3 == replays
    assert "passed" == world.body(SLACK, headers)


def test_every_way_that_a_source_names_must_hold(world: World) -> None:
    """
    A token beside a signature: neither alone is enough.
    """
    source = {**TOKENS, "hmac": {"secret": "new"}}
    headers = {"x-hub-signature-256": f"sha256={signed('tök-1')}"}

    assert "401" == world.headers(source, **headers)[:3]
    assert "401" == world.body(source, {"authorization": bearer("tök-1")})[:3]
    assert ["a bearer token", "a signature of the body"] == ways_in(
        Source(kind="generic", **source)  # type: ignore[arg-type]
    )
