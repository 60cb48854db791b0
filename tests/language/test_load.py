"""From text to model: every problem of the keys and values, at its place."""

import hashlib
from time import process_time

import pytest
from drafts import DRAFT, EXAMPLE, edited, problems_of, seen

from engine.language.load import load_runbook
from engine.language.problems import Problem
from engine.language.tree import read_tree
from engine.model.kinds import Kinds
from tests.timing import at_once

STEP_VERBS = (
    "Verbs: check, all, act, each, repeat, cause, approve, ask, say, wait, wait_for, "
    "undo, run, hand_over."
)


def test_the_example_of_the_format_loads_clean(kinds: Kinds) -> None:
    """
    The runbook beside the format page has no problem, and keeps its name.
    """
    loaded = load_runbook(EXAMPLE, "message-delivery-delay.yaml", kinds)

    assert [] == loaded.problems
    assert loaded.runbook is not None
    assert "message-delivery-delay" == loaded.runbook.runbook


def test_the_draft_loads_clean(kinds: Kinds) -> None:
    """
    The draft that other tests edit has no problem of its own.
    """
    assert [] == problems_of(DRAFT, kinds)


def test_the_revision_is_the_hash_of_the_bytes(kinds: Kinds) -> None:
    """
    Text and its UTF-8 bytes are the same revision.
    """
    expected = hashlib.sha256(DRAFT.encode()).hexdigest()

    assert expected == load_runbook(DRAFT, "full-disk.yaml", kinds).revision
    assert expected == load_runbook(DRAFT.encode(), "full-disk.yaml", kinds).revision


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("owner: storage", "ownr: storage", [
            ("unknown-key", "unknown key 'ownr' in the file", "ownr: storag"),
        ]),
        ("severity: sev3", "severity: high", [
            ("value", ("'severity' must be one of sev1, sev2, sev3, sev4, sev5; "
             "found 'high'"), "high")]),
        ("within: 5m", "within: 5", [
            ("duration", "'within': a duration needs a unit: write 5s", "5}")]),
        ("title: Disk full on {{ host }}", "title: 5", [
            ("type", "'title' must be text; found 5", "5")]),
        ("format: 1", "format: 2", [("value", "'format' must be 1; found 2", "2")]),
        ("{undo: all}", "{undoo: all}", [
            ("verb", "a step needs exactly one verb; 'undoo' is none", "undoo: all}")]),
        ("{undo: all}", "{undo: all, say: x}", [
            ("verb", "a step needs exactly one verb; this one has 'undo' and 'say'",
             "say: x}")]),
        ("{undo: all}", "5", [
            ("verb", "a step is a map with exactly one verb; found 5", "5")]),
        ("{undo: all}", "{undo: all, pausse: 5s}", [
            ("unknown-key", "unknown key 'pausse' in item 2 of 'restore'", "pausse: 5s}")]),
        ("    undo: none\n", "    undo: non\n", [
            ("type", "'undo' must be a map or 'none'; found 'non'", "non")]),
        ("    pass: value < 90.0", "    pas: value < 90.0", [
            ("unknown-key", "unknown key 'pas' in a check", "pas: value <")]),
        ("prometheus: {query", "promethius: {query", [
            ("unknown-kind", "'promethius' is not a kind of check", "promethius: ")]),
        ("port: 22", "port: '22'", [
            ("type", "'port' must be a whole number; found '22'", "'22'}")]),
        ("port: 22", "prt: 22", [
            ("unknown-key", "unknown key 'prt' in 'tcp'", "prt: 22}")]),
        ("argv: [wipe, '{{ host }}']", "argv: []", [
            ("length", "'argv' is empty", "[]}")]),
        ("'!checks.disk.ok'", "!checks.disk.ok", [
            ("yaml", "a value that begins with '!' reads as a tag to YAML",
             "!checks.disk")]),
        ("runbook: full-disk", "runbook: full_disk", [
            ("name", "'full_disk' cannot be a name here", "full_disk")]),
        ("runbook: full-disk", "runbook: half-disk", [
            ("stem", "the runbook is called 'half-disk', the file 'full-disk'",
             "half-disk")]),
        ("fields: {fixed: boolean}", "from_: x", [
            ("unknown-key", "unknown key 'from_' in item 3 of 'by-hand'", "from_: x}")]),
        ("from: storage, on_reject", "from: {grup: storage}, on_reject", [
            ("unknown-key", "unknown key 'grup' in 'from'", "grup: storag")]),
        ("isolate:\n", "isolate: []\nisolat:\n", [
            ("unknown-key", "unknown key 'isolat' in the file", "isolat:")]),
        ("    leaves_nothing: true", "    kind: command", [
            ("unknown-key", "unknown key 'kind' in an action", "kind: comman")]),
    ],
)  # fmt: skip
def test_a_slip_is_one_problem_at_its_place(
    kinds: Kinds, old: str, new: str, expected: list[tuple[str, str, str]]
) -> None:
    """
    One wrong key or value is told once, in the words of the file, at the right column.
    """
    assert expected == seen(problems_of(edited((old, new)), kinds))


