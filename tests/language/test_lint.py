"""Lint: what a runbook names, binds and does is judged before it runs."""

import pytest
from drafts import DRAFT, Seen, edited, problems_of, seen

from engine.language.load import load_runbook
from engine.model.kinds import Kinds
from engine.model.runbook import Runbook

Edit = tuple[str, str]

REFERENCES: dict[str, tuple[list[Edit], list[Seen]]] = {
    "check step": (
        [("- all: [{check: disk}", "- all: [{check: dsk}")],
        [("unknown-name", "unknown check 'dsk'", "dsk}, {check")],
    ),
    "act": (
        [("- {act: wipe}", "- {act: wpe}")],
        [("unknown-name", "unknown action 'wpe'", "wpe}")],
    ),
    "workaround of a cause": (
        [("workaround: tidy", "workaround: tidi")],
        [("unknown-name", "unknown workaround 'tidi'", "tidi}")],
    ),
    "on_fail": (
        [("on_fail: by-hand", "on_fail: by_hand")],
        [
            (
                "unknown-name",
                "'on_fail' leads to 'by_hand', which is no workaround",
                "by_hand}",
            )
        ],
    ),
    "on_reject": (
        [("on_reject: hand_over", "on_reject: handover")],
        [
            (
                "unknown-name",
                "'on_reject' leads to 'handover', which is no workaround",
                "handover}",
            )
        ],
    ),
    "undo": (
        [("{undo: all}", "{undo: mov}")],
        [("unknown-name", "unknown action 'mov'", "mov}")],
    ),
    "check beside undo": (
        [("{undo: all}", "{undo: all, check: dsk}")],
        [("unknown-name", "unknown check 'dsk'", "dsk}")],
    ),
    "settles": (
        [("    why_no_undo: gone", "    settles: [moove]\n    why_no_undo: gone")],
        [("unknown-name", "unknown action 'moove'", "moove]")],
    ),
    "remember": (
        [
            (
                "    done_when: checks",
                "    remember: {old: {check: dsk, value: value}}\n    done_when: checks",
            )
        ],
        [("unknown-name", "unknown check 'dsk'", "dsk, value: ")],
    ),
    "targets of": (
        [
            (
                "checks:\n  disk",
                "limits: {targets: {max: 3, of: fleet}}\nchecks:\n  disk",
            )
        ],
        [("unknown-name", "unknown check 'fleet'", "fleet}}")],
    ),
    "group_by": (
        [
            (
                "inputs:\n",
                "trigger:\n  - alert: {source: x}\n    group_by: [hst]\ninputs:\n",
            )
        ],
        [("unknown-name", "unknown input 'hst'", "hst]")],
    ),
    "from": (
        [("from: labels.host", "from: label.host")],
        [
            (
                "from",
                "'from' is 'label.host', which is no path into an alert",
                "label.host, ",
            )
        ],
    ),
    "agree": (
        [
            (
                "  port:\n    tcp: {host: '{{ host }}', port: 22}",
                "  port:\n    agree: {of: [disk, dsk]}",
            )
        ],
        [("unknown-name", "unknown check 'dsk'", "dsk]}")],
    ),
    "wait_for": (
        [("wait_for: disk", "wait_for: dsk")],
        [("unknown-name", "unknown check 'dsk'", "dsk, within:")],
    ),
    "always act": (
        [("{act: wipe, only", "{act: wpe, only")],
        [("unknown-name", "unknown action 'wpe'", "wpe, only_af")],
    ),
    "always check": (
        [("only_after: approve", "only_after: check dsk")],
        [("unknown-name", "unknown check 'dsk'", "check dsk}")],
    ),
    "always words": (
        [("only_after: approve", "only_after: later")],
        [("always", "'only_after' is 'later'", "later}")],
    ),
    "raise downwards": (
        [
            (
                "checks:\n  disk",
                "raise: [{to: sev4, when: checks.disk.ok}]\nchecks:\n  disk",
            )
        ],
        [("raise", "'sev4' is below the runbook's own sev3", "sev4, when: ")],
    ),
    "jump cycle": (
        [("on_reject: hand_over", "on_reject: tidy")],
        [("cycle", "this jump goes in a circle: tidy -> by-hand -> tidy", "tidy}")],
    ),
    "test of an unknown check": (
        [("checks: {disk: [fail, pass]}", "checks: {dsk: fail}")],
        [("unknown-name", "unknown check 'dsk'", "dsk: fail}")],
    ),
    "test of an unknown input": (
        [("inputs: {host: h1}", "inputs: {hst: h1}")],
        [("unknown-name", "unknown input 'hst'", "hst: h1}")],
    ),
    "test with an illegal answer": (
        [("[fail, pass]", "[fail, passed]")],
        [("answer", "'passed' is no answer here", "passed]}")],
    ),
    "test of an unknown act": (
        [("did: [move, clean]", "did: [move, cleen]")],
        [("unknown-name", "unknown action 'cleen'", "cleen]}")],
    ),
    "test of an unknown cause": (
        [("expect: {end", "expect: {cause: smal, end")],
        [("unknown-name", "unknown cause 'smal'", "smal, end: r")],
    ),
    "test with an illegal vote": (
        [("    expect: {end", "    people: [yes]\n    expect: {end")],
        [("answer", "'yes' is no answer of a person", "yes]")],
    ),
    "test with an illegal act answer": (
        [("    expect: {end", "    actions: {move: done}\n    expect: {end")],
        [("answer", "'done' is no answer here", "done}")],
    ),
    "test with a value that does not fit": (
        [("inputs: {host: h1}", "inputs: {host: H_1}")],
        [("value", "'H_1' does not fit the input 'host'", "H_1}")],
    ),
}

