"""Deliveries of alerts and decisions about them: ports.AlertStore over one journal.

The same bytes of a source are kept once: a storm of repeats costs a short row each. A
body is one line for the delivery and one for each alert: ten thousand of them are read
in small steps, between which the event loop has its turn, and one of them alone.
What a decision brings about in a run (mail) and what people are told of it (outbox) is
written in the decision's own transaction.

`_kept` and `_decided` run inside the writer's transaction, the rest in a reader's
thread. Called by: store, which offers them as `alerts`.
"""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from typing import Any, Final

import apsw
import msgspec

from engine.adapters.sqlite import mail
from engine.adapters.sqlite.reader import Readers
from engine.adapters.sqlite.writer import Writer
from engine.errors import StoreDamaged
from engine.model.alert import Alert, Delivery, Receipt
from engine.model.decision import IDLE, Decision
from engine.model.effects import Say
from engine.model.events import Event

INLINE_BYTES: Final = 64 * 1024  # of a body; more is digested and encoded in a thread
MOST_ALERTS: Final = 2_000  # of several deliveries that are read at once
_encode: Final = msgspec.json.Encoder().encode
_message: Final = msgspec.json.Encoder(order="deterministic").encode
_head: Final = msgspec.json.Decoder(Delivery).decode
_alert: Final = msgspec.json.Decoder(Alert).decode
_decision: Final = msgspec.json.Decoder(Decision).decode
_FIRST: Final = "SELECT id FROM deliveries WHERE digest = ? AND same_as IS NULL LIMIT 1"
_KEEP: Final = (
    "INSERT INTO deliveries (at, source, digest, same_as, body, alerts)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_WAITING: Final = (
    "SELECT one.id, one.at, one.alerts, coalesce(one.body, first.body)"
    " FROM deliveries AS one"
    " LEFT JOIN deliveries AS first ON first.id = one.same_as"
    " WHERE one.decided = 0 ORDER BY one.id LIMIT ?"
)
_BACKLOG: Final = "SELECT count(*) FROM deliveries WHERE decided = 0"
_ONE: Final = (
    "SELECT coalesce(one.body, first.body) FROM deliveries AS one"
    " LEFT JOIN deliveries AS first ON first.id = one.same_as WHERE one.id = ?"
)
_DECIDED: Final = "UPDATE deliveries SET decided = 1 WHERE id = ?"
_LAST: Final = "SELECT coalesce(max(id), 0) FROM decisions"
_DECISION: Final = (
    "INSERT INTO decisions (id, at, outcome, fingerprint, alertname, run, delivery,"
    " body, carried) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_OUTBOX: Final = "INSERT INTO outbox (run, body, created) VALUES (?, ?, ?)"
_CARRIED: Final = "UPDATE decisions SET carried = 1 WHERE id = ?"
_LEFT: Final = "SELECT id, body FROM decisions WHERE carried = 0 ORDER BY id"
_IDLE: Final = ", ".join(f"'{outcome}'" for outcome in sorted(IDLE))
_MOVING: Final = (
    "SELECT id, body FROM decisions"  # noqa: S608 - names of our own
    f" WHERE id > ? AND outcome NOT IN ({_IDLE}) ORDER BY id LIMIT ?"
)
_ABOUT: Final = (
    "SELECT body FROM (SELECT id, body FROM ("
    "SELECT id, outcome, body FROM decisions WHERE fingerprint = ?1"
    " UNION SELECT id, outcome, body FROM decisions WHERE alertname = ?1"
    " UNION SELECT id, outcome, body FROM decisions WHERE run = ?1 AND run <> ''"
    " UNION SELECT id, outcome, body FROM decisions WHERE delivery = ?2"
    ") WHERE ?3 = '' OR outcome = ?3 ORDER BY id DESC LIMIT ?4) ORDER BY id"
)
_SINCE: Final = (
    "SELECT body FROM (SELECT id, body FROM decisions"
    " WHERE at >= ?1 AND (?2 = '' OR outcome = ?2)"
    " ORDER BY id DESC LIMIT ?3) ORDER BY id"
)
_UNMATCHED: Final = (
    "SELECT body FROM (SELECT id, body FROM decisions WHERE outcome = 'no_runbook'"
    " AND at >= ?1 ORDER BY id DESC LIMIT ?2) ORDER BY id"
)


class SqliteAlerts:
    """The alerts of one journal."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer, self._readers = writer, readers

    async def keep(self, delivery: Delivery, raw: bytes, *, at: float) -> Receipt:
        """Store a delivery. Raises StoreUnavailable: nothing was stored."""
        if len(raw) <= INLINE_BYTES:
            digest, body = _written(delivery, raw)
        else:
            digest, body = await asyncio.to_thread(_written, delivery, raw)
        return await self._writer.do(
            lambda batch: _kept(batch.connection, delivery, digest, body, at)
        )

    async def undecided(self, *, limit: int = 100) -> list[tuple[int, float, Delivery]]:
        """Return what waits for decisions, in order."""
        return await self._readers.ask(lambda c: _waiting(c, limit))

    async def backlog(self) -> int:
        """Return how many deliveries wait for decisions."""
        return int(await self._readers.ask(lambda c: c.execute(_BACKLOG).get))

    async def decide(
        self,
        deliveries: Sequence[int],
        decisions: Sequence[Decision],
        *,
        carried: Sequence[int] = (),
        mail: Sequence[tuple[str, Event]] = (),
        notices: Sequence[tuple[str, Say]] = (),
    ) -> list[int]:
        """Store decisions and what comes of them; return the decisions' numbers."""
        return await self._writer.do(
            lambda batch: _decided(
                batch.connection, deliveries, decisions, carried, mail, notices
            )
        )

    async def to_carry_out(self) -> list[tuple[int, Decision]]:
        """Return the starts that are not known to be carried out, in order."""
        return await self._readers.ask(
            lambda c: [(int(n), _decision(body)) for n, body in c.execute(_LEFT)]
        )

    async def carried_out(self, numbers: Sequence[int]) -> None:
        """Mark what was decided as done."""
        rows = [(number,) for number in numbers]
        if rows:
            await self._writer.do(
                lambda batch: batch.connection.executemany(_CARRIED, rows) and None
            )

    async def moving(
        self, *, after: int = 0, limit: int = 10_000
    ) -> list[tuple[int, Decision]]:
        """Return the decisions that change what the intake knows, oldest first."""
        return await self._readers.ask(lambda c: _moving(c, after, limit))

    async def decisions(
        self,
        *,
        about: str = "",
        outcome: str = "",
        since: float = 0.0,
        limit: int = 1000,
    ) -> list[Decision]:
        """Return decisions, oldest first; the newest `limit` that fit."""
        query: str = _SINCE
        values: tuple[Any, ...] = (since, outcome, limit)
        if about:
            query, values = _ABOUT, (about, _number(about), outcome, limit)
        elif outcome == "no_runbook":
            query, values = _UNMATCHED, (since, limit)
        return await self._readers.ask(
            lambda c: [_decision(row[0]) for row in c.execute(query, values)]
        )

    async def alert(self, delivery: int, position: int) -> Delivery | None:
        """Return a delivery with the one alert at a position, or None."""
        body = await self._readers.ask(lambda c: c.execute(_ONE, (delivery,)).get)
        lines = body.split(b"\n") if body is not None else []
        if not 1 <= position < len(lines):
            return None
        return msgspec.structs.replace(
            _head(lines[0]), alerts=(_alert(lines[position]),)
        )


def _number(about: str) -> int:
    return int(about) if about.isdecimal() and len(about) < 16 else -1


def _written(delivery: Delivery, raw: bytes) -> tuple[bytes, bytes]:
    digest = hashlib.sha256(delivery.source.encode() + b"\0")
    digest.update(raw)
    head = msgspec.structs.replace(delivery, alerts=())
    lines = [_encode(head), *(_encode(alert) for alert in delivery.alerts)]
    return digest.digest(), b"\n".join(lines)


def _read(body: bytes) -> Delivery:
    head, *lines = body.split(b"\n")
    alerts = tuple(_alert(line) for line in lines)
    return msgspec.structs.replace(_head(head), alerts=alerts)


def _kept(
    connection: apsw.Connection,
    delivery: Delivery,
    digest: bytes,
    body: bytes,
    at: float,
) -> Receipt:
    first = connection.execute(_FIRST, (digest,)).fetchone()
    same = None if first is None else int(first[0])
    count = len(delivery.alerts)
    row = (at, delivery.source, digest, same, None if same else body, count)
    connection.execute(_KEEP, row)
    return Receipt(connection.last_insert_rowid(), count, same is not None)


def _waiting(
    connection: apsw.Connection, limit: int
) -> list[tuple[int, float, Delivery]]:
    found: list[tuple[int, float, Delivery]] = []
    alerts = 0
    for number, at, many, body in connection.execute(_WAITING, (limit,)):
        alerts += int(many)
        if found and alerts > MOST_ALERTS:
            break
        try:
            delivery = _read(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            # It stops no other: that it is damaged is what is decided about it.
            delivery = Delivery("", note=f"it cannot be read: {error}")
        found.append((int(number), float(at), delivery))
    return found


def _moving(
    connection: apsw.Connection, after: int, limit: int
) -> list[tuple[int, Decision]]:
    found = []
    for number, body in connection.execute(_MOVING, (after, limit)):
        try:
            found.append((int(number), _decision(body)))
        except msgspec.MsgspecError as error:
            raise StoreDamaged(f"decision {number} cannot be read: {error}") from error
    return found


def _decided(
    connection: apsw.Connection,
    deliveries: Sequence[int],
    decisions: Sequence[Decision],
    carried: Sequence[int],
    posts: Sequence[tuple[str, Event]],
    notices: Sequence[tuple[str, Say]],
) -> list[int]:
    last = int(connection.execute(_LAST).get)
    rows = [_row(number, one) for number, one in enumerate(decisions, last + 1)]
    said = [(run, _message(say), time.time()) for run, say in notices]
    connection.executemany(_DECISION, rows)
    connection.executemany(_DECIDED, [(number,) for number in deliveries])
    connection.executemany(_CARRIED, [(number,) for number in carried])
    connection.executemany(_OUTBOX, said)
    for run, event in posts:
        mail.post(connection, run, event)
    return [int(row[0]) for row in rows]


def _row(number: int, one: Decision) -> tuple[Any, ...]:
    return (
        number, one.at, one.outcome, one.fingerprint, one.alertname, one.run,
        one.delivery, _encode(one), one.outcome != "started",
    )  # fmt: skip
