"""The timeline: one append-only list of entries for each run, and the chain over them.

The timeline is the journal. An entry that holds an event is what the run is replayed
from; the entries between are the facts and decisions that the core derived from it.
Every field is part of the hash, and each hash covers the one before: a changed, missing
or moved entry breaks the chain at its place.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from engine.model.events import Event

GENESIS: Final = "0" * 64


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a run's timeline."""

    run: str
    seq: int  # from 1, no gaps
    at: float  # wall time, epoch seconds
    tick: float  # the run's own seconds
    kind: str  # an event's name in lower case, or a note's kind
    what: str  # one line for people
    actor: str = "engine"
    phase: str = ""
    step: str = ""
    why: str = ""  # the rule and the values that decided
    subject: str = ""
    target: str = ""
    refs: dict[str, Any] = {}  # evidence, values before and after, plan, undo
    event: Event | None = None  # what to replay
    prev_hash: str = GENESIS  # these two stay last: `sealed_bytes` adds them by hand
    hash: str = ""


class ChainFault(msgspec.Struct, frozen=True):
    """Where a timeline is not what was written, and in which way."""

    run: str
    seq: int
    problem: str


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Entry).decode
_UNWRITABLE = (
    msgspec.MsgspecError,
    ValueError,
    TypeError,
    OverflowError,
    RecursionError,
)


def encode_entry(entry: Entry) -> bytes:
    """Return the entry as JSON with sorted keys: the bytes that are stored."""
    return _encode(entry)


def decode_entry(raw: bytes | str) -> Entry:
    """Return the entry that `encode_entry` wrote.

    Raises:
        msgspec.DecodeError, msgspec.ValidationError: not such an entry.
    """
    return _decode(raw)


def seal(entry: Entry, prev_hash: str) -> Entry:
    """Return the entry with its place in the chain: prev_hash, and its own hash."""
    return sealed_bytes(entry, prev_hash)[0]


def sealed_bytes(entry: Entry, prev_hash: str) -> tuple[Entry, bytes]:
    """Return the sealed entry as it will be read back, and `encode_entry` of it.

    The entry is read back before it is hashed: what could be written but not read is
    refused while the run can still be helped, and reading it later gives the same
    bytes, whatever went in (a tuple, an int for a float, NaN).

    Raises:
        ValueError: it cannot be written as JSON, or not be read back.
    """
    if entry.prev_hash != GENESIS or entry.hash:
        entry = msgspec.structs.replace(entry, prev_hash=GENESIS, hash="")
    try:
        entry = _decode(_encode(entry))
        raw = _encode(entry)
    except _UNWRITABLE as error:
        raise ValueError(
            f"run {entry.run}: entry {entry.seq} ({entry.kind}) cannot be kept: {error}"
        ) from error
    if prev_hash != GENESIS:  # left out where it is the default, as `encode_entry` does
        raw = b'%b,"prev_hash":"%b"}' % (raw[:-1], prev_hash.encode())
    digest = hashlib.sha256(raw).hexdigest()
    sealed = msgspec.structs.replace(entry, prev_hash=prev_hash, hash=digest)
    return sealed, b'%b,"hash":"%b"}' % (raw[:-1], digest.encode())


def chain_faults(run: str, entries: Iterable[Entry]) -> list[ChainFault]:
    """Return every break of the chain, in order; an empty list is a whole timeline."""
    faults: list[ChainFault] = []
    prev, expected = GENESIS, 1
    for entry in entries:
        if entry.seq != expected:
            faults.append(ChainFault(run, expected, f"entry {expected} is missing"))
        if entry.prev_hash != prev:
            faults.append(ChainFault(run, entry.seq, "does not follow the one before"))
        if seal(entry, entry.prev_hash).hash != entry.hash:
            faults.append(
                ChainFault(run, entry.seq, "was changed after it was written")
            )
        prev, expected = entry.hash, entry.seq + 1
    return faults
