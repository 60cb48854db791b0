"""What is too old is removed from the journal, as `retention` says.

Called by: entrypoints, at a command, a request, and once a day.
"""

from datetime import timedelta
from typing import Any, Final, Protocol

NEVER: Final = "nothing is ever removed: `retention` is not set in the configuration"


class Ages(Protocol):
    """How long is kept what has ended; None: for ever."""

    @property
    def runs(self) -> timedelta | None:
        """Runs, from their end."""
        ...

    @property
    def alerts(self) -> timedelta | None:
        """Deliveries, and the decisions on them."""
        ...


async def remove_old(store: Any, ages: Ages, now: float, *, dry: bool) -> list[str]:
    """Remove what is older than it is to be kept; return what people are told.

    `now`: epoch seconds. `dry`: only count.
    """
    if ages.runs is None and ages.alerts is None:
        return [NEVER]
    word, lines = "would be removed" if dry else "removed", []
    if ages.runs is not None:
        why = f"retention.runs is {ages.runs.days}d"
        done = await store.retention.runs(
            now - ages.runs.total_seconds(), why=why, dry=dry
        )
        lines.append(
            f"{word}: {done.runs:,} runs with {done.entries:,} entries; "
            f"{done.kept:,} as old are still needed"
        )
        lines += [
            f"kept: {run} is not as it was written: runbook verify-timeline {run}"
            for run in done.changed
        ]
    if ages.alerts is not None:
        done = await store.retention.alerts(now - ages.alerts.total_seconds(), dry=dry)
        lines.append(
            f"{word}: {done.deliveries:,} deliveries, {done.decisions:,} decisions"
        )
    return lines
