"""When chat is down: what goes where, how fast, and what happens on its return."""

import asyncio
from dataclasses import dataclass, field

import pytest

from engine.errors import ChatDown, DoesNotApply
from engine.model.people import Plan, Question
from engine.runtime.chat.fallback import Fallback, Way
from engine.runtime.chat.links import Links, fitting
from engine.runtime.chat.story import Stories, Story
from tests.runtime.chat.chat_world import GATED, World, play

SEVERE = GATED.replace("sev3", "sev1")


@dataclass
class Letters:
    """A way out that keeps what it was given."""

    name: str
    down: bool = False
    sent: list[tuple[float, str, str]] = field(default_factory=list)

    async def send(self, title: str, text: str, /) -> None:
        """Keep it, with its time."""
        if self.down:
            raise ChatDown("no post office")
        self.sent.append((asyncio.get_running_loop().time(), title, text))


class Away(World):
    """A world whose chat can be down, with ways out beside it."""

    down = ""  # or `down`, or `revoked`

    def ways(self, *letters: Letters, person: str = "") -> None:
        """Set the ways out."""
        self.letters = letters
        self.person = person

    async def begin(self) -> None:
        """Begin the screen, and the fallback."""
        await super().begin()
        await self.fall_back()

    async def fall_back(self) -> None:
        """Begin the fallback on what is kept."""
        self.chat.trouble = self.trouble
        self.fallback = Fallback(
            [Way(one, self.person) for one in self.letters],
            [self.screens],
            self.kept,
            Stories(self.store, self.code_of),
            self.store,
            self.clock,
            Links("https://engine.example", lambda: b"k" * 32, self.clock.now),
            may,
        )
        self.screens.away = self.fallback
        await self.fallback.start()

    async def waits(self, seconds: float) -> None:
        """Begin a run, and let so much time pass."""
        await self.begin()
        await self.start()
        await asyncio.sleep(seconds)

    def trouble(self, when: str, method: str) -> None:
        """Fail as told."""
        if self.down:
            lasting = self.down == "revoked"
            raise ChatDown("it is down", lasting=lasting)


def may(person: str, story: Story, question: Question) -> bool:
    """Let ana answer."""
    return person == "ana"


def test_g14_severe_messages_and_questions_go_out_within_a_minute() -> None:
    """
    Chat fails from the start: within 60 s the question is out, and says why it comes.
    """
    world, letters = Away(SEVERE), Letters("sms")
    world.ways(letters)
    world.down = "down"

    play(world.waits(60))
    at, title, text = letters.sent[0]

    assert at <= 60.0
    assert "Asked: Messages are late" == title
    assert "Chat does not work (local since 00:00:00 UTC)" in text
    assert "Take it?" in text
    assert "Answer with: runbook approve r-1 take-it --as NAME" in text


def test_f60_a_revoked_token_moves_to_the_way_out_at_once() -> None:
    """
    What will not mend by itself is not waited for.
    """
    world, letters = Away(SEVERE), Letters("sms")
    world.ways(letters)
    world.down = "revoked"

    play(world.waits(3))

    assert "Asked: Messages are late" == letters.sent[0][1]


def test_f57_the_end_of_the_outage_is_one_catch_up_and_one_word_to_each_way() -> None:
    """
    All was told on the way out in order; afterwards chat says so in one post, and the
    way out is told once that chat works again.
    """
    world, letters = Away(SEVERE), Letters("sms")
    world.ways(letters)

    async def story() -> None:
        await world.begin()
        await world.start()
        await world.question()
        await asyncio.sleep(10)
        world.down = "down"
        await world.vote()
        await asyncio.sleep(900)
        world.down = ""
        await asyncio.sleep(60)

    play(story())
    titles = [title for _, title, _ in letters.sent]
    all_text = "\n".join(text for _, _, text in letters.sent)
    posted = [one for one in world.chat.messages if "/news/" in one.key]
    last = [part for part in posted[-1].card.parts if "Chat was down" in str(part)]

    assert ["SEV1 Messages are late: waiting", "SEV1 Messages are late: resolved"] == (
        list(dict.fromkeys(titles[:-1]))
    )
    assert all_text.index("did take") < all_text.index("undid take")
    assert "Chat works again. Follow there: r-1" == titles[-1]
    assert 1 == len(last)
    assert 2 == len(posted)


