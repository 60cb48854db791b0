"""Which server a command speaks to, and how it is asked.

`--server URL` names one on any machine, with a token; else it is the one that runs on
this data folder, by its unix socket, which needs none. Where none runs, or the one here
does not answer, commands work on the journal themselves. What a server says is told in
its words; what keeps it from answering is told with its address and what to do.

Read by: the commands that a server can do.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from engine.entrypoints.cli.screen import plain, tell, wrong_use

if TYPE_CHECKING:
    import httpx

    from engine.config import Config

SOCKET: Final = "engine.sock"
HERE: Final = "http://runbook"  # a name for the other end of the unix socket
PROBE_SECONDS: Final = 2.0  # a server here that says nothing for so long stands still
ANSWER_SECONDS: Final = 30.0
THERE: Final = frozenset(  # the commands that a server on another machine can do
    {"run", "adopt", "approve", "reject", "answer", "note", "cancel", "take", "runs"}
    | {"retry", "sev", "page", "report"}
    | {"timeline", "verify-timeline", "why", "alerts", "proposals", "accept"}
    | {"decline", "hold", "reload", "doctor", "retain"}
)


@dataclass(slots=True)
class Server:
    """One server, and who asks it."""

    url: str
    path: Path | None = None  # of the unix socket; None: it is reached by its address
    headers: dict[str, Any] = field(default_factory=dict)
    seconds: float = ANSWER_SECONDS
    _client: "httpx.AsyncClient | None" = None

    @property
    def where(self) -> str:
        """What people call it."""
        return f"the server at {self.path or self.url}"

    @property
    def remote(self) -> bool:
        """Whether it was named by its address."""
        return self.path is None

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, Any] | None = None,
    ) -> Any:
        """Return what `/api/v1` answers; the parts of `path` are quoted by `at`.

        Raises:
            NoAnswer: it cannot be reached, or says nothing in time.
            NotFound, DoesNotApply, NotAllowed, EngineError: it refuses, in its words.
        """
        import httpx

        from engine.errors import NoAnswer

        if self._client is None:
            self._client = self._opened()
        url = f"{self.url.rstrip('/')}/api/v1{path}"
        try:
            answer = await self._client.request(method, url, json=body, params=query)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NoAnswer(
                f"{self.where} cannot be reached: {_words(error)}. Look whether it "
                "runs, and whether the address is right."
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            kept = "" if method == "GET" else " It may have been taken: look first."
            words = f"{self.where} did not answer: {_words(error)}.{kept}"
            raise NoAnswer(words) from error
        return self._judged(answer)

    def _opened(self) -> "httpx.AsyncClient":
        import httpx

        way = None
        if self.path is not None:
            way = httpx.AsyncHTTPTransport(uds=str(self.path))
        return httpx.AsyncClient(
            transport=way, headers=self.headers, timeout=self.seconds
        )

    def ask_once(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, Any] | None = None,
    ) -> Any:
        """Return what one request gives, for a command that asks nothing else."""
        import asyncio

        async def once() -> Any:
            try:
                return await self.ask(method, path, body, query)
            finally:
                await self.close()

        return asyncio.run(once())

    async def close(self) -> None:
        """Let the connection go."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _judged(self, answer: "httpx.Response") -> Any:
        from engine.errors import DoesNotApply, EngineError, NotAllowed, NotFound

        try:
            told = answer.json()
        except ValueError:
            told = None
        if told is None or answer.is_redirect:
            raise EngineError(
                f"{self.where} is none of ours: it answers {answer.status_code} "
                f"{plain(answer.headers.get('location') or answer.reason_phrase)}. "
                "Name the address of `runbook serve`."
            )
        if answer.is_success:
            return told
        words = str(told.get("error", told)) if isinstance(told, dict) else str(told)
        if answer.status_code == 401:
            raise NotAllowed(
                f"{self.where} does not know you: {words}. Give a token with "
                "--token-file FILE, or in RUNBOOK_TOKEN."
            )
        if answer.status_code == 503:
            raise EngineError(f"{self.where} cannot do it now: {words}. Try it again.")
        kind = {403: NotAllowed, 404: NotFound, 409: DoesNotApply}.get(
            answer.status_code, EngineError
        )
        raise kind(f"{self.where}: {words}" if self.remote else words)


def _words(error: Exception) -> str:
    cause = error.__cause__ or error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return plain(str(cause) or str(error) or type(error).__name__)


def at(*parts: str) -> str:
    """Return a path of these parts: what stands in one leads to no other."""
    from urllib.parse import quote

    return "".join(f"/{quote(part, safe='')}" for part in parts)


def named_server(context: typer.Context, as_: str = "") -> "Server | None":
    """Return the server that `--server` or RUNBOOK_URL names; None: neither does.

    Exits with 2 where --as says who asks: the token does.
    """
    from urllib.parse import urlsplit

    given = context.find_root().params
    url = given.get("_server") or ""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:  # a bracket that is not closed, a port that is no number
        host = None
    if not host or parts.scheme not in ("http", "https"):
        wrong_use(f"'{plain(url)}' is no address of a server: write https://host:8080")
    if as_:
        wrong_use("--as: the server at another address knows you by your token")
    token = _token(given.get("_token_file"))
    if token and parts.scheme == "http" and not _loopback(host):
        tell(f"{url}: without TLS the token can be read on its way")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return Server(url, headers=headers)


def _loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _token(file: Path | None) -> str:
    from engine.errors import EngineError

    if file is None:
        token, where = os.environ.get("RUNBOOK_TOKEN", "").strip(), "RUNBOOK_TOKEN"
        if not token:
            return ""
    else:
        where = str(file)
        try:
            token = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise EngineError(f"the token in {file} cannot be read: {error}") from error
    if not token or not token.isascii() or not token.isprintable():
        raise EngineError(f"{where} holds no token: it is one line of plain letters")
    return token


def server_here(config: "Config", who: str) -> "Server | None":
    """Return the server that runs on this data folder and answers, or None."""
    import socket

    path = config.data / SOCKET
    if not path.exists():
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_SECONDS)
        try:
            probe.connect(str(path))
            probe.sendall(b"GET /healthz HTTP/1.0\r\nhost: runbook\r\n\r\n")
            alive = probe.recv(64).startswith(b"HTTP/1.")
        except TimeoutError:
            tell(f"the server at {path} says nothing; going on without it")
            return None
        except OSError:
            return None
    if not alive:
        return None
    return Server(HERE, path, {"x-runbook-person": who.encode()} if who else {})


def server_of(context: typer.Context, config: "Config") -> "Server | None":
    """Return the server that is named, or the one that runs here; to read from it."""
    return named_server(context) or server_here(config, "")


def reached(
    context: typer.Context, config: "Config", as_: str
) -> "tuple[Server | None, str]":
    """Return the server that is to do it, and who asks; None: we do it ourselves."""
    from engine.entrypoints.cli.choosing import person

    there = named_server(context, as_)
    if there is not None:
        return there, ""
    who = person(config, as_)
    return server_here(config, who), who
