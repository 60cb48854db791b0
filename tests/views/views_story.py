"""One run as its timeline would be: a delay of messages, a hot partition, a rollback.

Hand-built from the real classes and sealed; the tests of views read it.
"""

from typing import Any

from engine.model.events import (
    Acted,
    Answered,
    Event,
    Looked,
    Started,
    TimerFired,
    Voted,
)
from engine.model.evidence import Evidence
from engine.model.people import Actor, Plan, PlannedAct, Question
from engine.model.run import Held, RunSummary
from engine.model.runbook import Runbook
from engine.model.timeline import GENESIS, Entry, seal

RUN = "r-7f3"
START = 1_773_454_200.0  # 2026-03-14 02:10:00 UTC
ALERT = Actor("alertmanager", kind="source", via="alertmanager")
MAY = Actor("may", groups=("messaging-oncall",), via="chat")
ODA = Actor("oda", groups=("incident-commanders",), via="web")
CLIENT = "POST https://router.internal/eu-west/lanes/quarantine"


class Story:
    """Entries in the making: events and notes, each at a second of the run."""

    def __init__(self, *, start: float = START) -> None:
        self.start = start
        self.open: list[Entry] = []
        self.phase = ""

    def event(
        self, tick: float, what: str, event: Event, actor: str = "engine"
    ) -> None:
        """Add what the core was told."""
        at = self.start + tick
        self.open.append(
            Entry(
                RUN, len(self.open) + 1, at, float(tick), type(event).__name__.lower(), what,
                actor, self.phase, subject=getattr(event, "key", ""), event=event,
            )
        )  # fmt: skip

    def note(
        self, tick: float, kind: str, what: str, why: str = "", **more: Any
    ) -> None:
        """Add what the core derived."""
        self.phase = more.pop("phase", self.phase)
        refs = more.get("refs", {})
        self.open.append(
            Entry(
                RUN, len(self.open) + 1, self.start + tick, float(tick), kind, what,
                str(refs.get("by", "engine")), self.phase, why=why, **more,
            )
        )  # fmt: skip

    def looked(self, tick: float, key: str, *seen: Evidence) -> None:
        """Add a look with its evidence."""
        told = ", ".join(f"{one.check} {one.state}" for one in seen)
        self.event(tick, f"looked: {told}", Looked(key=key, evidence=seen))

    def impact(self, tick: float, users: float | None) -> None:
        """Add an impact sample; None could not be seen."""
        state, why = ("pass", f"value {users}") if users is not None else (
            "unknown", "the provider answered 503"
        )  # fmt: skip
        seen = {} if users is None else {"value": users}
        source = "sum(message_recipients_waiting)"
        self.looked(
            tick, "impact0@40:watch.seen",
            Evidence("affected_users", "affected_users", state, why, seen, source=source),
        )  # fmt: skip

    def entries(self) -> list[Entry]:
        """Return the timeline, sealed."""
        sealed: list[Entry] = []
        for entry in self.open:
            sealed.append(seal(entry, sealed[-1].hash if sealed else GENESIS))
        return sealed


def lag(state: Any, value: float) -> Evidence:
    """Return evidence of the check lag."""
    why = f"value < 10000.0: {value:g}"
    return Evidence("lag", "lag", state, why, {"value": value}, source="lag of fanout")


def beginning(mode: Any = "live") -> Story:
    """Return the story up to the end of isolate."""
    story = Story()
    started = Started(
        run=RUN, revision="5d1f0c9a77", by=ALERT, mode=mode,
        inputs={"region": "eu-west", "topic": "fanout"},
        labels={"alertname": "MessageDeliveryDelayHigh", "region": "eu-west"},
        annotations={"startsAt": "2026-03-14T02:08:30Z"},
    )  # fmt: skip
    story.event(0, "run started by alertmanager", started, "alertmanager")
    story.note(0, "phase", "phase confirm", phase="confirm", step="confirm/1")
    story.looked(1, "0@1:confirm.seen", lag("fail", 48200.0))
    story.note(1, "check", "lag: fail", "value < 10000.0: 48200", subject="lag")
    story.note(1, "decision", "the trouble is real", "lag is fail, trouble is fail")
    story.note(1, "phase", "phase isolate", phase="isolate", step="isolate/1")
    story.impact(2, 12400.0)
    story.looked(
        3, "0@3:when",
        Evidence("hot_partition", "hot_partition", "fail", "value <= 5.0: 11.5"),
    )  # fmt: skip
    refs = {
        "kind": "http",
        "command": {"post": "https://router.internal/eu-west/lanes/quarantine"},
        "undo": {"delete": "https://router.internal/eu-west/lanes/quarantine"},
        "before": {},
    }
    story.note(
        4, "intent", "about to do open_quarantine_lane", step="isolate/1",
        subject="open_quarantine_lane", refs=refs,
    )  # fmt: skip
    story.event(
        6, "act ended: ok (1.8s)", Acted(key="0@3:act", outcome="ok", took_seconds=1.8)
    )
    story.note(
        6, "did", "did open_quarantine_lane", "HTTP 201 in 1.8 s", step="isolate/1",
        subject="open_quarantine_lane",
    )  # fmt: skip
    return story


