"""`runbook adopt`: a run takes over what was done by hand; here, in this process."""

import json

from cli_place import Place

from engine.entrypoints.cli.adopting import parsed


def test_what_was_done_by_hand_is_given_back(place: Place) -> None:
    """Nothing is done again, nobody is asked; the undo is done, and the report tells."""
    (place.world / "lowered").touch()
    (place.world / "broken").rename(place.world / "other")
    words = ("adopt", "flag", "--did", "lower", "--did", "repair", "--as", "ana")
    code, out, errors = place.runbook(*words, "--set", f"folder={place.world}")
    run = out.split()[-1]
    entries = json.loads(place.runbook("timeline", run, "--format", "json")[1])
    mine = [
        (one["actor"], one["what"])
        for one in entries
        if one["kind"] in ("adopted", "intent", "already", "undone", "asked")
    ]

    assert (0, ["other"]) == (code, [one.name for one in place.world.iterdir()]), errors
    assert [
        ("ana", "lower was done by hand"),
        ("ana", "repair was done by hand"),
        ("engine", "undid lower"),
    ] == mine


def test_what_is_not_done_by_hand_is_refused(place: Place) -> None:
    """No run begins; the message says what can be."""
    given = ("--set", f"folder={place.world}")
    told = [
        place.runbook("adopt", "flag", "--did", did, *given)
        for did in ("lover", "lower=a", "lower,was=2", "lower,was", "=x")
    ]
    runs = place.runbook("runs", "--json")[1]

    assert [
        (1, "runbook: lover: no such action of 'flag'; it has: lower, repair"),
        (1, "runbook: lower a: it has no targets: leave the target out"),
        (1, "runbook: lower: it does not remember was; it remembers: nothing"),
        (2, "'lower,was': 'was' is no NAME=VALUE"),
        (2, "'=x' names no action"),
    ] == [(code, _last(errors)) for code, _, errors in told]
    assert [] == json.loads(runs)


def _last(errors: str) -> str:
    return errors.strip().splitlines()[-1].removeprefix("Error: Invalid value: ")


def test_values_before_are_json_or_text() -> None:
    """A number stays a number; what is no JSON is text."""
    assert {
        "action": "drain",
        "target": "db1",
        "before": {"weight": 5, "on": True, "zone": "eu-1"},
    } == parsed("drain=db1,weight=5,on=true,zone=eu-1")
