"""Every Web API method that this Slack has, as one table. Called by: server.

`apps.connections.open` is beside it, in sockets: it needs the server.
"""

from collections.abc import Callable, Mapping
from typing import Final

from chat import methods_chat as chat
from chat import methods_conversations as conversations
from chat import methods_rest as rest
from chat.arguments import Arguments
from chat.things import Json
from chat.workspace import Workspace

Method = Callable[[Workspace, Arguments], Json]

METHODS: Final[Mapping[str, Method]] = {
    "api.test": lambda workspace, arguments: {"args": arguments.given},
    "auth.test": rest.auth_test,
    "chat.postMessage": chat.post_message,
    "chat.postEphemeral": chat.post_ephemeral,
    "chat.update": chat.update,
    "chat.delete": chat.delete,
    "chat.getPermalink": chat.get_permalink,
    "conversations.create": conversations.create,
    "conversations.rename": conversations.rename,
    "conversations.setTopic": conversations.set_topic,
    "conversations.setPurpose": conversations.set_purpose,
    "conversations.invite": conversations.invite,
    "conversations.join": conversations.join,
    "conversations.leave": conversations.leave,
    "conversations.info": conversations.info,
    "conversations.members": conversations.members,
    "conversations.archive": conversations.archive,
    "conversations.unarchive": conversations.unarchive,
    "conversations.list": conversations.list_all,
    "conversations.open": conversations.open_direct,
    "conversations.history": conversations.history,
    "conversations.replies": conversations.replies,
    "pins.add": chat.pins_add,
    "pins.remove": chat.pins_remove,
    "pins.list": chat.pins_list,
    "reactions.add": chat.reactions_add,
    "reactions.remove": chat.reactions_remove,
    "reactions.get": chat.reactions_get,
    "users.info": rest.users_info,
    "users.list": rest.users_list,
    "users.lookupByEmail": rest.users_by_email,
    "usergroups.list": rest.groups_list,
    "usergroups.users.list": rest.groups_users,
    "views.open": rest.views_open,
    "views.push": rest.views_push,
    "views.update": rest.views_update,
    "views.publish": rest.views_publish,
    "files.getUploadURLExternal": rest.files_url,
    "files.completeUploadExternal": rest.files_complete,
    "files.info": rest.files_info,
}
