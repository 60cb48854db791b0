"""The people of the configuration as chat knows them, and who of them is on call.

Called by chatting, doctoring; `turns` also by `runbook print`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.config import Config
    from engine.config.chatting import OnCall as OnCallSettings
    from engine.config.settings import Person as PersonSettings
    from engine.core.oncall import Schedule
    from engine.ports import ChatProvider, Clock, OnCallSchedule, Secrets, Web
    from engine.runtime.chat.people import People, UserGroup
    from engine.runtime.on_call import OnCall


def people(
    config: "Config", providers: "Mapping[str, ChatProvider]", clock: "Clock"
) -> "People":
    """Return everybody, each with all accounts; user groups are read when needed."""
    from engine.runtime.chat.people import People, Person

    known = [
        Person(name, one.role, tuple(one.groups), _accounts(one))
        for name, one in config.settings.people.items()
    ]
    return People(known, _user_groups(config), providers, clock)


def mentioned(config: "Config", provider: str) -> dict[str, str]:
    """Return who can be mentioned at a provider: people and groups, and their ids.

    An account that stands under several people is nobody's.
    """
    shared = shared_accounts(config)
    found = {
        name: id_
        for name, one in config.settings.people.items()
        for at, id_ in reversed(_accounts(one))
        if at == provider and (at, id_) not in shared
    }
    groups = {
        name: getattr(one, provider) for name, one in config.settings.groups.items()
    }
    return found | {name: id_ for name, id_ in groups.items() if id_}


def shared_accounts(config: "Config") -> dict[tuple[str, str], list[str]]:
    """Return each account that stands under several people, with their names."""
    whose: dict[tuple[str, str], list[str]] = {}
    for name, one in config.settings.people.items():
        for account in _accounts(one):
            whose.setdefault(account, []).append(name)
    return {account: names for account, names in whose.items() if len(names) > 1}


def _accounts(person: "PersonSettings") -> tuple[tuple[str, str], ...]:
    own = (("slack", person.slack), ("mattermost", person.mattermost))
    found = [(provider, id_) for provider, id_ in own if id_]
    for written in person.accounts:
        provider, _, id_ = written.partition(":")
        found.append((provider, id_))
    return tuple(dict.fromkeys(found))


def _user_groups(config: "Config") -> "list[UserGroup]":
    from engine.runtime.chat.people import UserGroup

    return [
        UserGroup(name, provider, id_)
        for name, one in config.settings.groups.items()
        for provider, id_ in (("slack", one.slack), ("mattermost", one.mattermost))
        if id_
    ]


def on_call(
    config: "Config", secrets: "Secrets", web: "Web", clock: "Clock"
) -> "OnCall":
    """Return who is on call of each group that has a schedule."""
    from engine.runtime.on_call import OnCall

    ours: dict[str, Schedule] = {}
    theirs: dict[str, OnCallSchedule] = {}
    for group, one in config.settings.groups.items():
        if one.oncall is None:
            continue
        if one.oncall.pagerduty is not None:
            theirs[group] = _pagerduty(one.oncall, secrets, web)
        else:
            ours[group] = _schedule(one.oncall)
    names = {
        one.pagerduty: name
        for name, one in config.settings.people.items()
        if one.pagerduty
    }
    return OnCall(clock, ours, theirs, names)


def turns(config: "Config", at: float) -> dict[str, str]:
    """Return who has the turn in each group with a schedule of ours; nobody is asked.

    Args:
        config: Names the groups.
        at: Epoch seconds.
    """
    from engine.core.oncall import on_call as turn

    found = {
        group: turn(_schedule(one.oncall), at)
        for group, one in config.settings.groups.items()
        if one.oncall is not None and one.oncall.shift is not None
    }
    return {group: person for group, person in found.items() if person}


def _pagerduty(
    settings: "OnCallSettings", secrets: "Secrets", web: "Web"
) -> "OnCallSchedule":
    from engine.adapters.pagerduty.schedules import PagerDutyOnCall

    asked = settings.pagerduty
    assert asked is not None  # the caller looked
    return PagerDutyOnCall(
        web, secrets.get, asked.schedule, asked.token.secret, asked.url
    )


def _schedule(settings: "OnCallSettings") -> "Schedule":
    from engine.core.oncall import Override, Schedule, Shift

    shift = settings.shift
    assert shift is not None  # exactly one of the two is given
    turns = Shift(
        tuple(shift.people), shift.from_.timestamp(), shift.every.total_seconds()
    )
    others = tuple(
        Override(one.person, one.from_.timestamp(), one.to.timestamp())
        for one in settings.overrides
    )
    return Schedule(turns, others)
