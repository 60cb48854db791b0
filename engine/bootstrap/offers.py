"""What the intake offers to people, as the journal tells it: for where no server runs.

Called by: entrypoints.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from engine.bootstrap.opening import journal
from engine.bootstrap.parts import JOURNAL
from engine.core.intake.offers import offer_object
from engine.runtime.intake import offers, read_book

if TYPE_CHECKING:
    from engine.config import Config


def offered(config: "Config") -> list[dict[str, Any]]:
    """Return what is proposed as the journal tells it, the worst first."""

    async def read() -> list[dict[str, Any]]:
        async with journal(config) as store:
            return [offer_object(one) for one in offers(await read_book(store.alerts))]

    return asyncio.run(read()) if (config.data / JOURNAL).exists() else []
