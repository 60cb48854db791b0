"""A server's certificate, as its clients see it: the check `tls`.

It judges by itself: a certificate that is accepted is pass; one that is not, and a
server that refuses, resets, closes, is silent or speaks no TLS, is fail; a name that
cannot be resolved, an address that may not be reached, no route is unknown.

A certificate that is not accepted is read on a second connection, which trusts nothing
and sends nothing, so that `days_left` can be judged and `reason` can be shown.

Registered by bootstrap.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from engine.model.connections import failed_connection
from engine.model.evidence import Observation
from engine.model.values import Model
from engine.ports import Call, Web, WebProblem
from engine.registry import Registry

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

FIRST_TRY_SECONDS: Final = 2.0  # a silent address gives way to the next after this
SECONDS_A_DAY: Final = 86_400
MOST_CHARACTERS: Final = 300  # of a name that a stranger wrote into a certificate
MOST_NAMES: Final = 50


class Tls(Model):
    """A server that speaks TLS."""

    host: str = Field(min_length=1, description="A name or an address.")
    port: int = Field(443, ge=1, le=65535, description="The port.")
    server_name: str | None = Field(
        None,
        min_length=1,
        description="The name that the certificate must hold (SNI); left out: `host`.",
    )
    ca_file: str | None = Field(
        None,
        description="A file of authorities (PEM) to trust instead of the system's.",
    )


@dataclass(slots=True)
class _Look:
    """One look on its way."""

    params: Tls
    now: Callable[[], float]
    addresses: Sequence[str] = ()
    connected: bool = False

    @property
    def source(self) -> str:
        return f"{self.params.host}:{self.params.port}"

    def unknown(self, reason: str, *, retryable: bool = True) -> Observation:
        return Observation(unknown=reason, retryable=retryable, source=self.source)

    def fail(self, summary: str, seen: dict[str, Any] | None = None) -> Observation:
        seen = seen or {}
        return Observation(
            seen=seen, verdict="fail", summary=summary, source=self.source
        )


async def look_through(
    web: Web, params: Tls, call: Call, *, now: Callable[[], float] = time.time
) -> Observation:
    """Return days_left, verified, reason, subject, issuer, names, latency_seconds."""
    look = _Look(params, now)
    try:
        async with asyncio.timeout(call.timeout_seconds):
            return await _look(web, look)
    except TimeoutError:
        seconds = f"within {call.timeout_seconds:g} s"
        if not look.addresses:
            return look.unknown(f"'{params.host}' was not resolved {seconds}")
        missing = "no end of the TLS handshake" if look.connected else "no connection"
        return look.fail(f"{missing} {seconds}")


async def _look(web: Web, look: _Look) -> Observation:
    params = look.params
    try:
        trust = await asyncio.to_thread(
            ssl.create_default_context, cafile=params.ca_file
        )
    except (OSError, ValueError) as error:
        words = f"the authorities in '{params.ca_file}' cannot be read: {error}"
        return look.unknown(words, retryable=False)
    try:
        look.addresses = await web.addresses(params.host, params.port)
        began = time.monotonic()
        raw = await _certificate(look, trust)
    except WebProblem as problem:
        return look.unknown(problem.message, retryable=problem.kind != "blocked")
    except ssl.SSLCertVerificationError as error:
        return await _not_accepted(look, error)
    except (OSError, ValueError) as error:
        return _no_certificate(look, error)
    seen = _read(raw, look.now()) | {
        "verified": True,
        "reason": "",
        "latency_seconds": time.monotonic() - began,
    }
    if "days_left" not in seen:
        return look.unknown("the certificate cannot be read")
    summary = f"accepted, {seen['days_left']:.1f} days left"
    return Observation(seen=seen, verdict="pass", summary=summary, source=look.source)


async def _not_accepted(
    look: _Look, error: ssl.SSLCertVerificationError
) -> Observation:
    reason = error.verify_message.rstrip(".")
    seen: dict[str, Any] = {"verified": False, "reason": reason}
    nothing = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nothing.check_hostname = False
    nothing.verify_mode = ssl.CERT_NONE  # only the dates are read, nothing is sent
    with suppress(OSError, ValueError):  # the reason stands without the dates
        seen |= _read(await _certificate(look, nothing), look.now())
    left = f", {seen['days_left']:.1f} days left" if "days_left" in seen else ""
    return look.fail(f"the certificate is not accepted: {reason}{left}", seen)


def _no_certificate(look: _Look, error: OSError | ValueError) -> Observation:
    if isinstance(error, ssl.SSLError):
        return look.fail(f"TLS failed: {error.reason or 'no agreement'}")
    if isinstance(error, ValueError):  # a name that cannot stand in a handshake
        return look.unknown(f"the server cannot be asked: {error}", retryable=False)
    whose, words = failed_connection(error)
    if whose == "unknown" and look.connected:
        return look.fail("the connection was closed during the TLS handshake")
    return look.fail(words) if whose == "fail" else look.unknown(words)


async def _certificate(look: _Look, trust: ssl.SSLContext) -> bytes:
    """Return the server's certificate (DER). Raises OSError, ssl.SSLError."""
    name = look.params.server_name or look.params.host
    reader, writer = await _connect(look)
    try:
        await writer.start_tls(trust, server_hostname=name.rstrip("."))
        answer = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.transport.abort()
        del reader
    return bytes(answer or b"")


async def _connect(look: _Look) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address that answers. Raises OSError."""
    problem: OSError = OSError("no address")
    for number, address in enumerate(look.addresses, start=1):
        limit = None if number == len(look.addresses) else FIRST_TRY_SECONDS
        try:
            async with asyncio.timeout(limit):
                both = await asyncio.open_connection(address, look.params.port)
        except OSError as error:
            if failed_connection(problem)[0] == "unknown":
                problem = error
        else:
            look.connected = True
            return both
    raise problem


def _read(der: bytes, now: float) -> dict[str, Any]:
    """Return what a certificate says of itself; one that cannot be read: nothing."""
    from cryptography.x509 import load_der_x509_certificate

    try:
        certificate = load_der_x509_certificate(der)
        left = certificate.not_valid_after_utc.timestamp() - now
        return {
            "days_left": left / SECONDS_A_DAY,
            "subject": certificate.subject.rfc4514_string()[:MOST_CHARACTERS],
            "issuer": certificate.issuer.rfc4514_string()[:MOST_CHARACTERS],
            "names": _names(certificate),
        }
    except (ValueError, OverflowError, TypeError):
        return {}


def _names(certificate: "Certificate") -> list[str]:
    from cryptography.x509 import (
        DNSName,
        ExtensionNotFound,
        IPAddress,
        SubjectAlternativeName,
    )

    try:
        found = certificate.extensions.get_extension_for_class(SubjectAlternativeName)
    except ExtensionNotFound:
        return []
    names = list[str](found.value.get_values_for_type(DNSName))
    names += [str(ip) for ip in found.value.get_values_for_type(IPAddress)]
    return [name[:MOST_CHARACTERS] for name in names[:MOST_NAMES]]


def register(registry: Registry, web: Web) -> None:
    """Add the check `tls`; `web` says which addresses may be reached."""

    async def look(params: Tls, call: Call) -> Observation:
        return await look_through(web, params, call)

    registry.add_check(
        "tls",
        Tls,
        look,
        judges_itself=True,
        places={
            "host": "host",
            "port": "text",
            "server_name": "host",
            "ca_file": "text",
        },
        sees=(
            "days_left",
            "verified",
            "reason",
            "subject",
            "issuer",
            "names",
            "latency_seconds",
        ),
    )
