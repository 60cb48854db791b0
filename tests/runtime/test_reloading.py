"""Runbooks read anew from real folders that vanish, break, and change in a storm."""

import asyncio
import shutil
import threading
from pathlib import Path

import pytest

from engine.bootstrap import kinds
from engine.config import Config, load_config
from engine.runtime.library import Library
from engine.runtime.reloading import Reloading

FLAG = Path(__file__).parents[1] / "entrypoints/places/flag.yaml"


class Place:
    """A folder of runbooks, its library, and what was said and read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "runbooks"
        self.folder.mkdir()
        self.file = self.folder / "flag.yaml"
        self.file.write_text(FLAG.read_text())
        self.config: Config = load_config(environ={})
        self.loud: list[str] = []
        self.readings = 0
        self.gate = threading.Event()
        self.gate.set()
        self.reloading = Reloading(
            self.read(), [self.folder], self.read, lambda: None, self.loud.append
        )

    def read(self) -> Library:
        """Read what is there, as the command line does: what is gone is left out."""
        self.readings += 1
        self.gate.wait(10)
        library = Library(kinds(self.config))
        library.add_paths(one for one in [self.folder] if one.exists())
        return library

    @property
    def names(self) -> list[str]:
        """What is loaded."""
        return sorted(self.reloading.library.loaded)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Make a folder with one runbook."""
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path)


async def test_f12_a_folder_that_vanishes_takes_no_runbook(place: Place) -> None:
    """
    An unmounted folder is told loudly, the runbooks stay, and it may come back.
    """
    assert [] == await place.reloading.renew()
    kept = place.folder.with_name("kept")
    place.folder.rename(kept)
    told = await place.reloading.renew()
    assert f"nothing: {place.folder} is not there" in told[0]
    assert ["flag"] == place.names
    place.folder.symlink_to("/nowhere")
    assert "is not there" in (await place.reloading.renew())[0]
    place.folder.unlink()
    kept.rename(place.folder)

    assert [] == await place.reloading.renew()
    assert ["flag"] == place.names
    assert 2 == len(place.loud)


async def test_f12_a_link_that_leads_nowhere_keeps_its_runbook(place: Place) -> None:
    """
    The last good revision stays, loudly; a file that is really gone is gone.
    """
    other = place.folder / "other.yaml"
    other.write_text(FLAG.read_text().replace("runbook: flag", "runbook: other"))
    await place.reloading.renew()
    place.file.unlink()
    place.file.symlink_to("/nowhere/flag.yaml")
    assert ["flag is broken; its last good revision is kept"] == (
        await place.reloading.renew()
    )
    assert ["flag", "other"] == place.names
    assert "its link leads nowhere" in place.loud[0]
    place.file.unlink()

    assert ["flag is gone"] == await place.reloading.renew()


async def test_a_storm_of_signals_is_read_twice(place: Place) -> None:
    """
    Fifty signals at once: the reading under way, and one for all that came after.
    """
    place.gate.clear()
    before = place.readings
    waiting = [asyncio.create_task(place.reloading.renew())]
    await asyncio.sleep(0.2)
    other = FLAG.read_text().replace("runbook: flag", "runbook: other")
    (place.folder / "other.yaml").write_text(other)
    waiting += [asyncio.create_task(place.reloading.renew()) for _ in range(50)]
    await asyncio.sleep(0.1)
    place.gate.set()
    await asyncio.gather(*waiting)

    assert 2 == place.readings - before
    assert ["flag", "other"] == place.names


async def test_two_hundred_runbooks_come_and_go(place: Place) -> None:
    """
    All are read; without their file all are gone, but for the one that is left.
    """
    text = FLAG.read_text()
    more = place.folder / "more"
    more.mkdir()
    for number in range(200):
        name = f"flag-{number}"
        (more / f"{name}.yaml").write_text(
            text.replace("runbook: flag", f"runbook: {name}")
        )
    assert 200 == len(await place.reloading.renew())
    shutil.rmtree(more)

    assert 200 == len(await place.reloading.renew())
    assert ["flag"] == place.names
