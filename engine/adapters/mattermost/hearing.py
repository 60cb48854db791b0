"""What Mattermost posts to the engine: judged at once, then worked on.

`take` says within microseconds whether a body is believed, and returns the work that is
left: the door answers before it is done. A button that asks "are you sure?" opens a
small dialog first; only its answer counts as pressed.

Called by the door in entrypoints.chat, which bootstrap hands this to.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from engine.adapters.mattermost.drawing import said_by
from engine.adapters.mattermost.forms import answers_of, state_of, sure_dialog
from engine.adapters.mattermost.reading import command_of, loaded, text_in
from engine.adapters.mattermost.server import MattermostServer
from engine.adapters.mattermost.settings import NAME, MattermostSettings, names_of
from engine.adapters.mattermost.signing import Signer, any_equal, values_of
from engine.errors import NotAllowed
from engine.model.chat import Account, Filled, Inbound, Place, Pressed
from engine.ports import BadBody, Secrets

MOST_ID: Final = 200

Hear = Callable[[Inbound], Awaitable[None]]
Work = Callable[[Hear], Awaitable[None]]
Kind = Literal["command", "action", "dialog"]


@dataclass(frozen=True, slots=True)
class MattermostEars:
    """Judges commands, buttons and dialogs of one server."""

    settings: MattermostSettings
    secrets: Secrets
    server: MattermostServer
    signer: Signer

    def take(self, kind: Kind, body: bytes) -> Work:
        """Return what is to be done once it is acknowledged.

        Raises:
            NotAllowed: it does not come from where it says.
            BadBody: it is nothing that Mattermost sends.
            SecretMissing: no secret to judge by has a value.
        """
        judges = {
            "command": self._command, "action": self._action, "dialog": self._dialog,
        }  # fmt: skip
        return judges[kind](body)

    def _command(self, body: bytes) -> Work:
        token, said = command_of(body)
        known = values_of(names_of(self.settings.commands), self.secrets)
        if not any_equal(token, known):
            raise NotAllowed("the token is not one of the slash command")
        if said is None:
            raise BadBody("a slash command has trigger_id, user_id, channel_id")
        return _tell(said)

    def _action(self, body: bytes) -> Work:
        found = loaded(body)
        behind = found.get("context")
        if not isinstance(behind, dict):
            raise NotAllowed("no button of this engine: it carries no context")
        if not self.signer.fits(behind.get("code"), "press", *said_by(behind)):
            raise NotAllowed("no button of this engine: its code does not fit")
        names = ("user_id", "channel_id", "post_id", "trigger_id")
        if not all(text_in(found, name) for name in names):
            raise BadBody(f"a button's body has {', '.join(names)}")
        pressed = {name: text_in(found, name) for name in names}
        pressed |= {name: text_in(behind, name) for name in ("verb", "value", "thread")}
        if sure := text_in(behind, "sure"):
            return self._once_more(sure, pressed)
        name = text_in(found, "user_name", most=MOST_ID)
        return _tell(_pressed(pressed, pressed["user_id"], name, pressed["trigger_id"]))

    def _dialog(self, body: bytes) -> Work:
        found = loaded(body)
        account = text_in(found, "user_id")
        known = state_of(found.get("state"), account, self.signer) if account else None
        if known is None:
            raise NotAllowed("no form of this engine, or not opened by this account")
        kind, behind, opened = known
        if found.get("cancelled") is True:
            return _nothing
        if kind == "sure":
            return _tell(_pressed(behind, account, "", ""))  # its trigger is used up
        room = text_in(found, "channel_id")
        filled = Filled(
            f"form:{opened}"[:MOST_ID],
            Account(NAME, account),
            text_in(behind, "value"),
            answers_of(behind.get("kinds"), found.get("submission")),
            Place(NAME, room) if room else None,
        )
        return _tell(filled)

    def _once_more(self, sure: str, pressed: dict[str, Any]) -> Work:
        callback = (self.settings.callback or "").rstrip("/")
        body = sure_dialog(
            pressed["trigger_id"], sure, pressed, signer=self.signer, callback=callback
        )

        async def ask(hear: Hear) -> None:
            await self.server.visit().post("/actions/dialogs/open", body)

        return ask


def _pressed(found: dict[str, Any], account: str, name: str, trigger: str) -> Pressed:
    return Pressed(
        f"press:{text_in(found, 'trigger_id')}"[:MOST_ID],
        Account(NAME, account, name),
        Place(NAME, text_in(found, "channel_id"), text_in(found, "thread")),
        text_in(found, "post_id"),
        text_in(found, "verb"),
        text_in(found, "value"),
        trigger,
    )


def _tell(event: Inbound) -> Work:
    async def tell(hear: Hear) -> None:
        await hear(event)

    return tell


async def _nothing(hear: Hear) -> None:
    """A form was closed: nothing follows."""
