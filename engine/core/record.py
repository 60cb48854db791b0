"""The record of a run: everything `advance` knows of it, as one frozen value.

A thread is one place in the code where something goes on: the main line, one for each
target of a batch, one for each watch. It waits for keys; an event with such a key moves
it. Nothing here is a clock or a handle: the record can be rebuilt from the events.
"""

from typing import Any, Final, Literal

import msgspec

from engine.core.code import END_OF_BLOCK
from engine.model.evidence import Evidence
from engine.model.people import Actor, Plan
from engine.model.run import Held, RunState

MAIN: Final = "0"


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a child thread ended."""

    thread: str
    ok: bool
    why: str = ""
    pc: int = END_OF_BLOCK  # the step that failed
    policy: str = "hand_over"  # what that step wants to happen
    jump: int = END_OF_BLOCK
    target: str = ""


class Thread(msgspec.Struct, frozen=True, omit_defaults=True):
    """One place where something goes on."""

    id: str
    pc: int
    stage: str = "ready"
    waits: tuple[str, ...] = ()  # keys of what it waits for
    frame: str = ""  # which (sub-)runbook it is in
    parent: str = ""
    top: bool = False  # the main line of its frame: jumps are its own
    names: dict[str, Any] = {}  # bound by `each`, `with`, `remember`
    base: dict[str, Any] = {}  # names bound outside this step
    n: int = 0  # tries, polls, batches or rounds so far
    since: float = 0.0  # tick at which this step began to wait
    box: dict[str, Any] = {}  # what this step has to remember
    results: tuple[Outcome, ...] = ()  # of its children
    back: int = END_OF_BLOCK  # where a void approval came from
    held: str = ""  # id of what its act took, or of what it is giving back


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """What belongs to one (sub-)runbook while it runs."""

    id: str
    scope: int
    inputs: dict[str, Any] = {}
    cause: str = ""
    cause_checks: tuple[str, ...] = ()
    workaround: str = ""
    answers: dict[str, dict[str, Any]] = {}
    plans: dict[str, Plan | None] = {}  # gate to what was approved; None: opened itself
    asked_tick: dict[str, float] = {}  # gate to the tick of its first asking


class ByHand(msgspec.Struct, frozen=True, omit_defaults=True):
    """An act that was done before the run began."""

    action: str
    target: str = ""
    by: str = ""  # who says so
    held: str = ""  # id of what is held for it; empty: nothing is


class Winding(msgspec.Struct, frozen=True, omit_defaults=True):
    """The run is coming to its end: what is in flight ends first."""

    end: Literal["resolved", "cleared", "handed_over", "cancelled"]
    why: str
    give_back: bool = False
    to: str = ""  # the group or person who takes over
    last_look: bool = False
    through: bool = False  # restore went through to its end
    started: bool = False  # the ending thread is there


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything known of a run."""

    run: str = ""
    mode: str = "live"
    state: RunState = "waiting"
    phase: str = ""
    severity: str = ""
    requester: Actor = Actor("")
    labels: dict[str, Any] = {}
    annotations: dict[str, Any] = {}
    threads: dict[str, Thread] = {}
    frames: dict[str, Frame] = {}
    held: tuple[Held, ...] = ()
    evidence: dict[str, Evidence] = {}
    acted: bool = False  # an act was begun
    by_hand: tuple[ByHand, ...] = ()  # that no step has come to yet
    hold: bool = False  # the global one
    hold_here: str = ""  # who holds this run alone, and why; empty: nobody
    roles: dict[str, str] = {}  # commander, deputy, scribe, liaison: who has it
    severity_seen: str = ""  # the worst one that a person has judged
    alert_over: bool = False
    winding: Winding | None = None
    end: str = ""
    why: str = ""
    taken_by: str = ""
    crashes: int = 0
    stopped: bool = False  # the engine stopped in order; its return is no crash
    steps: int = 0  # moves so far; bounded

    @property
    def on_hold(self) -> str:
        """Why no act may begin now; an empty string: it may."""
        if self.hold:
            return "the global hold is set"
        return "the run is on hold" if self.hold_here else ""


def waited_for(record: Record) -> frozenset[str]:
    """Return the keys of everything the run waits for."""
    return frozenset(
        [key for thread in record.threads.values() for key in thread.waits]
    )
