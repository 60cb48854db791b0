"""What a provider lacks of a run: the next thing to do, as a function of both.

Given what is shown and what the timeline says, the answer is one step, the most urgent
first. When it is done and kept, the question is asked again, until nothing is missing.
So a crash, an outage, a burst and a late start are the same case.

Rule: a message's key says what it is, so that whoever finds only the key (a crash while
it was on its way) knows what its arrival means: see `arrived`.

Pure. Called by screen; tests/runtime/chat.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from engine.model.chat import Card, Post, Shown
from engine.model.timeline import Entry
from engine.runtime.chat import cards, rooms
from engine.runtime.chat.rooms import Rules
from engine.runtime.chat.story import Story
from engine.views.moments import phases_of
from engine.views.paths import path_of

replace = msgspec.structs.replace
OVER: Final = "over:"  # before the digest of a question's record
GIVEN_UP: Final = "-"  # in place of a ref: the provider takes no such message
BEGUN: Final = -1  # a question whose run stands there: its buttons before other runs
URGENT: Final = 0  # before every severity
LAST: Final = 9


@dataclass(frozen=True, slots=True)
class OpenRoom:
    """Make a room of its own for the run."""


@dataclass(frozen=True, slots=True)
class Send:
    """Post a card under a key."""

    key: str
    card: Card
    rank: int
    room: str = ""  # by name, where it is not the run's own place


@dataclass(frozen=True, slots=True)
class Edit:
    """Show another card in place of what a message shows."""

    what: str  # `pinned`, or the name in Shown.digests
    ref: str
    card: Card
    digest: str


@dataclass(frozen=True, slots=True)
class Draw:
    """Upload the picture of the machine with the way that was taken."""

    key: str
    path: tuple[str, ...]
    text: str
    rank: int


@dataclass(frozen=True, slots=True)
class SetTopic:
    """Set the topic of the run's own room."""

    text: str


@dataclass(frozen=True, slots=True)
class Resume:
    """Find out whether a message arrived that was on its way."""

    key: str


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing more follows."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing is missing now; look again then (epoch seconds), or when told."""

    until: float | None


Step = OpenRoom | Send | Edit | Draw | SetTopic | Resume | Over | Rest
Kind = Literal[
    "pinned", "announced", "said", "news", "asks", "picture", "ended", "update"
]


def key_of(run: str, kind: Kind, number: int = 0) -> str:
    """Return a message's key: `r-7kq3xm/news/17`."""
    return f"{run}/{kind}/{number}"


def arrived(shown: Shown, key: str, ref: str, at: float) -> Shown:
    """Return what is shown, now that the message with this key has arrived."""
    _, kind, number = key.rsplit("/", 2)
    shown = replace(shown, sending="", posted_at=at)
    if kind == "pinned":
        return replace(shown, pinned=ref)
    if kind == "news":
        told = int(number)
        refs = {name: one for name, one in shown.refs.items() if _kept(name, told)}
        return replace(shown, told=told, refs=refs)
    if kind == "update":
        return shown
    return replace(shown, refs=shown.refs | {f"{kind}/{number}": ref})


def _kept(name: str, told: int) -> bool:
    """What was said elsewhere is remembered until its entry is told in the thread."""
    kind, _, number = name.partition("/")
    return kind != "said" or int(number) > told


def next_step(
    shown: Shown, story: Story, rules: Rules, *, now: float, edit_at: float, away: str
) -> Step:
    """Return what comes next.

    Args:
        shown: What the provider shows.
        story: What the timeline says.
        rules: How the provider is used.
        now: Epoch seconds.
        edit_at: From when the pinned message may be edited again, epoch seconds.
        away: What the first post after an outage says of it.
    """
    if shown.sending:
        return Resume(shown.sending)
    if shown.place is None and rooms.has_own_room(story, rules):
        return OpenRoom()
    run = story.summary.run
    next_at = _update_at(shown, story, rules, now)
    card = cards.pinned(story, next_at=None if story.ended else next_at)
    if shown.place is None:
        room = rooms.channel_of(story, rules)
        return Send(key_of(run, "pinned"), card, _rank(shown, story), room)
    if not shown.pinned:
        return Send(key_of(run, "pinned"), card, _rank(shown, story))
    stale = cards.digest(card) != shown.pinned_digest
    if stale and now >= edit_at:
        return Edit("pinned", shown.pinned, card, cards.digest(card))
    for step in _missing(shown, story, rules, away):
        return step
    if not story.ended and next_at <= now:
        key = key_of(run, "update", int(shown.posted_at))
        return Send(
            key, cards.update(story, since=shown.posted_at), _rank(shown, story)
        )
    if stale:
        return Rest(edit_at)
    if story.ended:
        in_hands = story.summary.state == "handed_over" and not story.summary.taken_by
        return Rest(None) if in_hands or shown.over else Over()
    return Rest(next_at)


