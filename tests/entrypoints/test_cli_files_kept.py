"""What a person wrote stays theirs, and words that cannot be meant are told."""

from pathlib import Path

import pytest
from cli_place import Place

DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "words",
    [("graph", "FILE", "-o", "FILE"), ("print", "FILE", "-o", "FILE"),
     ("rehearse", "FILE", "--junit", "FILE")],
    ids=["graph", "print", "rehearse"],
)  # fmt: skip
def test_no_output_takes_the_place_of_a_runbook(
    place: Place, words: tuple[str, ...]
) -> None:
    """Exit code 2, and every byte of it stays."""
    file = place.folder / "runbooks/flag.yaml"
    before = file.read_bytes()
    code, _, told = place.runbook(*(str(file) if w == "FILE" else w for w in words))

    assert (2, before) == (code, file.read_bytes())
    assert "is a YAML file that is there" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("rehearse", "runbooks", "--junit", ""), "--junit names no file"),
        (("rehearse", "runbooks", "--states", "5"), "--states stands beside"),
        (("diff", "", "runbooks"), "OLD or NEW is empty"),
        (("run", "flag", "--dry-run", "--at", ""), "'' is no moment"),
        (("run", "flag", "--at", ""), "--at stands beside --dry-run"),
        (("backtest", "--prometheus", "http://127.0.0.1:1", "--since", "99999999999d"),
         "is longer than 30 days"),
    ],
    ids=range(6),
)  # fmt: skip
def test_an_empty_word_is_no_word(
    place: Place, words: tuple[str, ...], told: str
) -> None:
    """A variable that nobody set makes no check green."""
    code, _, errors = place.runbook(*words)

    assert 2 == code
    assert told in " ".join(errors.replace("│", " ").split())


def test_json_without_an_end_is_told(place: Place) -> None:
    """Neither an alert nor what was before: no traceback."""
    deep = place.folder / "deep.json"
    deep.write_text(DEEP)
    code, _, told = place.runbook("backtest", "runbooks", "--alerts", str(deep))
    adopted = place.runbook("adopt", "flag", "--did", f"lower,was={DEEP[:20_000]}")

    assert (1, True) == (code, f"{deep}:1: it is no JSON" in told)
    assert "Traceback" not in adopted[2]


def test_enough_mistakes_are_looked_for_where_a_least_is_named(place: Place) -> None:
    """`--at-least` alone measures; it never passes by measuring nothing."""
    code, out, _ = place.runbook("rehearse", "runbooks/flag.yaml", "--at-least", "100")

    assert (1, True) == (code, "mistakes" in out)


def test_a_folder_beside_another_runbook(place: Place, tmp_path: Path) -> None:
    """Of a folder with one file, too, only what the other side has is compared."""
    other = tmp_path / "elsewhere/other.yaml"
    other.parent.mkdir()
    text = (place.folder / "runbooks/flag.yaml").read_text()
    other.write_text(text.replace("runbook: flag", "runbook: other"))
    _, out, _ = place.runbook("diff", "runbooks", str(other))

    assert ("other: " in out, "gone" in out) == (True, False)
