"""What a runbook needs of the world on any of its paths: servers, programs, secrets.

Seen in the file alone: an address that depends on an input is not known here, and is
left out. Pure. Read by: bootstrap.doctoring.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from engine.core.lists import every_step
from engine.model.kinds import Kinds
from engine.model.runbook import Runbook
from engine.model.steps import RunStep

PORTS: Final = {"http": 80, "https": 443}
OWN_PORTS: Final = {"tls": 443, "ssh": 22}  # of kinds, where a runbook names none
JUDGED: Final = ("tcp", "tls")  # a check of these may well find nobody there


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """An address that something is asked at."""

    host: str
    port: int
    judged: bool = False  # only by checks whose answer it is whether somebody listens

    @property
    def shown(self) -> str:
        """How people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Needs:
    """What one runbook needs; each sorted, without doubles."""

    targets: tuple[Target, ...] = ()
    programs: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


def needs_of(
    runbook: Runbook,
    kinds: Kinds,
    *,
    urls: Mapping[str, str],
    library: Mapping[str, Runbook],
) -> Needs:
    """Return what a runbook, and each that it runs inside, needs.

    Args:
        runbook: The runbook.
        kinds: What is known of each kind.
        urls: The address of a kind where a runbook names none.
        library: The runbooks that may be run inside, by name.
    """
    targets: dict[tuple[str, int], bool] = {}
    programs: set[str] = set()
    secrets: set[str] = set()
    for one in _with_inner(runbook, library):
        for kind, params, looks in _bodies(one):
            secrets.update(_secrets(params))
            programs.update(_program(kind, params))
            places = (kinds.checks if looks else kinds.actions).get(kind)
            written = places.places if places is not None else {}
            for host, port in _addresses(kind, params, written, urls):
                judged = looks and kind in JUDGED
                targets[host, port] = targets.get((host, port), True) and judged
    found = sorted(Target(*place, judged) for place, judged in targets.items())
    return Needs(tuple(found), tuple(sorted(programs)), tuple(sorted(secrets)))


def _with_inner(runbook: Runbook, library: Mapping[str, Runbook]) -> list[Runbook]:
    found, to_do = {runbook.runbook: runbook}, [runbook]
    while to_do:
        for step in every_step(to_do.pop()):
            inner = library.get(step.run) if isinstance(step, RunStep) else None
            if inner is not None and inner.runbook not in found:
                found[inner.runbook] = inner
                to_do.append(inner)
    return list(found.values())


def _bodies(runbook: Runbook) -> Iterator[tuple[str, Any, bool]]:
    """Yield kind, parameters, and whether it only looks."""
    measured = runbook.impact.checks if runbook.impact is not None else {}
    for check in (*runbook.checks.values(), *measured.values()):
        yield check.kind, check.params, True
    for action in runbook.actions.values():
        yield action.kind, action.params, False
        if action.undo_body is not None:
            yield action.undo_body.kind, action.undo_body.params, False


def _secrets(value: Any) -> Iterator[str]:
    """Yield the name in each `{secret: NAME}`; an input's own is no secret of ours."""
    if isinstance(value, Mapping):
        name = value.get("secret")
        if len(value) == 1 and isinstance(name, str) and "{" not in name:
            yield name
        for one in value.values():
            yield from _secrets(one)
    elif isinstance(value, list):
        for one in value:
            yield from _secrets(one)


def _program(kind: str, params: Any) -> Iterator[str]:
    argv = params.get("argv") if isinstance(params, Mapping) else None
    first = argv[0] if isinstance(argv, list) and argv else None
    if kind == "command" and isinstance(first, str) and "{" not in first:
        yield first


def _addresses(
    kind: str, params: Any, places: Mapping[str, str], urls: Mapping[str, str]
) -> Iterator[tuple[str, int]]:
    params = params if isinstance(params, Mapping) else {}
    written = [
        params[key] for key, at in places.items() if at == "url" and key in params
    ]
    for url in written or [urls.get(kind)]:
        found = _of_url(url)
        if found is not None:
            yield found
    host, port = params.get("host"), params.get("port", OWN_PORTS.get(kind))
    if isinstance(host, str) and "{" not in host and isinstance(port, int):
        yield host, port


def _of_url(url: Any) -> tuple[str, int] | None:
    """Return host and port, or None where an input or a secret says them."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not host or port is None or "{" in parts.netloc:
        return None
    return host, port
