"""The global hold as every door sets it."""

import stat
from pathlib import Path

import pytest

from engine.adapters.hold_file import HoldFile
from engine.errors import DoesNotApply, StoreUnavailable
from engine.runtime.holding import lift_hold, set_hold
from engine.runtime.redact import Redactor

CLEAN = Redactor(lambda: ["right-token"]).text


def test_f95_no_secret_and_no_control_character_is_kept(tmp_path: Path) -> None:
    """
    Who and why are one visible line each, without secrets, in a file of one's own.
    """
    file = tmp_path / "HOLD"
    told = set_hold(
        HoldFile(file), CLEAN, "ana\x07", "right-token\n\x1b[31mstorm\ud800"
    )
    kept = file.read_text()

    assert (told or "").split(" (since ")[0] == (
        "ana\\x07: [redacted]\\n\\x1b[31mstorm\N{REPLACEMENT CHARACTER}"
    )
    assert not {"\x1b", "\x07"} & set(kept)
    assert "right-token" not in kept
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_g16_a_hold_without_a_reason_is_refused(tmp_path: Path) -> None:
    """
    Blank words say nothing to whoever is held up; what held before still holds.
    """
    switch = HoldFile(tmp_path / "HOLD")
    set_hold(switch, CLEAN, "ana", "storm")

    with pytest.raises(DoesNotApply, match="say why"):
        set_hold(switch, CLEAN, "bo", " \n")
    assert (switch.reason() or "").startswith("ana: storm")
    assert lift_hold(switch) is None


def test_g16_what_cannot_be_kept_is_told(tmp_path: Path) -> None:
    """
    A folder that cannot be written gives a message, never a traceback.
    """
    (tmp_path / "data").touch()
    switch = HoldFile(tmp_path / "data/HOLD")

    with pytest.raises(StoreUnavailable, match="the hold cannot be changed"):
        set_hold(switch, CLEAN, "ana", "storm")
