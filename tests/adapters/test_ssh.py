"""The kind `ssh`: a real sshd on loopback, and servers that misbehave."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.adapters.ssh import SshKind, register
from engine.adapters.ssh.parameters import SshAction, SshCheck, SshDefaults
from engine.adapters.ssh.running import command_line
from engine.adapters.web import HttpxWeb
from engine.errors import SecretMissing
from engine.language.load import load_runbook
from engine.model.evidence import Observation
from engine.model.values import SecretRef
from engine.ports import ActResult, Call
from engine.registry import Registry
from tests.adapters.plain_web import PlainWeb
from tests.adapters.secure_shell import Machine, machine, make_key
from tests.real_parts import free_port, need

KIND = SshKind(PlainWeb(), SshDefaults())


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine(tmp_path_factory.mktemp("ssh") / "far") as made:
        yield made


def a_call(
    *, seconds: float = 10.0, key: str = "r-1/act/1", undo: bool = False, **secrets: str
) -> Call:
    def secret(name: str) -> str:
        if name not in secrets:
            raise SecretMissing(f"secret '{name}' has no value")
        return secrets[name]

    return Call(key, seconds, secret, run="r-1", undo=undo, fence=7)


async def look(far: Machine, *argv: str, call: Call, **more: object) -> Observation:
    params = SshCheck.model_validate({**far.params, "argv": list(argv), **more})
    return await KIND.look(params, call)


async def act(far: Machine, *argv: str, call: Call, **more: object) -> ActResult:
    params = SshAction.model_validate({**far.params, "argv": list(argv), **more})
    return await KIND.act(params, call)


def alive_with(mark: str) -> list[int]:
    """Return the processes whose command line holds the mark, as /proc has them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
            state = (path.parent / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if mark.encode() in line and state != "Z" and int(path.parent.name) != _US:
            found.append(int(path.parent.name))
    return found


_US = os.getpid()


async def gone(mark: str, *, seconds: float = 2.0) -> list[int]:
    """Return what is alive with the mark when it is gone, or the time is over."""
    ends = time.monotonic() + seconds
    while alive_with(mark) and time.monotonic() < ends:
        await asyncio.sleep(0.05)
    return alive_with(mark)


# What is seen, and what an end means


async def test_remote_program_tells_exit_code_and_output(far: Machine) -> None:
    """A remote program that ends is told by its exit code and both its streams."""
    found = await look(far, "sh", "-c", "echo out; echo err >&2; exit 3", call=a_call())

    assert 0 < found.seen.pop("latency_seconds") < 10
    assert found.seen == {
        "exit_code": 3, "stdout": "out\n", "stderr": "err\n", "dropped_bytes": 0
    }  # fmt: skip
    assert (found.verdict, found.unknown) == (None, None)


async def test_remote_action_is_done_with_the_expected_exit_codes(far: Machine) -> None:
    """`expect_exit` says which codes mean done; every other one is failed."""
    outcomes = [
        (await act(far, "sh", "-c", f"exit {n}", call=a_call(), expect_exit=[0, 4]))
        .outcome
        for n in (0, 4, 1)
    ]  # fmt: skip

    assert outcomes == ["ok", "ok", "failed"]


async def test_missing_remote_program_is_unknown_to_a_check(far: Machine) -> None:
    """A program that is not there says nothing about the world; no retry helps."""
    found = await look(far, "no-such-program-7", call=a_call())

    assert found.unknown == "'no-such-program-7' was not found on 127.0.0.1 (exit 127)"
    assert found.retryable is False


async def test_remote_program_killed_by_somebody_cannot_be_told(far: Machine) -> None:
    """A program that somebody else killed may have done half of it."""
    done = await act(far, "sh", "-c", "kill -9 $$", call=a_call())
    found = await look(far, "sh", "-c", "kill -9 $$", call=a_call())

    assert done == ActResult("unknown", "it was ended by SIGKILL")
    assert found.unknown == "it was ended by SIGKILL"


async def test_remote_standard_input_is_given_whole(far: Machine) -> None:
    """A text larger than any window reaches the program; a secret can be one."""
    big = await look(far, "wc", "-c", call=a_call(), stdin="x" * 3_000_000)
    hidden = await look(
        far, "cat", call=a_call(t="top-secret-1"), stdin={"secret": "t"}
    )

    assert big.seen["stdout"].strip() == "3000000"
    assert hidden.seen["stdout"] == "[hidden]"


async def test_f5_act_and_undo_find_their_key_and_fence_over_ssh(far: Machine) -> None:
    """A repeated act and a repeated undo can be told by their key, and G19's fence."""
    show = "echo $RUNBOOK_KEY $RUNBOOK_FENCE ${RUNBOOK_UNDO:-no}; exit 1"
    acted = await act(far, "sh", "-c", show, call=a_call(key="r-1/limit/2"))
    undone = await act(far, "sh", "-c", show, call=a_call(key="k", undo=True))

    assert acted.detail.endswith(": r-1/limit/2 7 no")
    assert undone.detail.endswith(": k 7 1")


async def test_what_a_remote_action_starts_in_the_background_lives_on(
    far: Machine,
) -> None:
    """A started server is the effect of the act, not a leftover."""
    done = await act(far, "sh", "-c", "sleep 63.77 >/dev/null 2>&1 &", call=a_call())
    left = alive_with("63.77")
    for pid in left:
        os.kill(pid, 9)

    assert (done.outcome, len(left)) == ("ok", 1)


@pytest.mark.timed
async def test_remote_child_that_keeps_the_output_does_not_hang_us(
    far: Machine,
) -> None:
    """The program's end counts, not that of the output."""
    began = time.monotonic()
    found = await look(far, "sh", "-c", "sleep 64.77 & echo out", call=a_call())
    for pid in alive_with("64.77"):
        os.kill(pid, 9)

    assert time.monotonic() - began < 5
    assert (found.seen["exit_code"], found.seen["stdout"]) == (0, "out\n")


def test_a_bare_command_has_nothing_in_front() -> None:
    """A device that knows no `env` gets the words alone."""
    params = SshAction.model_validate(
        {"host": "switch1", "argv": ["show", "port 7"], "bare": True}
    )

    assert command_line(params, a_call(), "RUNBOOK_TRY=1") == "show 'port 7'"


# F91: nothing of an argument is read by a shell


@pytest.mark.parametrize(
    "word",
    ["; touch X", "`touch X`", "$(touch X)", "a\nb", "*", "'; touch X; '", "~", "!x"],
    ids=["semicolon", "backtick", "dollar", "newline", "star", "quote", "home", "bang"],
)
async def test_f91_argument_never_reaches_the_remote_shell(
    far: Machine, word: str
) -> None:
    """What looks like a shell line is one plain argument over there."""
    code = "import sys; print(sys.argv[1:])"
    found = await look(far, sys.executable, "-c", code, word, call=a_call())

    assert found.seen["stdout"] == f"{[word]}\n"


@pytest.mark.parametrize("value", ["$(id)", "a b", "x'y", "a\nb"])
async def test_f91_variable_never_reaches_the_remote_shell(
    far: Machine, value: str
) -> None:
    """The value of a variable is data over there."""
    code = "import os; print(repr(os.environ['V']))"
    found = await look(far, sys.executable, "-c", code, call=a_call(), env={"V": value})

    assert found.seen["stdout"] == f"{value!r}\n"


@pytest.mark.parametrize(
    "more",
    [
        {"argv": ["-S sh -c id"]},
        {"argv": ["LD_PRELOAD=x"]},
        {"argv": [""]},
        {"argv": ["echo", "a\0b"]},
        {"env": {"A=B": "c"}},
        {"env": {"-i": "c"}},
    ],
    ids=["option", "assignment", "empty", "nul", "equals", "dash"],
)
def test_f91_what_env_would_read_as_its_own_is_refused(more: dict[str, object]) -> None:
    """A program or variable that `env` takes for something else is no parameter."""
    with pytest.raises(ValidationError):
        SshCheck.model_validate({"host": "web1", "argv": ["true"], **more})


# F77 and the limit


STUBBORN = "import signal,time; signal.signal(15, signal.SIG_IGN); {} time.sleep(60)"


@pytest.mark.timed
async def test_f77_remote_program_that_ignores_sigterm_is_killed(far: Machine) -> None:
    """It is over at the limit, cannot be told, and nothing survives."""
    began = time.monotonic()
    code = STUBBORN.format("'f77-ssh-stubborn';")
    done = await act(far, sys.executable, "-c", code, call=a_call(seconds=4))

    assert done == ActResult("unknown", "no end within 4 s, so it was ended")
    assert time.monotonic() - began < 5
    assert await gone("f77-ssh-stubborn") == []


async def test_f77_remote_grandchild_in_its_own_session_does_not_survive(
    far: Machine,
) -> None:
    """A grandchild that left the group and lost its parent is found by its mark."""
    child = STUBBORN.format("'f77-ssh-daemon';")
    code = (
        "import subprocess,sys,time\n"
        f"inner = [sys.executable, '-c', {child!r}]\n"
        "subprocess.run([sys.executable, '-c', 'import subprocess,sys; "
        "subprocess.Popen(sys.argv[1:], start_new_session=True)', *inner])\n"
        "time.sleep(60)"
    )
    done = await act(far, sys.executable, "-c", code, call=a_call(seconds=4))

    assert done.outcome == "unknown"
    assert await gone("f77-ssh-daemon") == []


async def test_f77_remote_output_is_read_and_capped(far: Machine) -> None:
    """The first 64 KiB are kept, the rest is counted, and the program ends in time."""
    size = 200 * 1024 * 1024
    found = await look(
        far, "head", "-c", str(size), "/dev/zero", call=a_call(seconds=60)
    )

    assert found.seen["exit_code"] == 0
    assert len(found.seen["stdout"]) == 64 * 1024
    assert found.seen["dropped_bytes"] == size - 64 * 1024


@pytest.mark.timed
async def test_f77_endless_remote_output_ends_at_the_limit(far: Machine) -> None:
    """A program that writes for ever is cut at its limit."""
    began = time.monotonic()
    found = await look(far, "yes", "f77-ssh-yes", call=a_call(seconds=4))

    assert time.monotonic() - began < 5
    assert (found.unknown or "").startswith("no end within 4 s")
    assert await gone("f77-ssh-yes") == []


async def test_f71_cancel_ends_the_remote_program(far: Machine) -> None:
    """A cancelled act leaves no process over there."""
    code = STUBBORN.format("'ssh-cancelled';")
    task = asyncio.create_task(
        act(far, sys.executable, "-c", code, call=a_call(seconds=20))
    )
    while not alive_with("ssh-cancelled"):
        await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await gone("ssh-cancelled") == []


async def test_f95_secret_is_hidden_in_remote_output(far: Machine) -> None:
    """A program that prints its secret does not carry it into the timeline."""
    call = a_call(t="top-secret-1")
    stdin = {"secret": "t"}
    found = await look(far, "cat", call=call, stdin=stdin)
    done = await act(far, "sh", "-c", "cat >&2; exit 1", call=call, stdin=stdin)

    assert found.seen["stdout"] == "[hidden]"
    assert done.detail.endswith(": [hidden]")


async def test_no_connection_is_left_open(far: Machine) -> None:
    """Five looks leave as many open files as one."""
    await look(far, "true", call=a_call())
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        await look(far, "true", call=a_call())
        await look(far, "true", call=a_call(), user="no-such-user")

    assert len(list(Path("/proc/self/fd").iterdir())) == before


# F2, F3: what is known of an act that was cut off


async def test_f2_unreachable_host_means_that_nothing_was_done(far: Machine) -> None:
    """Before the program is asked for, an act surely did not happen; try again."""
    port = free_port()
    far.trusted_as("127.0.0.1")
    line = far.known_hosts.read_text().replace(f":{far.port} ", f":{port} ")
    other = far.folder / "known_other"
    other.write_text(line)
    done = await act(far, "true", call=a_call(), port=port, known_hosts=str(other))

    assert done == ActResult(
        "failed", f"127.0.0.1:{port}: the connection was refused", retryable=True
    )


async def test_f3_connection_lost_while_it_ran_cannot_be_told(tmp_path: Path) -> None:
    """A server that dies in the middle leaves it unknown whether it happened."""
    with machine(tmp_path / "dying") as far:
        task = asyncio.create_task(act(far, "sleep", "65.77", call=a_call(seconds=20)))
        while not alive_with("65.77"):
            await asyncio.sleep(0.05)
        for pid in children_of(far.server.pid):
            os.kill(pid, 9)
        done = await task
        for pid in alive_with("65.77"):
            os.kill(pid, 9)

    assert done == ActResult("unknown", "the connection was lost while it ran")


def children_of(parent: int) -> list[int]:
    """Return the processes that an sshd has for its connections."""
    place = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(pid) for pid in place.read_text().split()]