def _update_at(shown: Shown, story: Story, rules: Rules, now: float) -> float:
    return (shown.posted_at or now) + rooms.silence_seconds(story, rules)


def _rank(shown: Shown, story: Story) -> int:
    """Return how urgent a post is: a question that nobody has seen goes first."""
    if any(f"asks/{seq}" not in shown.refs for seq, _ in story.open_questions()):
        return BEGUN if shown.pinned else URGENT
    severity = story.summary.severity.removeprefix("sev")
    return int(severity) if severity.isdecimal() else LAST


def _missing(shown: Shown, story: Story, rules: Rules, away: str) -> Iterable[Step]:
    """Yield what is missing in the room, in the order in which it is to be seen."""
    yield from _room(shown, story, rules)
    posts = cards.waiting(story, shown.told)
    if len(posts) > rules.lines:  # people need not wait for it all
        yield from _asks(shown, story)
    yield from _news(shown, story, posts[: rules.lines], away)
    yield from _asks(shown, story)
    yield from _records(shown, story)
    yield from _picture(shown, story)
    if story.ended and "ended/0" not in shown.refs:
        yield Send(
            key_of(story.summary.run, "ended"), cards.ended(story), _rank(shown, story)
        )


def _room(shown: Shown, story: Story, rules: Rules) -> Iterable[Step]:
    """A room of its own: its topic, and the word of it in the common room."""
    if shown.place is None or shown.place.thread:
        return
    common = rooms.channel_of(story, rules)
    if common and "announced/0" not in shown.refs:
        card = cards.announced(story, rooms.room_name(story))
        key = key_of(story.summary.run, "announced")
        yield Send(key, card, _rank(shown, story), common)
    if shown.digests.get("topic") != rooms.topic(story):
        yield SetTopic(rooms.topic(story))


def _news(
    shown: Shown, story: Story, posts: Sequence[Post], away: str
) -> Iterable[Step]:
    if not posts:
        return
    run, last = story.summary.run, posts[-1].seq
    for entry in story.entries[shown.told : last]:
        to = _said_to(entry)
        if to and f"said/{entry.seq}" not in shown.refs:
            card = cards.said_elsewhere(story, entry)
            yield Send(key_of(run, "said", entry.seq), card, _rank(shown, story), to)
    card = cards.news(story, posts, away=away)
    yield Send(key_of(run, "news", last), card, _rank(shown, story))


def _said_to(entry: Entry) -> str:
    """Return the room that a `say` step names, or an empty string."""
    return str(entry.refs.get("to", "")) if "said" in entry.refs else ""


def _asks(shown: Shown, story: Story) -> Iterable[Step]:
    for seq, question in story.open_questions():
        name, card = f"asks/{seq}", cards.asks(story, question)
        ref = shown.refs.get(name)
        if ref is None:
            yield Send(key_of(story.summary.run, "asks", seq), card, BEGUN)
        elif ref != GIVEN_UP and shown.digests.get(name) != cards.digest(card):
            yield Edit(name, ref, card, cards.digest(card))


def _records(shown: Shown, story: Story) -> Iterable[Step]:
    """A question that is over becomes the record of what was decided."""
    still = {f"asks/{seq}" for seq, _ in story.open_questions()}
    for name, ref in shown.refs.items():
        kind, _, number = name.partition("/")
        if kind != "asks" or name in still or ref == GIVEN_UP:
            continue
        seq = int(number)
        card = cards.record(story, seq, story.question(seq))
        digest = OVER + cards.digest(card)
        if shown.digests.get(name) != digest:
            yield Edit(name, ref, card, digest)


def _picture(shown: Shown, story: Story) -> Iterable[Step]:
    """The way to the end of the last phase that is over; earlier ones are in it."""
    spans = phases_of(story.entries)
    done = len(spans) if story.ended else len(spans) - 1
    if done < 1 or f"picture/{done}" in shown.refs:
        return
    span, so_far = spans[done - 1], _through(story.entries, done)
    if not any(one.step and one.phase == span.phase for one in so_far if _did(one)):
        return  # the runbook leaves it out
    key = key_of(story.summary.run, "picture", done)
    text = f"The way taken to the end of {span.phase}"
    yield Draw(key, tuple(path_of(so_far)), text, LAST)


def _did(entry: Entry) -> bool:
    return entry.event is None and entry.kind != "phase"


def _through(entries: Sequence[Entry], phases: int) -> list[Entry]:
    """Return the entries up to the end of so many phases."""
    found: list[Entry] = []
    phase = ""
    for entry in entries:
        if entry.event is None and entry.kind == "phase" and entry.phase != phase:
            phase, phases = entry.phase, phases - 1
            if phases < 0:
                break
        found.append(entry)
    return found