def middle(story: Story) -> Story:
    """Add diagnosis, the approval and the rollback."""
    story.note(20, "phase", "phase diagnose", phase="diagnose", step="diagnose/1")
    rollout = Evidence(
        "rollout", "rollout", "fail", "json.age_minutes > 60.0: 9", {"json": {}}
    )
    story.looked(22, "0@5:looks.seen", lag("fail", 51000.0), rollout)
    story.note(22, "check", "lag: fail", "value < 10000.0: 51000", subject="lag")
    story.note(22, "check", "rollout: fail", "json.age_minutes > 60.0: 9",
               subject="rollout")  # fmt: skip
    story.note(
        22, "cause", "cause: bad-rollout", "first that is true; too-few-consumers is open",
        subject="bad-rollout", step="diagnose/2",
        refs={"not_ruled_out": ["too-few-consumers"], "workaround": "roll-back"},
    )  # fmt: skip
    story.impact(32, 15800.0)
    story.note(33, "phase", "phase workaround", phase="workaround", step="workaround/1")
    who = [["messaging-oncall", 1], ["incident-commanders", 1]]
    story.note(
        33, "asked", "asked 1 of messaging-oncall, 1 of incident-commanders:"
        " Roll the router back in eu-west?", "within 600s", step="workaround.roll-back/1",
        subject="0@9:ask0", refs={"who": who, "plan": "ab12"},
    )  # fmt: skip
    story.impact(62, None)
    _vote(story, 95, MAY, "still needed: 1 of incident-commanders")
    story.note(100, "severity", "severity sev2 -> sev1", "affected_users is 15800",
               refs={"was": "sev2", "to": "sev1"})  # fmt: skip
    _vote(story, 153, ODA, "everybody needed has said yes")
    story.note(
        154, "intent", "about to do roll_back_router", step="workaround.roll-back/2",
        subject="roll_back_router",
        refs={"kind": "command", "command": {"argv": ["deployctl", "rollback"]},
              "undo": None},
    )  # fmt: skip
    story.event(
        190,
        "act ended: ok (36.0s)",
        Acted(key="0@10:act", outcome="ok", took_seconds=36.0),
    )
    story.note(
        190, "did", "did roll_back_router", "exit code 0", subject="roll_back_router",
        step="workaround.roll-back/2",
    )  # fmt: skip
    return story


def _vote(story: Story, tick: float, by: Actor, why: str) -> None:
    vote = Voted(key="0@9:ask0", by=by, vote="approve", plan="ab12")
    story.event(tick, f"{by.id} votes approve", vote, by.id)
    story.note(
        tick, "approved", f"{by.id} said yes", why, step="workaround.roll-back/1",
        subject="0@9:ask0", refs={"by": by.id, "plan": "ab12", "via": by.via},
    )  # fmt: skip


def resolved() -> list[Entry]:
    """Return the whole story with a good end."""
    story = middle(beginning())
    story.note(200, "phase", "phase restore", phase="restore", step="restore/1")
    for tick, users in ((212, 9000.0), (242, 2100.0), (272, 0.0)):
        story.event(tick - 2, "time over: every", TimerFired(key="0@12:every"))
        story.looked(tick - 1, "0@12:wait_for.seen", lag("fail", users * 2))
        story.impact(tick, users)
    for tick in (302, 392, 482, 572):
        story.impact(tick, 0.0)
    story.note(580, "undoing", "about to undo open_quarantine_lane",
               subject="open_quarantine_lane", step="restore/2")  # fmt: skip
    story.event(582, "act ended: ok (1.2s)", Acted(key="u", outcome="ok"))
    story.note(582, "undone", "undid open_quarantine_lane", "HTTP 204",
               subject="open_quarantine_lane", step="restore/2")  # fmt: skip
    story.note(
        610, "end", "ended: resolved", "restore is through and nothing is held",
        subject="resolved", refs={"held": [], "cause": "bad-rollout"},
    )  # fmt: skip
    return story.entries()


