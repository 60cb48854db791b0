"""The body of a request of a chat, read up to a limit. Called by the doors of chat."""

from typing import Final

from starlette.requests import Request

MOST_BYTES: Final = 1024 * 1024  # of one body


class TooLarge(Exception):
    """The body is over what is taken."""


async def read_body(request: Request) -> bytes:
    """Return the whole body. Raises TooLarge, ClientDisconnect."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length[:18]) > MOST_BYTES:
        raise TooLarge
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)
