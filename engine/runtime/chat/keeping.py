"""People's messages kept in the timeline: by note, by reaction, by a message's menu.

Kept are the words, who wrote them, when, where they stand, and links to what hangs on
them; what is done to the message later is written down as such. Called by desk, words.
"""

import contextlib
from typing import Final

import msgspec

from engine.errors import EngineError
from engine.model.chat import Account, Marked, Message, Place, Reply, Rewritten
from engine.model.events import Noted
from engine.model.people import Actor
from engine.model.timeline import Entry
from engine.runtime.chat import replies
from engine.runtime.chat.asking import Around, Asking

replace = msgspec.structs.replace
TEXT_MOST: Final = 4000  # characters of a message
FILES_MOST: Final = 10
LINK_MOST: Final = 500  # characters


async def keep(asking: Asking, message: Message) -> Reply:
    """Keep a person's message in the run it was written in. Raises DoesNotApply."""
    run = await _run_at(asking.around, message.place) or asking.here
    if not run:
        return replies.not_done("no run is shown here, so there is no timeline for it")
    entries = await asking.around.service.store.entries(run)
    ref = ref_of(message.place, message.ref)
    if _of(entries, ref):
        return replies.told(f"{run}: it is kept already")
    account = Account(message.place.provider, message.by)
    author = asking.around.people.named(account)
    noted = Noted(
        by=asking.actor(),
        text=message.text.strip()[:TEXT_MOST] or "(no words)",
        about_at=message.at or None,
        ref=ref,
        link=message.link[:LINK_MOST],
        author=author,
        files=tuple(one[:LINK_MOST] for one in message.files[:FILES_MOST]),
    )

    async def kept(by: Actor) -> None:
        await asking.around.service.keep(run, replace(noted, by=by))

    return await asking.tell(run, kept)


async def note(
    asking: Asking, run: str, text: str, place: Place | None, ref: str
) -> Reply:
    """Keep words that were said to the engine; where a message holds them, that one."""
    if not ref or place is None:

        async def noted(by: Actor) -> None:
            await asking.around.service.note(run, by, text)

        return await asking.tell(run, noted)
    link = ""
    provider = asking.around.providers.get(place.provider)
    if provider is not None:
        with contextlib.suppress(EngineError):  # the words count without their link
            link = await provider.link(place, ref)

    async def kept(by: Actor) -> None:
        full = ref_of(place, ref)
        await asking.around.service.keep(
            run, Noted(by=by, text=text, ref=full, link=link[:LINK_MOST])
        )

    return await asking.tell(run, kept)


async def marked_message(around: Around, event: Marked) -> Message | None:
    """Return the message under which a reaction was put, where it is a run's.

    Raises:
        ChatDown, ChatRefused: it cannot be read.
    """
    provider = around.providers.get(event.place.provider)
    if provider is None:
        return None
    message = await provider.message(event.place, event.ref)
    if message is None or not await _run_at(around, message.place):
        return None
    return message


async def rewritten(around: Around, event: Rewritten) -> None:
    """Write down that a message that was kept is another now, or gone."""
    run = await _run_at(around, event.place)
    if not run:
        return
    entries = await around.service.store.entries(run)
    kept = _of(entries, ref_of(event.place, event.ref))
    last = kept[-1].event if kept else None
    if not isinstance(last, Noted) or last.change == "deleted":
        return
    text = None if event.text is None else around.service.clean(event.text.strip())
    if text is not None and text[:TEXT_MOST] == last.text:
        return
    who = event.by and around.people.named(Account(event.place.provider, event.by))
    author = last.author or last.by.id
    noted = Noted(
        by=Actor(who or author, via=event.place.provider),
        text="" if text is None else text[:TEXT_MOST],
        ref=last.ref,
        link=last.link,
        author=author,
        change="deleted" if text is None else "edited",
    )
    await around.service.keep(run, noted)


def ref_of(place: Place, ref: str) -> str:
    """Return a message's name in the timeline: `slack:C1:1764.5`."""
    return f"{place.provider}:{place.room}:{ref}"


async def _run_at(around: Around, place: Place) -> str:
    shown = await around.kept.at(place)
    return shown.run if shown is not None else ""


def _of(entries: list[Entry], ref: str) -> list[Entry]:
    return [
        one for one in entries if isinstance(one.event, Noted) and one.event.ref == ref
    ]
