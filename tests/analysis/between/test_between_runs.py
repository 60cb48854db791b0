"""Alerts, locks and debts between runbooks: what is told, and what is well."""

import pytest
from small_books import Member, acts, member, told

STEP = "isolate: [{say: x}]\n"


def book(
    name: str, *matches: str, severity: str = "sev2", source: str = "am"
) -> Member:
    """Return a runbook with one alert trigger for each match."""
    rows = "".join(
        f"  - alert: {{source: {source}, match: {match}}}\n" for match in matches
    )
    return member(name, f"trigger:\n{rows}{STEP}", severity=severity)


def test_f55_one_alert_for_two_runbooks_of_one_severity() -> None:
    """
    Told with labels that fit both, where the other stands, and which one runs.
    """
    one = book("late", "{alertname: Disk}", "{alertname: Lag, severity: [page, high]}")
    other = book("lag", "{alertname: /L.*/, severity: [info, page], region: eu}")

    assert [
        (
            "late.yaml:8:12: warning[same-alert]: an alert with alertname Lag, region eu, "
            "severity page fits 'lag' too (lag.yaml:7:12); both are sev2, so 'lag' runs and "
            "'late' does not, by their names alone"
        )
    ] == told(one, other)


@pytest.mark.parametrize(
    ("match", "more"),
    [
        ("{alertname: Disk}", {}),
        ("{alertname: Lag, severity: info}", {}),
        ("{alertname: /D.*/}", {}),
        ("{alertname: Lag}", {"severity": "sev1"}),
        ("{alertname: Lag}", {"source": "grafana"}),
    ],
    ids=["name", "label", "pattern", "severity", "source"],
)
def test_f55_what_tells_two_runbooks_apart(match: str, more: dict[str, str]) -> None:
    """
    A label that cannot be both, another severity, another source.
    """
    one = book("late", "{alertname: Lag, severity: page}")

    assert [] == told(one, book("lag", match, **more))


def test_engine_locks_in_any_order_are_no_deadlock() -> None:
    """
    A run takes its paths at once, or none, and holds nothing meanwhile.
    """
    one = acts("a", "do: {x: one}", lock="db/a, db/b")
    other = acts("b", "do: {y: two}", lock="db/b, db/a")

    assert [] == told(one, other)


def locker(name: str, *locks: str, lock: str = "", more: str = "") -> Member:
    """Return a runbook that takes locks of the world one after another."""
    rows = "".join(
        f"  lock_{key}:\n    http: {{put: 'http://l/{key}/lock'}}\n"
        f"    undo: {{http: {{delete: 'http://l/{key}/lock'}}}}\n"
        for key in locks
    )
    steps = "".join(f"  - act: lock_{key}\n" for key in locks)
    path = f"limits: {{lock: [{lock}]}}\n" if lock else ""
    looks = (
        "checks:\n  b_free:\n    http: {get: 'http://l/b/lock'}\n    pass: json.free\n"
    )
    return member(name, f"{path}{looks}actions:\n{rows}isolate:\n{steps}{more}")


def deadlocks(*members: Member) -> list[str]:
    """Return what is told of deadlocks."""
    return [one for one in told(*members) if "deadlock" in one]


def test_locks_of_the_world_in_orders_that_cross() -> None:
    """
    Each holds what the other takes next: told once, with both places.
    """
    one, other = locker("x", "a", "b"), locker("y", "b", "a")

    assert [
        (
            "x.yaml:19:5: error[deadlock]: runs can wait for each other: this one holds "
            "http://l/a/lock and takes http://l/b/lock, 'y' holds http://l/b/lock and takes "
            "http://l/a/lock (y.yaml:19:5)"
        )
    ] == deadlocks(one, other)


def test_three_runs_can_wait_in_a_circle() -> None:
    """
    No two of them cross, all three do.
    """
    books = locker("x", "a", "b"), locker("y", "b", "c"), locker("z", "c", "a")

    assert [
        (
            "x.yaml:19:5: error[deadlock]: runs can wait for each other: this one holds "
            "http://l/a/lock and takes http://l/b/lock, 'y' holds http://l/b/lock and takes "
            "http://l/c/lock (y.yaml:19:5), 'z' holds http://l/c/lock and takes "
            "http://l/a/lock (z.yaml:19:5)"
        )
    ] == deadlocks(*books)
    assert [] == deadlocks(*books[:2])


def test_a_wait_for_what_another_holds_is_a_warning() -> None:
    """
    One takes, the other waits until it is free.
    """
    waits = locker("x", "a", more="  - wait_for: b_free\n")

    assert [
        (
            "x.yaml:16:5: warning[deadlock]: runs can wait for each other: this one holds "
            "http://l/a/lock and waits for http://l/b/lock, 'y' holds http://l/b/lock and "
            "takes http://l/a/lock (y.yaml:19:5)"
        )
    ] == deadlocks(waits, locker("y", "b", "a"))


