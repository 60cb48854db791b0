"""What a name resolves to: the check `dns`.

It judges by itself: an answer with records is pass; NXDOMAIN, and a name that is there
without a record of this type, are fail: the servers have answered. A server that
cannot be asked, fails (SERVFAIL), refuses or is silent leaves it unknown.

Names are taken as they are written, from the root: no search list is tried.

Registered by bootstrap.
"""

import asyncio
import time
from collections.abc import Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, field_validator

from engine.model.evidence import Observation
from engine.model.values import Model
from engine.ports import Call, Web, WebProblem
from engine.registry import Registry

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver
    from dns.resolver import Answer

DNS_PORT: Final = 53
FIRST_TRY_SECONDS: Final = 2.0  # a lost packet is sent again after this
MOST_SHOWN: Final = 5
RecordType = Literal[
    "A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"
]


def _server(text: str) -> tuple[str, int]:
    """Return host and port of `host`, `host:port`, `::1` or `[::1]:port`."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not text.startswith("[")):
        return text.strip("[]"), DNS_PORT
    if text.endswith("]"):
        return text.strip("[]"), DNS_PORT
    if not port.isdigit() or not 1 <= int(port) <= 65535 or not host.strip("[]"):
        raise ValueError(f"'{text}' is no server; write it as 192.0.2.53 or host:5353")
    return host.strip("[]"), int(port)


class Dns(Model):
    """A question to the name servers."""

    name: str = Field(
        min_length=1, description="The name to ask for; for PTR also an address."
    )
    type: RecordType = Field("A", description="The type of the records.")
    server: str | None = Field(
        None,
        description="The server to ask, `host` or `host:port`; left out: the servers "
        "of the engine's machine.",
    )

    @field_validator("server")
    @classmethod
    def _readable(cls, server: str | None) -> str | None:
        if server is not None and "{{" not in server:
            _server(server)
        return server


async def look_through(web: Web, params: Dns, call: Call) -> Observation:
    """Return the records in `addresses`, sorted, `latency_seconds`, and a verdict."""
    at = f" at {params.server}" if params.server else ""
    source = f"{params.type} {params.name}{at}"
    try:
        async with asyncio.timeout(call.timeout_seconds):
            return await _look(web, params, call, source)
    except TimeoutError:
        reason = f"no answer within {call.timeout_seconds:g} s"
        return Observation(unknown=reason, source=source)


async def _look(web: Web, params: Dns, call: Call, source: str) -> Observation:
    from dns.exception import DNSException
    from dns.resolver import NXDOMAIN, NoAnswer

    try:
        resolver = await _resolver(web, params, call)
        began = time.monotonic()
        answer = await resolver.resolve(
            _name(params), params.type, lifetime=call.timeout_seconds, search=False
        )
    except WebProblem as problem:
        return Observation(
            unknown=problem.message, retryable=problem.kind != "blocked", source=source
        )
    except NXDOMAIN:
        return _fail(f"there is no name '{params.name}' (NXDOMAIN)", began, source)
    except NoAnswer:
        words = f"'{params.name}' has no {params.type} record"
        return _fail(words, began, source)
    except (DNSException, OSError, ValueError) as error:
        words, retryable = _trouble(params, error)
        return Observation(unknown=words, retryable=retryable, source=source)
    records = _records(answer)
    seen = {"addresses": records, "latency_seconds": time.monotonic() - began}
    summary = ", ".join(records[:MOST_SHOWN])
    summary += f" and {len(records) - MOST_SHOWN} more" * (len(records) > MOST_SHOWN)
    return Observation(seen=seen, verdict="pass", summary=summary, source=source)


def _fail(words: str, began: float, source: str) -> Observation:
    seen = {"addresses": list[str](), "latency_seconds": time.monotonic() - began}
    return Observation(seen=seen, verdict="fail", summary=words, source=source)


def _name(params: Dns) -> Any:
    import dns.name
    import dns.reversename

    if params.type == "PTR":
        try:
            return dns.reversename.from_address(str(ip_address(params.name)))
        except ValueError:
            pass
    return dns.name.from_text(params.name)


async def _resolver(web: Web, params: Dns, call: Call) -> "Resolver":
    """Return a resolver. Raises WebProblem, DNSException."""
    from dns.asyncresolver import Resolver

    resolver = Resolver(configure=params.server is None)
    resolver.timeout = min(FIRST_TRY_SECONDS, call.timeout_seconds / 2)
    if params.server is not None:
        host, port = _server(params.server)
        resolver.nameservers = list[Any](await web.addresses(host, port))
        resolver.port = port
    return resolver


def _records(answer: "Answer") -> list[str]:
    return sorted(_shown(record) for record in answer)  # servers rotate them


def _shown(record: Any) -> str:
    """Return a record as people write it: no last dot, TXT without its quotes."""
    if hasattr(record, "strings"):
        return b"".join(record.strings).decode("utf-8", errors="replace")
    return str(record.to_text()).removesuffix(".")


def _trouble(params: Dns, error: Exception) -> tuple[str, bool]:
    """Return why nothing is known, and whether another try may help."""
    from dns.exception import SyntaxError as NotAName
    from dns.exception import Timeout
    from dns.name import LabelTooLong, NameTooLong
    from dns.resolver import NoNameservers, NoResolverConfiguration

    if isinstance(error, NotAName | LabelTooLong | NameTooLong | ValueError):
        return f"'{params.name}' is not a name: {error}", False
    if isinstance(error, Timeout):
        return "no answer from the name servers in time", True
    if isinstance(error, NoNameservers):
        return f"no server could answer: {_codes(error.kwargs.get('errors', ()))}", True
    if isinstance(error, NoResolverConfiguration):
        return "the engine's machine has no name server configured", True
    return f"the servers could not be asked: {error}", True


def _codes(errors: Sequence[Any]) -> str:
    """Return what each server said, as in `192.0.2.53: SERVFAIL`."""
    servers = [str(row[0]).removeprefix("Do53:").partition("@")[0] for row in errors]
    said = [f"{server}: {row[3]}" for server, row in zip(servers, errors, strict=True)]
    return "; ".join(said) or "none is left to ask"


def register(registry: Registry, web: Web) -> None:
    """Add the check `dns`; `web` says which servers may be asked."""

    async def look(params: Dns, call: Call) -> Observation:
        return await look_through(web, params, call)

    registry.add_check(
        "dns",
        Dns,
        look,
        judges_itself=True,
        places={"name": "host", "type": "text", "server": "host"},
        sees=("addresses", "latency_seconds"),
    )
