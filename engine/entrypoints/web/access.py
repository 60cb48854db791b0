"""Who asks, and what they may: tokens with roles, and this machine's own user.

What a role may do stands in runtime.rights. On the unix socket the peer is the user who
runs the engine, and says which person it is. The person's own groups decide about
approvals; a role alone approves nothing.

Called by api and metrics.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from engine.config.serving import Token
from engine.entrypoints.web.admission import Admission, Closed
from engine.errors import NotAllowed
from engine.model.people import Role
from engine.views.escape import visible

PERSON: Final = "x-runbook-person"
MOST_OF_NAME: Final = 100  # characters


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
    people: Container[str] = ()  # who is configured; empty: anybody

    def caller(self, request: Request) -> Caller:
        """Return who asks.

        Raises:
            Unknown: no token, or none that is known.
            NotAllowed: from this machine, in the name of nobody who is configured.
        """
        if came_locally(request):
            return Caller(self._named(request), "admin", "cli")
        fits = [it for it in self.tokens.items() if self._fits(it[1], request)]
        if not fits:
            raise Unknown("a bearer token is needed: Authorization: Bearer …")
        name, token = fits[0]
        return Caller(token.person or name, token.role, "web")

    def _fits(self, token: Token, request: Request) -> bool:
        try:
            return self.admission.bearer(token.secret, request.headers)
        except Closed:  # one token without a value closes no other one
            return False

    def _named(self, request: Request) -> str:
        raw = request.headers.get(PERSON, "").encode("latin-1")
        named = visible(raw.decode("utf-8", "replace").strip(), most=MOST_OF_NAME)
        if named and self.people and named not in self.people:
            raise NotAllowed(f"'{named}' is not one of the people")
        return named or self.me


def came_locally(request: Request) -> bool:
    """Return whether it came through the unix socket: it has no port."""
    server = request.scope.get("server")
    return server is not None and server[1] is None
