"""A file is written whole, or stays as it was.

Called by the command line and by what writes tests into a runbook.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, raw: bytes) -> None:
    """Put these bytes in the place of a file, which keeps its mode; or make it.

    What is no plain file (a device, a pipe) is written to as it is. Raises OSError: it
    could not be written, and what was there is still there.
    """
    there = path.resolve()
    if there.exists() and not there.is_file():
        there.write_bytes(raw)
        return
    number, name = tempfile.mkstemp(prefix=f".{there.name}.", dir=there.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(raw)
        Path(name).chmod(there.stat().st_mode if there.exists() else _new_mode())
        Path(name).replace(there)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _new_mode() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
