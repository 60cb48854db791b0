"""Effects that oppose each other: by kind, parameters and targets; what does not."""

import pytest
from small_books import Member, acts, member, told

REGION = "region: {type: string, from: labels.region, pattern: '[a-z-]+'}"
OTHER_REGION = "place: {type: string, from: labels.region, pattern: '[a-z-]+'}"
HOST = "host: {type: string, pattern: '[a-z0-9]+'}"

OPPOSED = {
    "words-of-a-command": (
        "command: {argv: [lb, drain, web-1]}",
        "command: {argv: [/usr/bin/lb, undrain, --now, web-1]}",
        (
            "a.yaml:12:5: error[opposed]: 'a' (drain) is opposed by 'b' (undrain) of 'b' "
            "(b.yaml:12:5) on lb drain web-1, and no lock keeps the two runs apart"
        ),
    ),
    "numbers-of-options": (
        "command: {argv: [kubectl, scale, deploy/web, --replicas=9]}",
        "command: {argv: [kubectl, scale, deploy/web, --replicas, 2]}",
        (
            "a.yaml:12:5: error[opposed]: 'a' (replicas 9) is opposed by 'b' (replicas 2) "
            "of 'b' (b.yaml:12:5) on kubectl scale deploy/web, and no lock keeps the two "
            "runs apart"
        ),
    ),
    "methods-of-one-url": (
        "http: {post: 'http://lb/pools/web', json: {}}",
        "http: {delete: 'http://lb/pools/web/'}",
        (
            "a.yaml:12:5: error[opposed]: 'a' (put) is opposed by 'b' (delete) of 'b' "
            "(b.yaml:12:5) on http://lb/pools/web, and no lock keeps the two runs apart"
        ),
    ),
    "values-of-one-url": (
        "http: {put: 'http://lb/limit', json: {limit: {most: 5}, why: slow it}}",
        "http: {patch: 'http://lb/limit', json: {limit: {most: 900}, why: open it}}",
        (
            "a.yaml:12:5: error[opposed]: 'a' (limit.most 5) is opposed by 'b' (limit.most "
            "900) of 'b' (b.yaml:12:5) on http://lb/limit, and no lock keeps the two runs "
            "apart"
        ),
    ),
    "words-in-a-url": (
        "http: {post: 'http://lb/nodes/n1/disable'}",
        "http: {post: 'http://lb/nodes/n1/enable'}",
        (
            "a.yaml:12:5: error[opposed]: 'a' (disable) is opposed by 'b' (enable) of 'b' "
            "(b.yaml:12:5) on http://lb/nodes/n1/disable, and no lock keeps the two runs "
            "apart"
        ),
    ),
    "on-one-host": (
        "ssh: {host: db1, argv: [systemctl, stop, writer]}",
        "ssh: {host: db1, argv: [systemctl, start, writer]}",
        (
            "a.yaml:12:5: error[opposed]: 'a' (stop) is opposed by 'b' (start) of 'b' "
            "(b.yaml:12:5) on db1 systemctl stop writer, and no lock keeps the two runs "
            "apart"
        ),
    ),
    "kinds-of-plug-ins": (
        "do: {scale-up: web}",
        "do: {scale-down: web}",
        (
            "a.yaml:12:5: error[opposed]: 'a' (scale-up) is opposed by 'b' (scale-down) of "
            "'b' (b.yaml:12:5) on web, and no lock keeps the two runs apart"
        ),
    ),
}
AGREED = {
    "one-value": ("do: {scale: web, to: 3}", "do: {scale: web, to: 3}"),
    "two-hosts": (
        "ssh: {host: db1, argv: [systemctl, stop, w]}",
        "ssh: {host: db2, argv: [systemctl, start, w]}",
    ),
    "two-kinds": ("do: {argv: [lb, drain, w]}", "command: {argv: [lb, undrain, w]}"),
    "two-words": ("command: {argv: [lb, drain, w]}", "command: {argv: [lb, list, w]}"),
    "two-urls": (
        "http: {put: 'http://a/limit', json: {most: 1}}",
        "http: {put: 'http://b/limit', json: {most: 2}}",
    ),
    "texts-for-people": (
        "http: {put: 'http://a/state', json: {why: a, by: b, told: it is slow}}",
        "http: {put: 'http://a/state', json: {why: b, by: c, told: it is fast}}",
    ),
}


@pytest.mark.parametrize("case", OPPOSED)
def test_what_opposes(case: str) -> None:
    """
    Opposite words, or one thing set to two values, on one target of one kind.
    """
    mine, theirs, line = OPPOSED[case]

    assert [line] == told(
        acts("a", mine, inputs="x: {type: string, default: y}"),
        acts("b", theirs, inputs="x: {type: string, default: y}"),
    )


@pytest.mark.parametrize("case", AGREED)
def test_what_does_not_oppose(case: str) -> None:
    """
    Another target, another kind, the same value, words that are no opposites.
    """
    mine, theirs = AGREED[case]

    assert [] == told(acts("a", mine), acts("b", theirs))


