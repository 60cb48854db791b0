"""F89: what a hostile or broken file may hold; the reader survives and says where.

Each trap is read in a process of its own: a crash of the C parser must fail one test and
not end the suite.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.language.tree import read_tree

LIMIT_SECONDS = 0.1
AWAY_SECONDS = 1.0  # on the wall, where others have the processor as well
READER = """
import json, sys, time
from engine.language.tree import read_tree
raw = sys.stdin.buffer.read()
read_tree("a: 1", "warm.yaml")
took, wall = [], []
for _ in range(5):
    begun, start = time.perf_counter(), time.process_time()
    tree, problems = read_tree(raw, "a.yaml")
    took.append(time.process_time() - start)
    wall.append(time.perf_counter() - begun)
found = [[it.line, it.code] for it in problems]
seen = {"tree": tree is not None, "took": max(took), "wall": min(wall)}
print(json.dumps(seen | {"problems": found[:3]}))
"""
BILLION_LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGE_BOMB = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [*{before}, *{before}]}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
TRAPS: dict[str, tuple[bytes, list[list[object]]]] = {
    "alias bomb": (
        BILLION_LAUGHS.encode(),
        [[1, "yaml-anchor"], [2, "yaml-anchor"], [2, "yaml-alias"]],
    ),
    "merge bomb": (
        MERGE_BOMB.encode(),
        [[1, "yaml-anchor"], [2, "yaml-anchor"], [2, "yaml-merge"]],
    ),
    "recursive alias": (b"a: &a [*a]\n", [[1, "yaml-anchor"], [1, "yaml-alias"]]),
    "100,000 brackets": (b"a: " + b"[" * 100_000, [[1, "too-deep"]]),
    "100,000 braces": (b"a: " + b"{a: " * 50_000, [[1, "too-deep"]]),
    "nested dashes": (b"a:\n  " + b"- " * 100_000, [[2, "too-deep"]]),
    "explicit keys": (b"? " * 100_000, [[1, "yaml-key"]] * 3),
    "10 MB scalar": (b"a: " + b"x" * 10_000_000, [[1, "too-large"]]),
    "just above 256 KiB": (b"a: " + b"x" * 262_142, [[1, "too-large"]]),
    "30,000 nodes": (b"a: [" + b"1, " * 30_000 + b"1]", [[1, "too-large"]]),
    "python object": (
        b"a: 1\nb: !!python/object/apply:os.system ['true']\n",
        [[2, "yaml-tag"]],
    ),
    "duplicate keys": (b"a: 1\nb: 1\na: 2\n", [[3, "duplicate-key"]]),
    "tab": (b"a:\n\tb: 1\n", [[2, "yaml"]]),
    "byte order mark": (b"\xef\xbb\xbfa: 1\n", [[1, "encoding"]]),
    "byte order mark inside": ("a: 1\nb: \ufeffx\n".encode(), [[2, "encoding"]]),
    "UTF-16": ("a: 1\n".encode("utf-16"), [[1, "encoding"]]),
    "NUL": (b"a: 1\nb: x\x00y\n", [[2, "encoding"]]),
    "escape character": (b"a: 1\nb: \x1b[31m\n", [[2, "encoding"]]),
    "invalid UTF-8": (b"a: 1\nb: \xc3\x28\n", [[2, "encoding"]]),
    "surrogate": (b"a: 1\nb: \xed\xa0\x80\n", [[2, "encoding"]]),
    "hidden direction": ("a: 1\nb: x\u202ey\n".encode(), [[2, "encoding"]]),
    "invisible line break": ("a: 1\nb: x\u2028y\n".encode(), [[2, "encoding"]]),
    "two documents": (b"a: 1\n---\nb: 2\n", [[2, "yaml"]]),
    "huge number": (b"a: " + b"9" * 100_000, [[1, "number"]]),
    "unclosed quote": (b"a: 'x\n" + b"y\n" * 100_000, [[1, "yaml"]]),
    "one line of duplicates": (
        b"{" + b"a: 1, " * 9_000 + b"}",
        [[1, "duplicate-key"]] * 3,
    ),
}


def read_apart(raw: bytes) -> dict[str, object]:
    """Return what a fresh process says of the bytes; it must end well."""
    done = subprocess.run(
        [sys.executable, "-c", READER],
        input=raw, capture_output=True, timeout=30, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr.decode()
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("name", TRAPS)
@pytest.mark.timed
def test_f89_a_trap_is_refused_at_its_line_in_time(name: str) -> None:
    """
    Rejected in under 100 ms with a line number, and the process is alive.

    By the processor's clock each time, by the wall's at best: others share the machine.
    """
    raw, expected = TRAPS[name]

    answer = read_apart(raw)

    assert (False, expected) == (answer["tree"], answer["problems"])
    assert float(str(answer["took"])) < LIMIT_SECONDS
    assert float(str(answer["wall"])) < AWAY_SECONDS


def test_f89_what_is_not_told_is_said() -> None:
    """
    The five hundred and first problem says that reading ended; no more are built.
    """
    tree, problems = read_tree(b"{" + b"a: 1, " * 9_000 + b"}", "a.yaml")

    assert tree is None
    assert ["duplicate-key"] * 500 + ["too-many"] == [one.code for one in problems]


def test_f89_on_is_text() -> None:
    """
    `on:` is the key "on", not true.
    """
    assert {"tree": True, "problems": []}.items() <= read_apart(b"on: yes\n").items()


def test_f89_32_levels_and_20_000_nodes_still_read() -> None:
    """
    The limits are what is allowed, not one less.
    """
    deep = b"a: " + b"[" * 31 + b"]" * 31
    wide = b"a: [" + b"1, " * 19_995 + b"1]"

    assert read_apart(deep)["tree"]
    assert read_apart(wide)["tree"]
