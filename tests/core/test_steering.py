"""What people say to a run beside its questions: roles, severity, pages, holds, tries."""

from typing import Any

from engine.model.effects import Act, Note, Page, Say
from engine.model.events import (
    Acted,
    Event,
    GroupPaged,
    HoldChanged,
    Looked,
    Noted,
    RetryAsked,
    RoleTaken,
    RunHeld,
    SeveritySet,
    Started,
    TimerFired,
)
from engine.model.evidence import Evidence
from engine.model.people import Actor
from engine.runtime.session import Session
from tests.rehearsing import compiled

ANA, BO = Actor("ana"), Actor("bo")
RUNBOOK = """
severity: sev3
format: 1
runbook: small
title: small
owner: owners
checks: {users: {probe: {}, pass: value > 0}}
impact: {users: {probe: {}}, every: 30s}
raise: [{to: sev2, when: checks.users.ok}, {to: sev1, when: '!checks.users.ok'}]
actions:
  take: {do: {}, undo: {do: {}}, retry: {times: 3, wait: 60s}}
isolate: [{wait: 10s}, {act: take}]
"""


def begun(text: str = RUNBOOK) -> Session:
    """Return a run that waits for its first ten seconds."""
    session = Session("r-7f3", compiled(text))
    session.apply(Started(run="r-7f3", revision="rev", by=ANA))
    return session


def acting() -> Session:
    """Return a run whose act failed, and waits for its next try."""
    session = begun()
    wait = next(key for key in session.pending if key.endswith(":wait"))
    session.apply(TimerFired(key=wait))
    key = next(key for key in session.pending if key.endswith(":act"))
    session.apply(Acted(key=key, outcome="failed", detail="HTTP 503"))
    return session


def notes(session: Session, event: Event) -> list[tuple[str, str, str]]:
    """Tell a run of an event; return kind, what and why of its notes."""
    effects = session.apply(event).effects
    return [(one.kind, one.what, one.why) for one in effects if isinstance(one, Note)]


def watch(session: Session, state: Any, later: float) -> str:
    """Let both rules look once and see the state; return the severity then."""
    for key in [one for one in session.pending if one.startswith("raise")]:
        if key.endswith(":every"):
            session.apply(TimerFired(key=key, tick=later))
    for key in [one for one in session.pending if one.startswith("raise")]:
        seen = Evidence("users", "users", state, "drawn", tick=later)
        session.apply(Looked(key=key, evidence=(seen,), tick=later))
    return session.summary().severity


def test_a_role_is_written_down_and_passes_on() -> None:
    """
    The record and the summary say who has it; who takes it over is told from whom.
    """
    session = begun()

    assert notes(session, RoleTaken(by=ANA, role="commander")) == [
        ("role", "ana is commander", "")
    ]
    assert notes(session, RoleTaken(by=BO, role="commander")) == [
        ("role", "bo is commander", "before: ana")
    ]
    assert notes(session, RoleTaken(by=BO, role="commander")) == [
        ("refused", "bo's word does not count", "bo is commander already")
    ]
    assert session.summary().roles == {"commander": "bo"}


def test_a_person_sets_the_severity_with_a_reason() -> None:
    """
    It changes with an entry that says who and why, and it is posted.
    """
    session = begun()
    step = session.apply(SeveritySet(by=ANA, to="sev1", reason="the whole region"))

    assert [one.what for one in step.effects if isinstance(one, Note)] == [
        "severity sev3 -> sev1"
    ]
    assert [one.text for one in step.effects if isinstance(one, Say)] == [
        "Severity is now sev1 (ana says so: the whole region)"
    ]
    assert session.summary().severity == "sev1"
    assert notes(session, SeveritySet(by=ANA, to="sev1")) == [
        ("refused", "ana's word does not count", "the severity is sev1 already")
    ]


def test_what_a_person_lowered_is_raised_again_only_by_something_worse() -> None:
    """
    A rule that raised it before they spoke does not fight them; a worse one does count.
    """
    session = begun()
    raised = watch(session, "pass", 600.0)
    session.apply(SeveritySet(by=ANA, to="sev4"))

    kept, worse = watch(session, "pass", 1200.0), watch(session, "fail", 1800.0)
    assert ("sev2", "sev4", "sev1") == (raised, kept, worse)


def test_a_person_pages_a_group() -> None:
    """
    The page has the run, who pages, the words, and a key of its own.
    """
    session = begun()
    event = GroupPaged(by=ANA, group="databases", text="come", tick=12.0)

    assert [one for one in session.apply(event).effects if isinstance(one, Page)] == [
        Page("databases", "r-7f3: ana pages you: come", "sev3",
             "r-7f3/page/databases/ana/12")
    ]  # fmt: skip


