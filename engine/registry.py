"""From a kind in YAML to its parameters and its code; frozen after start.

An adapter, ours or a third party's, brings `register(registry)`. A plug-in package
names it as an entry point of the group `runbook.plugins`.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from pydantic import BaseModel

from engine.errors import EngineError
from engine.model.kinds import ActionKind, CheckKind, Kinds, Place
from engine.ports import ActCode, EndLeft, LookCode

PLUGIN_GROUP: Final = "runbook.plugins"


@cache
def installed() -> tuple[EntryPoint, ...]:
    """Return the plug-ins that are installed, by name; looked for once a process."""
    return tuple(sorted(entry_points(group=PLUGIN_GROUP), key=lambda one: one.name))


class Registry:
    """The kinds of one engine. Filled at start, then read only."""

    def __init__(self) -> None:
        self._checks: dict[str, tuple[CheckKind, LookCode]] = {}
        self._actions: dict[str, tuple[ActionKind, ActCode]] = {}
        self._end_left: dict[str, EndLeft] = {}
        self._frozen = False

    def add_check(
        self,
        name: str,
        params: type[BaseModel],
        look: LookCode,
        *,
        judges_itself: bool = False,
        places: Mapping[str, Place] | None = None,
        sees: tuple[str, ...] = (),
        missing: str = "",
    ) -> None:
        """Add a kind of check.

        Args:
            name: As runbooks write it.
            params: Its parameters.
            look: Its code.
            judges_itself: `pass` may be left out.
            places: Where outside values may stand.
            sees: The names that `pass` may use.
            missing: How to install what it needs and is not here; the kind is then
                known, and a runbook that uses it is refused with these words.
        """
        self._refuse_twice(name, self._checks)
        kind = CheckKind(name, params, judges_itself, dict(places or {}), sees, missing)
        self._checks[name] = (kind, look)

    def add_action(
        self,
        name: str,
        params: type[BaseModel],
        act: ActCode,
        *,
        built_in_undo: bool = False,
        leaves_nothing: bool = False,
        places: Mapping[str, Place] | None = None,
        end_left: EndLeft | None = None,
        undo_may_be_written: bool = False,
        missing: str = "",
    ) -> None:
        """Add a kind of action.

        Args:
            name: As runbooks write it.
            params: Its parameters.
            act: Its code.
            built_in_undo: It gives back by itself when it is called with `built_in`.
            leaves_nothing: There is never anything to give back.
            places: Where outside values may stand.
            end_left: Ends what a dead engine left in flight.
            undo_may_be_written: Beside a built-in undo; what is written counts.
            missing: As for a check.
        """
        self._refuse_twice(name, self._actions)
        kind = ActionKind(
            name,
            params,
            built_in_undo,
            leaves_nothing,
            dict(places or {}),
            undo_may_be_written,
            missing,
        )
        self._actions[name] = (kind, act)
        if end_left is not None:
            self._end_left[name] = end_left

    def add_plugins(self) -> list[str]:
        """Let every installed plug-in register itself; return their names.

        Raises:
            EngineError: a plug-in does not load; the message names it.
        """
        loaded = []
        for point in installed():
            try:
                point.load()(self)
            except Exception as error:
                raise EngineError(
                    f"plug-in '{point.name}' ({point.value}) does not load: {error}. "
                    "Repair it or uninstall its package."
                ) from error
            loaded.append(point.name)
        return loaded

    def freeze(self) -> "Registry":
        """Refuse every further kind; return the registry."""
        self._frozen = True
        return self

    @property
    def kinds(self) -> Kinds:
        """What is known of each kind, without its code."""
        return Kinds(
            {name: kind for name, (kind, _) in self._checks.items()},
            {name: kind for name, (kind, _) in self._actions.items()},
        )

    def check(self, name: str) -> tuple[CheckKind, LookCode]:
        """Return the kind and its code. Raises KeyError: not registered."""
        return self._checks[name]

    def action(self, name: str) -> tuple[ActionKind, ActCode]:
        """Return the kind and its code. Raises KeyError: not registered."""
        return self._actions[name]

    async def end_left(self, name: str, key: str) -> int:
        """End what was left in flight under the key of an act; return how many."""
        end = self._end_left.get(name)
        return 0 if end is None else await end(key)

    def _refuse_twice(self, name: str, kinds: Mapping[str, object]) -> None:
        if self._frozen:
            raise EngineError(f"kind '{name}' comes too late: the registry is frozen")
        if name in kinds:
            raise EngineError(f"kind '{name}' is registered twice; rename one of them")
