"""Status pages: the action kind `status_page`, which gives itself back.

What is here: the choice between Atlassian Statuspage (a `page`) and any service that
takes JSON (a `url` alone). What is not: checks of a status page, which are `http`.

Registered by bootstrap, with what the configuration says.
"""

from engine.adapters.status_page import plain, statuspage
from engine.adapters.status_page.parameters import (
    Account,
    StatusPageAccount,
    StatusPageAct,
)
from engine.adapters.status_page.server import Ended, server_for
from engine.ports import ActResult, Call, Web
from engine.registry import Registry

__all__ = ["StatusPageAccount", "StatusPageAct", "StatusPageKind", "register"]


class StatusPageKind:
    """The code of the kind."""

    def __init__(self, web: Web, account: Account | None = None) -> None:
        """Act through `web`; `account` is the configured one."""
        self._web = web
        self._account = account or StatusPageAccount()

    async def __call__(self, params: StatusPageAct, call: Call) -> ActResult:
        """Act once, or find that it was done; with `call.built_in`, give back."""
        try:
            server = server_for(self._web, self._account, params, call)
            if server.page is None:
                return await plain.tell(server, params, call)
            return await statuspage.tell(server, params, call)
        except Ended as ended:
            return ended.result


def register(registry: Registry, web: Web, account: Account | None = None) -> None:
    """Add the action kind `status_page`; `account` is the configured one."""
    registry.add_action(
        "status_page",
        StatusPageAct,
        StatusPageKind(web, account),
        built_in_undo=True,
        undo_may_be_written=True,
        places={"url": "url", "token": "header", "headers": "header"},
    )
