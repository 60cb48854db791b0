"""Fails on a file above 400 lines or a function above 60: `python -m tests.sizes`."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

MOST_LINES_OF_FILE = 400
MOST_LINES_OF_FUNCTION = 60


def functions(file: Path) -> Iterator[tuple[str, int]]:
    """Yield the name and the length of every function of a file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            end = node.end_lineno or node.lineno
            yield f"{file}:{node.lineno} {node.name}", end - node.lineno + 1


def main() -> int:
    """Print the sizes, and what is too large; return 1 if anything is."""
    files = sorted(Path("engine").rglob("*.py"))
    lengths = {str(file): len(file.read_text().splitlines()) for file in files}
    found = [one for file in files for one in functions(file)]
    large = [f"{name}: {size} lines" for name, size in lengths.items()
             if size > MOST_LINES_OF_FILE]  # fmt: skip
    large += [f"{name}: {size} lines" for name, size in found
              if size > MOST_LINES_OF_FUNCTION]  # fmt: skip
    sizes = [size for _, size in found]
    print(
        f"functions: {len(sizes)}, median {median(sizes):g}, "
        f"p90 {quantiles(sizes, n=10)[-1]:g}, largest {max(sizes)}; "
        f"files: {len(files)}, p90 {quantiles(lengths.values(), n=10)[-1]:g}, "
        f"largest {max(lengths.values())}"
    )
    for one in large:
        print(f"too large: {one}")
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main())
