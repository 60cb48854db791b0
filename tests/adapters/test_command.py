"""The kind `command`: real processes on this machine."""

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from engine.adapters.command import act, look, register
from engine.adapters.command.parameters import CommandAction, CommandCheck
from engine.errors import SecretMissing
from engine.model.evidence import Observation
from engine.ports import ActResult, Call
from engine.registry import Registry


def a_call(
    *, seconds: float = 10.0, key: str = "r-1/act/1", undo: bool = False, **secrets: str
) -> Call:
    def secret(name: str) -> str:
        if name not in secrets:
            raise SecretMissing(f"secret '{name}' has no value")
        return secrets[name]

    return Call(key, seconds, secret, run="r-1", undo=undo, fence=7)


def a_check(*argv: str, **more: object) -> CommandCheck:
    return CommandCheck.model_validate({"argv": list(argv), **more})


def an_action(*argv: str, **more: object) -> CommandAction:
    return CommandAction.model_validate({"argv": list(argv), **more})


def python(code: str) -> tuple[str, str, str]:
    return sys.executable, "-c", code


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


@pytest.mark.timed
async def test_check_tells_exit_code_and_output() -> None:
    """A program that ends is told by its exit code and both its streams."""
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    found = await look(a_check(*python(code)), a_call())

    took = found.seen.pop("latency_seconds")
    assert 0 < took < 10
    assert found.seen == {
        "exit_code": 3, "stdout": "out\n", "stderr": "err\n", "dropped_bytes": 0
    }  # fmt: skip
    assert (found.verdict, found.unknown) == (None, None)


async def test_f98_control_characters_stay_data() -> None:
    """ANSI sequences and NUL in the output come back as they are."""
    code = r"print('\x1b[31mred\x1b[0m\x00\u202e', end='')"
    found = await look(a_check(*python(code), env={"PYTHONUTF8": "1"}), a_call())

    assert found.seen["stdout"] == "\x1b[31mred\x1b[0m\x00\u202e"


async def test_output_that_is_no_text_is_replaced_not_refused() -> None:
    """Bytes that are not UTF-8 become replacement characters."""
    code = "import sys; sys.stdout.buffer.write(b'a\\xff\\xfeb')"
    found = await look(a_check(*python(code)), a_call())

    assert found.seen["stdout"] == "a\ufffd\ufffdb"


async def test_missing_program_is_unknown_to_a_check() -> None:
    """A program that is not there says nothing about the world."""
    found = await look(a_check("no-such-program-7"), a_call())

    assert found == Observation(
        unknown="the program 'no-such-program-7' was not found; install it where the "
        "engine runs, or write its whole path",
        retryable=False,
        source="no-such-program-7",
    )


async def test_missing_program_fails_an_action_for_good() -> None:
    """An action whose program is missing surely did not happen; no retry helps."""
    done = await act(an_action("no-such-program-7"), a_call())

    assert done == ActResult(
        "failed",
        "the program 'no-such-program-7' was not found; install it where the engine "
        "runs, or write its whole path",
        retryable=False,
    )


async def test_program_without_permission_is_unknown(tmp_path: Path) -> None:
    """A file that may not be run is unknown, and says so."""
    program = tmp_path / "plain"
    program.write_text("#!/bin/sh\n")
    found = await look(a_check(str(program)), a_call())

    assert found.unknown == f"the program '{program}' may not be run by the engine"


async def test_missing_folder_is_named(tmp_path: Path) -> None:
    """A missing `cwd` is not taken for a missing program."""
    found = await look(a_check("true", cwd=str(tmp_path / "gone")), a_call())

    assert found.unknown == (
        f"the folder '{tmp_path}/gone' (cwd) is not there; create it"
    )


async def test_action_is_done_with_the_expected_exit_codes() -> None:
    """`expect_exit` says which codes mean done; every other one is failed."""
    both = {"expect_exit": [0, 4]}
    outcomes = [
        (await act(an_action(*python(f"exit({n})"), **both), a_call())).outcome
        for n in (0, 4, 1)
    ]

    assert outcomes == ["ok", "ok", "failed"]


async def test_failed_action_tells_the_last_words() -> None:
    """The detail carries the last line of the errors."""
    done = await act(
        an_action("sh", "-c", "echo one >&2; echo two >&2; exit 9"), a_call()
    )

    assert done.detail.startswith("exit 9 in 0.")
    assert done.detail.endswith(" s: two")


async def test_killed_program_cannot_be_told() -> None:
    """A program that somebody else killed may have done half of it."""
    done = await act(an_action("sh", "-c", "kill -9 $$"), a_call())
    found = await look(a_check("sh", "-c", "kill -9 $$"), a_call())

    assert done == ActResult("unknown", "it was ended by SIGKILL before it was done")
    assert found.unknown == "it was ended by SIGKILL"