# F28, F34: servers that are slow, or no SSH at all


async def serve(far: Machine, behave: str) -> tuple[asyncio.Server, dict[str, object]]:
    """Start a server that misbehaves; return it, and parameters that lead to it."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if behave == "drips":
                for sign in b"SSH-2.0-" + b"slow" * 200:
                    writer.write(bytes([sign]))
                    await asyncio.sleep(0.1)
            elif behave == "web page":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n<html>log in</html>\r\n")
            elif behave == "endless":
                for _ in range(200):
                    writer.write(b"x" * 65536)
                    await writer.drain()
            elif behave == "hangs":
                await asyncio.sleep(60)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    known = far.folder / f"known_{port}"
    known.write_text(far.known_hosts.read_text().replace(f":{far.port} ", f":{port} "))
    return server, {"port": port, "known_hosts": str(known)}


@pytest.mark.parametrize("behave", ["drips", "hangs"])
@pytest.mark.timed
async def test_f28_slow_ssh_server_is_cut_at_the_total_deadline(
    far: Machine, behave: str
) -> None:
    """Connecting and login count against the one limit; nothing was done."""
    far.trusted_as("127.0.0.1")
    server, params = await serve(far, behave)
    began = time.monotonic()
    found = await look(far, "true", call=a_call(seconds=1), **params)
    done = await act(far, "true", call=a_call(seconds=1), **params)
    server.close()

    assert time.monotonic() - began < 3
    assert found.unknown == "not connected within 1 s"
    assert (found.retryable, done.retryable) == (True, True)
    assert (done.outcome, done.detail) == ("failed", "not connected within 1 s")


@pytest.mark.parametrize("behave", ["web page", "endless", "closes"])
async def test_f34_what_is_no_ssh_server_is_unknown(far: Machine, behave: str) -> None:
    """A web page, endless bytes or a closed connection is unknown, in words."""
    far.trusted_as("127.0.0.1")
    server, params = await serve(far, behave)
    found = await look(far, "true", call=a_call(seconds=5), **params)
    done = await act(far, "true", call=a_call(seconds=5), **params)
    server.close()

    assert found.unknown is not None
    assert "127.0.0.1" in found.unknown
    assert "Traceback" not in found.unknown
    assert done.outcome == "failed"


# F29: who is let in


async def test_f29_refused_key_is_a_mistake_that_no_retry_mends(
    far: Machine, tmp_path: Path
) -> None:
    """A key that the host does not take is said so, and not tried again."""
    other = make_key(tmp_path / "other")
    found = await look(far, "true", call=a_call(), key_file=str(other), user="root")

    assert found.unknown == (
        f"root@127.0.0.1:{far.port}: the key was refused; put its public half into "
        "the user's authorized_keys"
    )
    assert found.retryable is False


async def test_key_may_come_from_a_secret(far: Machine) -> None:
    """The private key as a secret lets in as the file does."""
    params = far.params | {"key_file": None, "key": {"secret": "login"}}
    check = SshCheck.model_validate({**params, "argv": ["echo", "in"]})
    found = await KIND.look(check, a_call(login=far.key.read_text()))

    assert found.seen["stdout"] == "in\n"


async def test_locked_key_opens_with_its_passphrase(
    far: Machine, tmp_path: Path
) -> None:
    """Nobody is asked for a passphrase: it is a secret, or the look is unknown."""
    locked = make_key(tmp_path / "locked", "opensesame")
    allowed = far.folder / "authorized_keys"
    before = allowed.read_text()
    allowed.write_text(before + (tmp_path / "locked.pub").read_text())
    told = [
        await look(
            far, "true", call=a_call(**given), key_file=str(locked),
            **({"passphrase": {"secret": "phrase"}} if given else {}),
        )
        for given in ({}, {"phrase": "wrong"}, {"phrase": "opensesame"})
    ]  # fmt: skip
    allowed.write_text(before)

    assert [one.unknown for one in told] == [
        f"the key in '{locked}' is locked: it needs `passphrase`",
        f"the key in '{locked}' is locked: its passphrase is another",
        None,
    ]


async def test_agent_gives_its_keys(
    far: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`agent: true` uses the keys of the agent at SSH_AUTH_SOCK."""
    place = tmp_path / "agent"
    agent = subprocess.Popen(
        [need("ssh-agent"), "-D", "-a", str(place)], stdout=subprocess.DEVNULL
    )
    try:
        while not place.exists():
            await asyncio.sleep(0.02)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        empty = await look(far, "true", call=a_call(), key_file=None, agent=True)
        subprocess.run([need("ssh-add"), "-q", str(far.key)], check=True)
        found = await look(far, "echo", "in", call=a_call(), key_file=None, agent=True)
    finally:
        agent.terminate()
        agent.wait(5)

    assert empty.unknown == "the agent holds no key: ssh-add FILE"
    assert found.seen["stdout"] == "in\n"


