"""One failure domain at a time: a lock shared by runbooks, driven by two processes."""

from collections.abc import Callable
from subprocess import Popen

from cli_place import Place

Until = Callable[["Popen[str]", str], str]
EVACUATE = """\
format: 1
runbook: NAME
title: NAME
owner: ops
severity: sev3
limits: {lock: [evacuations], lock_wait: 3s}
actions:
  drain:
    command: {argv: [touch, 'WORLD/NAME']}
    undo: {command: {argv: [rm, '-f', 'WORLD/NAME']}}
isolate:
  - act: drain
  - wait: 60s
"""


def test_g6_the_second_evacuation_waits_names_the_owner_and_hands_over(
    place: Place, until: Until
) -> None:
    """
    Two regions, one lock: the second says who keeps it (G18), drains nothing, hands over.
    """
    for name in ("east", "west"):
        text = EVACUATE.replace("NAME", name).replace("WORLD", str(place.world))
        (place.folder / f"runbooks/{name}.yaml").write_text(text)
    first = place.begin("run", "east")
    until(first, "did drain")
    owner = place.runbook("runs")[1].split("\n")[1].split()[0]
    code, out, _ = place.runbook("run", "west")

    assert 1 == code
    assert f"the lock is kept by run {owner}" in out
    assert "handed over" in out
    assert (place.world / "east").exists()
    assert not (place.world / "west").exists()
