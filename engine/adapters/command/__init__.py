"""Programs on the engine's own machine: `command`, as a check and as an action.

What is here: a program and its arguments, never a shell line, in a process group of its
own, with a bare environment, bounded output and a hard end. At the limit, or when the
run is cancelled, the whole family is ended: SIGTERM, a short grace, SIGKILL; members
that left the group are found under /proc (Linux).
What is not: other machines (ssh), and the meaning of the output (`pass`, the views).

What a check leaves behind when its program ends is ended too. What an action leaves in
the background lives on, as a started server must; its output is no longer read. What
an engine that died left in the middle of an act is ended when the run is taken up.

Registered by bootstrap.
"""

import shlex
import signal
from collections.abc import Mapping

from engine.adapters.command.family import end_left
from engine.adapters.command.parameters import CommandAction, CommandCheck
from engine.adapters.command.running import NotStarted, run_program
from engine.errors import SecretMissing
from engine.model.credentials import Unsealed
from engine.model.evidence import Observation
from engine.model.kinds import Place
from engine.ports import ActResult, Call
from engine.registry import Registry


def _shown(params: CommandCheck) -> str:
    return shlex.join(params.argv)


async def look(params: CommandCheck, call: Call) -> Observation:
    """Return exit code, output and how long it took; what did not run is unknown."""
    secrets = Unsealed(call.secret)
    shown = _shown(params)
    try:
        ran = await run_program(params, call, secrets, leaves_nothing=True)
    except SecretMissing as error:
        return Observation(unknown=str(error), retryable=False, source=shown)
    except NotStarted as error:
        return Observation(
            unknown=secrets.hide(str(error)), retryable=error.retryable, source=shown
        )
    seen = {
        "stdout": ran.stdout,
        "stderr": ran.stderr,
        "dropped_bytes": ran.dropped_bytes,
        "latency_seconds": ran.took_seconds,
    }
    if ran.exit_code is None:
        reason = f"no end within {call.timeout_seconds:g} s{ran.last_words}"
        return Observation(seen=seen, unknown=reason, source=shown)
    if ran.exit_code < 0:
        reason = f"it was ended by {_signal_name(ran.exit_code)}{ran.last_words}"
        return Observation(seen=seen, unknown=reason, source=shown)
    seen["exit_code"] = ran.exit_code
    summary = f"exit {ran.exit_code} in {ran.took_seconds:.1f} s{ran.last_words}"
    return Observation(seen=seen, summary=summary, source=shown)


async def act(params: CommandAction, call: Call) -> ActResult:
    """Run the program once; it finds `call.key` as RUNBOOK_KEY."""
    secrets = Unsealed(call.secret)
    try:
        ran = await run_program(params, call, secrets, leaves_nothing=False)
    except SecretMissing as error:
        return ActResult("failed", str(error), retryable=False)
    except NotStarted as error:
        words = secrets.hide(str(error))
        return ActResult("failed", words, retryable=error.retryable)
    if ran.exit_code is None:
        words = f"no end within {call.timeout_seconds:g} s, so it was ended"
        return ActResult("unknown", words + ran.last_words)
    if ran.exit_code < 0:
        words = f"it was ended by {_signal_name(ran.exit_code)} before it was done"
        return ActResult("unknown", words + ran.last_words)
    words = f"exit {ran.exit_code} in {ran.took_seconds:.1f} s{ran.last_words}"
    done = ran.exit_code in params.expect_exit
    return ActResult("ok" if done else "failed", words)


def _signal_name(exit_code: int) -> str:
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"


def register(registry: Registry) -> None:
    """Add the check and the action `command`."""
    places: Mapping[str, Place] = {
        "argv": "argv", "cwd": "text", "env": "text", "stdin": "text"
    }  # fmt: skip
    sees = ("exit_code", "stdout", "stderr", "dropped_bytes", "latency_seconds")
    registry.add_check("command", CommandCheck, look, places=places, sees=sees)
    registry.add_action("command", CommandAction, act, places=places, end_left=end_left)
