"""The REST API v4, as far as an app of its kind asks it. Called by: mattermost."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web
from chat.server import cut

from mattermost.dialogs import check_dialog
from mattermost.things import Channel, File, Json, Post, Problem, User, forbidden
from mattermost.trouble import Call, Failure, Trouble
from mattermost.world import World

MOST_BYTES: Final = 64 * 1024 * 1024
DEFAULT_PAGE: Final = 60
MOST_PAGE: Final = 200

Handle = Callable[[World, User, web.Request, Any], Any]


class Routes:
    """Answers an app. `tokens` are those that are good, each with its user's name."""

    def __init__(
        self, world: World, trouble: Trouble, changed: Callable[[], None]
    ) -> None:
        self.world, self.trouble, self.changed = world, trouble, changed
        self.tokens = {"good-token": world.bot.id}
        self.app = web.Application(client_max_size=MOST_BYTES)
        for name, handle in HANDLES.items():
            method, _, path = name.partition(" ")
            self.app.router.add_route(method, f"/api/v4{path}", self._of(name, handle))

    def _of(
        self, name: str, handle: Handle
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._answer(name, handle, request)

        return answer

    async def _answer(
        self, name: str, handle: Handle, request: web.Request
    ) -> web.StreamResponse:
        came = self.trouble.ticks()
        given = await _read(request)
        room = given.get("channel_id", "") if isinstance(given, dict) else ""
        room = request.match_info.get("channel", room)
        fault = self.trouble.next(name, room)
        status, body = 500, Problem(500, "faulty", "It failed.").body()
        done = fault is None or fault.has_effect
        if done:
            status, body = self._perform(name, handle, request, given)
            done = status < 300
        if fault is not None and fault.status:
            status = fault.status
            body = Problem(status, fault.error or "faulty", "It failed.").body()
        shown = given if isinstance(given, dict) else {"list": given}
        told = 0 if fault is not None and fault.drop else status
        error = body.get("id", "") if status >= 300 and isinstance(body, dict) else ""
        self.trouble.calls.append(Call(name, shown, came, told, error, done, body))
        self.changed()
        if fault is not None and fault.seconds:
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.drop:
            return cut(request)
        return _written(status, body, fault)

    def _perform(
        self, name: str, handle: Handle, request: web.Request, given: Any
    ) -> tuple[int, Any]:
        try:
            user = self._user(request)
            body = handle(self.world, user, request, given)
        except Problem as problem:
            return problem.status, problem.body()
        except (KeyError, TypeError, ValueError, AttributeError):
            wrong = Problem(400, "api.context.invalid_body_param.app_error", "Invalid.")
            return 400, wrong.body()
        return (201 if name in CREATES else 200), body

    def _user(self, request: web.Request) -> User:
        header = request.headers.get("Authorization", "")
        token = header.removeprefix("Bearer ")
        if token not in self.tokens:
            words = "Invalid or expired session, please login again."
            raise Problem(401, "api.context.session_expired.app_error", words)
        return self.world.users[self.tokens[token]]


async def _read(request: web.Request) -> Any:
    if request.content_type.startswith("multipart/"):
        fields = await request.post()
        return {
            key: {"name": one.filename, "content": one.file.read()}
            if isinstance(one, web.FileField) else one
            for key, one in fields.items()
        }  # fmt: skip
    raw = await request.read()
    try:
        return json.loads(raw or b"{}")
    except ValueError:
        return {}


def _written(status: int, body: Any, fault: Any) -> web.Response:
    headers = {"X-Request-Id": "0", "X-Version-Id": "10.5.0"}
    if fault is not None and fault.retry_after is not None:
        headers["Retry-After"] = fault.retry_after
    if isinstance(fault, Failure) and fault.reset is not None:
        headers["X-RateLimit-Reset"] = fault.reset
    if status == 429:
        return web.Response(text="limit exceeded\n", status=429, headers=headers)
    if fault is not None and fault.status in (502, 504):
        return web.Response(text="<html>bad gateway</html>", status=status,
                            content_type="text/html", headers=headers)  # fmt: skip
    return web.json_response(body, status=status, headers=headers)


def _me(world: World, user: User, request: web.Request, given: Json) -> Json:
    return user.body()


def _team(world: World, user: User, request: web.Request, given: Json) -> Json:
    if request.match_info["name"] != world.team_name:
        raise Problem(404, "app.team.get_by_name.missing.app_error",
                      "Unable to find the existing team.")  # fmt: skip
    return {"id": world.team, "name": world.team_name, "type": "O", "delete_at": 0}


def _visible(world: World, channel: Channel, user: User) -> Channel:
    if channel.type != "O":
        world.member(channel, user)
    return channel


def _of_path(world: World, user: User, request: web.Request) -> Channel:
    wanted = request.match_info["channel"]
    if wanted not in world.channels:
        world.channel("")
    return _visible(world, world.channels[wanted], user)


def _channel(world: World, user: User, request: web.Request, given: Json) -> Json:
    return _of_path(world, user, request).body()


def _channel_named(world: World, user: User, request: web.Request, given: Json) -> Json:
    wanted = request.match_info["name"]
    deleted = request.query.get("include_deleted") == "true"
    for one in world.channels.values():
        if one.name == wanted and (deleted or not one.deleted_at):
            if one.type != "O" and user.id not in one.members:
                break
            return one.body()
    raise Problem(404, "app.channel.get_by_name.missing.app_error",
                  "Channel does not exist.")  # fmt: skip


def _channels_of(world: World, user: User, request: web.Request, given: Json) -> Any:
    return [
        one.body() for one in world.channels.values()
        if user.id in one.members and not one.deleted_at
    ]  # fmt: skip


def _create(world: World, user: User, request: web.Request, given: Json) -> Json:
    return world.add_channel(
        given["name"], [user.name], creator=user.id, kind=given["type"],
        shown_as=given.get("display_name", ""), header=given.get("header", ""),
        purpose=given.get("purpose", ""),
    ).body()  # fmt: skip


def _direct(world: World, user: User, request: web.Request, given: list[str]) -> Json:
    return world.direct(given[0], given[1]).body()


def _patch_channel(world: World, user: User, request: web.Request, given: Json) -> Json:
    channel = _of_path(world, user, request)
    world.member(channel, user)
    header = given.get("header", channel.header)
    if len(header) > 1_024:
        raise Problem(400, "model.channel.is_valid.header.app_error")
    if header != channel.header:
        channel.header = header
        world.notice(channel, user, "system_header_change", "updated the header")
    return channel.body()


def _restore(world: World, user: User, request: web.Request, given: Json) -> Json:
    if not world.may_restore:
        raise forbidden()
    channel = _of_path(world, user, request)
    channel.deleted_at = 0
    return channel.body()


def _add_member(world: World, user: User, request: web.Request, given: Json) -> Json:
    channel = _of_path(world, user, request)
    other = world.user(given["user_id"])
    if other.id != user.id:
        world.member(channel, user)
    world.join(channel, other)
    return {"channel_id": channel.id, "user_id": other.id, "roles": "channel_user"}


def _members(world: World, user: User, request: web.Request, given: list[str]) -> Any:
    channel = _of_path(world, user, request)
    there = [one for one in given if one in channel.members]
    return [{"channel_id": channel.id, "user_id": one} for one in there]


def _post(world: World, user: User, request: web.Request, given: Json) -> Json:
    return world.post(user, given).body()


def _whisper(world: World, user: User, request: web.Request, given: Json) -> Json:
    return world.whisper(given).body()


def _found(world: World, user: User, request: web.Request) -> Post:
    post = world.find(request.match_info["post"])
    _visible(world, world.channels[post.channel], user)
    return post


def _get(world: World, user: User, request: web.Request, given: Json) -> Json:
    return _found(world, user, request).body()


def _patch(world: World, user: User, request: web.Request, given: Json) -> Json:
    post = _found(world, user, request)
    world.patch(user, post, given)
    return post.body()


def _pin(world: World, user: User, request: web.Request, given: Json) -> Json:
    world.pin(_found(world, user, request))
    return {"status": "OK"}


def _thread(world: World, user: User, request: web.Request, given: Json) -> Json:
    root = _found(world, user, request)
    posts = world.channels[root.channel].posts
    return _list([p for p in posts if root.id in (p.id, p.root) and not p.deleted_at])


def _posts(world: World, user: User, request: web.Request, given: Json) -> Json:
    channel = _of_path(world, user, request)
    world.member(channel, user)
    there = [one for one in channel.posts if not one.seen_by]
    if since := int(request.query.get("since", "0")):
        return _list([one for one in there if one.updated_at > since][-1000:])
    alive = [one for one in there if not one.deleted_at]
    size = min(int(request.query.get("per_page", DEFAULT_PAGE)), MOST_PAGE)
    start = int(request.query.get("page", "0")) * size
    return _list(list(reversed(alive))[start : start + size])


def _list(posts: list[Post]) -> Json:
    newest = sorted(posts, key=lambda one: -one.at)
    return {
        "order": [one.id for one in newest],
        "posts": {one.id: one.body() for one in newest},
        "next_post_id": "",
        "prev_post_id": "",
    }


def _upload(world: World, user: User, request: web.Request, given: Json) -> Json:
    channel = world.channel(given["channel_id"])
    world.member(channel, user)
    one = given["files"]
    file = File(world.new_id("f"), one["name"], user.id, channel.id, world.now(),
                one["content"])  # fmt: skip
    world.files[file.id] = file
    return {"file_infos": [file.body()], "client_ids": []}


def _dialog(world: World, user: User, request: web.Request, given: Json) -> Json:
    opener = world.opener(given["trigger_id"])
    check_dialog(given)
    world.dialogs[opener.id] = given
    return {"status": "OK"}


def _group(world: World, user: User, request: web.Request, given: Json) -> Json:
    return world.group(request.match_info["group"]).body()


def _group_members(world: World, user: User, request: web.Request, given: Json) -> Json:
    group = world.group(request.match_info["group"])
    size = min(int(request.query.get("per_page", DEFAULT_PAGE)), MOST_PAGE)
    start = int(request.query.get("page", "0")) * size
    listed = [world.users[one].body() for one in group.members[start : start + size]]
    return {"members": listed, "total_member_count": len(group.members)}


CREATES: Final = frozenset({
    "POST /posts", "POST /posts/ephemeral", "POST /channels", "POST /channels/direct",
    "POST /channels/{channel}/members", "POST /files",
})  # fmt: skip
HANDLES: Final[dict[str, Handle]] = {
    "GET /users/me": _me,
    "GET /users/{user}/teams/{team}/channels": _channels_of,
    "GET /teams/name/{name}": _team,
    "GET /teams/{team}/channels/name/{name}": _channel_named,
    "POST /channels": _create,
    "POST /channels/direct": _direct,
    "GET /channels/{channel}": _channel,
    "PUT /channels/{channel}/patch": _patch_channel,
    "POST /channels/{channel}/restore": _restore,
    "POST /channels/{channel}/members": _add_member,
    "POST /channels/{channel}/members/ids": _members,
    "GET /channels/{channel}/posts": _posts,
    "POST /posts": _post,
    "POST /posts/ephemeral": _whisper,
    "GET /posts/{post}": _get,
    "PUT /posts/{post}/patch": _patch,
    "POST /posts/{post}/pin": _pin,
    "GET /posts/{post}/thread": _thread,
    "POST /files": _upload,
    "POST /actions/dialogs/open": _dialog,
    "GET /groups/{group}": _group,
    "GET /groups/{group}/members": _group_members,
}
