"""The reference says all there is to say, and is what the code makes of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from engine.config.settings import Settings
from engine.core.tables import RUN_TABLE, STEP_TABLE
from engine.model import runbook, steps, vocabulary
from engine.model.values import Model, SecretRef
from engine.runtime import proving
from tests.docs import code_parts, format_parts
from tests.docs.collect_codes import codes_in_source
from tests.docs.problem_codes import CODES
from tests.docs.regenerate import DOCS, PARTS, REGION, pages, regenerated

REFERENCE = DOCS / "reference"


def _page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text()


def _models() -> Iterator[type[BaseModel]]:
    for module in (runbook, steps, vocabulary):
        for one in vars(module).values():
            ours = isinstance(one, type) and issubclass(one, Model)
            if ours and one.__module__ == module.__name__:
                yield one


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_page_is_what_regenerate_writes(page: Path) -> None:
    """
    A generated region is what the code says now; else run tests.docs.regenerate.
    """
    text = page.read_text()

    assert text == regenerated(text)


def test_every_part_is_on_one_page() -> None:
    """
    Each generated part stands on exactly one page.
    """
    found = [
        name for page in pages() for _, name, *_ in REGION.findall(page.read_text())
    ]

    assert sorted(PARTS) == sorted(found)


def test_every_key_of_the_format_has_a_description() -> None:
    """
    No key of any model is left without words.
    """
    silent = [
        f"{model.__name__}.{name}"
        for model in _models()
        for name, field in model.model_fields.items()
        if not field.description
    ]

    assert [] == silent


def test_every_key_of_the_format_is_on_the_page() -> None:
    """
    Each key of each model stands on the format page under the name of the file.
    """
    text = _page("runbook-format")
    keys = {
        field.alias or name
        for model in _models()
        for name, field in model.model_fields.items()
        if name not in ("kind", "params")
    }

    assert [] == sorted(key for key in keys if f"| `{key}` |" not in text)


def test_every_model_of_the_format_has_a_section() -> None:
    """
    No model is left out of the page, whichever module it is added to.
    """
    shown = {*format_parts.LINKS, *steps.VERBS.values(), steps.Step}

    assert set() == set(_models()) - shown


def test_every_kind_is_on_the_page() -> None:
    """
    Each registered kind of check and action has a section.
    """
    kinds, text = format_parts.known_kinds(), _page("kinds")
    wanted = [f"### check {name}" for name in kinds.checks]
    wanted += [f"### action {name}" for name in kinds.actions]

    assert [] == [title for title in wanted if f"{title}\n" not in text]


def test_every_parameter_of_a_kind_has_a_description() -> None:
    """
    No parameter of any kind is left without words.
    """
    kinds = format_parts.known_kinds()
    every = {kind.name: kind.params for kind in kinds.checks.values()}
    every |= {f"{kind.name} acts": kind.params for kind in kinds.actions.values()}
    silent = [
        f"{name}.{key}"
        for name, params in every.items()
        for key, field in params.model_fields.items()
        if not field.description
    ]

    assert [] == silent


def test_every_error_code_is_on_the_page() -> None:
    """
    Each exception's stable code is listed.
    """
    text = _page("error-codes")
    codes = {kind.code for kind in code_parts.every_error()}

    assert [] == sorted(code for code in codes if f"| `{code}` |" not in text)


def test_problem_codes_are_those_in_the_source() -> None:
    """
    The codes that the loader can say and the codes that are explained are the same.
    """
    assert codes_in_source() | proving.CODES | {proving.DEFECT} == set(CODES)


def test_every_command_is_on_the_page() -> None:
    """
    Each command has a section, and each of its options stands in it.
    """
    text, left_out = _page("command-line"), []
    for name, command in code_parts.commands().items():
        section = text.partition(f"### runbook {name}\n")[2].partition("\n### ")[0]
        options = [
            one.opts[0] for one in command.params if one.param_type_name == "option"
        ]
        left_out += [f"{name} {one}" for one in options if f"`{one}`" not in section]
        left_out += [] if section else [name]

    assert [] == left_out


def test_every_setting_is_on_the_page() -> None:
    """
    Each key of the configuration is listed with its variable.
    """
    text = _page("configuration")

    assert [] == [key for key in _settings(Settings, "") if f"| `{key}` |" not in text]


def _settings(model: type[BaseModel], before: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{before}{field.alias or name}"
        inside, mark = _models_inside(field.annotation)
        if inside is None:
            yield path
        else:
            yield from _settings(inside, f"{path}{mark}.")


def _models_inside(written: Any) -> tuple[type[BaseModel] | None, str]:
    """Return the model a key holds, and how its entries are named: NAME or N."""
    if isinstance(written, type) and issubclass(written, BaseModel):
        return (None if written is SecretRef else written), ""
    marks = {dict: ".NAME", list: ".N"}
    for part in get_args(written):
        found, mark = _models_inside(part)
        if found is not None:
            return found, marks.get(get_origin(written), "") + mark
    return None, ""


def test_every_state_is_on_the_page() -> None:
    """
    Each row of both tables stands on the page, as text and in the diagram.
    """
    text = _page("states")
    rows = [
        (f"| `{state}` | `{event}` | `{to}` |", f"    {state} --> {to}: {event}\n")
        for table in (RUN_TABLE, STEP_TABLE)
        for state, row in table.items()
        for event, to in row.items()
    ]

    assert [] == [row for row in rows if not all(part in text for part in row)]


def test_every_port_is_described() -> None:
    """
    Each port has a docstring, and so has each of its methods.
    """
    silent = [
        f"{port.__name__}.{name}"
        for port in code_parts.PORTS
        for name, method in vars(port).items()
        if callable(method) and not name.startswith("_") and not method.__doc__
    ]

    assert [] == silent
