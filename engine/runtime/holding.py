"""The global hold as people set and lift it: the same from every door.

What they write is freed of secrets and of what no screen can show before it is kept:
every account of the engine, every chat and every log reads it. It needs neither the
journal nor a run, so it works where nothing else does. What it does to acts is the
driver's to see.

Called by the API, the desk of a chat, the commands `hold` and `restore`.
"""

from collections.abc import Callable
from typing import Final

from engine.errors import DoesNotApply, StoreUnavailable
from engine.model.visible import visible
from engine.ports import HoldSwitch
from engine.runtime.plain_text import kept_text

MOST_REASON: Final = 500  # characters
MOST_NAME: Final = 100


def set_hold(
    switch: HoldSwitch,
    clean: Callable[[str], str],
    by: str,
    reason: str,
    *,
    most: int = MOST_REASON,
) -> str | None:
    """Set the hold, or say a new reason; return how it stands.

    Args:
        clean: Returns a text without secrets.
        most: Characters of the reason that are kept.

    Raises:
        DoesNotApply: no reason is given.
        StoreUnavailable: it could not be kept; what was there before still holds.
    """
    told = visible(clean(kept_text(reason)).strip(), most=most)
    if not told:
        raise DoesNotApply("say why: the reason is what everybody sees")
    name = visible(clean(kept_text(by)), most=MOST_NAME)
    try:
        switch.set(name, told)
    except OSError as error:
        raise _not_changed(error) from error
    return switch.reason()


def lift_hold(switch: HoldSwitch) -> str | None:
    """Lift the hold; return how it stands. Off already: nothing happens.

    Raises:
        StoreUnavailable: it could not be lifted, so it is still on.
    """
    try:
        switch.lift()
    except OSError as error:
        raise _not_changed(error) from error
    return switch.reason()


def _not_changed(error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"the hold cannot be changed: {error}")
