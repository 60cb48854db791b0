"""The one table of rights."""

from typing import get_args

import pytest

from engine.core.words.commands import VERBS
from engine.entrypoints.web.operations import OPERATIONS
from engine.errors import NotAllowed
from engine.model.people import ROLES
from engine.runtime.chat.asking import RIGHTS
from engine.runtime.rights import NEEDS, Right, may, refuse

SAME = {
    "approve": "approve", "reject": "reject", "answer": "answer", "note": "note",
    "cancel": "cancel", "take": "take", "hold": "hold_run", "retry": "retry",
    "sev": "sev", "page": "page", "report": "report", "run": "start",
}  # fmt: skip


def test_f101_every_door_asks_the_one_table() -> None:
    """
    Each right has a role, and a word of chat needs the right its operation needs.
    """
    operations = {one.name: one.right for one in OPERATIONS}

    assert set(get_args(Right)) == set(NEEDS)
    assert set(RIGHTS) == set(VERBS)
    assert {verb: RIGHTS[verb] for verb in SAME} == {  # type: ignore[index]
        verb: operations[name] for verb, name in SAME.items()
    }


def test_f101_a_role_may_what_those_below_it_may() -> None:
    """
    One role too low is refused with both roles.
    """
    told = []
    for right, needed in NEEDS.items():
        at = ROLES.index(needed)
        assert [may(role, right) for role in ROLES] == [
            number >= at for number in range(len(ROLES))
        ]
        if at:
            with pytest.raises(NotAllowed) as refused:
                refuse("vic", ROLES[at - 1], right)
            told.append(str(refused.value))

    assert "vic is commander; this needs admin" in told
