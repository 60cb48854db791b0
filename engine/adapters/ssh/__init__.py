"""Programs on other machines: `ssh`, as a check and as an action.

What is here: what the end of a remote program means. Connecting and running are beside
it, and need asyncssh (the extra `ssh`); without it the kind is known, and a runbook
that uses it is refused with the way to install it. What is not: passwords, terminals,
copying of files.

Before the program is asked for, a failure means that nothing was done. After that, a
lost connection or the limit leaves it unknown, and the act is never blindly repeated.

Registered by bootstrap.
"""

import shlex
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

from engine.adapters.ssh.parameters import SshAction, SshCheck, SshDefaults
from engine.errors import SecretMissing
from engine.model.credentials import Unsealed
from engine.model.evidence import Observation
from engine.model.kinds import Place
from engine.ports import ActResult, Call, Web
from engine.registry import Registry

INSTALL: Final = "pip install 'incident-runbook[ssh]'"
NOT_STARTED: Final = {126: "may not be run", 127: "was not found"}
PLACES: Final[Mapping[str, Place]] = {
    "host": "host", "argv": "argv", "env": "text", "stdin": "text", "user": "argv"
}  # fmt: skip
SEES: Final = ("exit_code", "stdout", "stderr", "dropped_bytes", "latency_seconds")


class SshKind:
    """The code of the kind, both for looking and for acting."""

    def __init__(self, web: Web, defaults: SshDefaults) -> None:
        """Find hosts through `web`; `defaults` stand for what a runbook leaves out."""
        self._web = web
        self._defaults = defaults

    async def look(self, params: SshCheck, call: Call) -> Observation:
        """Return exit code and output; what did not run to its end is unknown."""
        from engine.adapters.ssh.connecting import NotConnected
        from engine.adapters.ssh.running import run_remote

        unsealed = Unsealed(call.secret)
        shown = _shown(params)
        try:
            ran = await run_remote(self._web, params, self._defaults, call, unsealed)
        except SecretMissing as error:
            return Observation(unknown=str(error), retryable=False, source=shown)
        except NotConnected as error:
            words = unsealed.hide(str(error))
            return Observation(unknown=words, retryable=error.retryable, source=shown)
        seen = {
            "stdout": ran.stdout,
            "stderr": ran.stderr,
            "dropped_bytes": ran.dropped_bytes,
            "latency_seconds": ran.took_seconds,
        }
        if ran.exit_code is None:
            why = ran.why + ran.last_words
            return Observation(seen=seen, unknown=why, source=shown)
        seen["exit_code"] = ran.exit_code
        if ran.exit_code in NOT_STARTED:
            why = f"'{params.argv[0]}' {NOT_STARTED[ran.exit_code]} on {params.host}"
            words = f"{why} (exit {ran.exit_code})"
            return Observation(seen=seen, unknown=words, retryable=False, source=shown)
        summary = f"exit {ran.exit_code} in {ran.took_seconds:.1f} s{ran.last_words}"
        return Observation(seen=seen, summary=summary, source=shown)

    async def act(self, params: SshAction, call: Call) -> ActResult:
        """Run the program once; it finds `call.key` as RUNBOOK_KEY."""
        from engine.adapters.ssh.connecting import NotConnected
        from engine.adapters.ssh.running import run_remote

        unsealed = Unsealed(call.secret)
        try:
            ran = await run_remote(self._web, params, self._defaults, call, unsealed)
        except SecretMissing as error:
            return ActResult("failed", str(error), retryable=False)
        except NotConnected as error:
            words = unsealed.hide(str(error))
            return ActResult("failed", words, retryable=error.retryable)
        if ran.exit_code is None:
            return ActResult("unknown", ran.why + ran.last_words)
        words = f"exit {ran.exit_code} in {ran.took_seconds:.1f} s{ran.last_words}"
        done = ran.exit_code in params.expect_exit
        return ActResult("ok" if done else "failed", words)


def _shown(params: SshCheck) -> str:
    return f"{params.host}: {shlex.join(params.argv)}"


def register(registry: Registry, web: Web, defaults: SshDefaults | None = None) -> None:
    """Add the check and the action `ssh`, also where asyncssh is missing."""
    kind = SshKind(web, defaults or SshDefaults())
    missing = "" if find_spec("asyncssh") else f"Install it: {INSTALL}"
    registry.add_check(
        "ssh", SshCheck, kind.look, places=PLACES, sees=SEES, missing=missing
    )
    registry.add_action("ssh", SshAction, kind.act, places=PLACES, missing=missing)
