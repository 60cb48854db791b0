"""Who asks, and what they may: tokens with roles, and this machine's own user.

A role may do what the ones before it may: viewer, responder, commander, admin. On the
unix socket the peer is the user who runs the engine, and says which person it is. The
person's own groups decide about approvals; a role alone approves nothing.

Called by api and metrics.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from engine.config.serving import Role, Token
from engine.entrypoints.web.admission import Admission
from engine.errors import NotAllowed

ROLES: Final[tuple[Role, ...]] = ("viewer", "responder", "commander", "admin")
PERSON: Final = "x-runbook-person"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as what, and by which way."""

    name: str
    role: Role
    via: str


class Unknown(Exception):
    """Nobody that is known here."""


@dataclass(slots=True)
class Access:
    """Tells callers by their token, or by the socket they come through."""

    tokens: Mapping[str, Token]
    admission: Admission
    me: str  # who sits at this machine

    def caller(self, request: Request) -> Caller:
        """Return who asks. Raises Unknown: no token, or none that is known."""
        if came_locally(request):
            return Caller(request.headers.get(PERSON) or self.me, "admin", "cli")
        for name, token in self.tokens.items():
            if self.admission.bearer(token.secret, request.headers):
                return Caller(token.person or name, token.role, "web")
        raise Unknown("a bearer token is needed: Authorization: Bearer …")


def came_locally(request: Request) -> bool:
    """Return whether it came through the unix socket: it has no port."""
    server = request.scope.get("server")
    return server is not None and server[1] is None


def refuse_below(caller: Caller, needed: Role) -> None:
    """Let a caller of this role, or a higher one, go on.

    Raises:
        NotAllowed: with both roles.
    """
    if ROLES.index(caller.role) < ROLES.index(needed):
        raise NotAllowed(f"{caller.name} is {caller.role}; this needs {needed}")