def handed_over(mode: Any = "live") -> list[Entry]:
    """Return the story with a guard, a person who answers, an undo that fails."""
    story = beginning(mode)
    story.note(20, "guard", "guard of add_consumers refused",
               "guard: checks.room.ok is false", subject="add_consumers", target="h3",
               step="isolate/2")  # fmt: skip
    story.note(21, "skipped", "act add_consumers skipped", "checks.lag.ok is false",
               subject="add_consumers", step="isolate/3")  # fmt: skip
    story.note(30, "asked", "asked messaging-oncall: What was done by hand?",
               "within 900s", step="by-hand/1", subject="0@20:ask",
               refs={"who": [["messaging-oncall", 1]]})  # fmt: skip
    answers = {"note": "moved the leader", "fixed": False}
    story.event(
        90, "may answers", Answered(key="0@20:ask", by=MAY, answers=answers), "may"
    )
    story.note(90, "answered", "may answered note=moved the leader, fixed=False",
               step="by-hand/1", subject="0@20:ask",
               refs={"by": "may", "answers": answers})  # fmt: skip
    story.note(120, "stuck", "the undo of open_quarantine_lane failed: HTTP 500",
               "messaging is paged as sev1", subject="open_quarantine_lane",
               step="restore/2")  # fmt: skip
    story.note(130, "end", "ended: handed_over", "not fixed by hand",
               subject="handed_over", refs={"held": ["r-7f3/1"], "cause": ""})  # fmt: skip
    return story.entries()


def summary(state: Any = "resolved", **more: Any) -> RunSummary:
    """Return the summary line of the story's run."""
    ended = START + 610 if state == "resolved" else None
    fields: dict[str, Any] = {
        "mode": "live", "severity": "sev1", "phase": "restore", "cause": "bad-rollout",
        "ended_at": ended, "updated_at": START + 610, "requester": "alertmanager",
        "owner": "messaging",
    }  # fmt: skip
    return RunSummary(
        RUN, "message-delivery-delay", "5d1f0c9a77", "Messages arrive late in eu-west",
        state=state, started_at=START, **(fields | more),
    )  # fmt: skip


def handed_summary() -> RunSummary:
    """Return the summary of a rehearsal that was handed over with a stuck undo."""
    return summary(
        "handed_over", mode="rehearsal", held=(held_lane(stuck=True),), cause="",
        why="not fixed by hand", severity="sev2", ended_at=START + 130,
    )  # fmt: skip


def held_lane(*, stuck: bool = False) -> Held:
    """Return the quarantine lane as it stands on the ledger."""
    return Held(
        "r-7f3/0@3", "open_quarantine_lane", kind="http",
        params={"delete": "https://router.internal/eu-west/lanes/quarantine"},
        since=START + 4, stuck=stuck,
    )  # fmt: skip


def question() -> Question:
    """Return the approval of the story, with its plan."""
    act = PlannedAct(
        "roll_back_router", kind="command",
        command={"argv": ["deployctl", "rollback", "router", "--region", "eu-west"]},
        undo=None, reversible=False, risk="high", before={},
    )  # fmt: skip
    scale = PlannedAct(
        "add_consumers", "eu-west-2", "http",
        {"patch": "https://scaler.internal/eu-west/consumers", "json": {"replicas": 48}},
        {"patch": "https://scaler.internal/eu-west/consumers", "json": {"replicas": 24}},
        reversible=True, before={"before": 24},
    )  # fmt: skip
    plan = Plan("5d1f0c9a77", (act, scale), {"lag": "fail", "rollout": "fail"},
                "ab12cd34ef56ab78")  # fmt: skip
    return Question(
        "0@9:ask0", "approve", "workaround.roll-back/1",
        "Roll the router back in eu-west?",
        (("messaging-oncall", 1), ("incident-commanders", 1)), ("alertmanager",), 600.0,
        plan=plan, retype="eu-west",
    )  # fmt: skip


def runbook(**more: Any) -> Runbook:
    """Return a small runbook of the same trouble."""
    fields = {
        "format": 1,
        "runbook": "message-delivery-delay",
        "title": "Messages arrive late in {{ region }}",
        "owner": "messaging",
        "severity": "sev2",
        "impact": {
            "affected_users": {"prometheus": {"query": "sum(waiting)"}},
            "weight": 0.5,
        },
        "isolate": [{"wait": "1s"}],
    }
    return Runbook.model_validate(fields | more)