async def test_f100_key_that_others_can_read_is_refused(
    far: Machine, tmp_path: Path
) -> None:
    """A private key with open permissions is not used."""
    key = make_key(tmp_path / "open")
    key.chmod(0o644)
    found = await look(far, "true", call=a_call(), key_file=str(key))

    assert found.unknown == f"others can read the key '{key}': chmod 600 {key}"


async def test_f96_missing_key_secret_fails_closed(far: Machine) -> None:
    """Without its secret nobody logs in."""
    params = far.params | {"key_file": None, "key": {"secret": "login"}}
    done = await KIND.act(
        SshAction.model_validate({**params, "argv": ["true"]}), a_call()
    )

    assert done == ActResult("failed", "secret 'login' has no value", retryable=False)


NEEDED = {
    "user": "no user: write `user`, or set ssh.user in the configuration",
    "known_hosts": "no host key can be trusted: write `known_hosts`, or set "
    "ssh.known_hosts in the configuration",
    "key_file": "no key: write `key`, `key_file` or `agent: true`, or set one of them "
    "under `ssh` in the configuration",
}


@pytest.mark.parametrize("left_out", NEEDED)
async def test_what_is_needed_to_log_in_is_named(far: Machine, left_out: str) -> None:
    """What neither the runbook nor the configuration says is asked for by name."""
    found = await look(far, "true", call=a_call(), **{left_out: None})

    assert (found.unknown, found.retryable) == (NEEDED[left_out], False)