NAMES: dict[str, tuple[list[Edit], list[Seen]]] = {
    "input shadows": (
        [("  free: {type", "  cause: {type")],
        [
            (
                "reserved-name",
                "'cause' means something else in conditions",
                "cause: {type",
            )
        ],
    ),
    "as shadows": (
        [
            (
                "- {act: wipe}",
                "- {each: hosts, as: held, do: [{say: x}]}\n    - {act: wipe}",
            )
        ],
        [
            (
                "reserved-name",
                "'held' means something else in conditions",
                "held, do: [{",
            )
        ],
    ),
    "step name twice": (
        [("{undo: all}", "{undo: all, name: hand}")],
        [
            (
                "duplicate-name",
                "the step name 'hand' is taken; first in line 45",
                "hand}",
            )
        ],
    ),
    "cause twice": (
        [("{name: other, work", "{name: small, work")],
        [("duplicate-name", "the cause 'small' stands here twice", "small, worka")],
    ),
    "cause without when before the last": (
        [("{name: small, when: '!checks.disk.ok', ", "{name: small, ")],
        [
            (
                "cause",
                "the cause 'small' has no 'when', so none after it is found",
                "{name: small",
            )
        ],
    ),
    "last cause with when": (
        [("{name: other, work", "{name: other, when: checks.port.ok, work")],
        [("cause", "the last cause, 'other', has a 'when'", "when: checks")],
    ),
    "unknown name in a title": (
        [("Disk full on {{ host }}", "Disk full on {{ hst }}")],
        [("unknown-name", "unknown name 'hst' in this text", "hst }}")],
    ),
    "unknown name in a query": (
        [('disk{host="{{ host }}"', 'disk{host="{{ hst }}"')],
        [("unknown-name", "unknown name 'hst' in this text", "hst }}\"})'}")],
    ),
    "a text that does not parse": (
        [("'Wipe {{ host }}?'", "'Wipe {{ host ?'")],
        [("template", "", "")],
    ),
    "unbound at one use": (
        [
            ("'--host', '{{ host }}'", "'--host', '{{ which }}'"),
            (
                "{act: clean, on_fail: by-hand}",
                "{act: clean, with: {which: a}}\n    - {act: clean}",
            ),
        ],
        [
            (
                "unbound-name",
                "the action 'clean' needs 'which' (line 18), which is not bound here",
                "clean}",
            )
        ],
    ),
    "bound at no use": (
        [("'--host', '{{ host }}'", "'--host', '{{ which }}'")],
        [("unknown-name", "unknown name 'which' in this text", "which }}']}")],
    ),
    "condition with an unknown name": (
        [("done_when: checks.disk.ok", "done_when: checks.dsk.ok")],
        [("expression", "", "")],
    ),
}

