"""The shortest drill that still shows something: parts are taken out one by one.

Called by: engine.testing, which plays each and says whether it still shows it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from engine.analysis.rehearsal.drill import Drill

MOST_TRIED: Final = 400  # drills that are played to make one shorter


def shortest(drill: Drill, shows: Callable[[Drill], bool]) -> Drill:
    """Return the shortest drill found that still shows it; `shows` plays one."""
    tried, smaller = 0, True
    while smaller:
        smaller = False
        for one in shorter(drill):
            if tried >= MOST_TRIED:
                return drill
            tried += 1
            if shows(one):
                drill, smaller = one, True
                break
    return drill


def shorter(drill: Drill) -> Iterator[Drill]:
    """Yield drills that have one thing less, the largest cuts first."""
    test = drill.test
    if len(drill.kills) > 1:
        yield replace(drill, kills=())
    for key, empty in EMPTY.items():
        if len(getattr(test, key)) > 1:
            yield drill.but(**{key: empty})
    yield from _fewer_kills(drill)
    for key in ("events", "people"):
        for found in _without_one(getattr(test, key)):
            yield drill.but(**{key: found})
    for key in ("actions", "checks"):
        for scripts in _smaller_scripts(getattr(test, key)):
            yield drill.but(**{key: scripts})
    yield from _earlier_kills(drill)


EMPTY: Final[Mapping[str, Any]] = {"events": [], "people": [], "actions": {}}


def _fewer_kills(drill: Drill) -> Iterator[Drill]:
    for index in range(len(drill.kills)):
        before, after = drill.kills[:index], drill.kills[index + 1 :]
        yield replace(drill, kills=before + after)
        for many in (1, -1) if after else ():  # a death moves the writes after it
            moved = tuple(replace(one, write=one.write + many) for one in after)
            yield replace(drill, kills=before + moved)


def _earlier_kills(drill: Drill) -> Iterator[Drill]:
    for index, kill in enumerate(drill.kills):
        for write in sorted({kill.write // 2, kill.write - 1} - {0}):
            kills = list(drill.kills)
            kills[index] = replace(kill, write=write)
            yield replace(drill, kills=tuple(kills))


def _without_one(found: list[Any]) -> Iterator[list[Any]]:
    for index in reversed(range(len(found))):
        yield found[:index] + found[index + 1 :]


def _smaller_scripts(scripts: dict[str, list[Any]]) -> Iterator[dict[str, list[Any]]]:
    for name in scripts:
        yield {key: one for key, one in scripts.items() if key != name}
    for name, answers in scripts.items():
        if len(answers) > 1:
            for fewer in _without_one(answers):
                yield scripts | {name: fewer}
