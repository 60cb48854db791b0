"""What a change of a runbook means: each edit with all that is said of it."""

import pytest
from two_sides import BOOK, OLD, changes, rows, side

from engine.analysis.comparing import Change, compare
from engine.analysis.comparing.amid import between_changed
from engine.analysis.comparing.changes import Place
from engine.analysis.comparing.conditions import compared

Edits = tuple[tuple[str, str], ...]
CASES: dict[str, tuple[Edits, list[str]]] = {
    "approval-gone-on-one-branch": (
        (
            (
                "    - approve: Restart?\n      from: {group: ops, need: 2}\n      not_by: requester\n",
                "",
            ),
        ),
        [
            "riskier approval 50:54 'restart' in workaround 'restart': nobody is asked any more; it was only after a yes of 2 of ops",
            "riskier proof -:54 found: 'restart' has no undo: put an `approve` before it in the same list",
            "riskier proof -:55 found: no path takes 'wait_for slow'",
        ],
    ),
    "approval-that-may-open-by-itself": (
        (("      from: ops\n", "      from: ops\n      unless: checks.room.ok\n"),),
        [
            "riskier approval 64:64 'restart' in workaround 'by-hand': is done without people when checks.room.ok; it was only after a yes of 1 of ops",
        ],
    ),
    "fewer-people": (
        (("need: 2}\n      not_by: requester", "need: 1}"),),
        [
            "riskier approval 50:50 the approval in workaround 'restart': a yes of 1 of ops, was a yes of 2 of ops",
            "riskier approval 50:50 the approval in workaround 'restart': also by requester, who might not before",
        ],
    ),
    "a-stop-gives-nothing-back": (
        (("then: undo}\n", "then: hand_over, page: ops}\n"),),
        [
            "riskier stop 36:36 when !checks.room.ok: hand_over every 30s, pages ops, was undo every 30s",
        ],
    ),
    "other-people": (
        (
            (
                "      from: {group: ops, need: 2}\n",
                "      from: {group: leads, need: 3}\n",
            ),
        ),
        [
            "riskier approval 50:50 the approval in workaround 'restart': a yes of 3 of leads, was a yes of 2 of ops",
        ],
    ),
    "other-gate": (
        (
            (
                "      not_by: requester\n",
                "      not_by: [requester, ana]\n      retype: '{{ zone }}'\n      within: 20m\n      on_expire: by-hand\n      then: {group: leads}\n",
            ),
        ),
        [
            "neutral approval 50:50 the approval in workaround 'restart': on_expire by-hand, was hand_over",
            "neutral approval 50:50 the approval in workaround 'restart': others are asked when nobody answers",
            "neutral approval 50:50 the approval in workaround 'restart': within 20m, was 10m",
            "safer approval 50:50 the approval in workaround 'restart': a word has to be typed",
            "safer approval 50:50 the approval in workaround 'restart': not by ana",
        ],
    ),
    "new-path-without-undo": (
        (
            ("  by-hand:\n", "  by-hand:\n    - act: drain\n    - act: wipe\n"),
            (
                "  restart:\n    command:",
                "  wipe:\n    command: {argv: [wipe]}\n    leaves_nothing: true\n  restart:\n    command:",
            ),
        ),
        [
            "riskier act -:64 workaround 'by-hand' does 'drain': it can be given back, nobody is asked",
            "riskier act -:65 workaround 'by-hand' does 'wipe': it leaves nothing to give back, nobody is asked",
            "neutral program -:30 needs the program 'wipe'",
        ],
    ),
    "act-gone": (
        (("isolate:\n  - act: drain\n    when: '!checks.slow.ok'\n", ""),),
        [
            "neutral act 41:- 'drain' is no longer done in isolate",
        ],
    ),
    "act-narrower-and-given-another": (
        (
            (
                "when: '!checks.slow.ok'\n",
                "when: '!checks.slow.ok && checks.room.ok'\n",
            ),
            ("{host: h1}", "{host: h2}"),
        ),
        [
            "riskier act 66:66 'restart' in workaround 'by-hand' is given host h2, was host h1",
            "safer act 41:41 'drain' in isolate is done when: !checks.slow.ok && checks.room.ok, was: !checks.slow.ok",
        ],
    ),
    "one-target-to-five": (
        (
            (
                "    - act: restart\n      with: {host: h1}\n",
                '    - each: \'["a", "b", "c", "d", "e"]\'\n      as: host\n      batch: 1\n      do: [{act: restart}]\n',
            ),
            ("targets: {max: 4}", "targets: {max: 5}"),
        ),
        [
            "riskier targets 14:14 targets at most 5, was 4",
            "riskier targets 57:57 'restart' in workaround 'restart' may touch so many targets: 5, was 4",
            "riskier targets 66:69 'restart' in workaround 'by-hand' may touch so many targets: 5, was 1",
            'neutral step -:66 workaround \'by-hand\' has `each ["a", "b", "c", "d", "e"]`',
        ],
    ),
    "another-way-back": (
        (
            ("{weight: 100}", "{weight: 50}"),
            ("{weight: 0}", "{weight: 1}"),
            (
                "    guard: checks.room.ok\n    timeout: 10s\n",
                "    timeout: 20s\n    after_crash: repeat\n    retry: {times: 2}\n    undone_when: checks.room.ok\n",
            ),
        ),
        [
            'riskier undo 26:26 \'drain\' is given back in another way: PUT http://lb/nodes/n1 json {"weight": 50}, was: PUT http://lb/nodes/n1 json {"weight": 100}',
            'riskier action 24:24 \'drain\' does something else: PUT http://lb/nodes/n1 json {"weight": 1}, was PUT http://lb/nodes/n1 json {"weight": 0}',
            "riskier action 28:24 'drain' is only done when: nothing is looked at, was: checks.room.ok",
            "riskier action 24:29 'drain' after a crash: repeat, was ask",
            "neutral action 29:28 a try of 'drain' may take 20s, was 10s",
            "neutral action 24:30 'drain' is tried 3 times, was once",
            "safer action 24:31 'drain' is already given back when: checks.room.ok, was: nothing is looked at",
        ],
    ),
    "longer-to-mitigated": (
        (("hold: 30s", "hold: 5s\n      within: 18m"),),
        [
            "riskier step 58:58 `wait_for slow` in workaround 'restart': hold 5s, was 30s",
            "neutral step 58:58 `wait_for slow` in workaround 'restart': within 18m, was 10m",
        ],
    ),
    "limits": (
        (
            ("targets: {max: 4}", "targets: {max: 3}"),
            ("time: {total: 4h}", "time: {total: 5h, isolated: 1h}"),
            (
                "  lock: ['web/{{ zone }}']\n",
                "  runs: {max: 2, per: 1h}\n  cooldown: 10m\n",
            ),
            ("stop_when:\n  - {when: '!checks.room.ok', then: undo}\n", ""),
        ),
        [
            "riskier lock 13:- no longer locks 'web/{{ zone }}': runs on it may meet",
            "riskier limit 15:16 the limit to 'total' is 5h, was 4h",
            "riskier stop 36:- nothing stops it any more when !checks.room.ok",
            "safer targets 14:15 targets at most 3, was 4",
            "safer targets 57:56 'restart' in workaround 'restart' may touch so many targets: 3, was 4",
            "safer limit 12:13 starts at most 2 times in 1h, was without a limit",
            "safer limit 12:14 cooldown 10m, was none",
            "safer limit 15:16 the limit to 'isolated' is 1h, was none",
        ],
    ),
    "credential": (
        (
            (
                "http: {get: 'http://web/slow'}",
                "http: {get: 'http://stats/slow', bearer: {secret: stats}}",
            ),
            ("value < 1.0\n", "value < 2.0\n    fresh_for: 10m\n"),
        ),
        [
            "riskier credential -:17 needs the secret 'stats'",
            "riskier check 17:17 check 'slow' looks at something else: GET http://stats/slow bearer {\"secret\": \"stats\"}, was GET http://web/slow; it decides over 'drain'",
            "riskier check 19:19 check 'slow' passes when: value < 2.0, was: value < 1.0; it decides over 'drain'",
            "neutral check 17:17 check 'slow': an answer counts for 10m, was 2m",
            "neutral address -:17 needs the address 'stats:80'",
        ],
    ),
    "start": (
        (
            ("match: {alertname: Slow}", "match: {alertname: [Slow, Late]}"),
            ("severity: sev2\n", "severity: sev1\nautonomy: auto\n"),
            ("owner: ops", "owner: web"),
            ("who: [ops]}\n", "who: [web]}\n"),
            ("pattern: '[a-z]+'}", "pattern: '[a-z-]+'}\n  why: {type: string}"),
            ("max: 9}", "max: 20}"),
        ),
        [
            "riskier autonomy 1:6 autonomy auto, was approve",
            "riskier trigger 7:- does not start on an alert of am with alertname Slow any more",
            'riskier trigger -:8 starts on an alert of am with alertname ["Slow", "Late"], which did not start it before',
            "riskier input 10:11 input 'zone': pattern [a-z-]+, was [a-z]+",
            "riskier input 11:13 input 'hosts': max 20, was 9",
            "neutral trigger 8:- 'ops' cannot start it in chat any more",
            "neutral trigger -:9 'web' can start it in chat",
            "neutral input -:12 new input 'why', which somebody has to give",
            "neutral severity 5:5 sev1, was sev2",
            "neutral owner 4:4 owned by 'web', was 'ops': they are paged and take over",
        ],
    ),
    "confirm-and-restore": (
        (
            (
                "confirm:\n  - check: slow\n    expect: fail\n",
                "confirm:\n  - check: room\n    expect: pass\n",
            ),
            (
                "restore:\n  - undo: all\n    check: slow\n  - wait_for: slow\n",
                "restore:\n  - undo: all\n",
            ),
        ),
        [
            "riskier check 38:- it is no longer confirmed that 'slow' is fail before it acts",
            "riskier step 71:- restore no longer has `wait_for slow`",
            "riskier step 69:69 `undo all` in restore: looks at nothing after each, was slow",
            "safer check -:38 it is confirmed first that 'room' is pass",
        ],
    ),
    "restore-left-out": (
        (("restore:\n  - undo: all\n    check: slow\n  - wait_for: slow\n", ""),),
        [
            "safer step 68:1 `restore` is left out: everything held is given back, newest first",
        ],
    ),
    "steps-and-causes": (
        (
            (
                "diagnose:\n  - check: room\n",
                "diagnose:\n  - check: room\n    expect: pass\n    on_fail: continue\n  - say: hello\n",
            ),
            ("workaround: by-hand}", "workaround: restart}"),
            (
                "when: '!checks.room.ok', workaround: restart}\n",
                "when: '!checks.slow.ok', workaround: restart}\n      - {name: odd, when: '!checks.room.ok', workaround: by-hand}\n",
            ),
        ),
        [
            "riskier step 44:44 `check room` in diagnose: on_fail continue, was hand_over",
            "neutral step 44:44 `check room` in diagnose: expects pass, was nothing",
            "neutral step -:47 diagnose has `say`",
            "neutral cause 46:49 cause 'full' is so when !checks.slow.ok, was !checks.room.ok",
            "neutral cause -:50 new cause 'odd' leads to 'by-hand'",
            "neutral cause 47:51 cause 'other' leads to restart, was by-hand",
        ],
    ),
    "always": (
        (
            (
                "always:\n  - {act: restart, only_after: approve}\n",
                "always:\n  - {act: restart, only_after: check slow}\ntests:\n  - name: t\n    expect: {end: cleared}\n",
            ),
        ),
        [
            "riskier always 73:- no longer always: 'restart' only after approve",
            "safer always -:73 always: 'restart' only after check slow",
            "safer test -:75 new rehearsal 't'",
        ],
    ),
    "words-alone": (
        (
            (
                "runbook: web\ntitle: Web is slow\n",
                "title: The web is slow   # words only\nrunbook: web\ndescription: more words\n",
            ),
        ),
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_an_edit_means(case: str) -> None:
    """
    Kind, weight, the line before and the line now, words; all else is the same.
    """
    edits, expected = CASES[case]

    assert expected == rows(*edits)


def test_worst_case_times_are_those_of_the_proof() -> None:
    """
    Eight minutes more on one step are eight minutes more to mitigated, and in total.
    """
    edit = ("hold: 30s", "hold: 30s\n      within: 18m")

    assert [
        "riskier time 15:15 +8m in total at worst: 45m8s, was 37m8s",
        "riskier time 15:15 +8m of silence at worst: 42m5s, was 34m5s",
        "riskier time 15:15 +8m to mitigated at worst: 34m19s, was 26m19s",
        "neutral step 58:58 `wait_for slow` in workaround 'restart': within 18m, was 10m",
    ] == rows(edit, times=True)


def test_what_is_riskier_one_way_is_safer_the_other() -> None:
    """
    The approval that was taken out is put back: told the other way round.
    """
    gate = "    - approve: Restart h1 all the same?\n      from: ops\n"
    without = side(BOOK.replace(gate, ""), "old")
    back = [
        (one.weight, one.words)
        for one in compare(without, OLD)
        if one.kind == "approval"
    ]

    assert [
        (
            "safer",
            (
                "'restart' in workaround 'by-hand': only after a yes of 1 of ops; nobody "
                "was asked"
            ),
        )
    ] == back


def test_a_runbook_that_comes_or_goes() -> None:
    """
    A new one is neither; one that is gone leaves its alerts without an answer.
    """
    comes = Change(
        "web", "runbook", "neutral", "a new runbook, which starts by itself",
        None, Place("old", 1),
    )  # fmt: skip
    goes = Change(
        "web", "runbook", "riskier", "the runbook is gone: what started it finds nobody",
        Place("old", 1), None,
    )  # fmt: skip

    assert [comes] == compare(None, OLD)
    assert [goes] == compare(OLD, None)


def test_what_is_wrong_between_the_runbooks_of_a_folder() -> None:
    """
    What was not found between them before is riskier, the other way round safer.
    """
    both = BOOK.replace("runbook: web", "runbook: api").replace(
        "severity: sev2", "severity: sev1"
    )
    calm = side(both.replace("nodes/n1", "nodes/n2"), "old-api", "api")
    odd = side(
        both.replace("{weight: 0}", "{weight: 9}").replace("'web/", "'api/"),
        "new-api",
        "api",
    )
    old, new = {"api": calm, "web": OLD}, {"api": odd, "web": OLD}
    words = (
        "'drain' (weight 9) is opposed by 'drain' (weight 0) of 'web'{} on "
        "http://lb/nodes/n1, and no lock keeps the two runs apart"
    )

    assert [
        Change(
            "api",
            "between",
            "riskier",
            f"found: {words.format(' (old:41:5)')}",
            None,
            Place("new-api", 41),
        )
    ] == list(between_changed(old, new))
    assert [
        Change(
            "api",
            "between",
            "safer",
            f"no longer found: {words.format(' (old:41:5)')}",
            Place("new-api", 41),
            None,
        )
    ] == list(between_changed(new, old))


def test_what_people_are_told_and_how_many_must_succeed() -> None:
    """
    The channel, the measured impact, the severity that rises; fewer viewpoints.
    """
    more = (
        "chat: {channel: '#web', update_every: 5m}\n"
        "impact: {users: {http: {get: 'http://web/users'}}, every: 10s}\n"
        "raise: [{to: sev1, when: '!checks.room.ok'}]\nconfirm:\n"
    )
    viewed = "diagnose:\n  - all: [{check: room}, {check: slow}]\n"
    less = "diagnose:\n  - all: [{check: room}, {check: slow}]\n    need: 1\n"
    text = BOOK.replace("diagnose:\n  - check: room\n", viewed)
    told = compare(
        side(text, "old"),
        side(text.replace(viewed, less).replace("confirm:\n", more), "new"),
    )

    assert [
        "riskier: `all of 2` in diagnose: 1 must succeed, was: all must succeed",
        "neutral: new check 'users': GET http://web/users",
        "neutral: raised to sev1 when !checks.room.ok, was never",
        "neutral: impact on users: 1 each 10s, was not measured",
        "neutral: chat channel: #web, was none",
        "neutral: chat update_every: 5m, was none",
    ] == [f"{one.weight}: {one.words}" for one in told if one.kind != "time"]


def test_nothing_changed() -> None:
    """
    The same runbook in another file is no change.
    """
    assert [] == changes()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a", "a  &&  b", "more"),
        ("a && b", "b", "less"),
        ("a && b", "b && a", "same"),
        ("a || b", "a", "other"),
        ("a && b || c", "a && b", "other"),
        ("a && (b || c)", "(b || c)", "less"),
        ("f('x && y')", "f('x && y') && b", "more"),
        (None, "a", "more"),
        ("a", None, "less"),
    ],
)
def test_conditions_are_weighed_by_what_they_ask(
    old: str | None, new: str | None, expected: str
) -> None:
    """
    More parts under `&&` ask for more; what else differs is not weighed.
    """
    assert expected == compared(old, new)