async def test_only_the_named_environment_is_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The engine's own variables, its secrets among them, are not passed on."""
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-engine")
    monkeypatch.setenv("TZ", "UTC")
    params = a_check(
        "/usr/bin/env", env={"REGION": "eu-west", "COUNT": 3, "T": {"secret": "tok"}}
    )
    found = await look(params, a_call(tok="top-secret-1"))

    names = sorted(line.split("=")[0] for line in found.seen["stdout"].splitlines())
    passed = [name for name in ("HOME", "LANG", "PATH", "TZ") if name in os.environ]
    assert names == sorted(
        ["COUNT", "REGION", "RUNBOOK_FENCE", "RUNBOOK_KEY", "T", *passed]
    )
    assert "top-secret-1" not in found.seen["stdout"]


async def test_act_finds_its_key_and_fence() -> None:
    """The program can make itself safe to repeat: key, fence and undo are given."""
    show = "echo $RUNBOOK_KEY $RUNBOOK_FENCE ${RUNBOOK_UNDO:-no}; exit 1"
    acted = await act(an_action("sh", "-c", show), a_call(key="r-1/limit/2"))
    undone = await act(an_action("sh", "-c", show), a_call(key="k", undo=True))

    assert acted.detail.endswith(": r-1/limit/2 7 no")
    assert undone.detail.endswith(": k 7 1")


async def test_f95_secret_is_hidden_in_output_and_detail() -> None:
    """A program that prints its secret does not carry it into the timeline."""
    params = {"env": {"T": {"secret": "tok"}}}
    call = a_call(tok="top-secret-1")
    found = await look(a_check("sh", "-c", "echo $T; echo $T >&2", **params), call)
    done = await act(an_action("sh", "-c", "echo $T >&2; exit 1", **params), call)

    assert (found.seen["stdout"], found.seen["stderr"]) == ("[hidden]\n", "[hidden]\n")
    assert done.detail.endswith(": [hidden]")


async def test_f96_missing_secret_fails_closed() -> None:
    """Without its secret nothing is started."""
    params = {"env": {"T": {"secret": "tok"}}}
    found = await look(a_check("true", **params), a_call())
    done = await act(an_action("true", **params), a_call())

    assert found.unknown == "secret 'tok' has no value"
    assert done == ActResult("failed", "secret 'tok' has no value", retryable=False)


async def test_standard_input_is_given_whole() -> None:
    """A text larger than any pipe reaches the program; a secret can be one."""
    big = await look(a_check("wc", "-c", stdin="x" * 3_000_000), a_call())
    hidden = await look(a_check("wc", "-c", stdin={"secret": "t"}), a_call(t="12345"))

    assert big.seen["stdout"].strip() == "3000000"
    assert hidden.seen["stdout"].strip() == "5"


async def test_program_that_does_not_read_is_not_waited_for() -> None:
    """A big standard input that nobody reads blocks nothing."""
    found = await look(a_check("true", stdin="x" * 3_000_000), a_call())

    assert found.seen["exit_code"] == 0


@pytest.mark.parametrize("word", ["; touch X", "`touch X`", "$(touch X)", "a\nb", "*"])
async def test_f91_argument_never_reaches_a_shell(word: str, tmp_path: Path) -> None:
    """What looks like a shell line is one plain argument."""
    params = a_check(*python("import sys; print(sys.argv[1:])"), word)
    found = await look(params.model_copy(update={"cwd": str(tmp_path)}), a_call())

    assert found.seen["stdout"] == f"{[word]}\n"
    assert list(tmp_path.iterdir()) == []


async def test_f91_nul_in_an_argument_is_refused_in_words() -> None:
    """NUL cannot be passed to a program: failed with the reason, no traceback."""
    done = await act(an_action("echo", "a\0b"), a_call())
    found = await look(a_check("echo", "a\0b"), a_call())

    assert done == ActResult(
        "failed", "'echo' cannot be started: embedded null byte", retryable=False
    )
    assert found.unknown == "'echo' cannot be started: embedded null byte"


async def test_impossible_variable_and_huge_argument_are_refused_in_words() -> None:
    """`=` in a variable's name, or an argument list that is too long, only fails."""
    named = await act(an_action("true", env={"A=B": "c"}), a_call())
    huge = await act(an_action("true", "x" * 5_000_000), a_call())

    assert named.detail == "'true' cannot be started: illegal environment variable name"
    assert huge.detail == "'true' cannot be started: Argument list too long"


async def test_numbers_may_stand_as_arguments() -> None:
    """`argv: [printf, 5, true]` means text."""
    params = CommandCheck.model_validate({"argv": ["echo", 5, 2.5, True]})

    assert params.argv == ["echo", "5", "2.5", "true"]


STUBBORN = "import signal,time; signal.signal(15, signal.SIG_IGN); {} time.sleep(60)"


@pytest.mark.timed
async def test_f77_program_that_ignores_sigterm_is_killed_at_the_limit() -> None:
    """It is over at the limit, cannot be told, and nothing survives."""
    began = time.monotonic()
    done = await act(
        an_action(*python(STUBBORN.format("'f77-stubborn';"))), a_call(seconds=1)
    )
    took = time.monotonic() - began

    assert done == ActResult("unknown", "no end within 1 s, so it was ended")
    assert took < 1.3
    assert alive_with("f77-stubborn") == []


