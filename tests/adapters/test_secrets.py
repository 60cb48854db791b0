"""Secrets from environment and files."""

import os
from pathlib import Path

import pytest

from engine.adapters.secrets import ConfiguredSecrets
from engine.errors import SecretMissing


def secrets_in(folder: Path, **environment: str) -> ConfiguredSecrets:
    places = {
        "token": {"env": "TOKEN"},
        "key": {"file": "key.txt"},
    }
    return ConfiguredSecrets(places, folder=folder, environment=environment)


def write(path: Path, raw: bytes, *, mode: int = 0o600) -> None:
    path.write_bytes(raw)
    path.chmod(mode)


def problem(secrets: ConfiguredSecrets, name: str) -> str:
    with pytest.raises(SecretMissing) as caught:
        secrets.get(name)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_values_come_from_environment_and_file(tmp_path: Path) -> None:
    """Both places give the value; a file loses its one last line end."""
    write(tmp_path / "key.txt", b"  k1 \n\n")
    secrets = secrets_in(tmp_path, TOKEN="t1\n")

    assert (secrets.get("token"), secrets.get("key")) == ("t1\n", "  k1 \n")


def test_file_written_elsewhere_loses_its_line_end(tmp_path: Path) -> None:
    """A carriage return before the last line end is no part of the value."""
    write(tmp_path / "key.txt", b"k1\r\n")

    assert secrets_in(tmp_path).get("key") == "k1"


def test_f96_rotation_is_seen_and_the_old_value_stays_hidden(tmp_path: Path) -> None:
    """Each get reads anew; `values` keeps what was used before."""
    write(tmp_path / "key.txt", b"old")
    secrets = secrets_in(tmp_path)
    before = secrets.get("key")
    write(tmp_path / "key.txt", b"new")
    after = secrets.get("key")

    assert (before, after, secrets.values()) == ("old", "new", ["old", "new"])


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    """`values` knows only what was used."""
    write(tmp_path / "key.txt", b"k1")

    assert secrets_in(tmp_path, TOKEN="t1").values() == []


def test_f96_missing_secret_is_named_with_what_to_do(tmp_path: Path) -> None:
    """Not configured, not set and not there each say so, without a value."""
    secrets = secrets_in(tmp_path, TOKEN="")

    assert [problem(secrets, name) for name in ("pager", "token", "key")] == [
        "secret 'pager' is not configured; the configured ones: key, token",
        (
            "secret 'token' has no value: the environment variable 'TOKEN' is not "
            "set; set it where the engine starts"
        ),
        (
            f"secret 'key' cannot be read from {tmp_path}/key.txt: "
            "No such file or directory"
        ),
    ]


@pytest.mark.parametrize("raw", [b"", b"\n"])
def test_empty_file_is_missing(raw: bytes, tmp_path: Path) -> None:
    """An empty value is no value."""
    write(tmp_path / "key.txt", raw)

    assert problem(secrets_in(tmp_path), "key") == (
        f"secret 'key' has no value: {tmp_path}/key.txt is empty"
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_f100_file_open_to_others_is_refused(mode: int, tmp_path: Path) -> None:
    """A secret that others can read is refused, with the command that repairs it."""
    path = tmp_path / "key.txt"
    write(path, b"top-secret", mode=mode)

    assert problem(secrets_in(tmp_path), "key") == (
        f"secret 'key': {path} can be read by others (mode {mode:04o}); "
        f"run: chmod 600 {path}"
    )


def test_file_that_is_no_text_is_refused_without_its_bytes(tmp_path: Path) -> None:
    """The message holds nothing of the value."""
    write(tmp_path / "key.txt", b"top-secret\xff")

    assert problem(secrets_in(tmp_path), "key") == (
        f"secret 'key' cannot be read from {tmp_path}/key.txt: it is not text"
    )


def test_pipe_and_folder_and_giant_are_refused_at_once(tmp_path: Path) -> None:
    """What is not a small plain file neither blocks nor fills the memory."""
    path = tmp_path / "key.txt"
    os.mkfifo(path, 0o600)
    pipe = problem(secrets_in(tmp_path), "key")
    path.unlink()
    path.mkdir()
    folder = problem(secrets_in(tmp_path), "key")
    path.rmdir()
    write(path, b"x" * 70_000)
    giant = problem(secrets_in(tmp_path), "key")

    assert pipe == f"secret 'key': {path} is not a plain file"
    assert folder.startswith("secret 'key'")
    assert giant == f"secret 'key': {path} is larger than 64 KiB"
