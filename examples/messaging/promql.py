"""Text to tree: the part of PromQL that runbooks for this platform use.

Numbers, selectors with =, !=, =~, !~, ranges for functions, aggregation by and
without, arithmetic, comparison (with bool), and, or, unless, on and ignoring.
Anything else is refused by name: no offset, no @, no subqueries, no group_left.

Used by: evaluate.py (meaning), alerting.py and scraper.py (rules and queries).
"""

import re
from dataclasses import dataclass

AGGREGATIONS = frozenset({"sum", "max", "min", "avg", "count"})
FUNCTIONS = {  # name -> kinds of its arguments
    "rate": ("range",),
    "increase": ("range",),
    "histogram_quantile": ("scalar", "vector"),
    "clamp_min": ("vector", "scalar"),
    "clamp_max": ("vector", "scalar"),
    "abs": ("vector",),
    "scalar": ("vector",),
    "vector": ("scalar",),
    "time": (),
}
COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
SETS = frozenset({"and", "or", "unless"})
STRENGTH = {"or": 1, "and": 2, "unless": 2, "+": 4, "-": 4, "*": 5, "/": 5, "%": 5}
STRENGTH |= {**dict.fromkeys(COMPARISONS, 3), "^": 6}
UNSUPPORTED = {
    "offset": "offset",
    "@": "the @ modifier",
    "group_left": "group_left",
    "group_right": "group_right",
    ":": "a subquery",
}
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

TOKEN = re.compile(
    r"""\s*(?:
      (?P<duration>\d+(?:ms|[smhd])(?![\w.]))
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[a-zA-Z_][\w]*(?::[\w:]+)?)
    | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<op>=~|!~|==|!=|<=|>=|[-+*/%^<>={}()\[\],:@])
    )""",
    re.VERBOSE,
)


class QueryError(Exception):
    """A query that cannot be read or computed; the text says which part and why."""


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label: `op` is =, !=, =~ or !~; regexes are anchored."""

    label: str
    op: str
    text: str


@dataclass(frozen=True, slots=True)
class Selector:
    """Series by name and labels; with `seconds`, their samples over that range."""

    matchers: tuple[Matcher, ...]
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A function applied."""

    function: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregation; `without` turns the meaning of `labels` round."""

    operation: str
    body: "Node"
    labels: tuple[str, ...]
    without: bool = False


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands; `on` is None, or the labels to match on (or to ignore)."""

    operator: str
    left: "Node"
    right: "Node"
    as_bool: bool = False
    labels: tuple[str, ...] | None = None
    ignoring: bool = False


@dataclass(frozen=True, slots=True)
class Negative:
    """A leading minus."""

    body: "Node"


Node = Number | Selector | Call | Aggregate | Binary | Negative
Token = tuple[str, str]


def kind_of(node: Node) -> str:
    """Return `scalar`, `vector` or `range`."""
    match node:
        case Number():
            return "scalar"
        case Selector(seconds=seconds):
            return "vector" if seconds is None else "range"
        case Call(function=function):
            return "scalar" if function in {"time", "scalar"} else "vector"
        case Aggregate():
            return "vector"
        case Negative(body=body):
            return kind_of(body)
        case Binary(left=left, right=right):
            both = {kind_of(left), kind_of(right)}
            return "scalar" if both == {"scalar"} else "vector"


def parse(text: str) -> Node:
    """Return the tree of a query.

    Raises:
        QueryError: not PromQL, or a part of it that is not supported here.
    """
    parser = _Parser(_tokens(text))
    node = parser.expression(0)
    parser.expect_end()
    return node


