"""Which way a run took through its machine: the ids of steps, for a picture of it.

Called by the command line, the demo, and chat.
"""

from collections.abc import Iterable

from engine.model.timeline import Entry


def path_of(entries: Iterable[Entry]) -> list[str]:
    """Return the ids of the steps a run went through, and its end, in order."""
    path: list[str] = []
    for entry in entries:
        step = f"end/{entry.subject}" if entry.kind == "end" else entry.step
        if step and (not path or path[-1] != step):
            path.append(step)
    return path
