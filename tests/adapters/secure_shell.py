"""A real sshd on loopback, with keys that are thrown away after.

Used by the tests of ssh. Everything is in a folder of the test; the user is whoever
runs the tests.
"""

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real_parts import free_port, need

READY_WITHIN_SECONDS = 10.0
TRIES = 3


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that can be reached by SSH."""

    folder: Path
    port: int
    server: subprocess.Popen[bytes]

    @property
    def known_hosts(self) -> Path:
        """The file with its host key, under the names that it is called by."""
        return self.folder / "known_hosts"

    @property
    def key(self) -> Path:
        """The private key that it lets in."""
        return self.folder / "user"

    @property
    def params(self) -> dict[str, object]:
        """The parameters of a connection to it."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": getpass.getuser(),
            "known_hosts": str(self.known_hosts),
            "key_file": str(self.key),
        }

    def trusted_as(self, *names: str) -> None:
        """Write the host key under these names, and no other."""
        public = (self.folder / "host.pub").read_text()
        named = ",".join(f"[{name}]:{self.port}" for name in names)
        self.known_hosts.write_text(f"{named} {public}")


def make_key(file: Path, phrase: str = "") -> Path:
    """Make a key pair beside `file`; return the private half."""
    arguments = ["-q", "-t", "ed25519", "-N", phrase, "-C", "throw-away", "-f", file]
    subprocess.run([need("ssh-keygen"), *arguments], check=True)
    return file


@contextmanager
def machine(folder: Path, *options: str) -> Iterator[Machine]:
    """Run an sshd for the block; `options` are further lines of its configuration."""
    program = need("/usr/sbin/sshd")
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    make_key(folder / "host")
    make_key(folder / "user")
    allowed = folder / "authorized_keys"
    allowed.write_bytes((folder / "user.pub").read_bytes())
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd locks itself in
    for _ in range(TRIES):
        port = free_port()
        lines = [
            f"Port {port}", "ListenAddress 127.0.0.1", f"HostKey {folder / 'host'}",
            f"AuthorizedKeysFile {allowed}", "PasswordAuthentication no",
            "KbdInteractiveAuthentication no", "UsePAM no", "PermitRootLogin yes",
            "StrictModes no", f"PidFile {folder / 'pid'}", "LogLevel VERBOSE", *options,
        ]  # fmt: skip
        (folder / "sshd.conf").write_text("\n".join(lines) + "\n")
        with (folder / "log").open("wb") as log:
            arguments = [program, "-D", "-e", "-f", str(folder / "sshd.conf")]
            server = subprocess.Popen(arguments, stdout=log, stderr=log)
            try:
                if _greets(server, port):
                    made = Machine(folder, port, server)
                    made.trusted_as("127.0.0.1")
                    yield made
                    return
            finally:
                server.terminate()
                server.wait(10)
    pytest.fail((folder / "log").read_text()[-2000:])


def _greets(server: subprocess.Popen[bytes], port: int) -> bool:
    ends = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < ends and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as wire:
                if wire.recv(4) == b"SSH-":
                    return True
        except OSError:
            time.sleep(0.02)
    return False
