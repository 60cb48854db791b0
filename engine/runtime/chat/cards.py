"""Which card shows what: the one place where the screen asks the views to draw.

Each card is a function of the journal alone, so that drawing it again gives the same
card: what is shown is compared by digest. A drill mentions nobody.

Called by steps, screen, fallback.
"""

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from engine.model.chat import Buttons, Card, Code, Lines, Link, Post, Rows, Small
from engine.model.people import Question
from engine.model.timeline import Entry
from engine.runtime.chat.story import Story
from engine.views import chat as views
from engine.views.chat.asked import ASKING, Asked, Said, asked_of
from engine.views.messages import mark_of
from engine.views.terminal import progress_line

SHORT: Final = 1000  # characters of a card that was refused as it was
replace = msgspec.structs.replace
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def digest(card: Card) -> str:
    """Return what tells two cards apart."""
    return hashlib.sha256(_encode(card)).hexdigest()[:16]


def marked(story: Story, text: str) -> str:
    """Return a text with the mark of its run."""
    return f"{mark_of(story.summary.mode)}{text}"


def dressed(story: Story, card: Card) -> Card:
    """Return a card with the mark of its run; a drill mentions nobody."""
    mark = mark_of(story.summary.mode).strip()
    return replace(card, mark=mark, loud=card.loud if story.live else ())


def shortened(card: Card) -> Card:
    """Return a card that was refused, cut down to what has to be there."""
    text = "\n".join(plain_lines(card)[1:])
    cut = text[:SHORT] + ("…" if len(text) > SHORT else "")
    said = Small("Shortened; all of it stands in the run's timeline.")
    buttons = tuple(part for part in card.parts if isinstance(part, Buttons))
    parts = (Lines((cut,)), said, *buttons)
    return replace(card, title=card.title[:150], parts=parts)


def plain_lines(card: Card) -> list[str]:
    """Return a card as lines of plain text, its title first; no buttons."""
    lines = [f"{card.mark} {card.title}".strip()]
    for part in card.parts:
        if isinstance(part, Lines):
            lines += part.lines
        elif isinstance(part, Rows):
            lines += [f"{name}: {value}" for name, value in part.rows]
        elif isinstance(part, Code | Small):
            lines += part.text.splitlines()
        elif isinstance(part, Link):
            lines.append(f"{part.label}: {part.url}")
    return lines


def _seen(story: Story, next_at: float | None = None) -> views.Seen:
    links = views.links_of(story.runbook)
    return views.Seen(story.summary, story.entries, story.runbook, links, next_at)


# How it stands, and the end


def pinned(story: Story, *, next_at: float | None) -> Card:
    """Return the one message that always says how it stands."""
    return dressed(story, views.pinned(_seen(story, next_at)))


def update(story: Story, *, since: float) -> Card:
    """Return the word that it still goes on, when nothing else was said for long."""
    return dressed(story, views.update(_seen(story), since=since))


def ended(story: Story) -> Card:
    """Return the end; the owner of what was handed over is called."""
    one = story.summary
    loud = (one.owner,) if one.state == "handed_over" and not one.taken_by else ()
    return dressed(story, replace(views.ended(_seen(story)), loud=loud))


def announced(story: Story, room: str) -> Card:
    """Return the word, in the common room, that a run has a room of its own."""
    one = story.summary
    title = f"{one.severity.upper()} {one.title}: follow it in #{room}"
    return dressed(story, Card(title, (Small(f"run {one.run}"),), colour="danger"))


def said_elsewhere(story: Story, entry: Entry) -> Card:
    """Return what a `say` with `to` tells another room."""
    text = str(entry.refs["said"])
    return dressed(story, Card(text, (Small(f"run {story.summary.run}"),)))


# News


def waiting(story: Story, told: int) -> list[Post]:
    """Return the posts that what happened after an entry is worth, in order.

    Questions and the end have messages of their own.
    """
    new = [one for one in story.after(told) if one.kind not in (*ASKING, "end")]
    return views.posts(new, story.summary) if new else []


def news(story: Story, posts: Sequence[Post], *, away: str = "") -> Card:
    """Return several posts as one, in order; nothing is left out of up to 30."""
    card = views.merged(posts).card
    if away:
        card = replace(card, parts=(*card.parts, Small(away)))
    return dressed(story, card)


def worth_telling(entry: Entry) -> bool:
    """Return whether an entry is worth a line where there is nothing but lines."""
    return progress_line(entry) is not None


def told(entry: Entry) -> str:
    """Return an entry as one line."""
    return progress_line(entry) or ""


# Questions


def asks(story: Story, question: Question) -> Card:
    """Return a question as it stands now, with its buttons."""
    asked = asked_of(story.summary, story.entries, question.key)
    called = {group: story.on_call.get(group, ()) for group, _ in question.who}
    return dressed(story, views.question(dataclasses.replace(asked, on_call=called)))


def record(story: Story, seq: int, question: Question | None) -> Card:
    """Return what became of a question that an entry asked, in its place."""
    key, entries = story.entries[seq - 1].subject, story.while_asked(seq)
    closed = replace(story.summary, questions=())
    asked = asked_of(closed, entries, key)
    if question is not None:
        then = _until_decided(entries, seq, asked)
        still = asked_of(replace(closed, questions=(question,)), then, key)
        asked = dataclasses.replace(
            asked, question=question, until=still.until, seen=still.seen
        )
    return dressed(story, views.decided(_voided(asked, entries, seq)))


def _until_decided(entries: Sequence[Entry], seq: int, asked: Asked) -> Sequence[Entry]:
    """Return the entries up to the decision: nothing seen later is in its record."""
    decided = asked.decided
    if decided is None:
        return entries
    for entry in entries[seq:]:
        told = entry.event is None and (entry.actor, entry.at) == (
            decided.by, decided.at,
        )  # fmt: skip
        if told and decided.why in (entry.why, entry.what):
            return entries[: entry.seq]
    return [entry for entry in entries if entry.at <= decided.at]


def _voided(asked: Asked, entries: Sequence[Entry], seq: int) -> Asked:
    """An approval of a plan that has changed since is void, and says so."""
    step = entries[seq - 1].step
    for entry in entries[seq:]:
        if entry.event is None and entry.kind == "void" and entry.subject == step:
            said = Said("engine", entry.at, entry.why)
            return dataclasses.replace(asked, outcome="void", decided=said)
    return asked
