"""A run in Slack, end to end: the engine a process, Slack a process, the disk real."""

import pytest

from tests.asking import web
from tests.end_to_end.chat_place import ChatPlace, buttons_of, link_in, place

__all__ = ["place"]


@pytest.mark.slow
def test_a_run_stands_in_slack_from_its_alert_to_its_end(place: ChatPlace) -> None:
    """
    Its root, its news, its question, its pictures, its end, each once.
    """
    run = place.alert()
    place.press("ana", "Approve")
    ended = place.ended(run)
    place.message("ended")
    record = place.message("asks")
    keys = place.keys()
    forged = web.post(f"{place.url}/chat/slack/actions", content=b"payload=%7B%7D")
    metrics = web.get(f"{place.url}/metrics").text
    looked = place.runbook("doctor")

    assert "resolved" == ended
    assert "Approved by" in str(record)
    assert {} == buttons_of(record)
    assert len(keys) == len(set(keys))
    assert f"{run}/pinned/0" == keys[0]
    assert f"{run}/ended/0" == keys[-1]
    assert 'runbook_chat_posts_total{provider="slack",result="sent"}' in metrics
    assert 'runbook_chat_failing_seconds{provider="slack"} 0.0' in metrics
    assert 401 == forged.status_code
    requests = 'runbook_chat_requests_total{door="slack/actions",result="forged"} 1.0'
    assert requests in metrics
    assert "the token works, and #incidents is there" in looked


@pytest.mark.slow
def test_f57_slack_dies_and_the_question_is_answered_by_a_link(
    place: ChatPlace,
) -> None:
    """
    Nobody listens at Slack: the question is in bo's letters, with a link; looking at it
    answers nothing, answering it twice counts once; the run ends without chat.
    """
    run = place.alert()
    place.message("asks")
    place.end_slack()
    place.api("POST", f"/runs/{run}/note", {"text": "chat is gone"})
    place.until(lambda: "/answer/" in place.letters)
    link = link_in(place.letters)
    looked = web.get(link)
    still = place.summary(run)["state"]
    silent = web.post(link, data={"verb": "reject", "reason": " "})
    answered = web.post(link, data={"verb": "approve"})
    again = web.post(link, data={"verb": "approve"})

    assert 200 == looked.status_code
    assert "waiting" == still
    assert 400 == silent.status_code  # a reject says why, by a link as in chat
    assert (200, 410) == (answered.status_code, again.status_code)
    assert "resolved" == place.ended(run)
    assert "chat is gone" not in place.letters  # sev3: questions alone
    assert link.rpartition("/")[2] not in place.log


@pytest.mark.slow
def test_f57_killed_again_and_again_no_message_is_lost_or_doubled(
    place: ChatPlace,
) -> None:
    """
    kill -9 as soon as each message stands in Slack: before its ref can be kept, or
    just after; whoever comes next finds it by its key.
    """
    run = place.alert()
    place.until(lambda: place.summary(run)["questions"])  # no act is in flight
    for kind in ("pinned", "news", "asks"):
        place.message(kind)
        place.kill()
        place.begin()
    place.message("asks")
    place.until(lambda: place.api("POST", f"/runs/{run}/approve", {}) or True)
    ended = place.ended(run)
    place.kill()
    place.begin()
    place.message("ended")
    keys = place.keys()

    assert "resolved" == ended
    assert len(keys) == len(set(keys))
    assert [f"{run}/pinned/0", f"{run}/ended/0"] == [keys[0], keys[-1]]
