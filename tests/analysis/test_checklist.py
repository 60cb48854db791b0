"""The sheet of paper: whole, in each of its forms."""

from pathlib import Path

import pytest

from engine import bootstrap
from engine.analysis.checklist import Group, checklist
from engine.config import load_config
from engine.core.code import CompiledRunbook
from engine.errors import DoesNotApply
from engine.runtime.library import Library
from engine.views.sheet import Sheet, sheet_html, sheet_markdown, sheet_text

HERE = Path(__file__).parent
FORMS = {"txt": sheet_text, "md": sheet_markdown, "html": sheet_html}


@pytest.fixture(scope="module")
def compiled() -> CompiledRunbook:
    """Compile a runbook with a bit of everything."""
    library = Library(bootstrap.kinds(load_config(environ={})))
    library.add_paths([HERE / "paper.yaml"])
    return library.bundle("paper").compiled


def sheet_of(compiled: CompiledRunbook) -> Sheet:
    """Return the sheet with one value given."""
    groups = {"orders": Group(("ana", "bo"), "bo"), "chiefs": Group(("ana",))}
    return checklist(
        compiled,
        {"region": "eu-west"},
        printed="2026-01-02 03:04:05 UTC",
        groups=groups,
        urls={"prometheus": "http://127.0.0.1:9090"},
    )


@pytest.mark.parametrize("form", FORMS)
def test_a_sheet_has_every_line_to_type(form: str, compiled: CompiledRunbook) -> None:
    """Commands with their undo, gates, times, people; blanks for what nobody knows."""
    expected = (HERE / f"golden/sheet.{form}").read_text()

    assert expected == FORMS[form](sheet_of(compiled))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"regoin": "eu"}, "'regoin' is no input of 'paper'. Did you mean 'region'?"),
        (
            {"region": "EU"},
            "input 'region': 'EU' does not fit; expected text that matches [a-z-]+ as a whole",
        ),
        (
            {"shard": "x"},
            "input 'shard': 'x' does not fit; expected a whole number such as 5",
        ),
    ],
)
def test_a_sheet_of_wrong_values_is_refused(
    given: dict[str, str], told: str, compiled: CompiledRunbook
) -> None:
    """A value that a run would refuse is not printed."""
    with pytest.raises(DoesNotApply) as refused:
        checklist(compiled, given, printed="")

    assert told == str(refused.value)


def test_a_secret_that_is_given_is_not_printed(compiled: CompiledRunbook) -> None:
    """Its blank stands wherever it is used."""
    sheet = checklist(compiled, {"code": "hunter22"}, printed="")
    shown = "".join(form(sheet) for form in FORMS.values())

    assert ("__secret_code__" in shown, "hunter22" in shown) == (True, False)