async def test_configuration_says_what_a_runbook_leaves_out(far: Machine) -> None:
    """A runbook that names only a host and a program logs in as configured."""
    far.trusted_as("127.0.0.1")
    said = far.params
    kind = SshKind(
        PlainWeb(),
        SshDefaults(str(said["user"]), str(far.known_hosts), SecretRef(secret="login")),
    )
    check = SshCheck(host="127.0.0.1", port=far.port, argv=["echo", "in"])
    found = await kind.look(check, a_call(login=far.key.read_text()))

    assert found.seen["stdout"] == "in\n"


# F39, F93: the host proves who it is, at an address that may be reached


async def test_f39_another_host_key_is_never_trusted(far: Machine) -> None:
    """A host with a key of its own under the right name: nothing is sent."""
    make_key(far.folder / "other-host")
    public = (far.folder / "other-host.pub").read_text()
    known = far.folder / "known_wrong"
    known.write_text(f"[127.0.0.1]:{far.port} {public}")
    done = await act(far, "true", call=a_call(), known_hosts=str(known))
    for half in ("other-host", "other-host.pub"):
        (far.folder / half).unlink()

    assert done.detail == (
        f"{far.params['user']}@127.0.0.1:{far.port}: the host shows a key that "
        f"'{known}' does not have under this name; nothing was sent. Find out whether "
        "the host was replaced"
    )
    assert (done.outcome, done.retryable) == ("failed", False)


