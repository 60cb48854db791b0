"""An SSH connection to a host that has proved who it is.

What is here: the host's address by the rules of ports.Web, its key under the name that
the runbook gives, our key. Nothing is read from ~/.ssh, no password is tried, nobody is
asked. What is not: the program (running) and what its end means (the package).

Needs asyncssh; imported by running, which the package imports when it is called.
"""

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import asyncssh

from engine.adapters.ssh.parameters import SshCheck, SshDefaults
from engine.model.connections import failed_connection
from engine.model.credentials import Unsealed
from engine.ports import Web, WebProblem

FIRST_TRY_SECONDS: Final = 2.0  # a silent address gives way to the next after this
ALIVE_SECONDS: Final = 5.0  # how often a silent connection is asked whether it lives
Trust = Callable[[str, str, int | None], Sequence[Any]]


class NotConnected(Exception):
    """No connection, so surely nothing was done."""

    def __init__(self, reason: str, *, retryable: bool = False) -> None:
        super().__init__(reason)
        self.retryable = retryable


@asynccontextmanager
async def connected(
    web: Web, params: SshCheck, defaults: SshDefaults, unsealed: Unsealed
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """Yield a connection to the host; end it after.

    Raises:
        NotConnected: what is missing, or who refused.
        SecretMissing: a secret has no value.
    """
    user = params.user or defaults.user
    if not user:
        raise NotConnected(
            "no user: write `user`, or set ssh.user in the configuration"
        )
    file = params.known_hosts or defaults.known_hosts
    trust = _trust(file, params.host, params.port)
    async with AsyncExitStack() as stack:
        keys = await _keys(params, defaults, unsealed, stack)
        connection = await _connect(web, params, user, trust, keys, str(file))
        stack.push_async_callback(_close, connection)
        yield connection


async def _close(connection: asyncssh.SSHClientConnection) -> None:
    connection.abort()
    with suppress(TimeoutError, OSError, asyncssh.Error):
        async with asyncio.timeout(FIRST_TRY_SECONDS):
            await connection.wait_closed()


def _trust(file: str | None, host: str, port: int) -> Trust:
    """Return which keys the host may have: those under its name, in the file."""
    if file is None:
        raise NotConnected(
            "no host key can be trusted: write `known_hosts`, or set ssh.known_hosts "
            "in the configuration"
        )
    try:
        known = asyncssh.read_known_hosts(str(Path(file).expanduser()))
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise NotConnected(f"the host keys in '{file}': {why}") from error
    except ValueError as error:
        raise NotConnected(f"the host keys in '{file}': {error}") from error
    found: Sequence[Any] = known.match(host, "", None if port == 22 else port)
    if not any(found[:2]):
        raise NotConnected(
            f"'{file}' has no key of '{host}'; put it there after you have compared it "
            f"(ssh-keyscan -p {port} {host})"
        )
    return lambda _host, _address, _port: found


async def _keys(
    params: SshCheck, defaults: SshDefaults, unsealed: Unsealed, stack: AsyncExitStack
) -> list[Any]:
    own = params.key or params.key_file or params.agent
    said = params if own else defaults
    phrase = params.passphrase or (None if own else defaults.passphrase)
    words = None if phrase is None else unsealed.text(phrase)
    if said.key is not None:
        return [_key(unsealed.text(said.key), words, f"secret '{said.key.secret}'")]
    if said.key_file is not None:
        return [_key(_key_text(said.key_file), words, f"'{said.key_file}'")]
    if said.agent:
        return await _agent_keys(stack)
    raise NotConnected(
        "no key: write `key`, `key_file` or `agent: true`, or set one of them under "
        "`ssh` in the configuration"
    )


def _key_text(file: str) -> str:
    path = Path(file).expanduser()
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise NotConnected(f"others can read the key '{file}': chmod 600 {file}")
        return path.read_text("utf-8", errors="replace")
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise NotConnected(f"the key '{file}': {why}") from error


def _key(text: str, phrase: str | None, where: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(text, phrase)
    except asyncssh.KeyEncryptionError as error:
        words = "its passphrase is another" if phrase else "it needs `passphrase`"
        if "bcrypt" in str(error):
            words = "to open it, install what is missing: pip install bcrypt"
        raise NotConnected(f"the key in {where} is locked: {words}") from error
    except asyncssh.KeyImportError as error:
        if "passphrase" in str(error).lower():
            raise NotConnected(
                f"the key in {where} is locked: it needs `passphrase`"
            ) from error
        raise NotConnected(f"{where} holds no private key") from error


async def _agent_keys(stack: AsyncExitStack) -> list[Any]:
    place = os.environ.get("SSH_AUTH_SOCK", "")
    if not place:
        raise NotConnected("no agent: SSH_AUTH_SOCK is not set where the engine runs")
    try:
        agent = await asyncssh.connect_agent(place)
        stack.callback(agent.close)
        keys = list(await agent.get_keys())
    except (OSError, ValueError, asyncssh.Error) as error:
        raise NotConnected(f"the agent does not answer: {error}") from error
    if not keys:
        raise NotConnected("the agent holds no key: ssh-add FILE")
    return keys


async def _connect(
    web: Web, params: SshCheck, user: str, trust: Trust, keys: list[Any], file: str
) -> asyncssh.SSHClientConnection:
    host, port = params.host, params.port
    try:
        addresses = await web.addresses(host, port)
    except WebProblem as problem:
        retryable = problem.kind != "blocked"
        raise NotConnected(problem.message, retryable=retryable) from problem
    try:
        wire = await _wire(addresses, port)
    except OSError as error:
        words = failed_connection(error)[1]
        raise NotConnected(f"{host}:{port}: {words}", retryable=True) from error
    try:
        return await asyncssh.connect(
            host,
            port,
            sock=wire,
            config=None,  # ~/.ssh/config is not ours
            known_hosts=trust,
            username=user,
            client_keys=keys,
            agent_path=None,
            password=None,
            preferred_auth="publickey",
            gss_host=None,
            login_timeout=0,  # the call's own limit counts
            keepalive_interval=ALIVE_SECONDS,
            encoding=None,
        )
    except (asyncssh.Error, OSError) as error:
        raise _refused(error, f"{user}@{host}:{port}", file) from error
    except ValueError as error:  # of the options, before the socket was taken over
        wire.close()
        raise NotConnected(f"{user}@{host}:{port}: {error}") from error


async def _wire(addresses: Sequence[str], port: int) -> socket.socket:
    """Return a socket to the first address that answers. Raises OSError."""
    problem: OSError = OSError("no address")
    loop = asyncio.get_running_loop()
    for number, address in enumerate(addresses, start=1):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        wire = socket.socket(family, socket.SOCK_STREAM)
        wire.setblocking(False)
        try:
            limit = None if number == len(addresses) else FIRST_TRY_SECONDS
            async with asyncio.timeout(limit):
                await loop.sock_connect(wire, (address, port))
                return wire
        except OSError as error:
            wire.close()
            problem = error
        except BaseException:
            wire.close()
            raise
    raise problem


def _refused(error: Exception, who: str, file: str) -> NotConnected:
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return NotConnected(
            f"{who}: the host shows a key that '{file}' does not have under this name; "
            "nothing was sent. Find out whether the host was replaced"
        )
    if isinstance(error, asyncssh.PermissionDenied):
        return NotConnected(
            f"{who}: the key was refused; put its public half into the user's "
            "authorized_keys"
        )
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return NotConnected(f"{who}: no agreement on a cipher: {error.reason}")
    if isinstance(error, OSError):
        words = failed_connection(error)[1]
        return NotConnected(f"{who}: {words}", retryable=True)
    return NotConnected(f"{who}: no SSH: {error}", retryable=True)
