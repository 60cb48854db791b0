"""ports.ChatStore over the journal: what each provider shows of each run.

One row for each provider and run, written anew; and the ids of what people did there,
each taken once. Called by: store (makes it), runtime.chat.
"""

from typing import Final

import apsw
import msgspec

from engine.adapters.sqlite.reader import Readers
from engine.adapters.sqlite.writer import Writer
from engine.errors import StoreDamaged
from engine.model.chat import Place, Shown

KEPT_SECONDS: Final = 24 * 3600.0  # an id: providers send again for some hours at most
_KEEP: Final = (
    "INSERT INTO chat (provider, run, room, thread, over, body)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (provider, run) DO UPDATE SET"
    " room = excluded.room, thread = excluded.thread, over = excluded.over,"
    " body = excluded.body"
)
_ONE: Final = "SELECT body FROM chat WHERE provider = ? AND run = ?"
_SHOWING: Final = "SELECT body FROM chat WHERE provider = ? AND over = 0 ORDER BY rowid"
_AT: Final = (
    "SELECT body FROM chat WHERE provider = ? AND room = ? AND thread IN (?, '')"
    " ORDER BY thread = '', rowid DESC LIMIT 1"
)
_FIRST: Final = "INSERT OR IGNORE INTO chat_events (id, at) VALUES (?, ?)"
_FORGET: Final = "DELETE FROM chat_events WHERE at < ?"
_decode: Final = msgspec.json.Decoder(Shown).decode
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


class SqliteChat:
    """What chat shows, and what was heard from it."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer, self._readers = writer, readers

    async def shown(self, provider: str, run: str) -> Shown | None:
        """Return what a provider shows of a run."""
        found = await self._readers.ask(lambda c: _read(c, _ONE, (provider, run)))
        return found[0] if found else None

    async def showing(self, provider: str) -> list[Shown]:
        """Return what is not over, oldest first."""
        return await self._readers.ask(lambda c: _read(c, _SHOWING, (provider,)))

    async def at(self, place: Place) -> Shown | None:
        """Return what is shown in a thread, or in a room of its own."""
        asked = (place.provider, place.room, place.thread)
        found = await self._readers.ask(lambda c: _read(c, _AT, asked))
        return found[0] if found else None

    async def keep(self, shown: Shown) -> None:
        """Keep it, in place of what was kept for its provider and run."""
        place = shown.place or Place(shown.provider, "")
        row = (
            shown.provider, shown.run, place.room, place.thread, shown.over,
            _encode(shown),
        )  # fmt: skip
        await self._writer.do(lambda b: b.connection.execute(_KEEP, row))

    async def first(self, event: str, *, at: float) -> bool:
        """Return True the first time an event's id is told, False ever after."""

        def take(connection: apsw.Connection) -> bool:
            connection.execute(_FORGET, (at - KEPT_SECONDS,))
            connection.execute(_FIRST, (event, at))
            return connection.changes() == 1

        return await self._writer.do(lambda b: take(b.connection))


def _read(
    connection: apsw.Connection, query: str, asked: tuple[str, ...]
) -> list[Shown]:
    try:
        return [_decode(body) for (body,) in connection.execute(query, asked)]
    except msgspec.MsgspecError as error:
        raise StoreDamaged(f"what chat shows cannot be read: {error}") from error
