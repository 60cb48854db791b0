"""InProcessChat: ports.ChatProvider that keeps its rooms in memory.

For rehearsals, tests and the demo: what a provider owes (ids, keys, threads, one
message a second left to whoever posts), without a wire. `trouble` decides before each
call whether it fails, and after which part of it: a message may arrive whose answer is
lost, as on a wire.

Called by engine.testing, tests/contracts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.errors import ChatDown, ChatRefused
from engine.model.chat import (
    Card,
    Code,
    Form,
    Lines,
    Link,
    Message,
    NewRoom,
    Place,
    Rows,
    Small,
)
from engine.model.visible import visible

PNG: Final = b"\x89PNG\r\n\x1a\n"
MOST_LINES: Final = 200  # of a card, as text
Trouble = Callable[[str, str], None]  # "before" or "after", the method's name


def plain_text(card: Card) -> str:
    """Return a card as people would read it: its values on one line each, shortened."""
    lines = [f"{card.mark} {card.title}".strip()]
    for part in card.parts:
        match part:
            case Lines(some):
                lines += some
            case Rows(rows):
                lines += [f"{name}: {value}" for name, value in rows]
            case Code(text) | Small(text):
                lines += text.split("\n")
            case Link(label, url):
                lines.append(f"{label}: {url}")
    more = len(lines) - MOST_LINES
    shown = [visible(one) for one in lines[:MOST_LINES]]
    return "\n".join([*shown, f"… ({more} more)"] if more > 0 else shown)


@dataclass(slots=True)
class Posted:
    """One message of a room, as it is now."""

    ref: str
    place: Place
    key: str
    card: Card
    at: float
    edits: int = 0
    pinned: bool = False
    png: bytes = b""


@dataclass(slots=True)
class InProcessChat:
    """Rooms, messages, dialogs and whispers in a few lists.

    Args:
        now: The wall clock, epoch seconds.
        rooms: Names of rooms that are there.
        trouble: Called before and after each call; may raise ChatDown or ChatRefused.
        name: How it is called in places.
    """

    now: Callable[[], float]
    rooms: dict[str, str] = field(default_factory=dict)  # name to id
    trouble: Trouble = lambda when, method: None
    name: str = "local"
    messages: list[Posted] = field(default_factory=list)
    topics: dict[str, str] = field(default_factory=dict)
    made: list[NewRoom] = field(default_factory=list)
    whispers: list[tuple[str, Card]] = field(default_factory=list)
    forms: list[tuple[str, Form]] = field(default_factory=list)
    said: dict[str, Message] = field(default_factory=dict)  # what people wrote
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    invited: dict[str, set[str]] = field(default_factory=dict)  # by room
    triggers: set[str] | None = None  # those that open a form; None: any
    _count: int = 0

    async def room(self, called: str, /) -> str:
        """Return the id of a room by name or id. ChatDown, lasting: there is none."""
        self.trouble("before", "room")
        bare = called.removeprefix("#")
        found = self.rooms.get(bare) or (bare if bare in self.rooms.values() else "")
        if not found:
            raise ChatDown(f"no room '{called}' at {self.name}", lasting=True)
        return found

    async def new_room(self, room: NewRoom, /) -> str:
        """Return the id of a room of that name, made if it is not there."""
        self.trouble("before", "new_room")
        if room.name not in self.rooms:
            fresh = self._fresh("C")
            while fresh in self.rooms.values():  # one that was there before
                fresh = self._fresh("C")
            self.rooms[room.name] = fresh
        self.made.append(room)
        found = self.rooms[room.name]
        self.topics[found] = room.topic
        members = [one for group in room.groups for one in self.groups.get(group, ())]
        self.invited.setdefault(found, set()).update(room.accounts, members)
        self.trouble("after", "new_room")
        return found

    async def post(self, place: Place, card: Card, /, *, key: str) -> str:
        """Keep the message; return its ref."""
        self.trouble("before", "post")
        ref = self._keep(place, card, key)
        self.trouble("after", "post")
        return ref

    def _keep(self, place: Place, card: Card, key: str, png: bytes = b"") -> str:
        if place.room not in self.rooms.values():
            raise ChatRefused(f"no room '{place.room}' at {self.name}")
        ref = self._fresh("m")
        at = self.now()
        self.messages.append(Posted(ref, place, key, card, at, png=png))
        return ref

    async def find(self, place: Place, key: str, /) -> str | None:
        """Return the ref of the newest message posted with the key."""
        self.trouble("before", "find")
        for one in reversed(self.messages):
            if (one.key, one.place.room) == (key, place.room):
                return one.ref
        return None

    async def edit(self, place: Place, ref: str, card: Card, /) -> None:
        """Show this card in place of what the message shows."""
        self.trouble("before", "edit")
        one = self._at(ref)
        one.card, one.edits = card, one.edits + 1
        self.trouble("after", "edit")

    async def pin(self, place: Place, ref: str, /) -> None:
        """Pin a message; pinned already is well."""
        self.trouble("before", "pin")
        self._at(ref).pinned = True

    async def topic(self, place: Place, text: str, /) -> None:
        """Set the room's topic."""
        self.trouble("before", "topic")
        self.topics[place.room] = text

    async def picture(
        self, place: Place, png: bytes, /, *, name: str, text: str, key: str
    ) -> str:
        """Keep a picture as a message. Raises ChatRefused: it is no PNG."""
        self.trouble("before", "picture")
        if not png.startswith(PNG):
            raise ChatRefused(f"'{name}' is no PNG")
        ref = self._keep(place, Card(text), key, png)
        self.trouble("after", "picture")
        return ref

    async def link(self, place: Place, ref: str, /) -> str:
        """Return a link to a message."""
        self.trouble("before", "link")
        if ref not in self.said:
            self._at(ref)
        return f"chat://{self.name}/{place.room}/{ref}"

    async def whisper(self, place: Place, account: str, card: Card, /) -> None:
        """Show a card to one account alone."""
        self.trouble("before", "whisper")
        self.whispers.append((account, card))

    async def form(self, trigger: str, form: Form, /) -> None:
        """Open a dialog for whoever the trigger came from."""
        self.trouble("before", "form")
        if self.triggers is not None and trigger not in self.triggers:
            raise ChatRefused("the moment for a form is over: ask again")
        self.forms.append((trigger, form))

    async def message(self, place: Place, ref: str, /) -> Message | None:
        """Return what a person wrote, as it is now."""
        self.trouble("before", "message")
        return self.said.get(ref)

    async def members(self, group: str, /) -> Sequence[str]:
        """Return the accounts of a group."""
        self.trouble("before", "members")
        return self.groups.get(group, ())

    def _fresh(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def _at(self, ref: str) -> Posted:
        for one in self.messages:
            if one.ref == ref:
                return one
        raise ChatRefused(f"no message '{ref}' at {self.name}")
