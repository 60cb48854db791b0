"""People in Slack press buttons: both at once, as the engine dies, or not at all."""

import time
from concurrent.futures import ThreadPoolExecutor

import apsw
import pytest

from tests.end_to_end.chat_place import ChatPlace, buttons_of, place

__all__ = ["place"]
IMPATIENT = (
    "from: {group: ops}\n      within: 5m",
    "from: {group: ops}\n      within: 5s\n      then: {group: others, within: 5s}",
)
FOR_TWO = ("from: {group: ops}", "from: {group: ops, need: 2}")


def outcomes(place: ChatPlace, run: str) -> list[str]:
    """Return what came of the question, in order."""
    told = ("approved", "rejected", "expired", "refused", "void")
    return [one for one in place.kinds(run) if one in told]


@pytest.mark.slow
def test_f65_two_people_press_at_the_same_moment(place: ChatPlace) -> None:
    """
    One says yes and one says no: one of them decides, and the other is told.
    """
    run = place.alert()
    asked, yes = place.until(lambda: place.button("Approve"))
    with ThreadPoolExecutor(2) as both:
        list(
            both.map(
                lambda who: place.do(
                    "press", user=who, action_id=yes, channel="incidents",
                    ts=asked["ts"],
                ),
                ("ana", "bo"),
            )
        )  # fmt: skip
    ended = place.ended(run)

    assert "resolved" == ended
    assert 1 == outcomes(place, run).count("approved")
    assert 1 == place.kinds(run).count("asked")


@pytest.mark.slow
@pytest.mark.parametrize("place", [FOR_TWO], indirect=True)
def test_the_second_of_two_sees_who_was_first(place: ChatPlace) -> None:
    """
    After ana's yes the buttons stay and her name stands there; her second yes counts
    for nothing; eve, who is not asked, is refused; bo's yes opens the gate.
    """
    run = place.alert()
    place.press("ana", "Approve")
    place.until(lambda: "ana at" in str(place.message("asks")))
    place.press("ana", "Approve")
    place.press("eve", "Approve")
    place.until(lambda: 2 == outcomes(place, run).count("refused"))
    place.press("bo", "Approve")

    assert "resolved" == place.ended(run)
    assert ["approved", "refused", "refused", "approved"] == outcomes(place, run)


@pytest.mark.slow
@pytest.mark.timed
def test_the_engine_is_killed_between_a_click_and_its_record(place: ChatPlace) -> None:
    """
    The click is acknowledged at once and not recorded: the journal is held. After
    kill -9 nothing was approved, the buttons are there, and the next click counts once.
    """
    run = place.alert()
    place.until(lambda: place.button("Approve"))
    place.until(lambda: "The way taken" in str(place.messages()))
    journal = apsw.Connection(str(place.folder / "state/journal.db"))
    journal.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    pressed = place.press("ana", "Approve")
    took = time.monotonic() - began
    place.kill()
    journal.execute("ROLLBACK")
    journal.close()
    place.begin()
    before = outcomes(place, run)
    place.press("ana", "Approve")
    ended = place.ended(run)

    assert pressed["acknowledged"]
    assert took < 2.0
    assert [] == before
    assert ["approved"] == outcomes(place, run)
    assert "resolved" == ended


@pytest.mark.slow
@pytest.mark.parametrize("place", [IMPATIENT], indirect=True)
def test_f69_nobody_answers(place: ChatPlace) -> None:
    """
    The next circle is asked, then it fails closed: handed over, and nobody approved.
    Both questions have become their records.
    """
    run = place.alert()
    ended = place.ended(run)
    place.message("ended")
    place.until(lambda: not any(buttons_of(one) for one in asked(place)))
    keys = [one for one in place.keys() if "/asks/" in one]

    assert "handed_over" == ended
    assert ["expired"] == outcomes(place, run)
    assert 2 == len(keys)
    assert "Expired" in str(asked(place)[0])


def asked(place: ChatPlace) -> list[dict[str, object]]:
    """Return the messages of questions."""
    return [
        one
        for one in place.messages()
        if "/asks/" in str((one.get("metadata") or {}).get("event_payload"))
    ]
