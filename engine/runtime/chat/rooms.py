"""Where a run is shown: a thread in the room of its runbook, or a room of its own.

A room of its own, for the severities that have one, is called by date, runbook and run,
so that making it twice makes one. Pure. Called by steps, screen.
"""

import re
from dataclasses import dataclass
from typing import Final

from engine.errors import TemplateProblem
from engine.model.chat import NewRoom
from engine.model.times import date_text
from engine.runtime.chat.story import Story
from engine.templating import render

NAME_MOST: Final = 80  # characters; Slack's limit is the shortest
TOPIC_MOST: Final = 250


@dataclass(frozen=True, slots=True)
class Rules:
    """How one provider is used."""

    provider: str
    channel: str = ""  # where runs without a channel go
    own_channel: tuple[str, ...] = ("sev1", "sev2")
    update_seconds: float = 1800.0  # longest silence of an open run
    edit_seconds: float = 3.0  # between two edits of a pinned message
    lines: int = 30  # of one merged post: what the views put in one


def channel_of(story: Story, rules: Rules) -> str:
    """Return the room that a run's runbook names, else the provider's; "": none."""
    named = story.runbook.chat.channel or ""
    if "{{" in named:
        try:
            named = str(render(named, story.summary.inputs))
        except TemplateProblem:
            named = ""
    return named or rules.channel


def has_own_room(story: Story, rules: Rules) -> bool:
    """Return whether a run gets a room of its own: live, and severe enough."""
    return story.live and story.summary.severity in rules.own_channel


def room_name(story: Story) -> str:
    """Return what the own room of a run is called."""
    one = story.summary
    slug = re.sub(r"[^a-z0-9]+", "-", one.runbook.lower()).strip("-")
    head, tail = f"inc-{date_text(one.started_at)}-", f"-{one.run.removeprefix('r-')}"
    room = NAME_MOST - len(head) - len(tail)
    return f"{head}{slug[:room].strip('-')}{tail}"


def topic(story: Story) -> str:
    """Return the topic of a run's own room: severity, title, how it stands."""
    one = story.summary
    state = one.state.replace("_", " ") if story.ended else "open"
    return f"{one.severity.upper()} {one.title} ({state}), run {one.run}"[:TOPIC_MOST]


def new_room(
    story: Story, accounts: tuple[str, ...] = (), groups: tuple[str, ...] = ()
) -> NewRoom:
    """Return the room to make for a run."""
    return NewRoom(room_name(story), topic(story), accounts, groups)


def silence_seconds(story: Story, rules: Rules) -> float:
    """Return when, after the last post, the next one has to be sent, in seconds.

    `limits.time.silent` counts posts that arrived, so one is sent well before it.
    """
    runbook = story.runbook
    every = runbook.chat.update_every
    wanted = rules.update_seconds if every is None else every.total_seconds()
    silent = runbook.limits.time.silent
    if silent is not None:
        bound = silent.total_seconds()
        wanted = min(wanted, bound - min(30.0, bound / 4))
    return wanted
