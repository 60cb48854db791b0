"""Words that oppose each other, as they stand in commands, addresses, keys, values.

Read by: effects, opposing, deadlocks.
"""

from typing import Final

PAIRS: Final = (
    ("acquire", "release"), ("activate", "deactivate"), ("add", "delete"),
    ("add", "remove"), ("allow", "deny"), ("attach", "detach"), ("block", "unblock"),
    ("close", "open"), ("cordon", "uncordon"), ("create", "delete"),
    ("deploy", "rollback"), ("disable", "enable"), ("down", "up"), ("drain", "restore"),
    ("drain", "uncordon"), ("drain", "undrain"), ("failback", "failover"),
    ("freeze", "thaw"), ("freeze", "unfreeze"), ("insert", "remove"),
    ("isolate", "restore"), ("lock", "unlock"), ("mask", "unmask"), ("mount", "umount"),
    ("mute", "unmute"), ("off", "on"), ("pause", "resume"), ("pause", "unpause"),
    ("pin", "unpin"), ("quarantine", "release"), ("demote", "promote"),
    ("false", "true"), ("scale-down", "scale-up"), ("scale-in", "scale-out"),
    ("shed", "admit"), ("shrink", "grow"), ("start", "stop"), ("suspend", "resume"),
    ("throttle", "unthrottle"), ("delete", "put"),
)  # fmt: skip
OPPOSITES: Final = frozenset(frozenset(pair) for pair in PAIRS)
LOCKS: Final = frozenset(
    {"lock", "locks", "lease", "leases", "mutex", "semaphore", "freeze", "claim"}
)


def oppose(one: str, other: str) -> bool:
    """Return whether two words say the opposite of each other.

    `scale_up` and `scale-up` are one word; of `drain-node` and `undrain-node` the part
    that differs is judged.
    """
    one, other = (word.lower().replace("_", "-") for word in (one, other))
    if frozenset((one, other)) in OPPOSITES:
        return True
    mine, theirs = one.split("-"), other.split("-")
    if len(mine) != len(theirs) or len(mine) == 1:
        return False
    differ = [pair for pair in zip(mine, theirs, strict=True) if pair[0] != pair[1]]
    return len(differ) == 1 and frozenset(differ[0]) in OPPOSITES


def names_lock(word: str) -> bool:
    """Return whether a word, or a part of it, is one for a lock."""
    return not LOCKS.isdisjoint(word.lower().replace("_", "-").split("-"))