def test_what_one_takes_and_the_other_gives_back_is_a_warning() -> None:
    """
    The undo of one is held against the act of the other, also a built-in one.
    """
    one = acts(
        "a",
        "http: {put: 'http://lb/n1', json: {weight: 0}}",
        undo="http: {put: 'http://lb/n1', json: {weight: 100}}",
    )
    other = acts("b", "http: {put: 'http://lb/n1', json: {weight: 0}}")
    cordons = member(
        "c",
        "actions:\n  c: {kubernetes: {cordon: n1}}\nisolate: [{act: c}]\n",
    )
    more = member(
        "d",
        "actions:\n  d: {kubernetes: {cordon: n1}}\nisolate: [{act: d}]\n",
    )

    assert [
        (
            "a.yaml:11:5: warning[opposed]: the undo of 'a' (weight 100) is opposed by 'b' "
            "(weight 0) of 'b' (b.yaml:11:5) on http://lb/n1, and no lock keeps the two "
            "runs apart"
        )
    ] == told(one, other)
    assert [
        (
            "c.yaml:8:11: warning[opposed]: 'c' (cordon) is opposed by the undo of 'd' "
            "(uncordon) of 'd' (d.yaml:8:11) on n1, and no lock keeps the two runs apart"
        )
    ] == told(cordons, more)


def test_a_namespace_that_is_left_out_may_be_the_other_one() -> None:
    """
    Both left out are one for sure; one left out may be what the other names.
    """

    def scaled(name: str, body: str) -> Member:
        text = f"actions:\n  act:\n    kubernetes: {{scale: web, {body}}}\n"
        return member(name, text + "    leaves_nothing: true\nisolate: [{act: act}]\n")

    up = scaled("a", "replicas: 9")
    line = (
        "a.yaml:10:11: {}[opposed]: 'act' (replicas 9) is opposed by 'act' (replicas 2) "
        "of 'b' (b.yaml:10:11) on web, and no lock keeps the two runs apart"
    )

    assert [line.format("error")] == told(up, scaled("b", "replicas: 2"))
    assert [line.format("warning")] == told(
        up, scaled("b", "replicas: 2, namespace: shop")
    )
    assert [] == told(
        scaled("a", "replicas: 9, namespace: bank"),
        scaled("b", "replicas: 2, namespace: shop"),
    )


UP = "do: {scale-up: 'web-{{ region }}'}"
DOWN = "do: {scale-down: 'web-{{ place }}'}"


@pytest.mark.parametrize(
    ("lock", "other", "many"),
    [
        ("'web/{{ region }}'", "'web/{{ place }}'", 0),
        ("web", "'web/{{ place }}/pods'", 0),
        ("'web/{{ region }}/a'", "'web/{{ place }}/b'", 1),
        ("'web/{{ region }}'", "web/eu", 1),
        ("'web/{{ region }}'", "", 1),
    ],
    ids=["same", "parent", "siblings", "perhaps", "one-only"],
)
def test_locks_keep_runs_apart(lock: str, other: str, many: int) -> None:
    """
    A path that is surely the same, or a parent: what the alert brings is one value.
    """
    mine = acts("a", UP, lock=lock, inputs=REGION)

    assert many == len(told(mine, acts("b", DOWN, lock=other, inputs=OTHER_REGION)))


def test_targets_that_may_meet_are_a_warning() -> None:
    """
    A free value can be the other's, if its pattern or its choices allow it.
    """
    up = acts("a", "ssh: {host: '{{ host }}', argv: [x, start]}", inputs=HOST)
    choice = "host: {type: choice, of: [db1, db2]}"
    chosen = acts("c", "ssh: {host: '{{ host }}', argv: [x, start]}", inputs=choice)
    down = acts("b", "ssh: {host: db3, argv: [x, stop]}")
    never = acts("d", "ssh: {host: DB-3, argv: [x, stop]}")

    assert [
        (
            "a.yaml:12:5: warning[opposed]: 'a' (start) is opposed by 'b' (stop) of 'b' "
            "(b.yaml:11:5) on {host} x start, and no lock keeps the two runs apart"
        )
    ] == told(up, down)
    assert [] == told(up, never)
    assert [] == told(chosen, down)


def test_a_lock_on_the_target_keeps_runs_on_free_values_apart() -> None:
    """
    Where both name the target in their lock, targets that meet mean locks that meet.
    """
    lock = "'host/{{ host }}'"
    up = acts(
        "a", "ssh: {host: '{{ host }}', argv: [x, start]}", lock=lock, inputs=HOST
    )
    down = acts(
        "b", "ssh: {host: '{{ host }}', argv: [x, stop]}", lock=lock, inputs=HOST
    )
    alone = acts("c", "ssh: {host: '{{ host }}', argv: [x, stop]}", inputs=HOST)

    assert [] == told(up, down)
    assert 1 == len(told(up, alone))


def test_what_a_sub_runbook_does_counts_for_its_caller() -> None:
    """
    Its acts are told at the `run` step, with the values that `with` binds.
    """
    inner = acts(
        "inner", "do: {drain: '{{ node }}'}", inputs="node: {type: string}", lock="pool"
    )
    caller = member(
        "caller",
        "limits: {lock: [pool]}\nisolate:\n  - {run: inner, with: {node: n1}}\n",
    )
    other = acts("other", "do: {restore: n1}")

    assert [
        (
            "caller.yaml:8:5: error[opposed]: 'inner' of 'inner' (drain) is opposed by "
            "'other' (restore) of 'other' (other.yaml:11:5) on n1, and no lock keeps the "
            "two runs apart"
        )
    ] == told(caller, other, inside=[inner])
