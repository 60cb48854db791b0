"""A recorded run as a file: one line for what it was, then one for each entry.

Everything that is needed to replay it elsewhere is in it: the summary, the exact texts
of the runbook that it is pinned to, and every entry as it was stored. An entry that
was changed, lost or moved is found by the chain, and the file is refused.

Called by the command line (`timeline --format history`, `replay`), tests.
"""

import hashlib
from typing import Final

import msgspec

from engine.errors import EngineError
from engine.model.run import ENDS, RunSummary
from engine.model.timeline import Entry, chain_faults, decode_entry, encode_entry

FORM: Final = 1
UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)


class Head(msgspec.Struct, frozen=True):
    """The first line."""

    history: int  # the form of the file
    engine: str  # the version that wrote the file
    summary: RunSummary
    texts: str  # what is kept under the run's revision


class History(msgspec.Struct, frozen=True):
    """One recorded run."""

    summary: RunSummary
    texts: str
    entries: list[Entry]


def history_lines(history: History, engine: str) -> bytes:
    """Return the file: JSON lines, keys sorted; the same run gives the same bytes.

    Args:
        history: The run.
        engine: The version that writes.
    """
    head = Head(FORM, engine, history.summary, history.texts)
    rows = [msgspec.json.encode(head, order="deterministic")]
    rows += [encode_entry(entry) for entry in history.entries]
    return b"\n".join(rows) + b"\n"


def read_history(raw: bytes, file: str) -> History:
    """Return the run of a file that `history_lines` wrote.

    Raises:
        EngineError: it is no such file, or not what was written; with its line.
    """
    first, *rows = raw.splitlines() or [b""]
    head = _head(first, file)
    entries = [_entry(row, f"{file}:{line}") for line, row in enumerate(rows, 2)]
    summary = head.summary
    for fault in chain_faults(summary.run, entries):
        told = f"entry {fault.seq} {fault.problem}".replace(
            f"entry {fault.seq} entry {fault.seq}", f"entry {fault.seq}"
        )
        raise EngineError(f"{file}:{fault.seq + 1}: {told}. {AGAIN}")
    if hashlib.sha256(head.texts.encode()).hexdigest() != summary.revision:
        raise EngineError(f"{file}:1: the runbook's texts were changed. {AGAIN}")
    ends = [entry.subject for entry in entries if entry.kind == "end"]
    told = ends[-1] if ends else "no end"
    if not entries or (summary.state in ENDS and told != summary.state):
        raise EngineError(
            f"{file}: the run ended {summary.state}, its {len(entries)} entries tell "
            f"of {told}: some are missing, or the first line was changed. {AGAIN}"
        )
    return History(summary, head.texts, entries)


def _head(row: bytes, file: str) -> Head:
    try:
        head = msgspec.json.decode(row, type=Head)
    except UNREADABLE as error:
        raise EngineError(
            f"{file}:1: this is no recorded run ({error}). {AGAIN}"
        ) from error
    if head.history != FORM:
        raise EngineError(
            f"{file}:1: the form is {head.history}, this engine reads {FORM}; "
            f"engine {head.engine} wrote it"
        )
    return head


def _entry(row: bytes, place: str) -> Entry:
    try:
        return decode_entry(row)
    except UNREADABLE as error:
        raise EngineError(f"{place}: this is no entry ({error}). {AGAIN}") from error


AGAIN: Final = "Write it anew: runbook timeline RUN --format history -o FILE"
