"""The stand-in steered from outside its process: gestures, faults and state over HTTP.

    GET  /                 every channel as one page (see page)
    GET  /state            channels with their messages, calls, deliveries, as JSON
    GET  /transcript       a channel as text: ?channel=incidents
    POST /do/NAME          a gesture or a fault; its arguments are the JSON body

The names are those of DOINGS, their arguments those of `slack.Slack`'s methods; where
a method takes a message the body has `channel` and `ts` (without `ts`: the newest
there). What cannot be done is 400 with the reason. Called by: __main__.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from aiohttp import web

from chat.delivery import Delivery
from chat.slack import Slack
from chat.things import Channel, Json, Message, Refused
from chat.windows import Cannot

Doing = Callable[[Slack, Json], Awaitable[Any]]


def steer(slack: Slack) -> None:
    """Add the routes to a Slack that is not yet listening."""
    routes = slack.server.app.router

    async def show(request: web.Request) -> web.Response:
        return web.Response(text=slack.page(), content_type="text/html")

    async def tell(request: web.Request) -> web.Response:
        return web.json_response(state_of(slack))

    async def write(request: web.Request) -> web.Response:
        return web.Response(text=slack.transcript(request.query["channel"]))

    async def do(request: web.Request) -> web.Response:
        try:
            given = await request.json() if request.can_read_body else {}
            made = await DOINGS[request.match_info["name"]](slack, given)
        except (Cannot, Refused, KeyError, TypeError, ValueError) as error:
            why = f"{type(error).__name__}: {error}"
            return web.json_response({"error": why}, status=400)
        return web.json_response(made)

    routes.add_get("/", show)
    routes.add_get("/state", tell)
    routes.add_get("/transcript", write)
    routes.add_post("/do/{name}", do)


def state_of(slack: Slack) -> Json:
    """Return everything a test looks at, as JSON."""
    channels = slack.workspace.channels.values()
    return {
        "channels": [channel_state(slack, channel) for channel in channels],
        "calls": [asdict(call) for call in slack.calls],
        "deliveries": [
            {"kind": one.kind, "body": one.body, **told(one)}
            for one in slack.deliveries
        ],
        "connections": len(slack.sockets.connections),
        "windows": [
            view.body | {"user": view.user}
            for view in slack.workspace.views.values() if not view.gone
        ],
    }  # fmt: skip


def channel_state(slack: Slack, channel: Channel) -> Json:
    """Return a channel with everything in it."""
    return {
        **channel.body(member=slack.bot.id),
        "members": channel.members,
        "pins": [pin.ts for pin in channel.pins],
        "messages": [message_state(m) for m in channel.messages if not m.deleted],
    }


def message_state(message: Message) -> Json:
    """Return a message, with what Slack's own object does not have."""
    return message.body(metadata=True) | {
        "edits": message.edits,
        "seen_by": message.seen_by,
        "pings": sorted(message.pings),
    }


def told(delivery: Delivery) -> Json:
    """Return how a delivery went."""
    return {
        "acknowledged": delivery.acknowledged,
        "shown": delivery.shown,
        "errors": delivery.errors,
        "attempts": [asdict(one) for one in delivery.attempts],
    }


def _message(slack: Slack, given: Json) -> Message:
    where, ts = given.pop("channel"), given.pop("ts", "")
    if ts:
        return slack.message(where, ts)
    if not slack.messages(where):
        raise Cannot(f"nothing stands in {where}")
    return slack.last(where)


async def _say(slack: Slack, given: Json) -> Json:
    return message_state(await slack.say(**given))


async def _share(slack: Slack, given: Json) -> Json:
    content = str(given.pop("content")).encode()
    return message_state(await slack.share(content=content, **given))


async def _edit(slack: Slack, given: Json) -> Json:
    message = _message(slack, given)
    await slack.edit(given["user"], message, given["text"])
    return message_state(message)


async def _delete(slack: Slack, given: Json) -> Json:
    await slack.delete(given["user"], _message(slack, given))
    return {}


async def _react(slack: Slack, given: Json) -> Json:
    await slack.react(given["user"], _message(slack, given), given["name"])
    return {}


async def _press(slack: Slack, given: Json) -> Json:
    message = _message(slack, given)
    return told(await slack.press(message=message, **given))


async def _message_shortcut(slack: Slack, given: Json) -> Json:
    message = _message(slack, given)
    return told(await slack.message_shortcut(message=message, **given))


async def _shortcut(slack: Slack, given: Json) -> Json:
    return told(await slack.shortcut(**given))


async def _command(slack: Slack, given: Json) -> Json:
    return told(await slack.command(**given))


async def _submit(slack: Slack, given: Json) -> Json:
    return told(await slack.submit(given["user"], given["values"]))


async def _fail(slack: Slack, given: Json) -> Json:
    slack.fail(*given.pop("methods", []), **given)
    return {}


async def _heal(slack: Slack, given: Json) -> Json:
    slack.heal()
    slack.restore()
    return {}


async def _revoke(slack: Slack, given: Json) -> Json:
    slack.revoke()
    return {}


async def _drop(slack: Slack, given: Json) -> Json:
    slack.sockets.drop()
    return {}


async def _disconnect(slack: Slack, given: Json) -> Json:
    await slack.disconnect(given["reason"])
    return {}


async def _rates(slack: Slack, given: Json) -> Json:
    slack.rates.post_seconds = float(given.get("post_seconds", 0))
    slack.rates.burst = int(given.get("burst", 1))
    slack.rates.per_minute = dict(given.get("per_minute", {}))
    return {}


async def _urls(slack: Slack, given: Json) -> Json:
    slack.request_urls(**given)
    return {}


DOINGS: Final[Mapping[str, Doing]] = {
    "say": _say,
    "share": _share,
    "edit": _edit,
    "delete": _delete,
    "react": _react,
    "press": _press,
    "message_shortcut": _message_shortcut,
    "shortcut": _shortcut,
    "command": _command,
    "submit": _submit,
    "fail": _fail,
    "heal": _heal,
    "revoke": _revoke,
    "drop": _drop,
    "disconnect": _disconnect,
    "rates": _rates,
    "request_urls": _urls,
}
