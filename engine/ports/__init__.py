"""What the engine asks of the outside world: one Protocol for each kind of system.

The law for every port: methods are async; a check or an action never raises for what
the world does to it, but says `unknown` or `failed` and why; it ends within
`call.timeout_seconds` as a total, not per read; the same `call.key` is the same
request; secret values are fetched by `call.secret(name)` at the last moment and never
returned.

One suite in tests/contracts runs over all adapters of a port.
"""

from engine.ports.alerts import AlertStore, BadBody, Posted, Silences, SourceCode
from engine.ports.chat import POST_SECONDS, ChatProvider, ChatStore, WayOut
from engine.ports.journal import Clock, Mailbox, Ownership, Store
from engine.ports.kinds import ActCode, ActResult, Call, EndLeft, LookCode
from engine.ports.people import (
    Chat,
    GlobalHold,
    HoldSwitch,
    OnCallSchedule,
    Pager,
    Secrets,
)
from engine.ports.web import (
    TRY_AGAIN,
    Web,
    WebAnswer,
    WebProblem,
    WebProblemKind,
    WebRequest,
)

__all__ = [
    "POST_SECONDS",
    "TRY_AGAIN",
    "ActCode",
    "ActResult",
    "AlertStore",
    "BadBody",
    "Call",
    "Chat",
    "ChatProvider",
    "ChatStore",
    "Clock",
    "EndLeft",
    "GlobalHold",
    "HoldSwitch",
    "LookCode",
    "Mailbox",
    "OnCallSchedule",
    "Ownership",
    "Pager",
    "Posted",
    "Secrets",
    "Silences",
    "SourceCode",
    "Store",
    "WayOut",
    "Web",
    "WebAnswer",
    "WebProblem",
    "WebProblemKind",
    "WebRequest",
]
