"""The entry of every process: `python -m messaging.run SETUP-AS-JSON`.

Used by: control.py, which starts one of these for each process.
"""

import asyncio
import sys

from . import deploys, gateway, keys, load, media, router, scraper
from .process import Setup, end_with_parent

PROCESSES = {
    "gateway": gateway.start,
    "router": router.start,
    "media": media.start,
    "keys": keys.start,
    "deploys": deploys.start,
    "load": load.start,
    "scraper": scraper.start,
}


async def main(setup: Setup) -> None:
    """Run the process that the setup names, until it is killed."""
    end_with_parent()
    await PROCESSES[setup.name](setup)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Setup.from_json(sys.argv[1])))