def test_f57_the_fallback_goes_on_after_a_restart_without_telling_twice() -> None:
    """
    An engine that is started again in the outage knows what it said.
    """
    world, letters = Away(SEVERE), Letters("sms")
    world.ways(letters)
    world.down = "down"

    async def story() -> None:
        await world.waits(60)
        await world.fallback.stop()
        await world.screens.stop()
        await world.screen_again()
        await world.fall_back()
        await asyncio.sleep(120)

    play(story())

    assert 1 == [title for _, title, _ in letters.sent].count(
        "Asked: Messages are late"
    )


def test_a_way_out_that_is_down_stops_no_other() -> None:
    """
    One fails, the other has the message in time; the first gets it when it is back.
    """
    world, good, bad = Away(SEVERE), Letters("sms"), Letters("mail", down=True)
    world.ways(bad, good)
    world.down = "down"

    async def story() -> None:
        await world.waits(100)
        bad.down = False
        await asyncio.sleep(60)

    play(story())

    assert good.sent[0][0] <= 60.0
    assert [title for _, title, _ in good.sent] == [title for _, title, _ in bad.sent]


def test_the_runbook_names_its_ways_out_and_a_small_run_sends_questions_alone() -> None:
    """
    `chat.fallback: [mail]` leaves out sms; sev3 sends what is asked, and no news.
    """
    text = GATED.replace("channel: incidents", "channel: incidents, fallback: [mail]")
    world, sms, mail = Away(text), Letters("sms"), Letters("mail")
    world.ways(sms, mail)
    world.down = "down"

    play(world.waits(100))

    assert [] == sms.sent
    assert ["Asked: Messages are late"] == [title for _, title, _ in mail.sent]


def test_f84_a_drill_goes_to_no_way_out() -> None:
    """
    It pages nobody: what is not in chat stays in the timeline.
    """
    world, letters = Away(SEVERE, mode="rehearsal"), Letters("sms")
    world.ways(letters)
    world.down = "down"

    play(world.waits(200))

    assert [] == letters.sent


def test_whose_way_it_is_gets_a_link_to_the_very_plan() -> None:
    """
    Ana's link names the question and its plan; bo may not answer and gets none.
    """
    links = Links("https://engine.example", lambda: b"k" * 32, lambda: 1767225600.0)
    told = {}
    for person in ("ana", "bo"):
        world, letters = Away(SEVERE), Letters("sms")
        world.ways(letters, person=person)
        world.down = "down"

        async def story(world: Away = world) -> Question:
            await world.waits(60)
            return await world.question()

        question = play(story())
        told[person] = letters.sent[0][2]

    token = told["ana"].partition("/answer/")[2].split()[0]
    made = links.opened(token)

    assert ("r-1", "ana", question.plan and question.plan.hash) == (
        made.run, made.person, made.plan,
    )  # fmt: skip
    assert question == fitting(made, [(4, question)])
    assert "/answer/" not in told["bo"]


def test_a_link_does_not_answer_what_is_asked_anew() -> None:
    """
    A gate that is asked again under its key, for a plan that stands once more as it
    was, is another question: the link of the first one is void.
    """
    links = Links("https://e", lambda: b"k" * 32, lambda: 1000.0)
    plan = Plan("rev", hash="same")
    question = Question("0@1:approve0", "approve", "gate", "Take it?", plan=plan)
    link = links.link("r-1", question, "ana", 1060.0, asked=4)
    made = links.opened(link.rpartition("/")[2])

    assert question == fitting(made, [(4, question)])
    with pytest.raises(DoesNotApply, match="asked anew since"):
        fitting(made, [(9, question)])


def test_a_link_is_void_when_changed_late_or_for_another_plan() -> None:
    """
    One changed character, one second too late, another plan, a closed question.
    """
    now = [1000.0]
    links = Links("http://e", lambda: b"k" * 32, lambda: now[0])
    question = Question("k", "ask", "s", "which?", within_seconds=60)
    token = links.link("r-1", question, "ana", 1060.0, asked=4).rpartition("/")[2]
    made = links.opened(token)
    changed = ("A" if token[0] != "A" else "B") + token[1:]
    other = Links("http://e", lambda: b"x" * 32, lambda: now[0])

    for opened, given in ((links, changed), (other, token), (links, "é" * 9)):
        with pytest.raises(DoesNotApply):
            opened.opened(given)
    now[0] = 1060.0
    with pytest.raises(DoesNotApply, match="its time"):
        links.opened(token)
    with pytest.raises(DoesNotApply, match="closed"):
        fitting(made, ())
