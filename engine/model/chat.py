"""Chat as the engine knows it: what is shown there, and what people do there.

A chat is a lossy screen. What stands in it is made from the timeline and can be made
again; what people do in it comes in as one of the Inbound events. All text is plain:
each adapter escapes it for its own mark-up, so no value from outside can mention, link
or format.

Read by: views (make cards), runtime.chat (shows them, hears people), adapters (draw and
read them), entrypoints.
"""

from typing import Any, Final, Literal

import msgspec

# What is shown


class Lines(msgspec.Struct, frozen=True, tag=True):
    """Sentences, each on a line of its own."""

    lines: tuple[str, ...]


class Rows(msgspec.Struct, frozen=True, tag=True):
    """Names and what they are now: `held: drain (edge-1)`."""

    rows: tuple[tuple[str, str], ...]


class Code(msgspec.Struct, frozen=True, tag=True):
    """Text as a machine wrote it: commands, evidence."""

    text: str


class Small(msgspec.Struct, frozen=True, tag=True):
    """One line beside the point: hashes, times, where to look."""

    text: str


class Button(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something to press."""

    label: str
    verb: str  # one of words of the grammar: approve, reject, answer, take ...
    value: str  # opaque to the provider, at most 2,000 characters: what is meant
    style: Literal["plain", "good", "danger"] = "plain"
    sure: str = ""  # asked once more before it counts


class Buttons(msgspec.Struct, frozen=True, tag=True):
    """A row of buttons."""

    buttons: tuple[Button, ...]


class Link(msgspec.Struct, frozen=True, tag=True):
    """A link that the engine makes, or a runbook names; never one from outside."""

    label: str
    url: str


Part = Lines | Rows | Code | Small | Buttons | Link


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message: a title, and its parts in order."""

    title: str  # one line; also what a phone shows as the notice
    parts: tuple[Part, ...] = ()
    mark: str = ""  # before everything: [REHEARSAL], [DRY RUN]
    loud: tuple[str, ...] = ()  # groups that are mentioned, if the chat knows them
    colour: Literal["", "good", "warning", "danger"] = ""


class Field(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field of a form."""

    name: str
    label: str
    kind: Literal["text", "long", "number", "yes_no", "choice", "list"] = "text"
    choices: tuple[str, ...] = ()
    value: str = ""  # filled in before
    optional: bool = False
    hint: str = ""


class Form(msgspec.Struct, frozen=True, omit_defaults=True):
    """A dialog with typed fields; comes back as Filled with the same `value`."""

    title: str
    value: str  # opaque to the provider
    fields: tuple[Field, ...]
    text: tuple[str, ...] = ()
    send: str = "Send"


class Post(msgspec.Struct, frozen=True):
    """A short message for the thread of a run: what one event changed."""

    key: str  # RUN:SEQ of the last entry it tells; a key is posted once
    seq: int  # of that entry: everything up to it is told
    at: float  # epoch seconds of what happened
    card: Card
    said: tuple[str, ...] = ()  # what `say` steps said below its title


# Where


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """A room of a provider, or one thread in it."""

    provider: str  # slack, mattermost, ...
    room: str  # the provider's id of the room
    thread: str = ""  # the provider's id of the message it hangs on


class NewRoom(msgspec.Struct, frozen=True, omit_defaults=True):
    """A room of its own for one incident: made once for its name."""

    name: str  # date and slug: inc-2026-11-24-message-delay-7kq3xm
    topic: str
    accounts: tuple[str, ...] = ()  # provider ids to invite
    groups: tuple[str, ...] = ()  # provider ids of groups to invite


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that a person wrote, as the provider has it."""

    place: Place
    ref: str
    by: str  # provider id
    text: str
    at: float  # epoch seconds
    link: str = ""
    files: tuple[str, ...] = ()  # links to them


class Shown(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a provider shows of one run: enough to go on after a crash.

    `sending` is written before a message is sent and taken away once its ref is known:
    who finds it set asks the provider whether that message arrived.
    """

    provider: str
    run: str
    place: Place | None = None
    pinned: str = ""  # ref of the one message that is edited in place
    pinned_digest: str = ""
    told: int = 0  # entries up to this seq are posted
    sending: str = ""  # key of the message that may or may not have arrived
    refs: dict[str, str] = {}  # question key, phase picture: ref of its message
    digests: dict[str, str] = {}  # question key: what its message shows
    notes: dict[str, int] = {}  # ref of a person's message: seq of its entry
    posted_at: float = 0.0  # epoch seconds of the last post
    over: bool = False  # its end is shown; nothing more follows


# What people do


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who did it, as the provider knows them. Only `id` counts."""

    provider: str
    id: str
    name: str = ""  # shown, never believed


class Said(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """Words meant for the engine."""

    id: str  # the provider's id of the event; the same for each delivery of it
    by: Account
    place: Place
    text: str
    door: Literal["command", "mention", "direct", "menu"] = "command"
    ref: str = ""  # of the message with the words, where there is one
    trigger: str = ""  # opens a form for a moment
    about: Message | None = None  # the message whose menu it was
    at: float = 0.0  # epoch seconds; 0: now. Words may come late, after a break


class Pressed(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """A button."""

    id: str
    by: Account
    place: Place
    ref: str  # of the message it stands in
    verb: str
    value: str
    trigger: str = ""


class Filled(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """A form was sent."""

    id: str
    by: Account
    value: str  # of the form
    answers: dict[str, Any]  # field name to text, number, bool or list of texts
    place: Place | None = None


class Marked(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """A reaction was put under a message, or taken away."""

    id: str
    by: Account
    place: Place
    ref: str
    mark: str  # pushpin
    added: bool = True


class Rewritten(msgspec.Struct, frozen=True, omit_defaults=True, tag=True):
    """A person's message was changed, or deleted (`text` is None)."""

    id: str
    place: Place
    ref: str
    text: str | None
    by: str = ""  # provider id, where it is told


Inbound = Said | Pressed | Filled | Marked | Rewritten


class Heard(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one request of a provider says: an event, or why there is none in it."""

    event: Inbound | None = None
    ignored: str = ""
    answer: dict[str, Any] | None = None  # what the provider wants back at once
    fits: bool = True  # False: it is no request of this provider


# What the engine says back


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What whoever did something is shown; nothing: the thread will tell."""

    whisper: Card | None = None  # to them alone
    form: Form | None = None  # for the trigger that came with it


LONGEST_VALUE: Final = 2000  # characters of a button's or a form's value