async def test_f77_grandchildren_that_ignore_sigterm_do_not_survive() -> None:
    """A grandchild outlives its parent's SIGTERM, but not the limit."""
    child = STUBBORN.format("'f77-grandchild';")
    code = f"import subprocess,sys; subprocess.run([sys.executable,'-c',{child!r}])"
    done = await act(an_action(*python(code)), a_call(seconds=1))

    assert done.outcome == "unknown"
    assert alive_with("f77-grandchild") == []


async def test_f77_grandchild_in_its_own_session_does_not_survive() -> None:
    """A grandchild that left the group and lost its parent is found by the key."""
    child = STUBBORN.format("'f77-daemon';")
    code = (
        "import subprocess,sys,time\n"
        f"inner = [sys.executable, '-c', {child!r}]\n"
        "subprocess.run([sys.executable, '-c', 'import subprocess,sys; "
        "subprocess.Popen(sys.argv[1:], start_new_session=True)', *inner])\n"
        "time.sleep(60)"
    )
    task = asyncio.create_task(act(an_action(*python(code)), a_call(seconds=2)))
    await asyncio.sleep(1.2)
    running = [pid for pid in alive_with("f77-daemon") if os.getsid(pid) == pid]
    done = await task

    assert len(running) >= 1
    assert done.outcome == "unknown"
    assert alive_with("f77-daemon") == []


async def test_f77_a_gigabyte_of_output_is_read_and_capped() -> None:
    """The first 64 KiB are kept, the rest is counted, and the program ends in time."""
    code = "import os\nfor _ in range(1024): os.write(1, b'x' * 1048576)"
    found = await look(a_check(*python(code)), a_call(seconds=60))

    assert found.seen["exit_code"] == 0
    assert len(found.seen["stdout"]) == 64 * 1024
    assert found.seen["dropped_bytes"] == 1024 * 1024 * 1024 - 64 * 1024


@pytest.mark.timed
async def test_f77_endless_output_ends_at_the_limit() -> None:
    """A program that writes for ever is cut at its limit."""
    began = time.monotonic()
    found = await look(a_check("yes", "f77-yes"), a_call(seconds=1))

    assert time.monotonic() - began < 1.5
    assert (found.unknown or "").startswith("no end within 1 s")
    assert alive_with("f77-yes") == []


async def test_f77_program_with_its_output_closed_is_waited_for() -> None:
    """Closed output is not the end: the exit code is waited for."""
    code = "import os,time; os.close(1); os.close(2); time.sleep(0.3); os._exit(5)"
    found = await look(a_check(*python(code)), a_call())

    assert found.seen["exit_code"] == 5


@pytest.mark.timed
async def test_f77_grandchild_that_keeps_the_pipe_does_not_hang_us() -> None:
    """The program's end counts; what a check leaves behind is ended."""
    began = time.monotonic()
    found = await look(a_check("sh", "-c", "sleep 61.77 & echo out"), a_call())

    assert time.monotonic() - began < 2
    assert (found.seen["exit_code"], found.seen["stdout"]) == (0, "out\n")
    assert alive_with("61.77") == []


async def test_what_an_action_starts_in_the_background_lives_on() -> None:
    """A started server is the effect of the act, not a leftover."""
    done = await act(an_action("sh", "-c", "sleep 62.77 >/dev/null 2>&1 &"), a_call())
    left = alive_with("62.77")
    for pid in left:
        os.kill(pid, 9)

    assert (done.outcome, len(left)) == ("ok", 1)


async def test_cancel_ends_the_whole_family() -> None:
    """A cancelled act leaves no process."""
    child = STUBBORN.format("'cancelled-child';")
    code = f"import subprocess,sys; subprocess.run([sys.executable,'-c',{child!r}])"
    task = asyncio.create_task(act(an_action(*python(code)), a_call(seconds=20)))
    await asyncio.sleep(0.6)
    before = len(alive_with("cancelled-child"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert before == 2
    assert alive_with("cancelled-child") == []


async def test_cancel_twice_still_ends_the_family() -> None:
    """A second cancel skips the grace, not the kill."""
    code = STUBBORN.format("'cancelled-twice';")
    task = asyncio.create_task(act(an_action(*python(code)), a_call(seconds=20)))
    await asyncio.sleep(0.4)
    task.cancel()
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.1)

    assert alive_with("cancelled-twice") == []


async def test_no_file_is_left_open() -> None:
    """Twenty looks leave as many open files as one."""
    await look(a_check("true"), a_call())
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        await look(a_check("echo", "x", stdin="y"), a_call())
        await look(a_check("no-such-program-7"), a_call())

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_kind_says_what_pass_may_name() -> None:
    """`pass` may use what a command sees."""
    registry = Registry()
    register(registry)

    assert registry.kinds.checks["command"].sees == (
        "exit_code", "stdout", "stderr", "dropped_bytes", "latency_seconds"
    )  # fmt: skip
    assert registry.kinds.actions["command"].places["argv"] == "argv"
