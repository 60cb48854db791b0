"""Lint: what a runbook names, binds and does is judged before it runs."""

from dataclasses import replace

import pytest
from drafts import DRAFT, edited, problems_of, seen

from engine.language.load import load_runbook
from engine.model.kinds import Kinds
from engine.model.runbook import Runbook


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


def test_without_siblings_scripts_may_name_what_a_sub_run_has(kinds: Kinds) -> None:
    """
    A revision is read again without its siblings: their checks and actions stay legal.
    """
    script = "checks: {theirs: pass}, actions: {its: ok}, expect: {end: resolved}"
    text = edited(("{undo: all}", "{run: other}"))
    text = text.split("tests:\n")[0] + f"tests:\n  - {{name: one, {script}}}\n"

    assert [] == problems_of(text, kinds)


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


BLIND = "'users' gives no number, so no harm is measured by it"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{http: {get: 'https://x.example/users'}}",
         f"{BLIND}; without `pass` it is unknown at every look"),
        ("{http: {get: 'https://x.example/users'}, pass: json.up}", BLIND),
        ("{prometheus: {query: users}}", ""),
    ],
    ids=["no pass", "a pass", "a number"],
)  # fmt: skip
def test_an_impact_that_gives_no_number_is_a_warning(
    kinds: Kinds, written: str, message: str
) -> None:
    """
    Harm is measured in numbers: a kind without one measures nothing, and says nothing.
    """
    http = replace(kinds.checks["http"], sees=("response", "json"))
    prometheus = replace(kinds.checks["prometheus"], sees=("value", "values"))
    checks = {**kinds.checks, "http": http, "prometheus": prometheus}
    text = DRAFT + f"impact: {{users: {written}}}\n"
    found = load_runbook(text, "full-disk.yaml", replace(kinds, checks=checks)).problems

    assert ([("warning", "impact", message)] if message else []) == [
        (it.severity, it.code, it.message) for it in found
    ]


def test_the_name_of_an_input_that_is_to_be_retyped_is_a_warning(kinds: Kinds) -> None:
    """
    People would have to type the name; the hint says how its value is written.
    """
    asks = "from: storage, retype: host, on_reject"
    text = DRAFT.replace("from: storage, on_reject", asks)
    found = load_runbook(text, "full-disk.yaml", kinds).problems

    assert [("warning", "retype", "Write retype: '{{ host }}'.")] == [
        (it.severity, it.code, it.hint) for it in found
    ]
    assert (
        []
        == load_runbook(
            text.replace("retype: host", "retype: wipe"), "full-disk.yaml", kinds
        ).problems
    )


def test_a_list_where_one_text_is_meant_has_a_hint(kinds: Kinds) -> None:
    """
    Not only numbers: a list or a map in a text's place is told what to write.
    """
    asks = "from: storage, retype: [host], on_reject"
    text = DRAFT.replace("from: storage, on_reject", asks)
    found = load_runbook(text, "full-disk.yaml", kinds).problems

    assert ("'retype' must be text; found a list", "Write one text, in quotes.") in [
        (it.message, it.hint) for it in found
    ]


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
