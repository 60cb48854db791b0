"""Keys and words that are almost a known one: the file is read as if that stood there.

Whoever writes `chekcs:` should not learn only afterwards what is wrong in his checks. A
slip is told as what it is; beyond that the file is judged as it was meant. Only what is
very near counts, and only where the meant key does not stand there too: a wrong guess
would tell of mistakes that nobody made. What is read so is never run.

Read by: kinds (which finds slips of kinds), load.
"""

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel

from engine.language.problems import near
from engine.language.pydantic_problems import Place, locate
from engine.language.shape import Path, arms, bare, file_keys
from engine.language.tree import Node, Position, Tree
from engine.model.steps import VERBS, Step

CLOSE: Final = 0.8  # difflib's ratio; a hint is given from 0.6 on
MOST: Final = 100  # in one reading: a file with more is not mended by guesses


class Slip(NamedTuple):
    """One key, or one value, and the word that was meant."""

    path: Path
    meant: str
    key: bool


def close(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that was meant beyond much doubt, or None."""
    return near(word, known, CLOSE)


def slips_in(
    errors: Iterable[Any],
    model: type[BaseModel],
    raw: Any,
    *,
    at: Sequence[str | int] = (),
) -> Iterator[Slip]:
    """Yield the slips among pydantic's errors.

    Args:
        errors: `ValidationError.errors()`, or some of them.
        model: The model that was validated.
        raw: The value of the file that was validated.
        at: Where in the file it stands.
    """
    for error in errors:
        place = locate(error["loc"], model, raw, at)
        if error["type"] == "extra_forbidden":
            yield from _key(place)
        elif error["type"] == "verb":
            yield from _verb(place)
        elif error["type"] == "literal_error":
            yield from _word(place)


def _key(place: Place) -> Iterator[Slip]:
    key = place.path[-1]
    if place.owner is None or key in VERBS or not isinstance(key, str):
        return
    if meant := close(key, file_keys(place.owner)):
        yield Slip(tuple(place.path), meant, key=True)


def _verb(place: Place) -> Iterator[Slip]:
    if not isinstance(place.raw, dict):
        return
    for key in place.raw:
        if key not in file_keys(Step) and (meant := close(key, VERBS)):
            yield Slip((*place.path, key), meant, key=True)
            return


def _word(place: Place) -> Iterator[Slip]:
    in_union = place.union is not None
    raw = place.union_raw if in_union else place.raw
    path = place.union_path if in_union else tuple(place.path)
    words = [
        word
        for arm in (place.union if in_union else arms(place.here))
        if get_origin(bare(arm)) is Literal
        for word in get_args(bare(arm))
        if isinstance(word, str)
    ]
    if isinstance(raw, str) and (meant := close(raw, words)):
        yield Slip(path, meant, key=False)


def usable(slips: Iterable[Slip], tree: Tree) -> list[Slip]:
    """Return the slips whose meant key is free, deepest first; none of a crowd."""
    taken: set[Path] = set()
    found: list[Slip] = []
    for slip in slips:
        owner = tree.at(slip.path[:-1])
        place = (*slip.path[:-1], slip.meant) if slip.key else slip.path
        if place not in taken and not (slip.key and slip.meant in owner):
            taken.add(place)
            found.append(slip)
    return [] if len(found) > MOST else sorted(found, key=lambda it: -len(it.path))


def as_meant(tree: Tree, slips: Iterable[Slip]) -> Tree:
    """Return the tree with the meant words in place of the slips, at their places."""
    value, root = tree.value, tree.root
    for slip in slips:
        value, root = _changed(value, root, slip.path, slip)
    return Tree(value, root, tree.lines)


def places(tree: Tree, slips: Iterable[Slip]) -> set[Position]:
    """Return where the slips are told."""
    return {tree.position(slip.path, key=slip.key) for slip in slips}


def _changed(value: Any, node: Node, way: Path, slip: Slip) -> tuple[Any, Node]:
    """Return copies of the value and its node with the slip at the way's end mended."""
    first, *rest = way
    copied = Node(node.place, node.style)
    copied.key, copied.children = node.key, dict(node.children)
    changed = copy.copy(value)
    if rest:
        member = _changed(value[first], node.children[first], tuple(rest), slip)
        changed[first], copied.children[first] = member
    elif slip.key:
        changed = {_named(key, first, slip): it for key, it in value.items()}
        copied.children = {
            _named(key, first, slip): it for key, it in node.children.items()
        }
    else:
        changed[first] = slip.meant
    return changed, copied


def _named(key: str | int, slipped: str | int, slip: Slip) -> str | int:
    return slip.meant if key == slipped else key
