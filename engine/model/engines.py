"""Who drives runs of one journal: a row for each process, as others see it."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["serve", "local"]  # the one server; a command that drives its own runs


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One process that may drive runs, as long as nobody has taken its place."""

    token: int  # grows with every process: the fence
    role: Role
    owner: str  # for people: user@host, pid, since when
    beat: int  # a counter that grows while it lives; never a time