TWO = BOOK.replace(
    "  drain:\n",
    "  shade:\n    http: {put: 'http://lb/x'}\n    undo: {http: {put: 'http://lb/y'}}\n"
    "    slot: lb\n  drain:\n",
).replace(
    "  - act: drain\n    when: '!checks.slow.ok'\n",
    "  - act: shade\n  - act: drain\n",
)


def test_the_same_acts_in_another_order_are_no_small_thing() -> None:
    """
    What is done first, what shares a way back, how a check passes: each is told.
    """
    swapped = TWO.replace(
        "  - act: shade\n  - act: drain\n", "  - act: drain\n  - act: shade\n"
    )
    alone = TWO.replace("    slot: lb\n", "")
    lax = TWO.replace("pass: value > 5.0", "pass: value > 5.0\n    pass_for: any")

    assert [
        ["riskier act isolate does, in this order: drain, shade; it was shade, drain"],
        [
            "riskier action 'shade' has no slot, had slot lb: what it shares a way back with"
        ],
        [
            "riskier check check 'room' has to pass for any, was as its kind has it; it decides over 'drain'"
        ],
    ] == [
        [f"{one.weight} {one.kind} {one.words}" for one in found if one.kind != "time"]
        for found in (
            compare(side(TWO, "old"), side(one, "new")) for one in (swapped, alone, lax)
        )
    ]
