"""G23: what the configuration forbids is refused in a file, and right before an act."""

from cli_place import Place


def _forbid(place: Place, rule: str) -> None:
    config = place.folder / "engine.yaml"
    config.write_text(config.read_text() + f"limits: {{forbidden: ['{rule}']}}\n")


def test_g23_a_file_that_does_what_is_forbidden_is_refused(place: Place) -> None:
    """
    Both the act and the undo are judged; the rule and the place are named.
    """
    _forbid(place, "/rm /")
    code, out, _ = place.runbook("validate", "runbooks")
    told = [line for line in out.splitlines() if "error[" in line]

    assert [
        "runbooks/flag.yaml:21:5: error[forbidden]: 'lower' is forbidden here by /rm /",
        "runbooks/flag.yaml:26:3: error[forbidden]: 'repair' is forbidden here by /rm /",
    ] == told
    assert 1 == code


def test_g23_what_an_input_makes_forbidden_is_not_done(place: Place) -> None:
    """
    The text of the file is allowed; with this input it would be what is forbidden.
    """
    _forbid(place, f"/touch {place.world}/")
    code, out, err = place.runbook("run", "flag", "--set", f"folder={place.world}")

    assert "forbidden here by /touch" in out + err
    assert ["broken"] == [one.name for one in place.world.iterdir()]
    assert 1 == code


def test_g23_a_rule_that_cannot_be_read_is_told(place: Place) -> None:
    """
    A rule that forbids nothing by mistake would be worse than none.
    """
    _forbid(place, "/(unclosed/")
    code, _, err = place.runbook("validate", "runbooks")

    assert "engine.yaml:8:22" in err
    assert "is no RE2 pattern" in err
    assert 1 == code
