"""How this Slack fails on demand, how fast it lets an app post, and what was called.

Called by: server (asks before and after each call), slack (the test's door to it).
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Literal, Self

from chat.things import Json

TIERS: Final = {
    **dict.fromkeys((
        "conversations.create", "conversations.setTopic", "conversations.setPurpose",
        "conversations.list", "conversations.archive", "conversations.rename",
        "pins.add", "pins.remove", "pins.list", "users.list", "usergroups.list",
        "usergroups.users.list",
    ), 20),
    **dict.fromkeys((
        "chat.update", "chat.delete", "conversations.invite", "conversations.info",
        "conversations.join", "conversations.open", "conversations.history",
        "conversations.replies", "reactions.add", "reactions.get",
    ), 50),
    **dict.fromkeys((
        "chat.postEphemeral", "conversations.members", "users.info", "views.open",
        "views.push", "views.update", "files.getUploadURLExternal",
        "files.completeUploadExternal",
    ), 100),
}  # fmt: skip  # calls a minute: Slack's tiers 2, 3 and 4
Drop = Literal["", "before", "after"]


@dataclass
class Fault:
    """One way to fail. Several at once: the oldest that fits a call is taken.

    As a context manager it is lifted at the end of the block.

    Attributes:
        methods: which methods; empty: all, and the upload of a file's bytes ("upload").
        status: HTTP status instead of 200, with a body that is no JSON (429: JSON).
        error: the code of an answer `ok: false`.
        retry_after: the Retry-After header's value as it is; None: no header.
        seconds: how long the answer takes (the call's effect comes before the wait
            where `effect` is true, else there is none).
        drop: the connection is cut without an answer: before or after the effect.
        effect: whether a call that fails by status or error had its effect all the
            same. Always true for `drop="after"` and for a fault that only waits.
        channel: only calls for this channel id.
        times: how many calls it is for; None: all until it is lifted.
    """

    methods: frozenset[str] = frozenset()
    status: int = 0
    error: str = ""
    retry_after: str | None = None
    seconds: float = 0.0
    drop: Drop = ""
    effect: bool = False
    channel: str = ""
    times: int | None = None
    lifted: bool = False
    met: int = 0  # calls it has failed

    def lift(self) -> None:
        """End it."""
        self.lifted = True

    def fits(self, method: str, channel: str) -> bool:
        """Return whether it is for this call, in the channel of this id."""
        open_still = not self.lifted and (self.times is None or self.met < self.times)
        here = self.channel in ("", channel)
        return open_still and here and (not self.methods or method in self.methods)

    @property
    def has_effect(self) -> bool:
        """Return whether the call is carried out before it fails."""
        fails = self.status or self.error or self.drop == "before"
        return self.effect or not fails

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: TracebackType | None) -> None:  # fmt: skip
        self.lift()


@dataclass
class Rates:
    """How often an app may call; beyond that it is 429 with Retry-After.

    Attributes:
        post_seconds: seconds between two chat.postMessage of one channel, measured at
            the time a call comes; 0: no limit (Slack: 1).
        burst: messages that may come at once before that (Slack: a few, not promised).
        per_minute: method -> calls in a minute, for all channels together (Slack:
            chat.update 50, conversations.create 20).
    """

    post_seconds: float = 0.0
    burst: int = 1
    per_minute: dict[str, int] = field(default_factory=dict)
    _due_at: dict[str, float] = field(default_factory=dict)
    _calls: dict[str, list[float]] = field(default_factory=dict)

    def as_slack(self) -> None:
        """Limit what Slack limits, at the least that it promises."""
        self.post_seconds = 1.0
        self.per_minute = dict(TIERS)

    def wait(self, method: str, channel: str, at: float) -> int:
        """Return 0, or after how many whole seconds the call may come again."""
        limit = self.per_minute.get(method)
        recent = [t for t in self._calls.get(method, []) if t > at - 60]
        if limit is not None and len(recent) >= limit:
            return max(1, math.ceil(recent[0] + 60 - at))
        if self.post_seconds and method == "chat.postMessage":
            due = max(self._due_at.get(channel, 0.0), at) + self.post_seconds
            if due - at > self.burst * self.post_seconds + 1e-9:
                return max(1, math.ceil(due - at - self.burst * self.post_seconds))
            self._due_at[channel] = due
        self._calls[method] = [*recent, at]
        return 0


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came and as it went.

    `at` is monotonic seconds when it came; `status` 0 is a cut connection; `error` is
    the code of `ok: false`; `effect` whether it changed (or read) the workspace.
    """

    method: str
    arguments: Json
    at: float
    status: int
    error: str
    effect: bool
    answer: Json


@dataclass
class Trouble:
    """The faults that are set, the rates, and the log of calls."""

    ticks: Callable[[], float]
    faults: list[Fault] = field(default_factory=list)
    rates: Rates = field(default_factory=Rates)
    calls: list[Call] = field(default_factory=list)

    def add(self, fault: Fault) -> Fault:
        """Set a fault; return it, to be lifted."""
        self.faults.append(fault)
        return fault

    def next(self, method: str, channel: str = "") -> Fault | None:
        """Return the fault this call meets, counted, or None."""
        for fault in self.faults:
            if fault.fits(method, channel):
                fault.met += 1
                return fault
        return None

    def of(self, methods: Iterable[str]) -> list[Call]:
        """Return the calls of some methods, in the order they ended."""
        wanted = set(methods)
        return [call for call in self.calls if call.method in wanted]
