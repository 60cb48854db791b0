"""One gate before several targets side by side: void for one is void for all."""

from engine.analysis.proof import prove
from tests.rehearsing import compiled

BATCH = """
inputs: {hosts: {type: list, of: string, default: [a, b], max: 2}}
limits: {targets: {max: 2}}
checks: {bad: {probe: {}, pass: value > 0}}
actions:
  set: {do: {to: '{{ host }}'}, undo: none, why_no_undo: final, timeout: 5s}
diagnose:
  - cause:
      - {name: bad, when: '!checks.bad.ok', workaround: only}
      - {name: other}
workaround:
  only:
    - {approve: 'Set all?', from: {group: ops}, within: 5m}
    - each: hosts
      as: host
      batch: 2
      do:
        - act: set
"""


def test_g3_an_act_looked_at_while_its_approval_became_void_is_not_done() -> None:
    """
    One target finds its plan changed while another looks: that one is asked for again.
    """
    found = [(one.code, one.message) for one in prove(compiled(BATCH)).findings]

    assert [] == found