def _tokens(text: str) -> list[Token]:
    out: list[Token] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise QueryError(
                f"cannot read the query from '{text[at:].strip()[:20]}' on"
            )
        out.append((found.lastgroup, found.group(found.lastgroup)))
        at = found.end()
    return out


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self) -> Token:
        if self._at >= len(self._tokens):
            raise QueryError("the query ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _accept(self, text: str) -> bool:
        if self._peek() != text:
            return False
        self._at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            found = self._peek() or "the end of the query"
            _refuse_unsupported(found)
            raise QueryError(f"expected '{text}', found {found}")

    def expect_end(self) -> None:
        if self._peek():
            _refuse_unsupported(self._peek())
            raise QueryError(f"did not expect '{self._peek()}' here")

    def expression(self, floor: int) -> Node:
        left = self._unary()
        while (strength := STRENGTH.get(self._peek().lower(), 0)) > floor:
            operator = self._take()[1].lower()
            as_bool = self._accept("bool")
            if as_bool and operator not in COMPARISONS:
                raise QueryError(f"bool does not go with '{operator}'")
            labels, ignoring = self._matching()
            right = self.expression(strength - (operator == "^"))
            left = Binary(operator, left, right, as_bool, labels, ignoring)
            _check_binary(left)
        return left

    def _matching(self) -> tuple[tuple[str, ...] | None, bool]:
        word = self._peek().lower()
        if word not in {"on", "ignoring"}:
            return None, False
        self._take()
        labels = self._label_list()
        _refuse_unsupported(self._peek())
        return labels, word == "ignoring"

    def _unary(self) -> Node:
        if self._accept("-"):
            body = self.expression(STRENGTH["*"])
            return Number(-body.value) if isinstance(body, Number) else Negative(body)
        if self._accept("+"):
            return self.expression(STRENGTH["*"])
        return self._range(self._primary())

    def _range(self, node: Node) -> Node:
        if not self._accept("["):
            return node
        if not isinstance(node, Selector):
            raise QueryError(
                "a subquery is not supported here: a range needs a selector"
            )
        kind, text = self._take()
        if kind != "duration":
            raise QueryError(f"a range is like [30s], not [{text}]")
        self._expect("]")
        number, unit = re.findall(r"\d+|\D+", text)
        return Selector(node.matchers, float(number) * UNITS[unit])

    def _primary(self) -> Node:
        if self._peek() == "{":
            return Selector(self._matchers())
        kind, text = self._take()
        if text == "(":
            inside = self.expression(0)
            self._expect(")")
            return inside
        if kind == "number":
            return Number(float(text))
        if kind != "name":
            raise QueryError(f"did not expect '{text}' here")
        return self._named(text)

    def _named(self, name: str) -> Node:
        if name.lower() in {"inf", "nan"}:
            return Number(float(name.lower()))
        if name in AGGREGATIONS:
            return self._aggregate(name)
        if self._peek() == "(":
            return self._call(name)
        matchers = self._matchers() if self._peek() == "{" else ()
        return Selector((Matcher("__name__", "=", name), *matchers))

    def _call(self, name: str) -> Call:
        if name not in FUNCTIONS:
            raise QueryError(f"{name}() is not supported here")
        self._expect("(")
        arguments: list[Node] = []
        while not self._accept(")"):
            if arguments:
                self._expect(",")
            arguments.append(self.expression(0))
        kinds = tuple(kind_of(argument) for argument in arguments)
        if kinds != FUNCTIONS[name]:
            wanted = ", ".join(FUNCTIONS[name]) or "nothing"
            raise QueryError(f"{name}() takes {wanted}")
        return Call(name, tuple(arguments))

    def _aggregate(self, operation: str) -> Aggregate:
        labels, without = self._grouping()
        self._expect("(")
        body = self.expression(0)
        self._expect(")")
        if labels is None:
            labels, without = self._grouping()
        if kind_of(body) != "vector":
            raise QueryError(f"{operation}() takes a vector")
        return Aggregate(operation, body, labels or (), without)

    def _grouping(self) -> tuple[tuple[str, ...] | None, bool]:
        word = self._peek().lower()
        if word not in {"by", "without"}:
            return None, False
        self._take()
        return self._label_list(), word == "without"

    def _label_list(self) -> tuple[str, ...]:
        self._expect("(")
        labels: list[str] = []
        while not self._accept(")"):
            if labels:
                self._expect(",")
            labels.append(self._take()[1])
        return tuple(labels)

    def _matchers(self) -> tuple[Matcher, ...]:
        self._expect("{")
        matchers: list[Matcher] = []
        while not self._accept("}"):
            if matchers:
                self._expect(",")
                if self._accept("}"):
                    break
            matchers.append(self._matcher())
        return tuple(matchers)

    def _matcher(self) -> Matcher:
        _, label = self._take()
        _, operator = self._take()
        kind, text = self._take()
        if operator not in {"=", "!=", "=~", "!~"} or kind != "string":
            raise QueryError(f'a matcher is like {label}="text"')
        text = _unquoted(text)
        if operator in {"=~", "!~"}:
            try:
                re.compile(text)
            except re.error as error:
                raise QueryError(f"{label}: '{text}' is no regex: {error}") from None
        return Matcher(label, operator, text)


def _unquoted(text: str) -> str:
    plain = {"n": "\n", "t": "\t"}
    return re.sub(r"\\(.)", lambda m: plain.get(m[1], m[1]), text[1:-1])


def _refuse_unsupported(word: str) -> None:
    if word in UNSUPPORTED:
        raise QueryError(f"{UNSUPPORTED[word]} is not supported here")


def _check_binary(node: Binary) -> None:
    kinds = kind_of(node.left), kind_of(node.right)
    if "range" in kinds:
        raise QueryError(f"'{node.operator}' does not take a range")
    if node.operator in SETS and kinds != ("vector", "vector"):
        raise QueryError(f"'{node.operator}' takes two vectors")
    compares = node.operator in COMPARISONS and not node.as_bool
    if kinds == ("scalar", "scalar") and compares:
        raise QueryError("comparing two scalars needs bool")
