"""A secret key of this engine's own, in a file that only its owner reads.

Made at its first use, at random; whoever deletes it voids all that was sealed with it.
Called by bootstrap.
"""

import os
import secrets as random_source
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.errors import StoreUnavailable

KEY_BYTES: Final = 32
OWNER_ONLY: Final = 0o600


class KeyFile:
    """One key. Read once, then kept in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key = b""

    def key(self) -> bytes:
        """Return the key.

        Raises:
            StoreUnavailable: the file cannot be read or made, or holds no key.
        """
        if not self._key:
            try:
                self._key = self._read()
            except OSError as error:
                raise StoreUnavailable(
                    f"the key {self._path} cannot be read or made: {error.strerror}"
                ) from error
        return self._key

    def _read(self) -> bytes:
        with suppress(FileNotFoundError):
            return self._checked()
        number, name = tempfile.mkstemp(
            prefix=f".{self._path.name}.", dir=self._path.parent
        )
        try:
            with os.fdopen(number, "wb") as file:  # mkstemp: for its owner alone
                file.write(random_source.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(number)
            with suppress(FileExistsError):  # another process was faster: take its key
                os.link(name, self._path)
        finally:
            Path(name).unlink()
        return self._checked()

    def _checked(self) -> bytes:
        flags = os.O_RDONLY | os.O_NOFOLLOW
        number = os.open(self._path, flags)
        with os.fdopen(number, "rb") as file:
            if os.fstat(number).st_mode & 0o077:
                os.fchmod(number, OWNER_ONLY)
            found = file.read(KEY_BYTES + 1)
        if len(found) != KEY_BYTES:
            raise StoreUnavailable(
                f"the key {self._path} is damaged: delete it; links made with it are "
                "void then"
            )
        return found
