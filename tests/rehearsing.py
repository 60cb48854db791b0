"""Small runbooks for tests: written as YAML, played on scripted ports in virtual time."""

from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from engine.adapters.memory_store import MemoryStore
from engine.core.code import CompiledRunbook
from engine.core.compile import compile_runbook
from engine.model.kinds import ActionKind, Agree, CheckKind, Kinds
from engine.model.runbook import Runbook, Test
from engine.runtime.rehearsal import Rehearsed, rehearse


class Anything(BaseModel):
    """Parameters of the kinds used here: any."""

    model_config = ConfigDict(extra="allow")


KINDS = Kinds(
    {
        "probe": CheckKind("probe", Anything, sees=("value", "json")),
        "agree": CheckKind("agree", Agree, judges_itself=True),
    },
    {
        "do": ActionKind("do", Anything),
        "silence": ActionKind("silence", Anything, built_in_undo=True),
        "page": ActionKind("page", Anything, leaves_nothing=True),
        "web": ActionKind("web", Anything, places={"get": "url"}),
    },
)

HEAD = """
format: 1
runbook: small
title: small
owner: owners
severity: sev3
"""


def runbook(text: str) -> Runbook:
    """Return a runbook from YAML; the head is added where it is missing."""
    full = text if "format:" in text else HEAD + text
    return Runbook.model_validate(yaml.safe_load(full))


def compiled(text: str, library: Mapping[str, str] | None = None) -> CompiledRunbook:
    """Return a compiled runbook, with others that it may run."""
    others = {name: runbook(other) for name, other in (library or {}).items()}
    return compile_runbook(runbook(text), KINDS, revision="rev", library=others)


def play(
    text: str,
    test: Mapping[str, Any] | None = None,
    library: Mapping[str, str] | None = None,
) -> Rehearsed:
    """Return what a rehearsal of the runbook shows."""
    script = Test.model_validate({"name": "test"} | dict(test or {}))
    return rehearse(compiled(text, library), script, MemoryStore())


def told(rehearsed: Rehearsed, *kinds: str) -> list[str]:
    """Return the `what` of every entry of these kinds, in order."""
    return [entry.what for entry in rehearsed.entries if entry.kind in kinds]


def shown(rehearsed: Rehearsed) -> dict[str, Any]:
    """Return the outcome as a test compares it."""
    seen = rehearsed.seen
    return {
        "end": seen.end,
        "did": seen.did,
        "undone": seen.undone,
        "held": seen.held,
    }
