"""F17: a journal stays off disks that other machines share."""

import subprocess
from pathlib import Path

import pytest

from engine.adapters.sqlite.places import file_system, refuse_network
from engine.errors import StoreUnavailable

MOUNTS = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:35 / /mnt/team rw,relatime shared:2 - nfs4 10.0.0.1:/team rw,vers=4.2
41 40 0:36 / /mnt/team/local rw - tmpfs tmpfs rw
42 22 0:37 / /mnt/my\040share rw master:3 - cifs //10.0.0.2/share rw
43 22 0:38 / /mnt/twice rw - nfs 10.0.0.1:/a rw
44 22 0:39 / /mnt/twice rw - xfs /dev/vdb rw
""".strip()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/state/journal.db", "ext4"),
        ("/mnt/team/journal.db", "nfs4"),
        ("/mnt/team/deep/er/journal.db", "nfs4"),
        ("/mnt/team/local/journal.db", "tmpfs"),
        ("/mnt/teams/journal.db", "ext4"),
        ("/mnt/my share/journal.db", "cifs"),
        ("/mnt/twice/journal.db", "xfs"),
        ("/journal.db", "ext4"),
    ],
)
def test_f17_the_file_system_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    """
    The deepest mount point above the path counts; of two in one place the later.
    """
    assert file_system(Path(path), MOUNTS) == kind


def test_f17_a_network_file_system_is_refused(tmp_path: Path) -> None:
    """
    The refusal names the path, the type, and what to do; nothing was opened.
    """
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    path = Path("/mnt/team/journal.db")

    with pytest.raises(StoreUnavailable) as refused:
        refuse_network(path, mounts)

    assert str(refused.value) == (
        f"{path}: it lies on a network file system (nfs4), where SQLite's log can be "
        "damaged without notice. Nothing was opened. Name a directory on a disk of "
        "this machine."
    )


def test_f17_the_kernel_and_stat_agree(tmp_path: Path) -> None:
    """
    What we read from the kernel's list is what `stat -f` says of the same place.
    """
    said = subprocess.run(
        ["stat", "-f", "-c", "%T", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    ours = file_system(tmp_path / "x", Path("/proc/self/mountinfo").read_text())

    assert {"ext2/ext3": "ext4", "overlayfs": "overlay"}.get(said, said) == ours
