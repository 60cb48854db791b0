"""What only the whole shows: worst-case times, the proof, what it needs of the world.

Called by: comparing.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from engine.analysis.comparing.changes import Change, Kind, Weight, more
from engine.analysis.comparing.sides import Pair, Side
from engine.model.values import format_duration

TIMES: Final = {
    "isolated": "to isolated",
    "mitigated": "to mitigated",
    "total": "in total",
    "silent": "of silence",
}
WHOLE: Final = 1.0  # seconds; less is no change


def proof_changed(pair: Pair) -> Iterator[Change]:
    """Yield what changed of times, of what the proof finds, and of what is needed."""
    walked = pair.old.proof.proved and pair.new.proof.proved
    for name, words in TIMES.items():
        if walked or name != "silent":
            yield from _time(pair, name, words, walked=walked)
    yield from _findings(pair)
    needs: tuple[tuple[Kind, str, Weight], ...] = (
        ("credential", "secrets", "riskier"),
        ("address", "targets", "neutral"),
        ("program", "programs", "neutral"),
    )
    for kind, key, weight in needs:
        old, new = (_shown(getattr(side.needs, key)) for side in (pair.old, pair.new))
        yield from _needed(pair, kind, weight, old, new)


def _time(pair: Pair, name: str, words: str, *, walked: bool) -> Iterator[Change]:
    old, new = (side.seconds(name, walked=walked) for side in (pair.old, pair.new))
    if abs(new - old) < WHOLE:
        return
    by = f"{'+' if new > old else '-'}{_length(abs(new - old))}"
    how = "at worst" if walked else "at most, bounded from above"
    told = f"{by} {words} {how}: {_length(new)}, was {_length(old)}"
    yield pair.both("time", more(old, new), told, ("limits", "time", name))


def _length(seconds: float) -> str:
    return format_duration(timedelta(seconds=round(seconds)))


def _findings(pair: Pair) -> Iterator[Change]:
    old, new = _told(pair.old), _told(pair.new)
    for words in old.keys() - new.keys():
        told = f"no longer found: {words}"
        yield pair.change("proof", "safer", told, old[words], None)
    for words in new.keys() - old.keys():
        yield pair.change("proof", "riskier", f"found: {words}", None, new[words])


def _told(side: Side) -> dict[str, Sequence[str | int]]:
    """Return what the proof and the shape of the file find wrong, with its place."""
    found: dict[str, Sequence[str | int]] = {}
    lone = {one.step: one.message for one in side.unapproved}
    for step, message in lone.items():
        found[message] = _place(step, side)
    for one in side.proof.findings:
        if one.code == "approval" and one.about in lone:
            continue
        if one.code == "time":
            name = one.about.removeprefix("time/")
            limit = ("limits", "time", name)
            found[f"the worst case '{name}' is beyond its limit"] = limit
        else:
            found[one.message] = _place(one.about, side)
    return found


def _place(about: str, side: Side) -> Sequence[str | int]:
    """Return the path of a step by its id; the file where it has none here."""
    head, _, rest = about.partition("/")
    if head == "always" and rest.isdigit():
        return ("always", int(rest))
    step = about.partition(">")[0].partition("#")[0]
    for placed in side.placed:
        node = side.nodes.get(id(placed.step))
        if node is not None and node.id == step:
            return placed.path
    return ()


def _shown(values: Sequence[object]) -> list[str]:
    return [str(getattr(one, "shown", one)) for one in values]


def _needed(
    pair: Pair, kind: Kind, weight: Weight, old: list[str], new: list[str]
) -> Iterator[Change]:
    for one in new:
        if one not in old:
            words = f"needs the {_what(kind)} '{one}'"
            yield pair.change(kind, weight, words, None, _where(one, pair.new))
    for one in old:
        if one not in new:
            words = f"no longer needs the {_what(kind)} '{one}'"
            gone: Weight = "safer" if weight == "riskier" else "neutral"
            yield pair.change(kind, gone, words, _where(one, pair.old), None)


def _what(kind: Kind) -> str:
    return "secret" if kind == "credential" else kind


def _where(word: str, side: Side) -> Sequence[str | int]:
    """Return the first check or action that names it; the file where none does."""
    for section in ("checks", "actions"):
        for name, one in getattr(side.runbook, section).items():
            host = word.rpartition(":")[0] or word
            if host in str(one.params) or host in str(getattr(one, "undo", "")):
                return (section, name)
    return ()
