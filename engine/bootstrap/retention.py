"""What is too old is removed from the journal, as `retention` says.

Called by: entrypoints, at a command, a request, and once a day.
"""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from engine.config import Config

NEVER: Final = "nothing is ever removed: `retention` is not set in the configuration"


async def remove_old(
    store: Any, config: "Config", now: float, *, dry: bool
) -> list[str]:
    """Do what the settings say; return what people are told.

    `now`: epoch seconds. `dry`: only count.
    """
    ages = config.settings.retention
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
