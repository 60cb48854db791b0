"""Which file system a journal lies on: a WAL database needs shared memory on one host.

Called by: opening. Where the system does not say (no /proc), nothing is refused.
"""

from pathlib import Path
from typing import Final

from engine.errors import StoreUnavailable

NETWORK: Final = frozenset(
    (
        "afs",
        "ceph",
        "cifs",
        "fuse.glusterfs",
        "fuse.sshfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    )
)
_MOUNTS: Final = Path("/proc/self/mountinfo")


def refuse_network(path: Path, mounts: Path = _MOUNTS) -> None:
    """Pass a path on a disk of this machine.

    Raises:
        StoreUnavailable: it lies on a file system that other machines share.
    """
    kind = file_system(path, mounts.read_text() if mounts.exists() else "")
    if kind in NETWORK:
        raise StoreUnavailable(
            f"{path}: it lies on a network file system ({kind}), where SQLite's log "
            "can be damaged without notice. Nothing was opened. Name a directory on a "
            "disk of this machine."
        )


def file_system(path: Path, mountinfo: str) -> str:
    """Return the type of the file system that holds the path; empty: not known."""
    place = path.absolute().parent.resolve()
    longest, kind = -1, ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(_plain(before.split(" ")[4]))
        depth = len(point.parts)
        if depth >= longest and place.is_relative_to(point):  # the later mount covers
            longest, kind = depth, after.split(" ")[0]
    return kind


def _plain(point: str) -> str:
    """Undo what the kernel does to blanks in names."""
    for code, character in (("040", " "), ("011", "\t"), ("012", "\n"), ("134", "\\")):
        point = point.replace(f"\\{code}", character)
    return point
