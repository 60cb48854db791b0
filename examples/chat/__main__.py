"""`python -m chat`: the stand-in in a process of its own, steered over HTTP.

The first line it prints is JSON: `base_url`, `bot_token`, `app_token`,
`signing_secret`, `bot_user`, `control` (see control). It ends with SIGTERM, SIGINT, or
when its standard input does, where `--leash` says so.
"""

import argparse
import asyncio
import json
import signal
import sys

from chat.control import steer
from chat.slack import Slack


def asked() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m chat")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--people", default="ana,bo")
    parser.add_argument("--channels", default="incidents")
    parser.add_argument("--socket-mode", action="store_true")
    parser.add_argument("--events", default="", help="where events are posted")
    parser.add_argument("--interactivity", default="")
    parser.add_argument("--commands", default="")
    rate = "seconds between two messages of a channel (Slack: 1)"
    parser.add_argument("--post-seconds", type=float, default=0.0, help=rate)
    parser.add_argument("--leash", action="store_true")
    return parser.parse_args()


async def serve(options: argparse.Namespace) -> None:
    """Listen until told to end."""
    slack = Slack(
        people=options.people.split(","), channels=options.channels.split(","),
        socket_mode=options.socket_mode, port=options.port,
    )  # fmt: skip
    slack.request_urls(events=options.events, interactivity=options.interactivity,
                       commands=options.commands)  # fmt: skip
    slack.rates.post_seconds = options.post_seconds
    steer(slack)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, ended.set)
    if options.leash:
        loop.add_reader(sys.stdin, ended.set)
    async with slack:
        print(json.dumps({
            "base_url": slack.base_url, "bot_token": slack.bot_token,
            "app_token": slack.app_token, "signing_secret": slack.signing_secret,
            "bot_user": slack.bot.id, "control": slack.workspace.base,
        }), flush=True)  # fmt: skip
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(serve(asked()))
