"""Who may post alerts: tokens, passwords, signatures; several secrets at once.

Compared in constant time, as bytes. Every way that a source names must be satisfied. Of
several secrets those that have a value count; where none has one, the source is closed.
What is refused is counted by the caller; the body is never logged.

A signature over a body is HMAC-SHA256: `sha256=HEX` as GitHub writes it, `v1=HEX` (more
than one, with commas) as PagerDuty does, or HEX alone as Sentry does. It has no time in
it: the same bytes may come again, and are kept once. Slack's has a time; within its
window the same one passes once.

Called by posting.
"""

import base64
import binascii
import hashlib
import hmac
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.config.serving import (
    Hmac,
    OneOrMore,
    SlackSignature,
    Source,
    UserPassword,
    names_of,
    refs_of,
)
from engine.errors import SecretMissing
from engine.ports import Posted, Secrets

log = logging.getLogger(__name__)

WINDOW_SECONDS: Final = 300.0  # of a signed time, both ways
KEPT_SECONDS: Final = (
    3.0  # a secret that was read, or was missing; then it is read anew
)
MOST_SIGNATURES: Final = 100_000  # remembered against replay
MOST_IN_HEADER: Final = 8  # signatures of one request
SIGNATURE: Final = re.compile(rb"(?:(?:sha256|v1)=)?([0-9a-f]{64})")
SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)

TakeBack = Callable[[], None]


class Refused(Exception):
    """Whoever posts is not who may; the text is told to them."""


class Replayed(Refused):
    """A signed request that came before, byte for byte."""


class Closed(Exception):
    """The source cannot be opened: no secret of it has a value."""


@dataclass(slots=True)
class Admission:
    """Judges requests; remembers signatures for as long as they could be replayed."""

    secrets: Secrets
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    _read: dict[str, tuple[float, bytes]] = field(default_factory=dict)
    _seen: OrderedDict[bytes, float] = field(default_factory=OrderedDict)

    def by_headers(self, source: Source, headers: Mapping[str, str]) -> None:
        """Judge what can be told before the body is read: token and password.

        Raises:
            Refused: with what is wrong, and no word of what would be right.
            Closed: no secret of one of its ways has a value.
        """
        if source.token is not None:
            self._token(source.token, headers)
        if source.basic is not None:
            self._basic(source.basic, headers)

    def by_body(self, source: Source, posted: Posted) -> TakeBack:
        """Judge the signatures over the raw body. Raises: as `by_headers`.

        Returns:
            What lets the same request pass again: it could not be kept.
        """
        if source.hmac is not None:
            self._hmac(source.hmac, posted)
        if source.slack is not None:
            return self._slack(source.slack, posted)
        return _nothing

    def slack(self, wanted: SlackSignature, posted: Posted) -> TakeBack:
        """Judge Slack's signature alone. Raises: as `by_headers`; Replayed."""
        return self._slack(wanted, posted)

    def bearer(self, names: str | list[str], headers: Mapping[str, str]) -> bool:
        """Return whether a bearer token is one of these secrets. Raises Closed."""
        given = _credentials(headers, "bearer")
        return bool(given) and any_equal(given, self._values(names_of(names)))

    def _token(self, wanted: OneOrMore, headers: Mapping[str, str]) -> None:
        given, known = _credentials(headers, "bearer"), self._values(refs_of(wanted))
        if not given:
            raise Refused("a bearer token is needed: Authorization: Bearer …")
        if not any_equal(given, known):
            raise Refused("the bearer token is not one that may post here")

    def _basic(self, wanted: UserPassword, headers: Mapping[str, str]) -> None:
        raw, known = (
            _credentials(headers, "basic"),
            self._values(refs_of(wanted.password)),
        )
        if not raw:
            raise Refused("user and password are needed: Authorization: Basic …")
        try:
            given = base64.b64decode(raw, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refused("the header Authorization is no base64") from error
        if not any_equal(given, [wanted.user.encode() + b":" + one for one in known]):
            raise Refused("user or password is not one that may post here")

    def _hmac(self, wanted: Hmac, posted: Posted) -> None:
        known = self._values(names_of(wanted.secret))
        header = _bytes(posted.headers.get(wanted.header.lower(), "")).lower()
        parts = [one.strip() for one in header.split(b",")[:MOST_IN_HEADER]]
        given = [found[1] for one in parts if (found := SIGNATURE.fullmatch(one))]
        if not given:
            raise Refused(f"a signature is needed in {wanted.header}: sha256=…")
        right = _digests(known, posted.body)
        fits = [any_equal(one, right) for one in given]
        if not any(fits):
            raise Refused(f"the signature in {wanted.header} does not fit the body")

    def _slack(self, wanted: SlackSignature, posted: Posted) -> TakeBack:
        known = self._values(names_of(wanted.secret))
        given = _bytes(posted.headers.get("x-slack-signature", "")).strip().lower()
        stamp = posted.headers.get("x-slack-request-timestamp", "")
        if not given or SECONDS.fullmatch(stamp) is None:
            raise Refused("X-Slack-Signature and X-Slack-Request-Timestamp are needed")
        now = self.clock()
        if abs(now - int(stamp)) > WINDOW_SECONDS:
            raise Refused("the request is older than five minutes, or from the future")
        base = b"v0:" + stamp.encode() + b":" + posted.body
        if not any_equal(given, [b"v0=" + one for one in _digests(known, base)]):
            raise Refused("the signature does not fit the body")
        return self._once(given, now)

    def _once(self, signature: bytes, now: float) -> TakeBack:
        while self._seen:
            first, at = next(iter(self._seen.items()))
            if now - at <= 2 * WINDOW_SECONDS and len(self._seen) < MOST_SIGNATURES:
                break
            del self._seen[first]
        if signature in self._seen:
            raise Replayed("the same request came before")
        self._seen[signature] = now

        def take_back() -> None:
            self._seen.pop(signature, None)

        return take_back

    def _values(self, names: Sequence[str]) -> list[bytes]:
        """Return the values that there are. Raises Closed: there is none."""
        found = [value for value in map(self._value, names) if value]
        if not found:
            told = ", ".join(f"'{name}'" for name in names)
            raise Closed(f"nobody can be let in: no value for secret {told}")
        return found

    def _value(self, name: str) -> bytes:
        now = self.monotonic()
        at, value = self._read.get(name, (float("-inf"), b""))
        if now - at > KEPT_SECONDS:
            try:
                value = self.secrets.get(name).encode()
            except SecretMissing as missing:
                log.error("a way in is closed: %s", missing)  # noqa: TRY400  # no trace
                value = b""
            self._read[name] = (now, value)
        return value


def _nothing() -> None:
    """Nothing was taken that could be given back."""


def any_equal(given: bytes, known: Iterable[bytes]) -> bool:
    """Return whether it is one of them; every one is compared, whichever fits."""
    fits = [hmac.compare_digest(given, one) for one in known]
    return any(fits)


def _credentials(headers: Mapping[str, str], scheme: str) -> bytes:
    written = headers.get("authorization", "")
    kind, _, rest = written.partition(" ")
    return _bytes(rest.strip()) if kind.lower() == scheme else b""


def _bytes(text: str) -> bytes:
    """Headers come as Latin-1: any byte is compared as it was sent."""
    return text.encode("latin-1", "replace")


def _digests(keys: Iterable[bytes], signed: bytes) -> list[bytes]:
    return [
        hmac.new(key, signed, hashlib.sha256).hexdigest().encode("ascii")
        for key in keys
    ]