def test_hints_name_the_nearest_word(kinds: Kinds) -> None:
    """
    A slip gets the word that was meant; a wrong enumeration its values.
    """
    text = edited(("owner:", "ownr:"), ("{undo: all}", "{undoo: all}"))

    hints = [it.hint for it in problems_of(text, kinds)]

    assert ["Did you mean 'owner'?", f"Did you mean 'undo'? {STEP_VERBS}"] == hints[-2:]


def test_all_problems_come_in_one_go_sorted(kinds: Kinds) -> None:
    """
    Problems of keys, values, kinds and names are in one list, by place.
    """
    text = edited(
        ("severity: sev3", "severity: sev9"),
        ("tcp: {host", "tpc: {host"),
        ("within: 5m", "within: 5"),
        ("pattern: '[a-z0-9-]+'", "pattern: 5"),
    )

    problems = problems_of(text, kinds)

    assert ["value", "type", "unknown-kind", "duration"] == [it.code for it in problems]
    assert sorted(problems, key=lambda it: (it.line, it.column)) == problems


@pytest.mark.timed
@pytest.mark.parametrize(
    "name",
    ["../etc/passwd", "/etc/passwd", "a/b", "..", "a b", "Ä", "A", "x" * 65, "-a"],
)
def test_f94_a_name_that_is_a_path_is_refused(kinds: Kinds, name: str) -> None:
    """
    A runbook's name is kebab-case, so it never leaves its folder; told within 100 ms.
    """
    text = edited(("runbook: full-disk", f"runbook: {name}"))
    lines = []

    def ask(attempt: int) -> None:
        lines.append([it.line for it in load_runbook(text, "x", kinds).problems])

    assert at_once(ask)
    assert [[2]] * 6 == lines


@pytest.mark.parametrize("name", ["con", "nul", "com1", "lpt9"])
def test_f94_a_name_that_is_a_device_is_refused(kinds: Kinds, name: str) -> None:
    """
    Names that some systems give to devices are no names of runbooks.
    """
    text = edited(("runbook: full-disk", f"runbook: {name}"))

    problems = load_runbook(text, f"{name}.yaml", kinds).problems

    message = f"'{name}' is the name of a device on some systems"
    assert [("name", message, name)] == seen(problems)


def test_f94_a_nul_in_a_name_is_refused(kinds: Kinds) -> None:
    """
    A NUL cannot hide in a name, neither written plainly nor as an escape.
    """
    for name in ("a\x00b", '"a\\0b"'):
        text = edited(("runbook: full-disk", f"runbook: {name}"))

        assert [2] == [it.line for it in load_runbook(text, "x", kinds).problems]


def test_text_to_render_is_left_to_run_time(kinds: Kinds) -> None:
    """
    A parameter that holds `{{` is not judged by its type before it is rendered.
    """
    text = edited(("port: 22", "port: '{{ free }}'"))

    assert [] == problems_of(text, kinds)


def test_a_secret_may_stand_for_text(kinds: Kinds) -> None:
    """
    `{secret: NAME}` is allowed wherever a parameter wants text.
    """
    text = edited(
        (
            "/move'}\n    undo",
            "/move', headers: {Authorization: {secret: api}}}\n    undo",
        )
    )

    assert [] == problems_of(text, kinds)


def test_a_rule_over_several_parameters_is_told_in_its_own_words(kinds: Kinds) -> None:
    """
    What the kind's model says about the whole stands at the whole, templates or not.
    """
    text = edited(("{post: 'https", "{get: 'https://x.internal/', post: 'https"))

    problems = seen(problems_of(text, kinds))

    assert [
        ("value", "exactly one of get, post, patch, delete", "{get: 'https")
    ] == problems


