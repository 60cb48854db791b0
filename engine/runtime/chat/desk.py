"""The desk: hears what people do in a chat, and does it under their own rights.

Every door of a chat ends here: words, buttons, forms, reactions, changed messages. Each
event counts once. What does not count is told with its reason, to whoever did it; what
counts is told by the run's own thread.

Called by entrypoints.chat.
"""

import logging
from dataclasses import dataclass
from typing import Final

from engine.core.words import Command, Refusal, Verb, parse
from engine.core.words.typed import whole
from engine.errors import EngineError, NotAllowed, StoreUnavailable
from engine.model.chat import (
    Filled,
    Inbound,
    Marked,
    Pressed,
    Reply,
    Rewritten,
    Said,
)
from engine.model.events import Noted
from engine.model.people import ENGINE
from engine.runtime.chat import keeping, replies, voting, words
from engine.runtime.chat.asking import Around, Asking
from engine.views.chat.values import NO_VALUE, Value, parse_value
from engine.views.chat.wording import line

log = logging.getLogger(__name__)

VOTES: Final = ("approve", "reject", "answer")
DEFECT: Final = (
    "the engine failed over it; its log says how. Say it again, or use the CLI"
)
MOST_STRANGERS: Final = 1000  # words of theirs that are written down
IN_THE_OPEN: Final = (
    "is secret, and what is written here stays here: leave it out, and it is asked for "
    "in a form; or start it at a terminal"
)


@dataclass(slots=True)
class Desk:
    """Hears what people do."""

    around: Around

    async def hear(self, inbound: Inbound) -> Reply:
        """Do what a person did; return what they are shown.

        Never raises: what goes wrong is told to whoever did it.
        """
        try:
            return await self._hear(inbound)
        except StoreUnavailable as error:
            log.warning("not kept event=%s error=%s", _id(inbound), error)
            return replies.not_done("the journal cannot be written now; say it again")
        except EngineError as error:
            return replies.not_done(str(error))
        except Exception:
            log.exception("desk failed event=%s", _id(inbound))
            return replies.not_done(DEFECT)

    async def _hear(self, inbound: Inbound) -> Reply:
        if not await self._first(inbound):
            return replies.NOTHING  # delivered before, and done
        if isinstance(inbound, Rewritten):
            await keeping.rewritten(self.around, inbound)
            return replies.NOTHING
        if isinstance(inbound, Marked):
            return await self._marked(inbound)
        asking = await self._asking(inbound)
        if isinstance(inbound, Said):
            return await self._said(asking, inbound)
        value = parse_value(inbound.value)
        if value is None:
            return replies.not_done(NO_VALUE)
        if isinstance(inbound, Pressed):
            return await self._pressed(asking, value)
        return await self._filled(asking, value, inbound)

    async def _first(self, inbound: Inbound) -> bool:
        if isinstance(inbound, Rewritten):
            provider = inbound.place.provider
        else:
            provider = inbound.by.provider
        now = self.around.clock.now()
        return await self.around.kept.first(f"{provider}:{inbound.id}", at=now)

    async def _asking(self, inbound: Said | Pressed | Filled) -> Asking:
        """Return who does it, where. Raises NotAllowed: nobody is known by it."""
        await self.around.people.refresh()
        place = inbound.place
        shown = await self.around.kept.at(place) if place is not None else None
        here = shown.run if shown is not None else ""
        try:
            person = self.around.people.who(inbound.by)
        except NotAllowed:
            await self._note_stranger(inbound, here)
            raise
        trigger = getattr(inbound, "trigger", "")
        said_at = getattr(inbound, "at", 0.0)
        return Asking(
            self.around, inbound.by, person, inbound.id, place, trigger, here, said_at
        )

    # Words

    async def _said(self, asking: Asking, said: Said) -> Reply:
        return await self._words(asking, said.text, said)

    async def _words(self, asking: Asking, text: str, said: Said | None) -> Reply:
        known = await asking.known()
        if said is not None and said.about is not None and not text.strip():
            text = "note"
        found = parse(text, known)
        if isinstance(found, Refusal):
            if said is not None and said.about is not None:
                return await words.do(asking, Command("note"), said)
            return replies.refused(found)
        self._refuse_secrets(found, said)
        return await words.do(asking, found, said)

    def _refuse_secrets(self, command: Command, said: Said | None) -> None:
        """A secret may stand in a form or a command, not in a message of a room."""
        if said is None or said.door == "command" or not command.given:
            return
        runbook = self.around.service.library.runbooks.get(command.name)
        for name in command.given if runbook is not None else ():
            if runbook is not None and runbook.inputs[name].secret:
                raise NotAllowed(f"input '{name}' {IN_THE_OPEN}")

    # Buttons and forms

    async def _pressed(self, asking: Asking, value: Value) -> Reply:
        if value.verb == "said":
            return await self._words(asking, value.text, None)
        if value.verb in VOTES:
            verb: Verb = value.verb  # type: ignore[assignment]
            asking.may(verb)
            return await voting.pressed(asking, value)
        if value.verb == "run":
            return await words.offer(asking, value.name)
        if value.verb == "take":
            return await words.do(asking, Command("take", value.run, value.name))
        return replies.not_done(NO_VALUE)

    async def _filled(self, asking: Asking, value: Value, filled: Filled) -> Reply:
        answers = {name: one for name, one in filled.answers.items() if one is not None}
        if value.verb in VOTES:
            verb: Verb = value.verb  # type: ignore[assignment]
            asking.may(verb)
            return await voting.filled(asking, value, answers)
        if value.verb == "run":
            asking.may("run")
            filled_in = {name: whole(one) for name, one in answers.items()}
            given = {
                name: one for name, one in filled_in.items() if one not in ("", [])
            }
            bundle = self.around.service.library.bundle(value.name)
            return await words.start(asking, bundle, given)
        text = str(answers.get("reason") or answers.get("text") or "").strip()
        if value.verb == "note" and text:
            return await words.do(asking, Command("note", value.run, text=text))
        if value.verb == "hold" and text:
            command = Command("hold", value.run, text=text, on=value.name == "on")
            return await words.do(asking, command)
        return replies.not_done("nothing was written, so nothing was done")

    # Reactions

    async def _marked(self, marked: Marked) -> Reply:
        if marked.mark.strip(":") != self.around.pin.strip(":") or not marked.added:
            return replies.NOTHING
        found = await keeping.marked_message(self.around, marked)
        if found is None:
            return replies.NOTHING  # a reaction somewhere else is none of ours
        await self.around.people.refresh()
        person = self.around.people.who(marked.by)
        asking = Asking(self.around, marked.by, person, marked.id, marked.place)
        asking.may("note")
        return await keeping.keep(asking, found)

    # Strangers

    async def _note_stranger(self, inbound: Said | Pressed | Filled, here: str) -> None:
        """Write down, once, that an account nobody is known by tried to steer a run."""
        value = None if isinstance(inbound, Said) else parse_value(inbound.value)
        run = value.run if value is not None else here
        if not run or isinstance(inbound, Said):
            return
        verb = value.verb if value is not None else "press"
        seen = (run, inbound.by.id, verb)
        if seen in self.around.strangers or len(self.around.strangers) > MOST_STRANGERS:
            return
        self.around.strangers.add(seen)
        shown = f"{inbound.by.provider}:{line(inbound.by.id, 60)}"
        text = f"{shown} tried to {verb}: nobody is known by this account, refused"
        await self.around.service.keep(run, Noted(by=ENGINE, text=text))


def _id(inbound: Inbound) -> str:
    return str(getattr(inbound, "id", getattr(inbound, "ref", "")))