async def test_f39_unknown_host_is_never_trusted(far: Machine) -> None:
    """A host that the file does not have is not even connected to."""
    far.trusted_as("elsewhere.example")
    found = await look(far, "true", call=a_call())
    far.trusted_as("127.0.0.1")

    assert found.unknown == (
        f"'{far.known_hosts}' has no key of '127.0.0.1'; put it there after you have "
        f"compared it (ssh-keyscan -p {far.port} 127.0.0.1)"
    )


async def test_f93_key_is_looked_up_under_the_name_not_the_address(
    far: Machine,
) -> None:
    """The name is resolved once; its key counts, and that of the address does not."""
    web = PlainWeb(known=(("gateway.example", ("127.0.0.1",)),))
    kind = SshKind(web, SshDefaults())
    params = {**far.params, "host": "gateway.example", "argv": ["echo", "in"]}
    check = SshCheck.model_validate(params)
    by_address = await kind.look(check, a_call())
    far.trusted_as("gateway.example")
    by_name = await kind.look(check, a_call())
    far.trusted_as("127.0.0.1")

    assert (by_address.unknown or "").startswith(
        f"'{far.known_hosts}' has no key of 'gateway.example'"
    )
    assert by_name.seen["stdout"] == "in\n"


async def test_f93_private_address_needs_to_be_allowed(far: Machine) -> None:
    """Without the network in the configuration, loopback is not reached."""
    far.trusted_as("127.0.0.1")
    closed, opened = HttpxWeb(), HttpxWeb([ip_network("127.0.0.0/8")])
    check = SshCheck.model_validate({**far.params, "argv": ["echo", "in"]})
    refused = await SshKind(closed, SshDefaults()).look(check, a_call())
    found = await SshKind(opened, SshDefaults()).look(check, a_call())
    await closed.aclose()
    await opened.aclose()

    assert refused.unknown == (
        "'127.0.0.1' is at 127.0.0.1, which is not a public address; allow its "
        "network in the configuration if it may be reached"
    )
    assert refused.retryable is False
    assert found.seen["stdout"] == "in\n"


