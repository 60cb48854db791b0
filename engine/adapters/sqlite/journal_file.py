"""The journal as a file: copied, put back, brought forward. No engine works on it here.

Called by: the command line, which gets it from bootstrap.
"""

from dataclasses import dataclass
from pathlib import Path

from engine.adapters.sqlite import copies, restoring
from engine.adapters.sqlite.copies import Copied
from engine.adapters.sqlite.migrations import Written
from engine.adapters.sqlite.opening import open_journal
from engine.adapters.sqlite.restoring import Draft


@dataclass(frozen=True, slots=True)
class JournalFile:
    """One file. Every method raises StoreUnavailable or StoreDamaged."""

    path: Path

    def back_up(self, target: Path) -> Copied:
        """Write a checked copy while engines go on."""
        return copies.back_up(self.path, target)

    def take_copy(self, source: Path) -> Draft:
        """Return a checked draft of a copy; the journal is not touched."""
        return restoring.take_copy(source, self.path)

    def put_in_place(self, draft: Draft, stamp: str) -> Path | None:
        """Exchange the journal for a draft; return where the old one is kept."""
        return restoring.put_in_place(draft.path, self.path, stamp)

    def throw_away(self, draft: Draft) -> None:
        """Remove a draft that takes nobody's place."""
        restoring.throw_away(draft.path)

    def schemas(self) -> tuple[Written, int]:
        """Return what the file says of its schema, and the newest that we know."""
        return copies.schemas(self.path)

    def migrate(self) -> list[str]:
        """Bring the schema forward; return one line for each thing that was done.

        Raises:
            StoreNewer: a newer engine wrote it; it was not touched.
        """
        journal = open_journal(self.path, create=False)
        journal.connection.close()
        return journal.notices