def test_a_problem_has_hint_source_and_caret(kinds: Kinds) -> None:
    """
    Everything a person needs is in the problem itself.
    """
    found = problems_of(edited(("within: 5m", "within: 5")), kinds)

    assert [
        Problem(
            "full-disk.yaml", 47, 30, "error", "duration",
            "'within': a duration needs a unit: write 5s", "",
            "  - {wait_for: disk, within: 5}",
        )
    ] == found  # fmt: skip


def test_a_wrong_key_does_not_hide_a_wrong_name(kinds: Kinds) -> None:
    """
    What lint can say of the rest comes in the same list as the wrong keys and values.
    """
    text = edited(
        ("severity: sev3", "severity: sev9"),
        ("owner: storage", "ownr: storage"),
        ("- all: [{check: disk}", "- all: [{check: dsk}"),
        ("{undo: all}", "{undo: all, pausse: 5s}"),
    )

    assert [
        ("unknown-key", "unknown key 'ownr' in the file", "ownr: storag"),
        (
            "value",
            "'severity' must be one of sev1, sev2, sev3, sev4, sev5; found 'sev9'",
            "sev9",
        ),
        ("unknown-name", "unknown check 'dsk'", "dsk}, {check"),
        ("unknown-key", "unknown key 'pausse' in item 2 of 'restore'", "pausse: 5s}"),
    ] == seen(problems_of(text, kinds))


def test_a_wrong_body_is_not_told_again_by_whoever_uses_it(kinds: Kinds) -> None:
    """
    A check that does not read is one problem, however many steps and conditions name it.
    """
    text = edited(("    pass: value < 90.0", "    pass: 5"))

    assert [("type", "'pass' must be text; found 5", "5")] == seen(
        problems_of(text, kinds)
    )


@pytest.mark.timed
def test_a_crowd_of_wrong_steps_is_told_in_three_seconds(kinds: Kinds) -> None:
    """
    What is said of 3,000 wrong steps takes time for each, and not for each pair.
    """
    text = edited(("restore:\n", "restore:\n" + "  - {undoo: all}\n" * 3000))
    start = process_time()

    found = problems_of(text, kinds)

    assert ["verb"] * 3000 == [it.code for it in found]
    assert process_time() - start < 3.0


def test_what_yaml_refuses_hides_nothing_after_it(kinds: Kinds) -> None:
    """
    A template without quotes, a tag, an anchor, a key twice: the rest is judged as well.
    """
    text = edited(
        ("title: Disk full on {{ host }}", "title: {{ hst }}"),
        ("owner: storage", "owner: &o storage\nowner: ops"),
        ("- {act: move, when: '!checks.disk.ok'}", "- act: moove\n    when: !x.ok"),
        ("- all: [{check: disk}", "- all: [{check: dsk}"),
        ("within: 5m", "within: 5"),
    )

    assert [
        "yaml-braces", "unknown-name", "yaml-anchor", "duplicate-key", "unknown-name",
        "yaml-tag", "expression", "unknown-name", "duration",
    ] == [it.code for it in problems_of(text, kinds)]  # fmt: skip


def test_a_misspelt_section_is_judged_as_what_was_meant(kinds: Kinds) -> None:
    """
    Under `chekcs:` and `promethius:` a wrong value is told, and no name is missed.
    """
    text = edited(
        ("checks:\n  disk", "chekcs:\n  disk"),
        ("prometheus: {query", "promethius: {query"),
        ("pass: value < 90.0", "pass: 5"),
    )

    assert ["unknown-key", "unknown-kind", "type"] == [
        it.code for it in problems_of(text, kinds)
    ]


@pytest.mark.timed
def test_400_lines_are_read_in_30_milliseconds() -> None:
    """
    Reading a long runbook is not what a responder waits for.
    """
    _, _, tests = EXAMPLE.partition("\ntests:\n")
    text = EXAMPLE + tests.partition("\nalways:")[0] * 20
    long = "\n".join(text.split("\n")[:400])
    took = []
    assert [] == read_tree(long, "a.yaml")[1]
    for _ in range(5):
        start = process_time()
        read_tree(long, "a.yaml")
        took.append(process_time() - start)

    assert min(took) < 0.030  # what it costs; the rest is the machine
