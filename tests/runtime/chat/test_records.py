"""The record of a decision: what it rested on then, not what was seen later."""

import asyncio

from engine.runtime.chat.cards import plain_lines
from tests.runtime.chat.chat_world import World, play

LOOKS_AGAIN = """
format: 1
runbook: gated
title: Messages are late
owner: owners
severity: sev3
chat: {channel: incidents}
checks: {late: {probe: {}, pass: value > 0}}
actions: {take: {do: {}, undo: {do: {}}}}
confirm: [{check: late, expect: fail}]
diagnose:
  - cause:
      - {name: slow, when: '!checks.late.ok', workaround: only}
      - {name: other, workaround: only}
workaround:
  only:
    - approve: 'Take it?'
      name: take-it
      from: [{group: ops, need: 1}]
      within: 10m
    - act: take
    - {wait_for: late, within: 2m}
"""


def test_a_record_shows_what_was_seen_before_it_was_decided() -> None:
    """
    The check failed when ana said yes and passes afterwards: her record says fail.
    """
    world = World(LOOKS_AGAIN, script={"checks": {"late": ["fail", "pass"]}})

    async def story() -> None:
        await world.begin()
        await world.start()
        await world.question()
        await asyncio.sleep(5)
        await world.vote()
        await asyncio.sleep(300)

    play(story())
    record = next(one.card for one in world.chat.messages if "/asks/" in one.key)
    seen = [one for one in plain_lines(record) if one.startswith("late:")]

    assert "Approved: Take it?" == record.title
    assert ["late: fail (as scripted), seen 00:00:00, 0 s old"] == seen
