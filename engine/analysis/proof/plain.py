"""Whether the values that a walk makes up are enough for every condition of a runbook.

They are where each condition compares one name with what is written beside it. Sums,
functions, members of lists, two names side by side, and names bound for one target may
be true for values that nobody tried: what no walked path takes may be taken then.

Called by: judging.
"""

import re
from collections.abc import Iterator
from typing import Final

from engine.analysis.proof.domains import Domains
from engine.core.code import CompiledRunbook
from engine.expressions import Expression

WORD: Final = r"[A-Za-z_]\w*"
NAME: Final = rf"{WORD}(?:\.{WORD}|\[\s*(?:\"[\w-]+\"|'[\w-]+')\s*\])*"
TEXT: Final = r"(?:\"[^\"\\]*\"|'[^'\\]*')"
NUMBER: Final = r"-?\d+(?:\.\d+)?"
LITERAL: Final = rf"(?:{TEXT}|{NUMBER})"
COMPARED: Final = rf"(?:(?:==|!=)\s*{LITERAL}|(?:<=|>=|<|>)\s*{NUMBER})"
ATOM: Final = re.compile(
    rf"{TEXT}\s+in\s+held\b|size\(\s*held\s*\)\s*{COMPARED}"
    rf"|(?P<one>{NAME})\s*{COMPARED}"
    rf"|(?P<many>{NAME})\s+in\s+\[\s*{LITERAL}(?:\s*,\s*{LITERAL})*\s*\]"
    rf"|(?P<bare>{NAME})"
)
JOINED: Final = re.compile(r"(?:[\s&|!()]|~(?!\s*[~(]))*")
HEADS: Final = frozenset({"checks", "answers", "labels", "annotations"})
WORDS: Final = frozenset({"cause", "end", "true", "false"})
UNMADE: Final = re.compile(r"\bage_seconds\b|\.series\b|\.values\b")
FLOAT_OF_JSON: Final = re.compile(rf"\.json\b{NAME[len(WORD) :]}\s*[!=]=\s*-?\d+\.")
SCALAR: Final = ("string", "integer", "number", "boolean", "choice")


def all_plain(compiled: CompiledRunbook, domains: Domains) -> bool:
    """Return whether the walk has tried a value of each kind for every condition."""
    inputs = {
        name for name, one in compiled.runbook.inputs.items() if one.type in SCALAR
    }
    rules = _rules(compiled)
    return not domains.cut and all(_plain(rule, inputs) for rule in rules)


def _rules(compiled: CompiledRunbook) -> Iterator[Expression]:
    for node in compiled.nodes:
        if node.verb == "watch":
            continue
        yield from node.exprs.values()
        if node.when is not None:
            yield node.when
    for scope in compiled.scopes:
        for action in scope.actions.values():
            yield from action.conditions.values()


def _plain(rule: Expression, inputs: set[str]) -> bool:
    source = rule.source.strip()
    if rule.yields == "any":
        return True  # a value that is handed on: who judges it names it
    if rule.yields == "list":
        return not rule.names or re.fullmatch(NAME, source) is not None
    if UNMADE.search(source) or FLOAT_OF_JSON.search(source):
        return False
    names = [one for found in ATOM.finditer(source) for one in found.groups() if one]
    known = all(
        name in WORDS or name in inputs or re.split(r"[.\[]", name)[0] in HEADS
        for name in names
    )
    return known and JOINED.fullmatch(ATOM.sub("~", source)) is not None
