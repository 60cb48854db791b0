"""What a runbook needs of the world, seen in its file."""

from engine.analysis.needs import Needs, Target, needs_of
from tests.docs.format_parts import known_kinds
from tests.rehearsing import runbook

INNER = """
format: 1
runbook: inner
title: x
owner: o
severity: sev3
checks: {there: {tcp: {host: 10.0.0.9, port: 22}}}
isolate: [{check: there}]
restore: [{check: there}]
"""
OUTER = """
format: 1
runbook: outer
title: x
owner: o
severity: sev3
inputs: {host: {type: string, pattern: '[a-z]+'}}
impact: {users: {prometheus: {query: users}}}
checks:
  named: {http: {get: 'https://api.example.com/health'}, pass: response.status == 200}
  input: {http: {get: 'http://{{ host }}:90/health'}, pass: response.status == 200}
  sealed: {prometheus: {query: up, url: {secret: prom_url}}, pass: value == 1}
  port: {tcp: {host: 10.0.0.7, port: 5432}}
  both: {tcp: {host: api.example.com, port: 443}}
  seen: {command: {argv: [psql, -c, 'select 1']}, pass: exit_code == 0}
actions:
  act:
    http: {post: 'http://[::1]:8080/x', bearer: {secret: api_key}}
    undo: {command: {argv: [/bin/sh, -c, 'true']}}
  other: {command: {argv: ['true']}, leaves_nothing: true}
isolate: [{run: inner}, {act: act}, {act: other}]
restore: [{undo: all}]
"""


def test_every_path_and_undo_and_inner_runbook_counts() -> None:
    """
    Servers, programs and secrets of checks, acts, undos, impact and what is run inside;
    an address that an input or a secret says is left out.
    """
    inner, outer = runbook(INNER), runbook(OUTER)
    found = needs_of(
        outer, known_kinds(), urls={"prometheus": "http://10.0.0.5:9090"},
        library={"inner": inner, "outer": outer},
    )  # fmt: skip

    assert (
        Needs(
            (
                Target("10.0.0.5", 9090),
                Target("10.0.0.7", 5432, judged=True),
                Target("10.0.0.9", 22, judged=True),
                Target("::1", 8080),
                Target("api.example.com", 443),
            ),
            ("/bin/sh", "psql", "true"),
            ("api_key", "prom_url"),
        )
        == found
    )
    assert "[::1]:8080" == Target("::1", 8080).shown
