"""What another condition means: it asks for more, for less, or cannot be weighed.

`a && b` asks for more than `a`. Anything else that differs is not weighed here.
Read by: acting, actions.
"""

from typing import Literal

Compared = Literal["same", "more", "less", "other"]


def compared(old: str | None, new: str | None) -> Compared:
    """Return whether the new condition asks for more than the old; None: nothing."""
    before, after = _parts(old), _parts(new)
    if before == after:
        return "same"
    if before < after:
        return "more"
    return "less" if after < before else "other"


def _parts(source: str | None) -> frozenset[str]:
    """Return what has to be true together: the parts between the outermost `&&`."""
    if source is None:
        return frozenset()
    found, depth, quote, start = [], 0, "", 0
    for at, letter in enumerate(source):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif depth == 0 and source.startswith(("||", "?"), at):
            return frozenset({" ".join(source.split())})
        elif depth == 0 and source.startswith("&&", at):
            found.append(source[start:at])
            start = at + 2
    found.append(source[start:])
    return frozenset(" ".join(one.split()) for one in found)
