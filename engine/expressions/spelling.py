"""How a condition is spelled: its words, and the declared names among them.

A check or a step may be called `hot-partition`, an input `namespace`; CEL takes neither
as a name. Such a name is overwritten by an alias of the same length, so that lines and
columns stay true. What is not here: types and meaning (dialect). Called by: compiling.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

WORDS: Final = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<string>[rR][bB]?(?:\"\"\".*?\"\"\"|'''.*?'''|"[^"\n]*"|'[^'\n]*')
      |[bB]?(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''
              |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>[0-9](?:[eE][+-][0-9]+|\.(?=[0-9])|[0-9A-Za-z])*)
    |(?P<sign><=|>=|==|!=|&&|\|\||.)""",
    re.VERBOSE | re.DOTALL,
)
PLAIN_STRING: Final = re.compile(r"""(["'])([A-Za-z0-9_-]+)\1""")
HYPHENED: Final = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+)*", re.ASCII)
LITERALS: Final = frozenset({"true", "false", "null", "in"})
RESERVED: Final = LITERALS | {
    "as", "break", "const", "continue", "else", "for", "function", "if", "import",
    "let", "loop", "package", "namespace", "return", "var", "void", "while",
}  # fmt: skip
MACROS: Final = frozenset({"all", "exists", "exists_one", "filter", "map"})


class Word(NamedTuple):
    """One word: a string, a word, a number or a sign, with its place."""

    kind: str
    text: str
    start: int
    end: int


class Part(NamedTuple):
    """One part of a name; `plain`: a word of CEL, after a dot or first."""

    text: str
    end: int
    plain: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """A name with what is asked of it: `json.items`, `checks.lag.ok`."""

    path: tuple[str, ...]
    ends: tuple[int, ...]  # where each part of the path ends
    start: int
    name: str | None  # the declared name that it begins with
    plain: bool  # CEL takes the declared name as it is written

    @property
    def span(self) -> slice:
        """Where the declared name stands."""
        parts = (self.name or "").count(".")
        return slice(self.start, self.ends[parts])


def words(source: str) -> list[Word]:
    """Return the words of a condition; spaces and comments are left out."""
    return [
        Word(str(found.lastgroup), found[0], found.start(), found.end())
        for found in WORDS.finditer(source)
        if found.lastgroup != "space"
    ]


def chains(source: str, found: list[Word], declared: Mapping[str, str]) -> list[Chain]:
    """Return every name of a condition, declared or not, functions left out."""
    hyphened = {name for name in declared if "-" in name}
    chains: list[Chain] = []
    index = 0
    while index < len(found):
        if _begins(found, index):
            chain, index = _chain(source, found, index, declared, hyphened)
            if chain is not None:
                chains.append(chain)
        else:
            index += 1
    return chains


def _begins(found: list[Word], index: int) -> bool:
    if found[index].kind != "word":
        return False
    if index == 0 or found[index - 1].text != ".":
        return True
    before = found[index - 2] if index > 1 else None
    return before is None or (before.kind == "sign" and before.text not in ")]}")


def _chain(
    source: str,
    found: list[Word],
    index: int,
    declared: Mapping[str, str],
    hyphened: set[str],
) -> tuple[Chain | None, int]:
    start = found[index].start
    parts = _hyphened(source, start, hyphened)
    if not parts:
        parts = [Part(found[index].text, found[index].end, True)]
    while index < len(found) and found[index].start < parts[-1].end:
        index += 1
    while (more := _more(found, index)) is not None:
        part, steps = more
        index += steps
        parts.append(Part(part, found[index - 1].end, steps == 2))
    if index < len(found) and found[index].text == "(":
        parts.pop()  # a function or a method, not a name
    if not parts or (parts[0].text in LITERALS and len(parts) == 1):
        return None, index
    path = tuple(part.text for part in parts)
    name = _declared(path, declared)
    own = parts[: name.count(".") + 1] if name else []
    plain = all(part.plain and part.text not in RESERVED for part in own)
    return Chain(path, tuple(part.end for part in parts), start, name, plain), index


def _hyphened(source: str, start: int, hyphened: set[str]) -> list[Part]:
    """Return the parts of the hyphened name that stands here as it is declared."""
    found = HYPHENED.match(source, start) if hyphened else None
    text = found[0] if found else ""
    fits = [n for n in hyphened if text == n or text.startswith(n + ".")]
    parts: list[Part] = []
    for part in max(fits, key=len, default="").split(".") if fits else []:
        start = parts[-1].end + 1 if parts else start
        parts.append(Part(part, start + len(part), "-" not in part))
    return parts


def _more(found: list[Word], index: int) -> tuple[str, int] | None:
    """Return the next part of a chain (`.name` or `["name"]`) and its length."""
    ahead = found[index : index + 3]
    if len(ahead) > 1 and ahead[0].text == "." and ahead[1].kind == "word":
        return ahead[1].text, 2
    if len(ahead) == 3 and ahead[0].text == "[" and ahead[2].text == "]":
        quoted = PLAIN_STRING.fullmatch(ahead[1].text)
        return (quoted[2], 3) if quoted else None
    return None


def _declared(path: tuple[str, ...], declared: Mapping[str, str]) -> str | None:
    most = max((name.count(".") for name in declared), default=0) + 1
    for count in range(min(len(path), most), 0, -1):
        if (name := ".".join(path[:count])) in declared:
            return name
    return None


def aliased(source: str, chains: list[Chain]) -> tuple[str, dict[str, str]]:
    """Return the condition as CEL takes it, and each alias with its declared name."""
    aliases: dict[str, str] = {}
    text = source
    for chain in chains:
        written = source[chain.span] if chain.name else ""
        if chain.name is None or chain.plain or "\n" in written:
            continue
        same = [a for a, name in aliases.items() if name == chain.name]
        alias = next((a for a in same if len(a) == len(written)), None)
        alias = alias or f"q{len(aliases)}_".ljust(len(written), "_")
        if len(alias) == len(written):
            aliases[alias] = chain.name
            text = text[: chain.span.start] + alias + text[chain.span.stop :]
    return text, aliases


def macros(found: list[Word]) -> tuple[bool, bool, int]:
    """Return whether there is a `map`, any macro, and how deeply macros are nested."""
    open_: list[bool] = []
    deepest, names = 0, set()
    for index, word in enumerate(found):
        if word.text == "(":
            macro = index > 1 and found[index - 2].text == "."
            macro = macro and found[index - 1].text in MACROS
            names |= {found[index - 1].text} if macro else set()
            open_.append(macro)
            deepest = max(deepest, sum(open_))
        elif word.text == ")" and open_:
            open_.pop()
    return "map" in names, bool(names), deepest
