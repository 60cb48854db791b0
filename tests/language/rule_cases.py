"""What a mistake looks like and what is said of it: all other rules.

Each case is what to change in the draft, and the problems that must come of it.
Read by: test_lint.
"""

from drafts import Seen

Edit = tuple[str, str]

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
    "key of an answer": (
        [("{fixed: boolean}", "{fixed: {type: integer, mn: 1}}")],
        [("unknown-key", "unknown key 'mn' in 'fixed'", "mn: 1}}}")],
    ),
    "pattern of an answer": (
        [("{fixed: boolean}", "{fixed: {type: string, pattern: '('}}")],
        [("pattern", "'(' is not a pattern that RE2 can read", "'('}}}")],
    ),
    "undo of what has none": (
        [("{undo: all}", "{undo: wipe}")],
        [("undo", "'wipe' has no undo, so there is nothing to give back", "wipe}")],
    ),
    "cron": (
        [("inputs:\n", "trigger: [{schedule: '30 4 * *'}]\ninputs:\n")],
        [("cron", "'30 4 * *' is no cron line", "'30 4 * *'}]")],
    ),
    "cron with words that are none": (
        [("inputs:\n", "trigger: [{schedule: '0 0 * * someday'}]\ninputs:\n")],
        [("cron", "'0 0 * * someday' is no cron line", "'0 0 * * som")],
    ),
    "cron of a day that never comes": (
        [("inputs:\n", "trigger: [{schedule: '0 0 30 2 *'}]\ninputs:\n")],
        [("cron", "'0 0 30 2 *' is never due: there is no such day", "'0 0 30 2 *'")],
    ),
    "cron beyond the clock": (
        [("inputs:\n", "trigger: [{schedule: '*/90 0-24 * * *'}]\ninputs:\n")],
        [("cron", "'*/90 0-24 * * *' is no cron line", "'*/90 0-24 *")],
    ),
    "hold longer than within": (
        [("within: 5m}", "within: 5m, hold: 6m}")],
        [("range", "'hold' is 6m, but all of it has to be inside 5m", "6m}")],
    ),
    "more viewpoints needed than there are": (
        [("actions:\n", "  both: {agree: {of: [disk, port], need: 3}}\nactions:\n")],
        [("range", "'need' is 3, but there are 2 checks", "3}}")],
    ),
}

REACH: dict[str, tuple[list[Edit], list[Seen]]] = {
    "a workaround that nothing leads to": (
        [("restore:\n", "  spare: [{say: x}]\nrestore:\n")],
        [("unreached", "nothing leads to the workaround 'spare'", "spare: [{say")],
    ),
    "workarounds that lead only to each other": (
        [
            (
                "restore:\n",
                "  b: [{say: x}]\n  a: [{act: clean, on_fail: b}]\nrestore:\n",
            )
        ],
        [
            ("unreached", "nothing leads to the workaround 'b'", "b: [{say: x}"),
            ("unreached", "nothing leads to the workaround 'a'", "a: [{act: cl"),
        ],
    ),
    "a misspelt workaround is one mistake": (
        [("workaround: tidy}", "workaround: tydy}")],
        [("unknown-name", "unknown workaround 'tydy'", "tydy}")],
    ),
    "a step after the end": (
        [("  - {undo: all}", "  - {hand_over: storage}\n  - {undo: all}")],
        [
            (
                "unreached",
                "'hand_over: storage' ends the run before this step",
                "{undo: all}",
            )
        ],
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
