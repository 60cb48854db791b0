"""Which card shows what: the one place where the screen asks the views to draw.

Each card is a function of the journal alone, so that drawing it again gives the same
card: what is shown is compared by digest. Marked here: drills, which mention nobody.

Called by steps, screen, fallback.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from engine.model.chat import Button, Buttons, Card, Code, Lines, Part, Rows, Small
from engine.model.people import Question
from engine.model.timeline import Entry
from engine.model.times import length_text, moment_text
from engine.runtime.chat.story import ASKING, Story
from engine.views.facts import facts
from engine.views.message import people_text, question_text
from engine.views.messages import internal_draft, mark_of
from engine.views.terminal import progress_line

SHORT: Final = 1000  # characters of a card that was refused as it was
OUTCOMES: Final = ("approved", "rejected", "expired", "answered", "void", "refused")
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
    loud = card.loud if story.live else ()
    return msgspec.structs.replace(card, mark=mark, loud=loud)


def shortened(card: Card) -> Card:
    """Return a card that was refused, cut down to what has to be there."""
    text = "\n".join(plain_lines(card)[1:])
    cut = text[:SHORT] + ("…" if len(text) > SHORT else "")
    said = Small("Shortened; all of it stands in the run's timeline.")
    buttons = tuple(part for part in card.parts if isinstance(part, Buttons))
    title = card.title[:150]
    return msgspec.structs.replace(
        card, title=title, parts=(Lines((cut,)), said, *buttons)
    )


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
    return lines


# What stands in the room


def telling(story: Story, entry: Entry) -> bool:
    """Return whether an entry is worth a line of a post."""
    if entry.kind in ASKING or entry.kind == "end":  # have messages of their own
        return False
    return progress_line(entry) is not None


def worth_telling(entry: Entry) -> bool:
    """Return whether an entry is worth a line where there is nothing but lines."""
    return progress_line(entry) is not None


def told(entry: Entry) -> str:
    """Return an entry as one line."""
    return progress_line(entry) or ""


def pinned(story: Story, *, next_at: float | None) -> Card:
    """Return the one message that always says how it stands."""
    one = story.summary
    asked = [
        f"{question.called} of {people_text(question.who)} until "
        f"{moment_text(story.until(seq, question))}"
        for seq, question in story.open_questions()
    ]
    held = ", ".join(f"{held.action} {held.target}".strip() for held in one.held)
    rows = [
        ("State", one.state.replace("_", " ")),
        ("Phase", one.phase or "-"),
        ("Cause", one.cause or "not known yet"),
        ("Held", held or "nothing"),
        ("Asked", "; ".join(asked) or "nobody"),
    ]
    if next_at is not None:
        rows.append(("Next update", f"by {moment_text(next_at)}"))
    title = f"{one.severity.upper()} {one.title}"
    return dressed(story, Card(title, (Rows(tuple(rows)), Small(f"run {one.run}"))))


def news(story: Story, entries: Sequence[Entry], *, away: str = "") -> Card | None:
    """Return one post for new entries, in order; None: none is worth a line."""
    lines = [progress_line(one) or "" for one in entries if telling(story, one)]
    if not lines:
        return None
    title = lines[0] if len(lines) == 1 else f"{len(lines)} things happened"
    parts: list[Part] = [Lines(tuple(lines))] if len(lines) > 1 else []
    if away:
        parts.append(Small(away))
    return dressed(story, Card(title, tuple(parts)))


def asks(story: Story, seq: int, question: Question) -> Card:
    """Return a question as it stands now, with its buttons."""
    text = question_text(question, until=story.until(seq, question)).splitlines()
    value = f"{story.summary.run}|{question.key}|{seq}"
    verbs = ("approve", "reject") if question.kind == "approve" else ("answer",)
    buttons = Buttons(tuple(Button(verb.title(), verb, value) for verb in verbs))
    said = [one.what for one in _outcome(story, seq) if one.kind == "approved"]
    parts: list[Part] = [Lines(tuple(text[1:])), buttons]
    if said:
        parts.insert(1, Lines(tuple(said)))
    loud = tuple(group for group, _ in question.who)
    return dressed(story, Card(text[0], tuple(parts), loud=loud))


def record(story: Story, seq: int, question: Question | None) -> Card:
    """Return what became of a question, in place of the question."""
    asked = story.entries[seq - 1]
    came = _outcome(story, seq)
    lines = [f"{one.what} ({one.why})" if one.why else one.what for one in came]
    lines = lines or [f"over: the run went on, {story.summary.state}"]
    plan = question.plan.hash[:12] if question and question.plan else ""
    small = (Small(f"plan {plan}"),) if plan else ()
    return dressed(story, Card(asked.what, (Lines(tuple(lines)), *small)))


def _outcome(story: Story, seq: int) -> list[Entry]:
    """Return the entries about a question, up to where it is asked again."""
    asked, found = story.entries[seq - 1], []
    for entry in story.after(seq):
        if entry.kind in ASKING and entry.subject == asked.subject:
            break
        mine = entry.subject == asked.subject or entry.step == asked.step
        if entry.event is None and entry.kind in OUTCOMES and mine:
            found.append(entry)
    return found


def update(story: Story, now: float) -> Card:
    """Return the word that it still goes on, when nothing else was said for long."""
    one = story.summary
    lasts = length_text(max(0.0, now - one.started_at))
    title = f"Still {one.state.replace('_', ' ')} after {lasts}: {one.title}"
    return dressed(story, Card(title, (Small(f"phase {one.phase or '-'}"),)))


def ended(story: Story) -> Card:
    """Return the end, with the report."""
    one = story.summary
    lines = internal_draft(facts(story.entries), one)
    parts = (Lines(tuple(lines)), Small(f"Report: runbook report {one.run}"))
    loud = (one.owner,) if one.state == "handed_over" and not one.taken_by else ()
    title = f"Ended: {one.state.replace('_', ' ')} ({one.why})"
    return dressed(story, Card(title, parts, loud=loud))


def announced(story: Story, room: str) -> Card:
    """Return the word, in the common room, that a run has a room of its own."""
    one = story.summary
    title = f"{one.severity.upper()} {one.title}: #{room}"
    return dressed(story, Card(title, (Small(f"run {one.run}"),)))


def said_elsewhere(story: Story, entry: Entry) -> Card:
    """Return what a `say` with `to` tells another room."""
    text = entry.what.removeprefix("said: ")
    return dressed(story, Card(text, (Small(f"run {story.summary.run}"),)))
