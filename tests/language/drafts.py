"""Runbooks for tests of language, and how a found problem is compared.

Read by: the tests of load, lint and schema.
"""

from collections.abc import Sequence
from pathlib import Path

from engine.language.load import load_runbook
from engine.language.problems import Problem
from engine.model.kinds import Kinds
from engine.model.runbook import Runbook

FILES = Path(__file__).parent / "files"
EXAMPLE = (FILES / "message-delivery-delay.yaml").read_text(encoding="utf-8")
DRAFT = """\
format: 1
runbook: full-disk
title: Disk full on {{ host }}
owner: storage
severity: sev3
inputs:
  host: {type: string, from: labels.host, pattern: '[a-z0-9-]+'}
  hosts: {type: list, default: [h1]}
  free: {type: string, default: x}
checks:
  disk:
    prometheus: {query: 'max(disk{host="{{ host }}"})'}
    pass: value < 90.0
  port:
    tcp: {host: '{{ host }}', port: 22}
actions:
  clean:
    command: {argv: [cleanup, '--host', '{{ host }}']}
    leaves_nothing: true
  move:
    http: {post: 'https://api.internal/{{ host }}/move'}
    undo:
      http: {delete: 'https://api.internal/{{ host }}/move'}
    done_when: checks.disk.ok
    after_crash: verify
  wipe:
    command: {argv: [wipe, '{{ host }}']}
    undo: none
    why_no_undo: gone is gone
confirm:
  - {check: disk, expect: fail}
isolate:
  - {act: move, when: '!checks.disk.ok'}
diagnose:
  - all: [{check: disk}, {check: port}]
  - cause:
      - {name: small, when: '!checks.disk.ok', workaround: tidy}
      - {name: other, workaround: by-hand}
workaround:
  tidy:
    - {act: clean, on_fail: by-hand}
  by-hand:
    - {approve: 'Wipe {{ host }}?', from: storage, on_reject: hand_over}
    - {act: wipe}
    - {ask: "Done?", name: hand, who: storage, fields: {fixed: boolean}}
restore:
  - {wait_for: disk, within: 5m}
  - {undo: all}
tests:
  - name: small
    inputs: {host: h1}
    checks: {disk: [fail, pass]}
    expect: {end: resolved, did: [move, clean]}
always:
  - {act: wipe, only_after: approve}
"""

Seen = tuple[str, str, str]  # code, message, the text at the caret


def edited(*changes: tuple[str, str], text: str = DRAFT) -> str:
    """Return the draft with each first text replaced by the second, once."""
    for old, new in changes:
        assert old in text, f"{old!r} is not in the draft"
        text = text.replace(old, new, 1)
    return text


def problems_of(
    text: str, kinds: Kinds, *, siblings: dict[str, Runbook] | None = None
) -> list[Problem]:
    """Return the problems of a text that is called full-disk.yaml."""
    return load_runbook(text, "full-disk.yaml", kinds, siblings=siblings).problems


def seen(problems: Sequence[Problem], width: int = 12) -> list[Seen]:
    """Return code, message and the first characters at the caret of each problem."""
    return [
        (it.code, it.message, it.source_line[it.column - 1 :][:width])
        for it in problems
    ]