@pytest.mark.parametrize(
    "other",
    [
        locker("y", "a", "b"),
        locker("y", "b", more="  - undo: all\n  - act: lock_b\n"),
        locker("y", "b", "a", lock="db"),
    ],
    ids=["one-order", "given-back", "kept-apart"],
)
def test_orders_that_do_not_cross(other: Member) -> None:
    """
    One order, nothing held in between, or one path of the engine for both.
    """
    assert [] == deadlocks(locker("x", "a", "b", lock="db"), other)


def test_lists_of_targets_are_taken_in_some_order() -> None:
    """
    Batches above one take a list in any order; one by one in the order of the list.
    """

    def hosts(name: str, listed: str, batch: str = "") -> Member:
        return member(
            name,
            "actions:\n  claim:\n    ssh: {host: '{{ h }}', argv: [claim, it]}\n"
            "    undo: {ssh: {host: '{{ h }}', argv: [free, it]}}\n"
            f"isolate:\n  - each: {listed}\n    as: h\n{batch}"
            "    do: [{act: claim}]\n",
        )

    single = "    batch: 1\n"
    one = hosts("x", '\'["h1", "h2"]\'', single)

    assert [] == deadlocks(one, hosts("y", '\'["h1", "h2"]\'', single))
    assert [
        (
            "x.yaml:14:10: error[deadlock]: runs can wait for each other: this one holds "
            "h1 claim it and takes h2 claim it, 'y' holds h2 claim it and takes h1 claim it "
            "(y.yaml:14:10)"
        )
    ] == deadlocks(one, hosts("y", '\'["h2", "h1"]\'', single))
    assert 1 == len(deadlocks(one, hosts("y", '\'["h1", "h2"]\'')))


INNER = """\
inputs: {zone: {type: string, pattern: '[a-z]+'}}
limits: {lock: ['zone/{{ zone }}']}
actions:
  drain:
    do: {drain: '{{ zone }}'}
    undo: {do: {restore: '{{ zone }}'}}
isolate:
  - act: drain
"""


def caller(more: str = "", lock: str = "zone") -> Member:
    """Return a runbook that runs the inner one."""
    return member(
        "caller",
        f"limits: {{lock: [{lock}]}}\n"
        "isolate:\n  - {run: inner, with: {zone: north}}\n" + more,
    )


def test_a_lock_that_a_sub_runbook_leaves_out() -> None:
    """
    As a step it takes no lock: the caller's own must be that path, or above it.
    """
    inner = member("inner", INNER)

    assert [
        (
            "caller.yaml:8:11: warning[lock-left-out]: 'inner' locks 'zone/north' "
            "(inner.yaml:7:17) when it runs by itself; as a step it takes no lock, and none "
            "of this runbook covers that"
        )
    ] == told(caller(lock="zone/south"), inside=[inner])
    assert [] == told(caller(lock="zone/north"), caller(), inside=[inner])


LEAK = (
    "caller.yaml:8:5: {}[held]: 'inner' ends with 'drain' held (inner.yaml:13:5), and "
    "{} gives it back"
)
SURE, PERHAPS = ("error", "nothing here"), ("warning", "not every path")
KEEPS = "restore:\n  - say: done\n"
IN_A_BLOCK = "restore:\n  - {all: [{undo: all}], when: zone == 'north'}\n"
SOMETIMES = "restore:\n  - {undo: all, when: zone == 'north'}\n"


@pytest.mark.parametrize(
    ("there", "here", "lines"),
    [
        ("", KEEPS, []),
        (KEEPS, "", []),
        (KEEPS, KEEPS, [LEAK.format(*SURE)]),
        (SOMETIMES, KEEPS, [LEAK.format(*PERHAPS)]),
        (KEEPS, "restore:\n  - undo: all\n", []),
        (KEEPS, "  - undo: all\n" + KEEPS, []),
        (KEEPS, "restore:\n  - hand_over: o\n", []),
        ("restore:\n  - undo: drain\n", KEEPS, []),
        ("restore: []\n", KEEPS, [LEAK.format(*SURE)]),
        (IN_A_BLOCK, KEEPS, [LEAK.format(*PERHAPS)]),
    ],
    ids=[
        "left-out-there", "left-out-here", "nobody", "perhaps", "here", "right-after",
        "handed-over", "there", "empty", "in-a-block",
    ],
)  # fmt: skip
def test_debts_of_a_sub_runbook(there: str, here: str, lines: list[str]) -> None:
    """
    What it still holds at its end is its caller's, told at the step that runs it.
    """
    assert lines == told(caller(here), inside=[member("inner", INNER + there)])


def test_debts_of_a_runbook_two_levels_down() -> None:
    """
    What goes through the hands of two runbooks is told where the outermost runs it.
    """
    inner = member("inner", INNER + KEEPS)
    middle = member(
        "middle",
        "limits: {lock: [zone]}\nisolate:\n  - {run: inner, with: {zone: a}}\n" + KEEPS,
    )
    outer = member(
        "outer", "limits: {lock: [zone]}\nisolate: [{run: middle}]\n" + KEEPS
    )

    assert [
        (
            "outer.yaml:7:11: error[held]: 'middle' ends with 'drain' held "
            "(inner.yaml:13:5), and nothing here gives it back"
        )
    ] == told(outer, inside=[middle, inner])
