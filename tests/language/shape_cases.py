"""What a mistake looks like that the YAML or the models refuse: shapes.

Each case is what to change in the draft; one mistake each. Read by: test_two_mistakes.
"""

Edit = tuple[str, str]

SHAPES: dict[str, list[Edit]] = {
    "a top key": [("owner: storage", "ownr: storage")],
    "a top key far off": [("owner: storage", "crew: storage")],
    "a section": [("checks:\n  disk", "chekcs:\n  disk")],
    "actions": [("actions:\n  clean", "acttions:\n  clean")],
    "a phase": [("restore:\n", "restor:\n")],
    "a phase far off": [("restore:\n", "afterwards:\n")],
    "the tests": [("tests:\n  - name", "testes:\n  - name")],
    "owner left out": [("owner: storage\n", "")],
    "severity": [("severity: sev3", "severity: sev9")],
    "format": [("format: 1", "format: 2")],
    "name": [("runbook: full-disk", "runbook: full_disk")],
    "stem": [("runbook: full-disk", "runbook: half-disk")],
    "title is a map": [("title: Disk full on {{ host }}", "title: {a: b}")],
    "input type": [("host: {type: string, from", "host: {type: strng, from")],
    "input type far off": [("host: {type: string, from", "host: {type: blob, from")],
    "input key": [("from: labels.host", "fromm: labels.host")],
    "check timeout": [
        ("    pass: value < 90.0", "    timeout: 5\n    pass: value < 90.0")
    ],
    "check pass": [("    pass: value < 90.0", "    pas: value < 90.0")],
    "check pass no text": [("    pass: value < 90.0", "    pass: 5")],
    "kind": [("prometheus: {query", "promethius: {query")],
    "kind far off": [("prometheus: {query", "graphite: {query")],
    "two kinds": [("  port:\n", "  port:\n    http: {get: 'https://x.internal'}\n")],
    "params": [("port: 22}", "port: abc}")],
    "params key": [("port: 22}", "prt: 22}")],
    "params missing": [(", port: 22}", "}")],
    "action kind": [("command: {argv: [wipe, ", "comand: {argv: [wipe, ")],
    "undo kind": [("      http: {delete", "      htp: {delete")],
    "undo": [("    undo: none\n", "    undo: non\n")],
    "act after_crash": [("after_crash: verify", "after_crash: never")],
    "act after_crash slip": [("after_crash: verify", "after_crash: verfy")],
    "undo no map": [
        (
            "    undo:\n      http: {delete: 'https://api.internal/{{ host }}/move'}",
            "    undo: 5",
        )
    ],
    "remember": [
        (
            "    done_when: checks",
            "    remember: {old: {check: disk}}\n    done_when: checks",
        )
    ],
    "leaves_nothing": [("leaves_nothing: true", "leaves_nothing: 'yes'")],
    "step key": [("{act: clean, on_fail: by-hand}", "{act: clean, onfail: by-hand}")],
    "step verb": [("{undo: all}", "{undoo: all}")],
    "two verbs": [("{undo: all}", "{undo: all, say: x}")],
    "no verb": [("{undo: all}", "{}")],
    "step is text": [("  - {undo: all}\n", "  - undo\n")],
    "confirm acts": [("- {check: disk, expect: fail}", "- {say: x}")],
    "confirm expect": [
        ("- {check: disk, expect: fail}", "- {check: disk, expect: fial}")
    ],
    "approve from": [("from: storage, on_reject", "from: {grup: storage}, on_reject")],
    "approve without from": [(", from: storage, on_reject", ", on_reject")],
    "cause without name": [("{name: other, work", "{work")],
    "ask fields": [("fields: {fixed: boolean}", "fields: [fixed]")],
    "within": [("within: 5m", "within: 5")],
    "test expect": [("expect: {end: resolved", "expect: {end: solved")],
    "test is text": [("tests:\n", "tests:\n  - x\n")],
    "test key": [("    inputs: {host: h1}", "    input: {host: h1}")],
    "always half": [("{act: wipe, only_after: approve}", "{act: wipe}")],
    "trigger of two": [
        ("inputs:\n", "trigger: [{chat: {}, schedule: '0 4 * * *'}]\ninputs:\n")
    ],
    "limits": [("inputs:\n", "limits: {cooldown: 5}\ninputs:\n")],
    "raise far off": [
        (
            "checks:\n  disk",
            "raise: [{to: sev9, when: checks.disk.ok}]\nchecks:\n  disk",
        )
    ],
    "a tag": [
        (
            "- {act: move, when: '!checks.disk.ok'}",
            "- act: move\n    when: !checks.disk.ok",
        )
    ],
    "braces": [("title: Disk full on {{ host }}", "title: {{ host }}")],
    "an anchor": [("owner: storage", "owner: &o storage")],
    "an anchor on a map": [("checks:\n  disk", "checks: &c\n  disk")],
    "a key twice": [("owner: storage", "owner: storage\nowner: ops")],
    "a check twice": [
        ("  port:\n    tcp", "  disk:\n    tcp: {host: x, port: 1}\n  port:\n    tcp")
    ],
    "a key no text": [("owner: storage", "owner: storage\nlinks: {404: x}")],
    "a number too large": [("port: 22}", "port: 99999999999999999999}")],
    "a merge key": [("owner: storage", "owner: storage\n<<: {a1: b1}")],
}
