"""The small rules with numbers in them: retry delays, batch sizes, who fills a gate."""

from collections.abc import Mapping, Sequence
from math import ceil

from engine.model.steps import ApproveStep, Escalation
from engine.model.vocabulary import Retry


def retry_delay(retry: Retry, tries: int) -> float:
    """Return the seconds to wait after so many tries (from 1): wait * grow^(tries-1).

    Not longer than `at_most`. No jitter: one run tries one target.
    """
    seconds = retry.wait.total_seconds() * retry.grow ** (tries - 1)
    return min(seconds, retry.at_most.total_seconds()) if retry.at_most else seconds


def batch_sizes(count: int, batch: object) -> list[int] | None:
    """Return the sizes of the batches for so many targets; None for a bad `batch`.

    Default 1, 2, 4, 8 …; a number is the size of each; a list gives sizes and shares of
    the whole ("10%"), cumulative: [1, "10%", "100%"] of 50 is 1, 4, 45. What a list
    leaves over follows in batches of its last size.
    """
    if batch is None:
        sizes: list[int] = []
        size = 1
        while sum(sizes) < count:
            sizes.append(min(size, count - sum(sizes)))
            size *= 2
        return sizes
    wanted = (
        [batch]
        if isinstance(batch, int)
        else list(batch)
        if isinstance(batch, list)
        else []
    )
    parsed = [_batch_part(part, count) for part in wanted]
    if not parsed or any(part is None for part in parsed):
        return None
    return _cut(count, [part for part in parsed if part is not None])


def _batch_part(part: object, count: int) -> tuple[int, bool] | None:
    if isinstance(part, int) and not isinstance(part, bool) and part > 0:
        return part, False
    text = str(part).strip()
    share = text[:-1] if text.endswith("%") else ""
    if not share.replace(".", "", 1).isdigit() or not 0 < float(share) <= 100:
        return None
    return max(1, ceil(count * float(share) / 100)), True


def _cut(count: int, parts: Sequence[tuple[int, bool]]) -> list[int]:
    cut: list[int] = []
    done = 0
    for size, up_to in parts:
        step = min(size - done if up_to else size, count - done)
        if step > 0:
            cut.append(step)
            done += step
    last = cut[-1] if cut else 1
    while done < count:
        cut.append(min(last, count - done))
        done += cut[-1]
    return cut


def unfilled(
    needs: Sequence[tuple[str, int]], people: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    """Return how many more each group needs; a person fills one place of one group.

    Args:
        needs: (group or person, how many).
        people: id of each who said yes, to the groups that person is in.

    Places are filled so that as many as possible are (augmenting paths), so the order
    in which people answer does not matter.
    """
    places = [group for group, count in needs for _ in range(count)]
    filled: dict[int, str] = {}
    for person in people:
        _place(person, places, people, filled, set())
    short: dict[str, int] = {}
    for index, group in enumerate(places):
        if index not in filled:
            short[group] = short.get(group, 0) + 1
    return short


def _place(
    person: str,
    places: Sequence[str],
    people: Mapping[str, Sequence[str]],
    filled: dict[int, str],
    tried: set[int],
) -> bool:
    for index, group in enumerate(places):
        if index in tried or (group not in people[person] and group != person):
            continue
        tried.add(index)
        other = filled.get(index)
        if other is None or _place(other, places, people, filled, tried):
            filled[index] = person
            return True
    return False


def round_now(step: ApproveStep, gone: float) -> tuple[int, float]:
    """Return whose turn it is so long after the first asking, and what they have left.

    What has to be asked again does not get its time again: neither here nor in `then`.
    """
    round_, circle = 0, step.then
    left = step.within.total_seconds() - gone
    while left <= 0 and circle is not None:
        round_, left = round_ + 1, left + circle.within.total_seconds()
        circle = circle.then
    return round_, left


def circle_at(step: ApproveStep, round_: int) -> Escalation | ApproveStep | None:
    """Return who is asked in a round, from 0; None: there is no such round."""
    circle: Escalation | ApproveStep | None = step
    for _ in range(round_):
        circle = circle.then if circle is not None else None
    return circle
