"""`runbook validate` of several files: what is wrong between them."""

import json

from cli_place import Place

BOOK = """\
format: 1
runbook: {name}
title: Web
owner: ops
severity: sev3
actions:
  {action}:
    command: {{argv: [scale, web, --replicas={many}]}}
    undo: {{command: {{argv: [scale, web, --replicas=4]}}}}
isolate:
  - act: {action}
"""
LINE = (
    "runbooks/down.yaml:11:5: error[opposed]: 'shrink' (replicas 2) is opposed by "
    "'widen' (replicas 9) of 'up' (runbooks/up.yaml:11:5) on scale web, and no lock "
    "keeps the two runs apart"
)
HINT = (
    "Give both the same path, or one a parent of the other's, in `limits.lock`: then "
    "one waits for the other."
)


def written(place: Place) -> None:
    """Write two runbooks that scale one thing to two sizes."""
    for name, action, many in (("up", "widen", 9), ("down", "shrink", 2)):
        text = BOOK.format(name=name, action=action, many=many)
        (place.folder / f"runbooks/{name}.yaml").write_text(text)


def test_validate_of_a_folder_says_what_is_wrong_between_runbooks(place: Place) -> None:
    """
    Each problem stands in one file and names the place in the other; the code is 1.
    """
    written(place)

    assert (
        1,
        f"{LINE}\n  {HINT}\n      - act: shrink\n        ^\n3 runbooks, 1 problem\n",
        "",
    ) == place.runbook("validate", "runbooks")


def test_validate_of_one_file_judges_it_alone(place: Place) -> None:
    """
    Runbooks are held against each other where several are named.
    """
    written(place)
    both = place.runbook(
        "validate", "--format", "json", "runbooks/up.yaml", "runbooks/down.yaml"
    )

    assert (0, "1 runbook, 0 problems\n", "") == place.runbook(
        "validate", "runbooks/up.yaml"
    )
    assert ["opposed"] == [one["code"] for one in json.loads(both[1])]


def test_a_debt_is_told_once_with_the_path_that_shows_it(place: Place) -> None:
    """
    What the proof finds too is one problem: the words name both files, the hint tells.
    """
    keeps = "restore:\n  - say: done\n"
    inner = BOOK.format(name="inner", action="widen", many=9) + keeps
    outer = BOOK.split("actions:", maxsplit=1)[0].format(name="outer") + (
        "isolate:\n  - run: inner\n" + keeps
    )
    (place.folder / "runbooks/inner.yaml").write_text(inner)
    (place.folder / "runbooks/outer.yaml").write_text(outer)
    code, out, _ = place.runbook("validate", "--format", "json", "runbooks/outer.yaml")
    told = json.loads(out)

    assert [
        (
            7,
            "held",
            (
                "'inner' ends with 'widen' held (runbooks/inner.yaml:11:5), and nothing here "
                "gives it back"
            ),
        )
    ] == [(one["line"], one["code"], one["message"]) for one in told]
    assert "  1. line 7" in told[0]["hint"]
    assert 1 == code