PHASES: dict[str, tuple[list[Edit], list[Seen]]] = {
    "act in diagnose": (
        [("diagnose:\n", "diagnose:\n  - {act: move}\n")],
        [("phase", "'diagnose' only looks; 'act' changes the world", "act: move}")],
    ),
    "undo in diagnose": (
        [("diagnose:\n", "diagnose:\n  - {undo: all}\n")],
        [("phase", "'diagnose' only looks; 'undo' changes the world", "undo: all}")],
    ),
    "say in an all of diagnose": (
        [("{check: port}]", "{say: hello}]")],
        [
            (
                "phase",
                "an 'all' of 'diagnose' holds only looking steps, no 'say'",
                "say: hello}]",
            )
        ],
    ),
    "isolate without a way back": (
        [("{act: move, when", "{act: wipe, when")],
        [
            (
                "phase",
                "'isolate' acts only with a way back; 'wipe' has none",
                "wipe, when: ",
            )
        ],
    ),
    "act in confirm": (
        [("{check: disk, expect: fail}", "{act: move}")],
        [("phase", "'confirm' holds only checks; 'act' is none", "act: move}")],
    ),
    "continue on a gate": (
        [("on_reject: hand_over", "on_reject: continue")],
        [
            (
                "gate",
                "'on_reject: continue' would open the gate without consent",
                "continue}",
            )
        ],
    ),
}

BODIES: dict[str, tuple[list[Edit], list[Seen]]] = {
    "no reason": (
        [("    why_no_undo: gone is gone\n", "")],
        [("undo", "'wipe' has `undo: none` without a reason", "none")],
    ),
    "no way back": (
        [("    leaves_nothing: true\n", "")],
        [("undo", "the action 'clean' does not say how it is undone", "clean:")],
    ),
    "both": (
        [
            (
                "    why_no_undo: gone is gone",
                "    leaves_nothing: true\n    why_no_undo: x",
            )
        ],
        [
            (
                "undo",
                "'wipe' has an undo and says that it leaves nothing",
                "leaves_nothi",
            )
        ],
    ),
    "undo beside a built-in one": (
        [("command: {argv: [wipe, '{{ host }}']}", "silence: {matchers: {}}")],
        [
            (
                "undo",
                "'wipe' has an undo, but 'silence' gives back by itself",
                "undo: none",
            )
        ],
    ),
    "verify without done_when": (
        [("    done_when: checks.disk.ok\n", "")],
        [("done-when", "'after_crash: verify' needs 'done_when' to look at", "verify")],
    ),
    "no pass": (
        [("    pass: value < 90.0\n", "")],
        [("pass", "the check 'disk' does not say what passes", "disk:")],
    ),
    "default against the pattern": (
        [("pattern: '[a-z0-9-]+'", "pattern: '[a-z0-9-]+', default: H_1")],
        [
            (
                "default",
                (
                    "the default 'H_1' does not fit: expected text that matches [a-z0-9-]+ "
                    "as a whole"
                ),
                "H_1}",
            )
        ],
    ),
    "choice without values": (
        [("free: {type: string, default: x}", "free: {type: choice, default: x}")],
        [("input", "a choice needs the list of its values", "{type: choic")],
    ),
    "min above max": (
        [("free: {type: string, default: x}", "free: {type: integer, min: 5, max: 2}")],
        [("input", "min 5 is above max 2: nothing fits", "5, max: 2}")],
    ),
}

