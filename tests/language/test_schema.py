"""The JSON Schema for editors describes the file, not the model."""

import jsonschema
import pytest
import yaml
from drafts import DRAFT, EXAMPLE, edited

from engine.language.schema import described, json_schema
from engine.model.kinds import Kinds


@pytest.mark.parametrize("text", [EXAMPLE, DRAFT], ids=["example", "draft"])
def test_what_loads_fits_the_schema(kinds: Kinds, text: str) -> None:
    """
    An editor draws no line under a runbook that loads.
    """
    schema = json_schema(kinds)

    jsonschema.Draft202012Validator.check_schema(schema)
    found = jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load(text))

    assert [] == [error.message for error in found]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("owner: storage", "ownr: storage"),
        ("severity: sev3", "severity: high"),
        ("prometheus: {query", "promethius: {query"),
        ("port: 22", "prt: 22"),
        ("within: 5m", "within: 5"),
        ("{undo: all}", "{undo: all, pausse: 5s}"),
        ("    pass: value < 90.0", "    tcp: {host: x, port: 1}"),
    ],
)
def test_a_slip_does_not_fit_the_schema(kinds: Kinds, old: str, new: str) -> None:
    """
    An editor underlines unknown keys, wrong values and a second kind.
    """
    raw = yaml.safe_load(edited((old, new)))
    validator = jsonschema.Draft202012Validator(json_schema(kinds))

    assert [] != list(validator.iter_errors(raw))


def test_every_key_has_a_description(kinds: Kinds) -> None:
    """
    Hovering over any key says what it is.
    """
    assert [] == [key for key, text in described(json_schema(kinds)) if not text]


def test_defaults_are_shown_as_they_are_written(kinds: Kinds) -> None:
    """
    A duration's default reads `10s`, as in a file.
    """
    check = json_schema(kinds)["$defs"]["Check"]["properties"]

    assert "10s" == check["timeout"]["default"]
    assert "2m" == check["fresh_for"]["default"]