def test_a_run_on_hold_begins_no_act_until_it_is_let_go() -> None:
    """
    The hold of the run alone: what waits to act says so, and acts when it is lifted.
    """
    session = begun()
    wait = next(key for key in session.pending if key.endswith(":wait"))
    told = notes(session, RunHeld(by=ANA, on=True, reason="peak hour"))
    waits = notes(session, TimerFired(key=wait))
    held = session.summary()
    effects = session.apply(RunHeld(by=BO, on=False)).effects

    assert told == [("hold", "ana holds the run", "peak hour")]
    assert [one[:2] for one in waits][-1] == (
        "hold", "act take waits: the run is on hold",
    )  # fmt: skip
    assert (held.state, held.on_hold) == ("on_hold", "ana: peak hour")
    assert [one.action for one in effects if isinstance(one, Act)] == ["take"]


def test_g16_both_holds_must_be_lifted_before_anything_acts() -> None:
    """
    Lifting the run's own hold lets nothing act while the global one is set.
    """
    session = begun()
    session.apply(HoldChanged(on=True, by=ANA))
    session.apply(RunHeld(by=ANA, on=True))
    wait = next(key for key in session.pending if key.endswith(":wait"))
    session.apply(TimerFired(key=wait))
    first = session.apply(RunHeld(by=ANA, on=False)).effects
    then = session.apply(HoldChanged(on=False, by=ANA)).effects

    assert [one for one in first if isinstance(one, Act)] == []
    assert [one.action for one in then if isinstance(one, Act)] == ["take"]


def test_g16_a_hold_set_while_the_guard_looks_lets_no_act_begin() -> None:
    """
    A guard that comes true under a hold begins nothing; lifted, it is looked at anew.
    """
    code = """
checks: {free: {probe: {}, pass: value > 0}}
actions: {take: {do: {}, undo: {do: {}}, guard: checks.free.ok}}
isolate: [{act: take}]
"""
    session = begun(code)
    guard = next(iter(session.pending))
    looked = Looked(key=guard, evidence=(Evidence("free", "free", "pass", ""),))
    session.apply(HoldChanged(on=True, by=ANA))
    waits = notes(session, looked)
    session.apply(HoldChanged(on=False, by=ANA))
    again = next(key for key in session.pending if key.endswith("act.guard"))
    effects = session.apply(looked).effects

    assert [("hold", "act take waits: the global hold is set", "")] == waits
    assert guard == again
    assert ["take"] == [one.action for one in effects if isinstance(one, Act)]


def test_the_next_try_is_made_now_when_a_person_asks() -> None:
    """
    A try that waits for its time is made at once; without one the reason is told.
    """
    session = acting()
    effects = session.apply(RetryAsked(by=ANA)).effects

    assert [one.attempt for one in effects if isinstance(one, Act)] == [2]
    assert notes(session, RetryAsked(by=ANA)) == [
        (
            "refused", "ana's word does not count",
            "nothing waits for its next try; what has failed is not tried again",
        )
    ]  # fmt: skip


def test_a_try_is_not_made_while_the_run_is_on_hold() -> None:
    """
    A hold is a hold: asking again does not go around it.
    """
    session = acting()
    session.apply(RunHeld(by=BO, on=True))

    assert notes(session, RetryAsked(by=ANA)) == [
        ("refused", "ana's word does not count", "no act is tried: the run is on hold")
    ]


def test_a_kept_message_has_its_author_and_place() -> None:
    """
    Who wrote it and who kept it, where it stands, its files; its changes are told.
    """
    session = begun()
    ref, link = "slack:C1:1.2", "https://chat.example.com/1"
    noted = Noted(by=ANA, text="disk is full", author="bo", ref=ref, link=link,
                  files=("https://chat.example.com/f",))  # fmt: skip
    found = next(one for one in session.apply(noted).effects if isinstance(one, Note))

    assert (found.what, found.why) == ("disk is full", "kept by ana")
    assert found.refs == {
        "by": "bo", "ref": ref, "link": link, "kept_by": "ana",
        "files": ["https://chat.example.com/f"],
    }  # fmt: skip
    assert notes(session, Noted(by=BO, text="no", ref=ref, change="edited")) == [
        ("note", "no", "the message was edited")
    ]
    assert notes(session, Noted(by=BO, text="", ref=ref, change="deleted")) == [
        ("note", "the message of bo was deleted", "")
    ]


def test_f64_a_word_that_comes_after_the_end_is_told_so() -> None:
    """
    A run that is over changes no more; the timeline says that somebody tried.
    """
    session = begun("isolate: [{wait: 1s}]")
    while not session.record.end:
        session.apply(TimerFired(key=next(iter(session.pending))))

    assert notes(session, SeveritySet(by=ANA, to="sev1")) == [
        ("refused", "ana's word does not count", "the run has ended: resolved")
    ]
