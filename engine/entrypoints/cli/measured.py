"""What `rehearse` shows of the tests themselves: what they miss, mistakes that live.

Read by: rehearsals.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.analysis.rehearsal.writing import test_text
from engine.testing.story import story_place
from engine.views.escape import visible

if TYPE_CHECKING:
    from engine.language.tree import Tree
    from engine.testing.covering import Covered
    from engine.testing.mutating import Mutated


def covered_text(file: Path, found: "Covered", tree: "Tree") -> list[str]:
    """Return the lines for people."""
    taken = len(found.taken)
    many = taken + len(found.untaken)
    word = "-" if found.untaken else "ok"
    told = f"its tests take {taken} of {many} steps, branches and answers"
    rows = [f"{word:<6}  {file}: {told}"]
    for one in found.untaken:
        line = tree.position(story_place(one.step, tree)).line
        by = "" if one in found.by else "; no script found"
        rows.append(
            f"        {file}:{line}: {one.step}: {one.what or 'never taken'}{by}"
        )
    if found.tests:
        rows.append("        tests that would take them (--write puts them there)")
    for test in found.tests:
        rows += (f"        {visible(row)}" for row in test_text(test, indent=0))
    return rows


def covered_object(file: Path, found: "Covered", tree: "Tree") -> dict[str, Any]:
    """Return it for programs."""
    return {
        "file": str(file),
        "taken": len(found.taken),
        "untaken": [
            {
                "line": tree.position(story_place(one.step, tree)).line,
                "step": one.step,
                "what": one.what,
                "test": found.by[one].name if one in found.by else None,
            }
            for one in found.untaken
        ],
        "tests": ["\n".join(test_text(one, indent=0)) for one in found.tests],
    }


def mutants_text(file: Path, shown: "Mutated", tree: "Tree") -> list[str]:
    """Return the lines for people."""
    found = len(shown.found)
    many = found + len(shown.alive)
    rows = [f"{shown.score:>3}%    {file}: its tests find {found} of {many} mistakes"]
    for one in shown.alive:
        line = tree.position(one.path).line
        rows.append(f"        {file}:{line}: lives: {visible(one.told)}")
    return rows


def mutants_object(file: Path, shown: "Mutated", tree: "Tree") -> dict[str, Any]:
    """Return it for programs."""
    return {
        "file": str(file),
        "score": shown.score,
        "found": [
            {"line": tree.position(one.path).line, "told": one.told, "by": by}
            for one, by in shown.found
        ],
        "alive": [
            {"line": tree.position(one.path).line, "told": one.told}
            for one in shown.alive
        ],
    }