async def test_f39_name_that_cannot_be_resolved_is_unknown(far: Machine) -> None:
    """No address is no answer; it may come back."""
    far.trusted_as("no-such-host.invalid")
    found = await look(far, "true", call=a_call(), host="no-such-host.invalid")
    far.trusted_as("127.0.0.1")

    assert found.unknown == "'no-such-host.invalid' cannot be resolved"
    assert found.retryable is True


# What a runbook may write


RUNBOOK = """\
format: 1
runbook: far
title: A far program
owner: ops
severity: sev4
checks:
  alive:
    ssh: {host: web1, argv: [systemctl, is-active, shop]}
    pass: exit_code == 0
diagnose:
  - check: alive
"""


def problems(text: str) -> list[str]:
    registry = Registry()
    register(registry, PlainWeb())
    return [str(one) for one in load_runbook(text, "far.yaml", registry.kinds).problems]


def test_runbook_with_ssh_loads() -> None:
    """A host and a program are all that a runbook has to say."""
    assert problems(RUNBOOK) == []


def test_without_the_extra_the_problem_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without asyncssh a runbook that uses `ssh` is refused at its place."""
    monkeypatch.setitem(sys.modules, "asyncssh", None)

    registry = Registry()
    register(registry, PlainWeb())
    found = load_runbook(RUNBOOK, "far.yaml", registry.kinds).problems

    assert [
        (one.line, one.column, one.code, one.message, one.hint) for one in found
    ] == [
        (
            8,
            5,
            "not-installed",
            "'ssh' needs a library that is not installed",
            "Install it: pip install 'incident-runbook[ssh]'",
        )
    ]


def test_private_key_never_stands_in_a_runbook() -> None:
    """A key is a secret or a file; its text is refused."""
    with pytest.raises(ValidationError):
        SshCheck.model_validate({"host": "a", "argv": ["b"], "key": "-----BEGIN"})


def test_two_ways_to_log_in_are_refused() -> None:
    """One key, or the agent."""
    with pytest.raises(ValidationError, match="one of key, key_file, agent"):
        SshCheck.model_validate(
            {"host": "a", "argv": ["b"], "key_file": "k", "agent": True}
        )
