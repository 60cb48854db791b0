"""What is said of no run: to every chat, once, whatever the other one does."""

import asyncio

from engine.adapters.in_process_chat import InProcessChat
from engine.adapters.memory_chat import MemoryChat
from engine.adapters.memory_store import MemoryStore
from engine.adapters.terminal import TerminalChat
from engine.errors import ChatDown
from engine.hosts.outbox import Outbox
from engine.model.effects import Say
from engine.model.run import RunSummary
from engine.model.timeline import Entry
from engine.runtime.chat.health import Health
from engine.runtime.chat.notices import Notices
from engine.runtime.chat.rooms import Rules
from engine.runtime.chat.screen import Screen
from engine.runtime.chat.screens import Screens
from engine.runtime.chat.story import Stories
from engine.runtime.virtual_time import VirtualClock, run_virtual
from tests.runtime.chat.chat_world import World, drawn, nobody


class Two:
    """An outbox with a notice of the intake, and two chats it goes to."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryStore(seal=False), VirtualClock()
        self.lines: list[str] = []
        self.chats = {
            name: InProcessChat(self.clock.now, {"general": "C"}, name=name)
            for name in ("first", "second")
        }
        self.again()

    def again(self) -> None:
        """Begin the outbox as a new process would."""
        world = World()
        terminal = TerminalChat(self.lines.append)
        notices = {}
        for name, chat in self.chats.items():
            screen = Screen(
                chat, MemoryChat(), Rules(name, "general"), self.clock, drawn, nobody,
                world.note,
            )  # fmt: skip
            screens = Screens(
                screen, Stories(self.store, world.code_of), self.store,
                Health(self.clock, name),
            )  # fmt: skip
            notices[name] = Notices(screens, self.store)
        self.outbox = Outbox(self.store, terminal, terminal, notices)

    async def wait(self, *texts: str) -> None:
        """Let notices wait; no run of their name is there."""
        summary = RunSummary(
            "r-1", "b", "f", "B", "sev3", "running", "isolate", "", "live", 1.0, 2.0
        )
        entry = Entry("r-1", 1, 1.0, 0.0, "note", "begun")
        await self.store.append([entry], summary, outbox=[Say(one) for one in texts])
        self.store._summaries.pop("r-1", None)

    def got(self) -> list[list[str]]:
        """Return what each chat shows."""
        return [
            [one.card.title for one in chat.messages] for chat in self.chats.values()
        ]


def test_f57_the_second_chat_gets_notices_while_the_first_one_is_down() -> None:
    """
    In order and once; the first one gets them when it is back, also by a new process,
    which posts none of them again.
    """

    async def story() -> list[object]:
        two = Two()
        down = [True]

        def trouble(when: str, method: str) -> None:
            if down[0]:
                raise ChatDown("503")

        two.chats["first"].trouble = trouble
        await two.wait("proposed: drain", "a storm")
        for _ in range(5):
            await two.outbox.send()
            await asyncio.sleep(0.5)
        during, lines = two.got(), list(two.lines)
        down[0] = False
        two.again()
        await two.outbox.send()
        return [during, lines, two.got(), await two.store.unsent()]

    both = ["proposed: drain", "a storm"]
    assert [
        [[], both],
        ["r-1 says: proposed: drain", "r-1 says: a storm"],
        [both, both],
        [],
    ] == run_virtual(story())