AMOUNTS: dict[str, tuple[list[Edit], list[Seen]]] = {
    "share without a fleet": (
        [("checks:\n  disk", "limits: {targets: {share: 40%}}\nchecks:\n  disk")],
        [
            (
                "missing",
                "a share needs 'of', the check that returns the fleet's size",
                "share: 40%}}",
            )
        ],
    ),
    "share above the whole": (
        [("checks:\n  disk", "limits: {targets: {share: 1.5}}\nchecks:\n  disk")],
        [("range", "1.5 is no share", "1.5}}")],
    ),
    "batch": (
        [
            (
                "- {act: wipe}",
                "- {each: hosts, as: h, batch: [1, 10%, x], do: [{act: wipe}]}",
            )
        ],
        [("range", "'x' is no size of a batch", "x], do: [{ac")],
    ),
    "need": (
        [("{check: port}]", "{check: port}]\n    need: 3")],
        [("range", "'need' is 3, but there are 2 steps", "3")],
    ),
    "type of an answer": (
        [("{fixed: boolean}", "{fixed: bool}")],
        [("value", "'bool' is no type of an answer", "bool}}")],
    ),
    "undo of what has none": (
        [("{undo: all}", "{undo: wipe}")],
        [("undo", "'wipe' has no undo, so there is nothing to give back", "wipe}")],
    ),
    "cron": (
        [("inputs:\n", "trigger: [{schedule: '30 4 * *'}]\ninputs:\n")],
        [("cron", "'30 4 * *' is no cron line", "'30 4 * *'}]")],
    ),
}

