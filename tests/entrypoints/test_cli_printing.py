"""`runbook print`: the sheet for the night when the engine is gone."""

from cli_place import Place

SHEET = """\
BY HAND: The flag in /tmp/x is up
runbook flag, revision REVISION, owner ops, severity sev3, printed MOMENT
Done by hand, from top to bottom: tick each box, write the time beside it. __name__: put the
value in (a number in JSON: without the quotes around it). What was done is undone in the
opposite order.

Values
  folder  /tmp/x

Times
             limit  at worst
  isolated   -      2m3s
  mitigated  -      9m6s
  total      -      10m30s

Whom to call
  ops  ana  owns it, approves gate, answers hand

Roles
  commander  ________________
  deputy     ________________
  scribe     ________________
  liaison    ________________

Confirm: is it real?
  [ ] __:__ 1. look at broken, expecting fail

Isolate: stop the damage spreading
  [ ] __:__ 1. DO lower
        $ touch /tmp/x/lowered
        undo: $ rm -f /tmp/x/lowered
        already done if checks.lowered.ok
        if it fails: hand over
"""


def test_a_sheet_is_printed_without_an_engine(place: Place) -> None:
    """Times, people and commands; no journal comes to be."""
    code, out, errors = place.runbook("print", "flag", "--set", "folder=/tmp/x")
    told = out.partition("\nDiagnose")[0].splitlines(keepends=True)
    words = told[1].split()
    told[1] = told[1].replace(words[3].rstrip(","), "REVISION")
    told[1] = told[1].partition("printed")[0] + "printed MOMENT\n"

    assert (0, "", False) == (code, errors, (place.folder / "state").exists())
    assert SHEET == "".join(told)


def test_a_secret_in_a_value_is_taken_out(place: Place) -> None:
    """What a person types and a secret's value is the same: it is not printed."""
    words = ("print", "flag", "--set", "folder=/sesame-7", "--format", "html")
    code, out, _ = place.runbook(*words, TOKEN="sesame-7")

    assert (0, False, True) == (code, "sesame-7" in out, "[redacted]" in out)


def test_a_sheet_goes_into_a_file(place: Place) -> None:
    """`-o` writes the page, and says so."""
    words = ("print", "flag", "--format", "markdown", "-o", "paper.md")
    code, out, errors = place.runbook(*words)
    first = (place.folder / "paper.md").read_text().splitlines()[0]

    assert (0, "", "written: paper.md\n", r"# By hand: The flag in \_\_folder\_\_ is up") == (
        code, out, errors, first,
    )  # fmt: skip
