"""What a mistake looks like and what is said of it: names.

Each case is what to change in the draft, and the problems that must come of it.
Read by: test_lint.
"""

from drafts import Seen

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
