"""What the configuration says of a Mattermost server, as this adapter reads it.

Read by: the package. Given by bootstrap.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from engine.model.values import SecretRef

NAME: Final = "mattermost"  # in places and accounts
DOORS: Final = "/chat/mattermost"  # below it: command, action, dialog


class MattermostSettings(Protocol):
    """The keys of `chat.mattermost`."""

    @property
    def url(self) -> str: ...  # noqa: D102  # as the configuration describes them
    @property
    def token(self) -> SecretRef: ...  # noqa: D102
    @property
    def commands(self) -> SecretRef | list[SecretRef] | None: ...  # noqa: D102
    @property
    def signing(self) -> SecretRef | list[SecretRef] | None: ...  # noqa: D102
    @property
    def team(self) -> str: ...  # noqa: D102
    @property
    def callback(self) -> str | None: ...  # noqa: D102


def names_of(wanted: SecretRef | Sequence[SecretRef] | None) -> list[str]:
    """Return the names of secrets, however they are written."""
    if wanted is None:
        return []
    listed = [wanted] if isinstance(wanted, SecretRef) else wanted
    return [one.secret for one in listed]
