"""What the proof says of each broken runbook: code, place, message, and the last move.

Read by: test_broken_runbooks.
"""

TOLD = {
    "a gate that a condition skips": [
        (
            "approval",
            "isolate/2",
            "on this path risky is of high risk and nobody approved it",
            "a fails",
        ),
    ],
    "a gate and an act that look at different checks": [
        (
            "approval",
            "isolate/2",
            "on this path risky is of high risk and nobody approved it",
            "b passes",
        ),
    ],
    "the same condition, but older than its answer counts": [
        (
            "approval",
            "isolate/3",
            "on this path risky is of high risk and nobody approved it",
            "a passes",
        ),
    ],
    "no gate at all": [
        (
            "approval",
            "isolate/1",
            "on this path risky is of high risk and nobody approved it",
            "",
        ),
    ],
    "no way back, and no gate": [
        (
            "approval",
            "workaround.w/1",
            "on this path final has no undo and nobody approved it",
            "",
        ),
    ],
    "a gate inside a block does not cover what comes after": [
        (
            "approval",
            "workaround.w/2",
            "on this path risky is of high risk and nobody approved it",
            "people say yes",
        ),
    ],
    "a gate after the act": [
        (
            "approval",
            "isolate/1",
            "on this path risky is of high risk and nobody approved it",
            "",
        ),
        ("unreached", "isolate/2", "no path takes 'approve'", ""),
    ],
    "a jump into a list without its own gate": [
        (
            "approval",
            "workaround.w/1",
            "on this path final has no undo and nobody approved it",
            "ops says no",
        ),
    ],
    "each target, and nobody asked": [
        (
            "approval",
            "workaround.w/1.1",
            "on this path final has no undo and nobody approved it",
            "",
        ),
    ],
    "side by side, and nobody asked": [
        (
            "approval",
            "workaround.w/1.1",
            "on this path final has no undo and nobody approved it",
            "",
        ),
    ],
    "a gate that is skipped where nothing can be told": [
        (
            "approval",
            "isolate/2",
            "on this path risky is of high risk and nobody approved it",
            "b is unknown",
        ),
    ],
    "an approval that opens itself is none for the rule": [
        ("always", "always/0", "'take' is done without approve before it", "b fails"),
    ],
    "an act before the look it needs": [
        ("always", "always/0", "'take' is done without check a before it", ""),
    ],
    "an act whose forerunner may be skipped": [
        (
            "always",
            "always/0",
            "'take' is done without act other before it",
            "a is unknown",
        ),
    ],
    "something held where nothing may be": [
        (
            "always",
            "always/0",
            "at_end: size(held) == 0 is not true at this end",
            "act take fails",
        ),
    ],
    "two acts that may never be held at once": [
        (
            "always",
            "always/0",
            'never: "take" in held && "other" in held is true here',
            "act take is done",
        ),
    ],
    "an act that may never be held": [
        ("always", "always/0", 'never: "take" in held is true here', "a passes"),
    ],
    "an end without a cause": [
        (
            "always",
            "always/0",
            'at_end: cause == "x" is not true at this end',
            "a is unknown",
        ),
    ],
    "a cause that may not be": [
        ("always", "always/0", 'never: cause == "y" is true here', "a is unknown"),
    ],
    "an end that is not the one": [
        (
            "always",
            "always/0",
            'at_end: end == "resolved" is not true at this end',
            "act take fails",
        ),
    ],
    "a condition against itself": [
        (
            "unreached",
            "diagnose/1",
            "no path takes 'check a': its `when` is true on none (checks.a.ok && !checks.a.ok)",
            "",
        ),
    ],
    "a cause behind one that says the same": [
        (
            "unreached",
            "diagnose/1#1",
            "no path names the cause 'y': where its `when` is true, another comes before it",
            "",
        ),
    ],
    "a cause behind one that says more": [
        (
            "unreached",
            "diagnose/1#1",
            "no path names the cause 'y': where its `when` is true, another comes before it",
            "",
        ),
    ],
    "a cause behind all that can be": [
        ("unreached", "diagnose/1#2", "no path names the cause 'z'", ""),
    ],
    "a number that passes and is too large": [
        (
            "unreached",
            "diagnose/1",
            "no path takes 'check b': its `when` is true on none (checks.n.ok && checks.n.value > 10.0)",
            "",
        ),
    ],
    "a choice that there is not": [
        (
            "unreached",
            "diagnose/1",
            "no path takes 'check a': its `when` is true on none (where == \"z\")",
            "",
        ),
    ],
    "an answer against itself": [
        (
            "unreached",
            "diagnose/2",
            "no path takes 'check a': its `when` is true on none (answers.q.sure && !answers.q.sure)",
            "",
        ),
    ],
    "held before it is taken": [
        (
            "unreached",
            "isolate/1",
            "no path takes 'act other': its `when` is true on none (\"take\" in held)",
            "",
        ),
    ],
    "after the run's end": [
        ("unreached", "diagnose/2", "no path takes 'check a'", ""),
    ],
    "a cause that is never the one": [
        (
            "unreached",
            "diagnose/2",
            "no path takes 'check a': its `when` is true on none (cause == \"y\")",
            "",
        ),
    ],
    "a gate that nobody may answer": [
        ("unreached", "isolate/2", "no path takes 'act risky'", ""),
    ],
    "a target's step against itself": [
        (
            "unreached",
            "workaround.w/1.2",
            "no path takes 'check a': its `when` is true on none (checks.a.ok && !checks.a.ok)",
            "",
        ),
    ],
    "a round's step that no round takes": [
        (
            "unreached",
            "workaround.w/1.1",
            "no path takes 'act take': its `when` is true on none (false)",
            "",
        ),
    ],
    "a restore that gives nothing back": [
        (
            "held",
            "isolate/1",
            "restore is through, and nothing has given back 'take'",
            "act take is done",
        ),
    ],
    "a restore that is written as empty": [
        (
            "held",
            "isolate/1",
            "restore is through, and nothing has given back 'take'",
            "act take is done",
        ),
    ],
    "a restore that gives something else back": [
        (
            "held",
            "isolate/1",
            "restore is through, and nothing has given back 'take'",
            "undo other is done",
        ),
    ],
    "an undo that a condition skips": [
        (
            "held",
            "isolate/1",
            "restore is through, and nothing has given back 'take'",
            "a fails",
        ),
    ],
    "an act after everything was given back": [
        (
            "held",
            "restore/2",
            "restore is through, and nothing has given back 'other'",
            "act other is done",
        ),
    ],
    "a workaround that restore does not know": [
        (
            "held",
            "workaround.w/1",
            "restore is through, and nothing has given back 'other'",
            "undo take is done",
        ),
    ],
    "an undo before the act": [
        (
            "held",
            "isolate/2",
            "restore is through, and nothing has given back 'take'",
            "act take is done",
        ),
    ],
    "targets that nobody gives back": [
        (
            "held",
            "workaround.w/1.1",
            "restore is through, and nothing has given back 'take'",
            "1s are over (wait)",
        ),
    ],
    "a restore that fails back into a workaround": [
        (
            "loop",
            "restore/1",
            "this can go round and round: no time and no count bounds it",
            "60s are over (within)",
        ),
    ],
    "a gate of restore that is rejected into a workaround": [
        (
            "loop",
            "restore/1",
            "this can go round and round: no time and no count bounds it",
            "ops says no",
        ),
    ],
    "a question that nobody answers, and again": [
        (
            "loop",
            "restore/1",
            "this can go round and round: no time and no count bounds it",
            "60s are over (within)",
        ),
    ],
    "a wait beyond the limit": [
        (
            "time",
            "time/total",
            "the worst case to 'total' is 6m, the limit is 5m",
            "360s are over (wait)",
        ),
    ],
    "tries that take longer than isolating may": [
        (
            "time",
            "time/isolated",
            "the worst case to 'isolated' is 4m36s, the limit is 4m",
            "act slow is done",
        ),
    ],
    "a verify that takes longer than isolating may": [
        (
            "time",
            "time/isolated",
            "the worst case to 'isolated' is 5m5s, the limit is 4m",
            "a is unknown",
        ),
    ],
    "two circles of people": [
        (
            "time",
            "time/mitigated",
            "the worst case to 'mitigated' is 10m5s, the limit is 7m",
            "act final is done",
        ),
    ],
    "a silence": [
        (
            "time",
            "time/silent",
            "the longest silence is 10m, the limit is 9m",
            "600s are over (wait)",
        ),
    ],
    "an undo that may have to ask": [
        (
            "time",
            "time/total",
            "the worst case to 'total' is 30m21s, the limit is 10m",
            "undo asked is done",
        ),
    ],
    "pauses between targets": [
        (
            "time",
            "time/mitigated",
            "the worst case to 'mitigated' is 6m15s, the limit is 5m",
            "act take is done",
        ),
    ],
    "rounds": [
        (
            "time",
            "time/mitigated",
            "the worst case to 'mitigated' is 6m12s, the limit is 5m",
            "a is unknown",
        ),
    ],
    "the slowest of those side by side": [
        (
            "time",
            "time/mitigated",
            "the worst case to 'mitigated' is 6m, the limit is 5m",
            "somebody cancels",
        ),
    ],
    "a stop rule without a check": [
        (
            "always",
            "always/0",
            'at_end: end != "handed_over" || cause != "x" || size(held) > 0 is not true at this end',
            "undo take is done",
        ),
    ],
    "a stop rule that reads an answer": [
        (
            "always",
            "always/0",
            'at_end: end != "handed_over" || !answers.q.bad || size(held) > 0 is not true at this end',
            "undo take is done",
        ),
    ],
    "a cancel after the look that an end is judged by": [
        (
            "always",
            "always/0",
            'at_end: end != "cancelled" || checks.a.state != "pass" is not true at this end',
            "somebody cancels",
        ),
    ],
    "a lock that comes late": [
        (
            "time",
            "time/isolated",
            "the worst case to 'isolated' is 6m5s, the limit is 5m",
            "act take is done",
        ),
    ],
}