OUTSIDE: dict[str, tuple[list[Edit], list[Seen]]] = {
    "g4 empty": (
        [("- {act: wipe}", "- {each: '[]', as: h, do: [{say: x}]}\n    - {act: wipe}")],
        [
            (
                "targets",
                "the list of targets is empty, and empty never means all",
                "'[]', as: h,",
            )
        ],
    ),
    "g4 wildcard": (
        [
            (
                "- {act: wipe}",
                "- {each: '[\"*\"]', as: h, do: [{say: x}]}\n    - {act: wipe}",
            )
        ],
        [("targets", "'*' as a target would mean everything", "'[\"*\"]', as:")],
    ),
    "g4 empty default": (
        [
            ("default: [h1]", "default: []"),
            (
                "- {act: wipe}",
                "- {each: hosts, as: h, do: [{say: x}]}\n    - {act: wipe}",
            ),
        ],
        [
            (
                "targets",
                "the list of targets is empty, and empty never means all",
                "hosts, as: h",
            )
        ],
    ),
    "host of a URL": (
        [
            (
                "delete: 'https://api.internal/{{ host }}/move'",
                "delete: 'https://{{ free }}/move'",
            )
        ],
        [
            (
                "outside-host",
                "the input 'free' names a host, and anybody may fill it",
                "free }}/move",
            )
        ],
    ),
    "host of a tcp check": (
        [("tcp: {host: '{{ host }}'", "tcp: {host: '{{ free }}'")],
        [
            (
                "outside-host",
                "the input 'free' names a host, and anybody may fill it",
                "free }}', po",
            )
        ],
    ),
    "program": (
        [("argv: [wipe, ", "argv: ['{{ free }}', ")],
        [("outside-program", "the program to run comes from outside", "'{{ free }}'")],
    ),
    "shell line": (
        [("argv: [wipe, '{{ host }}']", "argv: [/bin/sh, -ec, 'wipe {{ host }}']")],
        [
            (
                "outside-shell",
                "a shell line is built from values of outside",
                "'wipe {{ hos",
            )
        ],
    ),
    "secret inside a text": (
        [
            ("free: {type: string, default: x}", "free: {type: string, secret: true}"),
            ("argv: [wipe, '{{ host }}']", "argv: [wipe, '--key={{ free }}']"),
        ],
        [("secret", "the secret 'free' stands inside a longer text", "'--key={{ fr")],
    ),
    "secret in a message": (
        [
            ("free: {type: string, default: x}", "free: {type: string, secret: true}"),
            ("'Wipe {{ host }}?'", "'Wipe {{ free }}?'"),
        ],
        [("secret", "the secret 'free' would be shown to everybody", "'Wipe {{ fre")],
    ),
}
ALL = {
    f"{group}: {name}": case
    for group, cases in (
        ("references", REFERENCES),
        ("names", NAMES),
        ("phases", PHASES),
        ("bodies", BODIES),
        ("amounts", AMOUNTS),
        ("outside", OUTSIDE),
    )
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", ALL)
def test_a_mistake_is_one_problem_at_its_place(kinds: Kinds, name: str) -> None:
    """
    Each mistake is told once, where it stands; messages of other modules are not fixed.
    """
    edits, expected = ALL[name]

    found = seen(problems_of(edited(*edits), kinds))

    blank = [
        (code, message if wanted[1] else "", at if wanted[2] else "")
        for (code, message, at), wanted in zip(found, expected, strict=False)
    ]
    assert expected == blank
    assert len(expected) == len(found)


def sibling(kinds: Kinds, name: str, body: str) -> Runbook:
    """Return a small runbook that others may run."""
    head = f"format: 1\nrunbook: {name}\ntitle: x\nowner: o\nseverity: sev3\n"
    actions = "actions:\n  go: {command: {argv: [go]}, leaves_nothing: true}\n"
    loaded = load_runbook(head + actions + body, f"{name}.yaml", kinds)
    assert loaded.runbook is not None, loaded.problems
    return loaded.runbook


def test_a_sub_run_is_judged_against_its_runbook(kinds: Kinds) -> None:
    """
    With the other runbooks at hand, name, inputs and circles of `run` are judged.
    """
    siblings = {
        "acts": sibling(
            kinds, "acts", "inputs: {n: {type: integer}}\nisolate: [{act: go}]\n"
        ),
        "back": sibling(kinds, "back", "restore: [{run: full-disk}]\n"),
    }
    text = edited(
        ("diagnose:\n", "diagnose:\n  - {run: acts, with: {n: 1}}\n"),
        (
            "  - {undo: all}\n",
            "  - {run: acts, with: {m: 1}}\n  - {run: acs}\n  - {run: back}\n",
        ),
    )

    assert [
        ("phase", "'diagnose' only looks; the runbook 'acts' acts", "acts, with: "),
        ("missing", "'acts' needs the input 'n'", "acts, with: "),
        ("unknown-name", "unknown input 'm'", "m: 1}}"),
        ("unknown-name", "unknown runbook 'acs'", "acs}"),
        ("cycle", "'back' leads back to this runbook", "back}"),
    ] == seen(problems_of(text, kinds, siblings=siblings))


def test_without_siblings_a_sub_run_is_not_judged(kinds: Kinds) -> None:
    """
    Where the other runbooks are not at hand, `run` may name any.
    """
    assert [] == problems_of(edited(("{undo: all}", "{run: other}")), kinds)


def test_a_pattern_that_re2_does_not_read_is_refused(kinds: Kinds) -> None:
    """
    Patterns are RE2: no look-around, which takes exponential time elsewhere.
    """
    text = edited(("pattern: '[a-z0-9-]+'", "pattern: '(?=a)b'"))

    assert ["pattern"] == [it.code for it in problems_of(text, kinds)]


def test_an_alert_pattern_must_compile(kinds: Kinds) -> None:
    """
    `/regex/` of a trigger is compiled at load.
    """
    match = "trigger:\n  - alert: {source: x, match: {a: [b, '/(/'], c: '/d.*/'}}\ninputs:\n"
    problems = problems_of(edited(("inputs:\n", match)), kinds)

    assert [("pattern", "'/(/']")] == [(code, at[:6]) for code, _, at in seen(problems)]


def test_a_remembered_name_is_known_in_undo_and_in_the_gate_before_it(
    kinds: Kinds,
) -> None:
    """
    What is remembered before the act may be shown to who approves, and not elsewhere.
    """
    remember = "    undo: none\n    remember: {old: {check: disk, value: value}}\n"
    shown = [
        ("    undo: none\n", remember),
        ("'Wipe {{ host }}?'", "'Wipe {{ old }}?'"),
    ]

    assert [] == problems_of(edited(*shown), kinds)
    assert [
        ("unknown-name", "unknown name 'old' in this text", "old }}', nam")
    ] == seen(
        problems_of(edited(*shown, ('{ask: "Done?"', "{ask: 'Done {{ old }}'")), kinds)
    )


def test_an_each_binds_its_name_for_what_it_does(kinds: Kinds) -> None:
    """
    A body may use the `as` name where every use stands inside the `each`.
    """
    text = edited(
        ("argv: [wipe, '{{ host }}']", "argv: [wipe, '{{ one }}']"),
        ("- {act: wipe}", "- {each: hosts, as: one, do: [{act: wipe}]}"),
    )

    assert [] == problems_of(text, kinds)


def test_a_place_inside_a_text_is_found_through_quotes_and_folding(
    kinds: Kinds,
) -> None:
    """
    A problem inside a value points at the very name, however the value is written.
    """
    for written in (
        "title: Disk {{ hst }}",
        "title: 'It''s {{ hst }}'",
        'title: "\\u00c4 \\" {{ hst }}"',
        "title: |\n  First\n  then {{ hst }}",
        "title: >-\n  First\n  then {{ hst }}",
        "title: First\n  then {{ hst }}",
    ):
        text = edited(("title: Disk full on {{ host }}", written))

        assert [("unknown-name", "unknown name 'hst' in this text", "hst }}")] == seen(
            problems_of(text, kinds), width=6
        ), written


def test_a_comparison_in_a_query_is_a_warning(kinds: Kinds) -> None:
    """
    A filter in PromQL gives nothing back where it is false; that reads as unknown.
    """
    text = edited(("{{ host }}\"})'}", "{{ host }}\"}) > 5'}"))

    loaded = load_runbook(text, "full-disk.yaml", kinds)

    assert loaded.runbook is not None
    assert [("warning", "promql-filter")] == [
        (it.severity, it.code) for it in loaded.problems
    ]
    assert "> 5'}" == loaded.problems[0].source_line[loaded.problems[0].column - 1 :]


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ('sum(rate(e{s="5"}[5m])) / sum(rate(e[5m]))', ["promql-ratio"]),
        ('(sum(rate(e{s="5"}[5m])) or vector(0)) / sum(rate(e[5m]))', []),
        ('max(a{t="x"}) / avg(a{t="x"})', []),
        ("a > bool 5", []),
        ('a{s!="5", t=~"x>y"}', []),
        ("a == b", ["promql-filter"]),
    ],
)
def test_queries_that_are_empty_when_it_matters_are_warned_of(
    kinds: Kinds, query: str, codes: list[str]
) -> None:
    """
    A ratio of a part to the whole needs `or vector(0)`; labels are not comparisons.
    """
    text = edited(("'max(disk{host=\"{{ host }}\"})'", f"'{query}'"))

    assert codes == [it.code for it in problems_of(text, kinds)]


def test_the_draft_is_what_every_edit_starts_from() -> None:
    """
    An edit that does not apply fails its test instead of testing nothing.
    """
    with pytest.raises(AssertionError, match="is not in the draft"):
        edited(("nowhere", "x"), text=DRAFT)
