"""Small file systems of their own, for tests of a disk that is full.

Mounting needs root: elsewhere the test is skipped, or fails where STRICT_TESTS=1 is set.
"""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real_parts import strict


@contextmanager
def small_disk(place: Path, *, size: str = "1m") -> Iterator[Path]:
    """Yield a file system of that size at the place."""
    with mounted(place, size=size) as done:
        if not done and strict():
            pytest.fail("mounting a file system needs root, and STRICT_TESTS=1 is set")
        if not done:
            pytest.skip("mounting a file system needs root")
        yield place


@contextmanager
def mounted(place: Path, *, size: str) -> Iterator[bool]:
    """Make a folder that is a file system of that size; yield whether it is one."""
    place.mkdir(mode=0o700)
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(place)]
    if mount is None or subprocess.run([mount, *options], check=False).returncode:
        yield False
        return
    try:
        yield True
    finally:
        _unmount(place)


def fill(place: Path) -> None:
    """Leave no space on a disk: one file takes all of it."""
    with contextlib.suppress(OSError), place.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def _unmount(place: Path) -> None:
    for _ in range(50):  # a moment after its last user is gone it lets go
        if subprocess.run(["umount", str(place)], check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise AssertionError(f"{place} stays mounted")
