"""Where secrets are kept: environment variables and files, and a run's own inputs.

What is here: ports.Secrets from the configuration, read anew each time so that a
rotation is seen, and the layer with the secret inputs of one run above it. What is not:
the places where a secret is used (the adapters) and hidden (runtime.redact).

No message here holds a value. Called by bootstrap.
"""

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.errors import SecretMissing

MOST_BYTES: Final = 64 * 1024
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class ConfiguredSecrets:
    """ports.Secrets over `name -> {"env": VARIABLE} | {"file": PATH}`."""

    def __init__(
        self,
        places: Mapping[str, Mapping[str, str]],
        *,
        folder: Path,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Take paths relative to `folder`; nothing is read yet."""
        self._places = places
        self._folder = folder
        self._environment = environment
        self._seen: dict[str, None] = {}

    def get(self, name: str) -> str:
        """Return the value, read anew.

        Raises:
            SecretMissing: not configured, not there, empty, or open to others.
        """
        place = self._places.get(name)
        if place is None:
            known = ", ".join(sorted(self._places)) or "none"
            raise SecretMissing(
                f"secret '{name}' is not configured; the configured ones: {known}"
            )
        value = self._from_file(name, place) if "file" in place else None
        value = self._from_environment(name, place) if value is None else value
        self._seen[value] = None
        return value

    def read_all(self) -> None:
        """Read each one that has a value, so that whoever hides them knows all."""
        for name in self._places:
            with suppress(SecretMissing):
                self.get(name)

    def values(self) -> list[str]:
        """Return every value read so far, those before a rotation included."""
        return list(self._seen)

    def _from_environment(self, name: str, place: Mapping[str, str]) -> str:
        variable = place.get("env", "")
        value = self._environment.get(variable, "")
        if not value:
            raise SecretMissing(
                f"secret '{name}' has no value: the environment variable "
                f"'{variable}' is not set; set it where the engine starts"
            )
        return value

    def _from_file(self, name: str, place: Mapping[str, str]) -> str:
        path = self._folder / place["file"]
        try:
            value = _read(path).decode("utf-8")
        except _UnfitError as problem:
            raise SecretMissing(f"secret '{name}': {problem}") from None
        except (OSError, ValueError) as error:
            words = error.strerror if isinstance(error, OSError) else "it is not text"
            raise SecretMissing(
                f"secret '{name}' cannot be read from {path}: {words}"
            ) from None  # a decoding error carries the bytes
        value = value.removesuffix("\n").removesuffix("\r")
        if not value:
            raise SecretMissing(f"secret '{name}' has no value: {path} is empty")
        return value


class _UnfitError(Exception):
    """A file that is no place for a secret."""


def _read(path: Path) -> bytes:
    """Return the file's bytes. Raises _UnfitError, OSError, ValueError."""
    # not blocking: a pipe in place of the file must not stop the engine
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise _UnfitError(f"{path} is not a plain file")
        if found.st_mode & OTHERS:
            mode = stat.S_IMODE(found.st_mode)
            raise _UnfitError(
                f"{path} can be read by others (mode {mode:04o}); run: chmod 600 {path}"
            )
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise _UnfitError(f"{path} is larger than {MOST_BYTES // 1024} KiB")
    return raw
