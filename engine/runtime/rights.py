"""Who may do what: one table for every door, from a right to the role that it needs.

A role may do what the ones before it may: viewer, responder, commander, admin. Which
right an operation of the API or a verb of a chat asks for stands beside it; no other
module compares roles. A role alone approves nothing: groups decide that, in the core.

Read by: chat.asking, chat.people, bootstrap.chatting, entrypoints.web.
"""

from collections.abc import Mapping
from typing import Final, Literal

from engine.errors import NotAllowed
from engine.model.people import ROLES, Role

Right = Literal[
    "look", "start", "answer", "note", "steer", "take", "offers", "cancel", "hold-all",
    "author", "keep",
]  # fmt: skip

NEEDS: Final[Mapping[Right, Role]] = {
    "look": "viewer",  # at runs, runbooks, alerts, what the engine says of itself
    "start": "responder",  # a run, a dry run
    "answer": "responder",  # approve, reject, answer
    "note": "responder",
    "steer": "responder",  # one run: hold, try again, severity, page
    "take": "responder",  # a role, or what an ended run still holds
    "offers": "responder",  # accept, decline
    "cancel": "commander",
    "hold-all": "commander",  # the global hold
    "author": "responder",  # validate, rehearse, examine: nothing outside is touched
    "keep": "admin",  # reload, retain
}


def may(role: Role, right: Right) -> bool:
    """Return whether a role has a right."""
    return ROLES.index(role) >= ROLES.index(NEEDS[right])


def refuse(name: str, role: Role, right: Right) -> None:
    """Let whoever has the role that a right needs, or a higher one, go on.

    Raises:
        NotAllowed: with both roles.
    """
    if not may(role, right):
        raise NotAllowed(f"{name} is {role}; this needs {NEEDS[right]}")
