"""A file is written whole, or stays as it was."""

from pathlib import Path

import pytest

from engine.runtime.whole_files import write_whole
from tests.small_disk import small_disk


def test_f17_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """No byte of it is lost, and nothing is left beside it."""
    with small_disk(tmp_path / "disk", size="64k") as disk:
        file = disk / "a.yaml"
        file.write_bytes(b"a" * 30_000)
        with pytest.raises(OSError, match="No space left"):
            write_whole(file, b"b" * 60_000)

        assert [file] == list(disk.iterdir())
        assert b"a" * 30_000 == file.read_bytes()


def test_mode_and_link_are_kept(tmp_path: Path) -> None:
    """The file behind a link is written, with the mode that it had."""
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    write_whole(link, b"new")

    assert (b"new", 0o640, True) == (
        file.read_bytes(), file.stat().st_mode & 0o777, link.is_symlink(),
    )  # fmt: skip
