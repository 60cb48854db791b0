"""Copies beside a server: taken while it writes, put back when it is gone."""

import json
import os
import time
from pathlib import Path
from typing import Any

import apsw
from web_server import Served, body


def copies(served: Served) -> list[Path]:
    """Return the copies in the folder that `backup` takes by itself."""
    return sorted((served.folder / "state/backups").glob("*.db"))


def test_f26_restored_server_stands_on_hold(
    served: Served, alert: dict[str, Any]
) -> None:
    """
    A copy taken while a server writes is put back; the server that starts on it goes on
    with the open run, and begins no act until the hold is lifted.
    """
    assert 200 == served.post(alert)[0]
    served.until(lambda: served.runs())
    code, out, err = served.runbook("backup")
    assert (0, "") == (code, err)
    assert out.endswith("; checked\n")
    [copy] = copies(served)
    refused = served.runbook("restore", str(copy))
    served.kill()
    code, told, err = served.runbook("restore", str(copy))
    assert (0, "") == (code, err)
    served.begin()
    other = body(served.folder / "elsewhere")
    assert 200 == served.post(other)[0]
    served.until(lambda: "held" in served.became())
    held = served.runbook("hold")[1]
    verified = served.runbook("verify-timeline")
    lifted = served.runbook("hold", "off")

    assert 1 == refused[0]
    assert "an engine drives runs of this journal" in refused[2]
    assert "open runs in it: 1" in told
    assert "what was there before is kept in state/journal.db.replaced-" in told
    assert held.startswith("on: ana: the journal was put back from journal-")
    assert (0, "every timeline: as it was written\n", "") == verified
    assert 0 == lifted[0]


def test_retention_of_a_server_removes_by_itself(served: Served) -> None:
    """
    A server with `retention` removes what is old at its start, and logs how much.
    """
    served.kill()
    config = served.folder / "engine.yaml"
    config.write_text(config.read_text() + "retention: {runs: 400d, alerts: 90d}\n")
    served.begin()
    told = "retention: removed: 0 runs with 0 entries"
    served.until(lambda: told in served.log)

    assert "retention: removed: 0 deliveries, 0 decisions" in served.until(
        lambda: served.log
    )


def test_keep_removes_only_our_oldest(served: Served) -> None:
    """
    `--keep` counts copies by the time in their names; other files stay.
    """
    folder = served.folder / "copies"
    folder.mkdir()
    for name in ("journal-20200101T000000Z.db", "journal-20210101T000000Z.db", "x.db"):
        (folder / name).touch()
        os.utime(folder / name, (time.time(), time.time()))
    code, out, err = served.runbook("backup", "copies", "--keep", "2")
    left = sorted(one.name for one in folder.iterdir())

    assert 0 == code
    assert "removed: copies/journal-20200101T000000Z.db\n" == err
    assert ["journal-20210101T000000Z.db", "x.db"] == [left[0], left[2]]
    assert out.startswith(f"copies/{left[1]}: ")


def test_retain_by_hand_and_migrate(served: Served) -> None:
    """
    Without `retention` nothing goes; `migrate --check` says how the file stands, and a
    newer one is refused by both.
    """
    nothing = served.runbook("retain")
    fine = served.runbook("migrate", "--check")
    served.kill()
    connection = apsw.Connection(str(served.folder / "state/journal.db"))
    connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    connection.close()
    newer = [served.runbook("migrate", *more) for more in ((), ("--check",))]
    bad = served.folder / "bad.yaml"
    bad.write_text("retention: {runs: 400}\n")
    wrong = served.runbook("--config", str(bad), "config", "show", "--json")

    assert "nothing is ever removed" in nothing[1]
    assert (0, True) == (fine[0], fine[1].endswith("nothing to do\n"))
    assert [1, 1] == [code for code, _, _ in newer]
    assert all("has schema 99" in err for _, _, err in newer)
    assert "'400' is no age: write it like 400d" in wrong[2]
    assert [] == copies(served)
    assert json.dumps("400") not in wrong[1]
