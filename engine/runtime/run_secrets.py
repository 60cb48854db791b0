"""The secrets of one call: those of the configuration, and a run's own secret inputs.

A secret input stands in the timeline as `{secret: input:NAME}`; its value is in the
store. Adapters ask for secrets without waiting, so the inputs of a run are read before
its first look or act here, and kept while the process lives.

Read by: bootstrap, which puts `WithInputs` around the ports that look and act.
"""

from collections.abc import Callable
from typing import Final

from engine.errors import SecretMissing
from engine.model.effects import Act, CheckCall
from engine.model.evidence import Evidence
from engine.ports import ActResult, Secrets, Store
from engine.runtime.perform import Actions, Checks, Tick

INPUT: Final = "input:"


class RunSecrets:
    """Secrets by name, for each run."""

    def __init__(self, named: Secrets, store: Store) -> None:
        self._named, self._store = named, store
        self._inputs: dict[str, dict[str, str]] = {}  # of runs that have some
        self._read: set[str] = set()

    def of(self, run: str) -> Callable[[str], str]:
        """Return the way to a value by its name; it raises SecretMissing."""

        def value(name: str) -> str:
            if not name.startswith(INPUT):
                return self._named.get(name)
            found = self._inputs.get(run, {}).get(name.removeprefix(INPUT))
            if found is None:
                raise SecretMissing(
                    f"run '{run}': the value of secret input "
                    f"'{name.removeprefix(INPUT)}' is not kept any more"
                )
            return found

        return value

    async def ready(self, run: str) -> None:
        """Read the secret inputs of a run, once."""
        if run in self._read:
            return
        summary = await self._store.summary(run)
        if summary is None:
            return
        names = [name for name, one in summary.inputs.items() if one == _stands(name)]
        values = {name: await self._store.secret(run, name) for name in names}
        found = {name: one for name, one in values.items() if one}
        if found:  # what is empty would be walked through at every look of every run
            self._inputs[run] = found
        self._read.add(run)

    def values(self) -> list[str]:
        """Return every value read so far, for redaction."""
        inputs = [one for run in self._inputs.values() for one in run.values()]
        return [*self._named.values(), *inputs]

    def get(self, name: str) -> str:
        """Return a configured secret's value. Raises SecretMissing."""
        return self._named.get(name)


def _stands(name: str) -> dict[str, str]:
    return {"secret": INPUT + name}


class WithInputs:
    """Looks and acts once the run's secret inputs are at hand."""

    def __init__(self, secrets: RunSecrets, checks: Checks, actions: Actions) -> None:
        self._secrets, self._checks, self._actions = secrets, checks, actions

    async def look(self, call: CheckCall, *, run: str, tick: Tick) -> Evidence:
        """Return the judged answer of one check."""
        await self._secrets.ready(run)
        return await self._checks.look(call, run=run, tick=tick)

    async def act(self, act: Act, *, run: str) -> ActResult:
        """Act once; return what is known of it."""
        await self._secrets.ready(run)
        return await self._actions.act(act, run=run)
