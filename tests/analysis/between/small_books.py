"""Small runbooks with their files, for tests between runbooks."""

from collections.abc import Sequence
from dataclasses import replace

from engine.analysis.between import Member, between
from engine.language.load import load_runbook
from engine.language.problems import Problem
from engine.model.kinds import ActionKind, CheckKind, Kinds
from tests.rehearsing import Anything

ACTIONS = ("command", "do", "http", "ssh")
KINDS = Kinds(
    {"http": CheckKind("http", Anything, sees=("json",))},
    {name: ActionKind(name, Anything) for name in ACTIONS}
    | {"kubernetes": ActionKind("kubernetes", Anything, built_in_undo=True)},
)


def member(name: str, text: str, *, severity: str = "sev3") -> Member:
    """Return a runbook of this text, in the file `name.yaml`."""
    head = f"format: 1\nrunbook: {name}\ntitle: t\nowner: o\nseverity: {severity}\n"
    loaded = load_runbook(head + text, f"{name}.yaml", KINDS)
    assert [] == [str(one) for one in loaded.problems if one.severity == "error"]
    assert loaded.runbook is not None
    assert loaded.tree is not None
    return Member(f"{name}.yaml", loaded.runbook, loaded.tree)


def found(*members: Member, inside: Sequence[Member] = ()) -> list[Problem]:
    """Return what is wrong between these; those `inside` may be run by them."""
    library = {one.name: one for one in (*members, *inside)}
    told = between(members, library, KINDS)
    return [replace(one, source_line="", hint="") for one in told]


def told(*members: Member, inside: Sequence[Member] = ()) -> list[str]:
    """Return the same as lines."""
    return [str(one) for one in found(*members, inside=inside)]


def acts(
    name: str, body: str, *, undo: str = "", lock: str = "", inputs: str = ""
) -> Member:
    """Return a runbook that does one act, called as the runbook with `_`."""
    action = name.replace("-", "_")
    way_back = f"    undo: {{{undo}}}\n" if undo else "    leaves_nothing: true\n"
    return member(
        name,
        (f"inputs: {{{inputs}}}\n" if inputs else "")
        + (f"limits: {{lock: [{lock}]}}\n" if lock else "")
        + f"actions:\n  {action}:\n    {body}\n{way_back}"
        + f"isolate:\n  - act: {action}\n",
    )
