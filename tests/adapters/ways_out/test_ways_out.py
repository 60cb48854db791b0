"""Ways out, each to a real place: a file, a server on loopback, a terminal."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.adapters.key_file import KeyFile
from engine.adapters.ways_out import AppriseWay, FileWay, TerminalWay, WebhookWay
from engine.bootstrap import door
from engine.config import Config, Settings
from engine.errors import ChatDown, ChatRefused, SecretMissing, StoreUnavailable


class Box:
    """A server that keeps what is posted and answers with one status."""

    def __init__(self) -> None:
        self.status, self.got = 200, list[str]()

    async def answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = int(head.partition("content-length:")[2].split("\r\n")[0].strip())
        self.got.append((await reader.readexactly(size)).decode())
        writer.write(
            b"HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            % self.status
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def box() -> AsyncIterator[tuple[Box, str]]:
    """Give a box and where it stands."""
    made = Box()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    async with server:
        yield made, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_file_is_added_to_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    """
    Each message with its time, indented below; 0600 also where it was open.
    """
    file = tmp_path / "letters"
    file.touch(mode=0o644)
    at = datetime(2026, 11, 24, 4, 20, tzinfo=UTC)
    way = FileWay("letters", file, now=lambda: at)
    await way.send("Asked: late", "one\ntwo")
    await way.send("Again", "")

    assert (
        "2026-11-24T04:20:00+00:00 Asked: late\n  one\n  two\n"
        "2026-11-24T04:20:00+00:00 Again\n"
    ) == file.read_text()
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


async def test_a_file_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    """
    A folder that is not there, and a symbolic link, are failures in words.
    """
    (tmp_path / "elsewhere").symlink_to(tmp_path / "other")

    for place in (tmp_path / "no" / "letters", tmp_path / "elsewhere"):
        with pytest.raises(ChatDown, match="'letters'"):
            await FileWay("letters", place).send("a", "b")
    assert not (tmp_path / "other").exists()


async def test_a_webhook_gets_json_and_its_answer_counts() -> None:
    """
    200 took it, 503 and 429 may take it later, 404 never will.
    """
    web = door(Config(Settings(network={"allow": ["127.0.0.0/8"]})))  # type: ignore[arg-type]
    async with box() as (made, where):
        way = WebhookWay("hook", lambda: f"http://{where}/x?secret=1", web)
        await way.send("Asked", "Take it?")
        told = []
        for status in (503, 429, 404):
            made.status = status
            with pytest.raises((ChatDown, ChatRefused)) as failed:
                await way.send("Asked", "Take it?")
            told.append((type(failed.value), str(failed.value)))
    with pytest.raises(ChatDown, match="'hook' failed: refused") as gone:
        await way.send("Asked", "Take it?")
    await web.aclose()

    assert {"title": "Asked", "text": "Take it?"} == json.loads(made.got[0])
    assert [
        (ChatDown, "'hook' answered 503"),
        (ChatDown, "'hook' answered 429"),
        (ChatRefused, "'hook' answered 404"),
    ] == told
    assert "secret=1" not in str(gone.value)


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
async def test_apprise_sends_and_never_tells_its_url() -> None:
    """
    A URL of its own kind arrives; one that is no URL, and one without a value, are
    failures that do not show it.
    """
    pytest.importorskip("apprise")

    def gone() -> str:
        raise SecretMissing("secret 'sms' has no value")

    async with box() as (made, where):
        await AppriseWay("sms", lambda: f"json://{where}/").send("Asked", "Take it?")
    sent = json.loads(made.got[0])

    assert ("Asked", "Take it?") == (sent["title"], sent["message"])
    with pytest.raises(ChatDown, match="did not take"):
        await AppriseWay("sms", lambda: f"json://{where}/").send("Asked", "Take it?")
    with pytest.raises(ChatRefused) as wrong:
        await AppriseWay("sms", lambda: "no-url-secret").send("Asked", "Take it?")
    assert "secret" not in str(wrong.value)
    with pytest.raises(ChatDown, match="has no value"):
        await AppriseWay("sms", gone).send("Asked", "Take it?")


async def test_a_terminal_gets_a_line_for_each_line() -> None:
    """
    The title, then the text.
    """
    lines: list[str] = []
    await TerminalWay("here", lines.append).send("Asked", "one\ntwo")

    assert ["Asked", "one", "two"] == lines


def test_f100_the_key_of_links_is_made_once_for_its_owner_alone(
    tmp_path: Path,
) -> None:
    """
    The same key for each process; wide open it is closed; damaged it is refused.
    """
    file = tmp_path / "answer-links.key"
    first = KeyFile(file).key()
    file.chmod(0o644)
    second = KeyFile(file).key()
    mode = stat.S_IMODE(file.stat().st_mode)
    file.write_bytes(b"short")

    assert 32 == len(first)
    assert first == second
    assert 0o600 == mode
    assert ["answer-links.key"] == [one.name for one in tmp_path.iterdir()]
    with pytest.raises(StoreUnavailable, match="is damaged"):
        KeyFile(file).key()
