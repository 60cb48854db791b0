"""Who may post alerts: tokens, passwords, signatures; several secrets at once.

Compared in constant time, as bytes. Every way that a source names must be satisfied. A
secret without a value closes the source. What is refused is counted by the caller; the
body is never logged.

Called by posting.
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.config.serving import Hmac, OneOrMore, SlackSignature, Source, UserPassword
from engine.errors import SecretMissing
from engine.model.values import SecretRef
from engine.ports import Posted, Secrets

WINDOW_SECONDS: Final = 300.0  # of a signed time, both ways
KEPT_SECONDS: Final = 5.0  # a secret that was read; then it is read anew
MOST_SIGNATURES: Final = 100_000  # remembered against replay


class Refused(Exception):
    """Whoever posts is not who may; the text is told to them."""


class Closed(Exception):
    """The source cannot be opened: a secret has no value."""


@dataclass(slots=True)
class Admission:
    """Judges requests; remembers signatures for as long as they could be replayed."""

    secrets: Secrets
    clock: Callable[[], float] = time.time
    _read: dict[str, tuple[float, bytes]] = field(default_factory=dict)
    _seen: OrderedDict[bytes, float] = field(default_factory=OrderedDict)

    def by_headers(self, source: Source, headers: Mapping[str, str]) -> None:
        """Judge what can be told before the body is read: token and password.

        Raises:
            Refused: with what is wrong, and no word of what would be right.
            Closed: a secret of the source has no value.
        """
        if source.token is not None:
            self._token(source.token, headers)
        if source.basic is not None:
            self._basic(source.basic, headers)

    def by_body(self, source: Source, posted: Posted) -> None:
        """Judge the signatures over the raw body. Raises: as `by_headers`."""
        if source.hmac is not None:
            self._hmac(source.hmac, posted)
        if source.slack is not None:
            self._slack(source.slack, posted)

    def bearer(self, names: str | list[str], headers: Mapping[str, str]) -> bool:
        """Return whether a bearer token is one of these secrets."""
        given = _credentials(headers, "bearer")
        listed = [names] if isinstance(names, str) else names
        return bool(given) and self._any(given, (self._value(name) for name in listed))

    def _token(self, wanted: OneOrMore, headers: Mapping[str, str]) -> None:
        given = _credentials(headers, "bearer")
        if not given:
            raise Refused("a bearer token is needed: Authorization: Bearer …")
        if not self._any(given, self._values(wanted)):
            raise Refused("the bearer token is not one that may post here")

    def _basic(self, wanted: UserPassword, headers: Mapping[str, str]) -> None:
        raw = _credentials(headers, "basic")
        if not raw:
            raise Refused("user and password are needed: Authorization: Basic …")
        try:
            given = base64.b64decode(raw, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refused("the header Authorization is no base64") from error
        user, _, password = given.partition(b":")
        right = hmac.compare_digest(user, wanted.user.encode())
        if not (self._any(password, self._values(wanted.password)) and right):
            raise Refused("user or password is not one that may post here")

    def _hmac(self, wanted: Hmac, posted: Posted) -> None:
        given = _bytes(posted.headers.get(wanted.header.lower(), ""))
        if not given:
            raise Refused(f"a signature is needed in {wanted.header}: sha256=…")
        names = [wanted.secret] if isinstance(wanted.secret, str) else wanted.secret
        right = (b"sha256=" + _digest(self._value(name), posted.body) for name in names)
        if not self._any(given.strip().lower(), right):
            raise Refused(f"the signature in {wanted.header} does not fit the body")

    def _slack(self, wanted: SlackSignature, posted: Posted) -> None:
        given = _bytes(posted.headers.get("x-slack-signature", ""))
        stamp = posted.headers.get("x-slack-request-timestamp", "")
        if not given or not (stamp.isascii() and stamp.isdigit()):
            raise Refused("X-Slack-Signature and X-Slack-Request-Timestamp are needed")
        now = self.clock()
        if abs(now - int(stamp[:15])) > WINDOW_SECONDS:
            raise Refused("the request is older than five minutes, or from the future")
        base = b"v0:" + stamp.encode() + b":" + posted.body
        names = [wanted.secret] if isinstance(wanted.secret, str) else wanted.secret
        right = (b"v0=" + _digest(self._value(name), base) for name in names)
        if not self._any(given.strip().lower(), right):
            raise Refused("the signature does not fit the body")
        self._once(given, now)

    def _once(self, signature: bytes, now: float) -> None:
        while self._seen:
            first, at = next(iter(self._seen.items()))
            if now - at <= 2 * WINDOW_SECONDS and len(self._seen) < MOST_SIGNATURES:
                break
            del self._seen[first]
        if signature in self._seen:
            raise Refused("the same request came before")
        self._seen[signature] = now

    def _values(self, wanted: OneOrMore) -> Iterator[bytes]:
        for one in [wanted] if isinstance(wanted, SecretRef) else wanted:
            yield self._value(one.secret)

    def _value(self, name: str) -> bytes:
        now = time.monotonic()
        at, value = self._read.get(name, (0.0, b""))
        if not value or now - at > KEPT_SECONDS:
            try:
                value = self.secrets.get(name).encode()
            except SecretMissing as missing:
                raise Closed(str(missing)) from missing
            self._read[name] = (now, value)
        return value

    @staticmethod
    def _any(given: bytes, right: Iterator[bytes]) -> bool:
        """Compare with every one, whichever fits."""
        found = [hmac.compare_digest(given, one) for one in right if one]
        return any(found)


def _credentials(headers: Mapping[str, str], scheme: str) -> bytes:
    written = headers.get("authorization", "")
    kind, _, rest = written.partition(" ")
    return _bytes(rest.strip()) if kind.lower() == scheme else b""


def _bytes(text: str) -> bytes:
    """Headers come as Latin-1: any byte is compared as it was sent."""
    return text.encode("latin-1", "replace")


def _digest(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).hexdigest().encode()
