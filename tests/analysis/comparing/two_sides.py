"""One runbook and an edit of it, compared, as short rows."""

from engine.analysis.comparing import Change, Side, compare
from engine.core.compile import compile_runbook
from engine.language.load import load_runbook
from engine.model.kinds import ActionKind, CheckKind, Kinds
from tests.rehearsing import Anything

KINDS = Kinds(
    {
        "http": CheckKind(
            "http", Anything, places={"get": "url"}, sees=("value", "json")
        )
    },
    {
        "do": ActionKind("do", Anything),
        "http": ActionKind("http", Anything, places={"put": "url"}),
        "command": ActionKind("command", Anything),
    },
)
BOOK = """\
format: 1
runbook: web
title: Web is slow
owner: ops
severity: sev2
trigger:
  - alert: {source: am, match: {alertname: Slow}}
  - chat: {who: [ops]}
inputs:
  zone: {type: string, from: labels.zone, pattern: '[a-z]+'}
  hosts: {type: list, default: [h1, h2], max: 9}
limits:
  lock: ['web/{{ zone }}']
  targets: {max: 4}
  time: {total: 4h}
checks:
  slow:
    http: {get: 'http://web/slow'}
    pass: value < 1.0
  room:
    http: {get: 'http://web/room'}
    pass: value > 5.0
actions:
  drain:
    http: {put: 'http://lb/nodes/n1', json: {weight: 0}}
    undo:
      http: {put: 'http://lb/nodes/n1', json: {weight: 100}}
    guard: checks.room.ok
    timeout: 10s
  restart:
    command: {argv: [restart, '{{ host }}']}
    undo: none
    why_no_undo: what was lost is lost
    timeout: 10s
stop_when:
  - {when: '!checks.room.ok', then: undo}
confirm:
  - check: slow
    expect: fail
isolate:
  - act: drain
    when: '!checks.slow.ok'
diagnose:
  - check: room
  - cause:
      - {name: full, when: '!checks.room.ok', workaround: restart}
      - {name: other, workaround: by-hand}
workaround:
  restart:
    - approve: Restart?
      from: {group: ops, need: 2}
      not_by: requester
    - each: hosts
      as: host
      batch: 1
      do:
        - act: restart
    - wait_for: slow
      hold: 30s
  by-hand:
    - ask: What was done?
      name: hand
      who: ops
    - approve: Restart h1 all the same?
      from: ops
    - act: restart
      with: {host: h1}
restore:
  - undo: all
    check: slow
  - wait_for: slow
always:
  - {act: restart, only_after: approve}
"""


def side(text: str, file: str, name: str = "web") -> Side:
    """Return one side of this text."""
    loaded = load_runbook(text, file, KINDS, stem=name)
    assert [] == [str(one) for one in loaded.problems if one.severity == "error"]
    assert loaded.runbook is not None
    assert loaded.tree is not None
    compiled = compile_runbook(loaded.runbook, KINDS, revision=loaded.revision)
    return Side(file, loaded.tree, compiled, {})


OLD = side(BOOK, "old")


def changes(*edits: tuple[str, str]) -> list[Change]:
    """Return what the edits mean."""
    text = BOOK
    for before, after in edits:
        assert 1 == text.count(before), before
        text = text.replace(before, after)
    return compare(OLD, side(text, "new"))


def rows(*edits: tuple[str, str], times: bool = False) -> list[str]:
    """Return the same as rows: weight, kind, lines, words; without worst-case times."""
    return [
        f"{one.weight} {one.kind} {one.old.line if one.old else '-'}:"
        f"{one.new.line if one.new else '-'} {one.words}"
        for one in changes(*edits)
        if times or one.kind != "time"
    ]
