"""The Web API's auth, users.*, usergroups.*, views.* and files.* methods.

Called by: methods.
"""

from secrets import token_urlsafe
from typing import Final

from chat.arguments import Arguments
from chat.limits import check_view
from chat.methods_chat import Given, bot_message, channel_to_post
from chat.methods_conversations import paged
from chat.things import File, Json, Refused
from chat.workspace import View, Workspace

MOST_PUSHED: Final = 3  # windows on top of each other


def auth_test(workspace: Workspace, arguments: Arguments) -> Json:
    """auth.test."""
    return {
        "url": f"https://{workspace.domain}.slack.com/", "team": workspace.domain,
        "user": workspace.bot.name, "team_id": workspace.team,
        "user_id": workspace.bot.id, "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }  # fmt: skip


def users_info(workspace: Workspace, arguments: Arguments) -> Json:
    """users.info."""
    user = arguments.need("user")
    if user not in workspace.people:
        raise Refused("user_not_found")
    return {"user": workspace.people[user].body()}


def users_list(workspace: Workspace, arguments: Arguments) -> Json:
    """users.list."""
    found = [person.body() for person in workspace.people.values()]
    page, cursor = paged(found, arguments, 1000)
    return {"members": page, "cache_ts": workspace.now(),
            "response_metadata": {"next_cursor": cursor}}  # fmt: skip


def users_by_email(workspace: Workspace, arguments: Arguments) -> Json:
    """users.lookupByEmail; Refused: users_not_found."""
    email = arguments.need("email")
    for person in workspace.people.values():
        if person.email == email:
            return {"user": person.body()}
    raise Refused("users_not_found")


def groups_list(workspace: Workspace, arguments: Arguments) -> Json:
    """usergroups.list."""
    users = arguments.flag("include_users")
    return {"usergroups": [g.body(users=users) for g in workspace.groups.values()]}


def groups_users(workspace: Workspace, arguments: Arguments) -> Json:
    """usergroups.users.list; Refused: no_such_subteam."""
    group = workspace.groups.get(arguments.need("usergroup"))
    if group is None:
        raise Refused("no_such_subteam")
    return {"users": list(group.members)}


def views_open(workspace: Workspace, arguments: Arguments) -> Json:
    """views.open, with a trigger not older than three seconds."""
    view = _view(arguments)
    trigger = workspace.take_trigger(arguments.text("trigger_id"))
    return {"view": workspace.open_view(trigger.user, view).body}


def views_push(workspace: Workspace, arguments: Arguments) -> Json:
    """views.push, on the window that the trigger came from."""
    view = _view(arguments)
    trigger = workspace.take_trigger(arguments.text("trigger_id"))
    below = workspace.views.get(trigger.view)
    if below is None or below.gone:
        raise Refused("not_found")
    stack = [v for v in workspace.views.values() if v.root == below.root and not v.gone]
    if len(stack) >= MOST_PUSHED:
        raise Refused("push_limit_reached")
    return {"view": workspace.open_view(trigger.user, view, below).body}


def views_update(workspace: Workspace, arguments: Arguments) -> Json:
    """views.update, by view_id or external_id; Refused: hash_conflict, not_found."""
    given = _view(arguments)
    view = _found(workspace, arguments)
    known = arguments.text("hash")
    if known and known != view.body["hash"]:
        raise Refused("hash_conflict")
    view.body = workspace.view_body(view, given)
    workspace.changed()
    return {"view": view.body}


def views_publish(workspace: Workspace, arguments: Arguments) -> Json:
    """views.publish: somebody's home tab."""
    given = _view(arguments)
    person = workspace.person(arguments.need("user_id"))
    return {"view": workspace.open_view(person.id, given).body}


def _view(arguments: Arguments) -> Json:
    view = arguments.structure("view", "invalid_arguments")
    check_view(view)
    return dict(view)


def _found(workspace: Workspace, arguments: Arguments) -> View:
    view_id, external = arguments.text("view_id"), arguments.text("external_id")
    for view in reversed(list(workspace.views.values())):
        named = external and view.body["external_id"] == external
        if not view.gone and (view.id == view_id or named):
            return view
    raise Refused("not_found")


def files_url(workspace: Workspace, arguments: Arguments) -> Json:
    """files.getUploadURLExternal; the bytes go to its upload_url by POST."""
    length = arguments.number("length", 0)
    if length <= 0:
        raise Refused("invalid_arguments",
                      "[ERROR] must be greater than 0: length")  # fmt: skip
    file = File(
        workspace.new_id("F"), arguments.need("filename"), length, token_urlsafe(12),
        workspace.bot.id, alt_text=arguments.text("alt_txt"), created=workspace.now(),
    )  # fmt: skip
    workspace.files[file.id] = file
    return {"upload_url": f"{workspace.base}/upload/v1/{file.ticket}",
            "file_id": file.id}  # fmt: skip


def files_complete(workspace: Workspace, arguments: Arguments) -> Json:
    """files.completeUploadExternal: the files become one message of the channel."""
    wanted = arguments.structure("files", "invalid_arguments") or []
    if not wanted:
        raise Refused("invalid_arguments", "[ERROR] missing required field: files")
    files = [_uploaded(workspace, one) for one in wanted]
    where = arguments.text("channel_id") or arguments.text("channels")
    if where:
        channel = channel_to_post(workspace, where)
        given: Given = (arguments.text("initial_comment"), [], [], None)
        message = bot_message(workspace, channel, given, files=files)
        message.subtype, message.thread_ts = "file_share", arguments.text("thread_ts")
        for file in files:
            file.shares.append((channel.id, message.ts))
        workspace.post(message)
    return {"files": [file.body(workspace.base) for file in files]}


def _uploaded(workspace: Workspace, given: Json) -> File:
    file = workspace.files.get(given.get("id", ""))
    if file is None or file.content is None:
        raise Refused("file_not_found")
    file.title = given.get("title") or file.name
    return file


def files_info(workspace: Workspace, arguments: Arguments) -> Json:
    """files.info."""
    file = workspace.files.get(arguments.need("file"))
    if file is None or file.content is None:
        raise Refused("file_not_found")
    return {"file": file.body(workspace.base), "comments": []}
