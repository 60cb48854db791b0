"""Small runbooks made by chance, and scripts to rehearse them with."""

from typing import Any, Final

from hypothesis import strategies as st

WORDS: Final = """
checks:
  a: {probe: {}, pass: value > 0, fresh_for: 1s, timeout: 2s, attempts: 1}
  b: {probe: {}, pass: value > 0, fresh_for: 1s, timeout: 4s, attempts: 2}
actions:
  take: {do: {}, undo: {do: {}}, timeout: 3s}
  other: {do: {}, undo: {do: {}}, timeout: 5s, done_when: checks.b.ok, after_crash: verify}
  slow: {do: {}, undo: {do: {}}, timeout: 4s, retry: {times: 1, wait: 2s}}
  sure: {do: {}, undo: {do: {}}, timeout: 3s, verify: checks.a.ok, verify_within: 9s}
  wary: {do: {}, undo: {do: {}}, timeout: 3s, guard: checks.a.ok}
  asked: {do: {}, undo: {do: {}}, undo_if: checks.b.ok, timeout: 3s}
  back: {do: {}, undo: {do: {}, timeout: 2s, retry: {times: 1, wait: 1s}}, timeout: 3s,
    undone_when: checks.a.ok, after_crash: repeat}
  final: {do: {}, undo: none, why_no_undo: gone, timeout: 3s}
"""
ACTS: Final = ("take", "other", "slow", "sure", "wary", "asked", "back")
WHEN: Final = ("", ", when: checks.a.ok", ", when: '!checks.b.ok', on_unknown: do")
FAIL: Final = ("", ", on_fail: continue", ", on_fail: undo", ", on_fail: v")

acts = st.builds(
    "{{act: {}{}{}}}".format,
    st.sampled_from(ACTS),
    st.sampled_from(WHEN),
    st.sampled_from(FAIL),
)
plain_acts = st.builds(
    "{{act: {}{}}}".format, st.sampled_from(ACTS), st.sampled_from(WHEN)
)
looks = st.sampled_from([
    "{check: a}", "{check: a, expect: pass}", "{wait: 7s}", "{say: x}",
    "{check: b, expect: fail, on_fail: continue}",
    "{wait_for: a, within: 20s, every: 5s}",
    "{wait_for: b, within: 30s, every: 5s, hold: 8s, on_fail: continue}",
    "{ask: 'Well?', within: 40s, name: q, fields: {sure: boolean}}",
])  # fmt: skip
gates = st.sampled_from([
    "{approve: 'Go?', from: {group: x}, within: 30s}, {act: final}",
    ("{approve: 'Go?', from: {group: x}, within: 30s, on_expire: v,"
    " then: {group: y, within: 20s}}, {act: final}"),
    ("{approve: 'Go?', from: {group: x}, within: 30s, unless: checks.a.ok},"
    " {act: final}"),
])  # fmt: skip
blocks = st.one_of(
    st.builds("{{all: [{}, {}]}}".format, plain_acts, plain_acts),
    st.builds(
        '{{each: \'["x", "y"]\', as: t, batch: {}, do: [{}]}}'.format,
        st.sampled_from([1, 2]),
        plain_acts,
    ),
    st.builds("{{repeat: 2, every: 3s, do: [{}]}}".format, plain_acts),
)
restores = st.sampled_from([
    "", "restore: [{undo: all}]\n", "restore: [{undo: all, pause: 2s, check: a}]\n",
    "restore: [{wait: 1s}, {undo: take}]\n",
])  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw the text of a runbook."""
    first = draw(st.lists(acts, max_size=2))
    second = draw(st.lists(looks, max_size=2))
    third = draw(st.lists(st.one_of(acts, looks, gates, blocks), max_size=2))
    confirm = draw(st.sampled_from(["", "confirm: [{check: a}]\n"]))
    cause = "{cause: [{name: x, when: checks.b.ok, workaround: w}, {name: y}]}"
    second = [*second, cause]
    return (
        WORDS
        + confirm
        + (f"isolate: [{', '.join(first)}]\n" if first else "")
        + f"diagnose: [{', '.join(second)}]\n"
        + "workaround:\n"
        + f"  w: [{', '.join(third) or '{say: x}'}]\n"
        + "  v: [{say: y}]\n"
        + draw(restores)
    )


_states = st.sampled_from(["pass", "fail", "unknown", "slow"])
_outcomes = st.sampled_from(["ok", "ok", "fail", "timeout", "lost"])
_events = st.builds(
    lambda at, what: {"at": f"{at}s", "do": what},
    st.integers(0, 60),
    st.sampled_from(["cancel", "crash"]),
)


@st.composite
def scripts(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a rehearsal: what checks, acts and people answer, and what happens."""
    names = [*ACTS, "final", *(f"undo {name}" for name in ACTS)]
    return {
        "checks": {
            name: draw(st.lists(_states, min_size=1, max_size=5)) for name in "ab"
        },
        "actions": {
            name: draw(st.lists(_outcomes, min_size=1, max_size=2)) for name in names
        },
        "people": draw(
            st.lists(st.sampled_from(["approve", "reject", "silence"]), max_size=4)
        ),
        "events": draw(st.lists(_events, max_size=1)),
    }
