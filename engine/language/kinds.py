"""Which kind a check or an action is of, and whether its parameters fit that kind.

The kind is the one key of a body that the model does not know. It is named here, with
the known kinds at hand, so that a slip in another key is not taken for a second kind.
A value that holds `{{` is judged at run time, and `{secret: NAME}` may stand wherever
text is expected.

Read by: load.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from engine.language.problems import Problem, suggest
from engine.language.pydantic_problems import Reporter, holds, model_problems
from engine.language.slips import Slip, close, slips_in
from engine.language.tree import Tree
from engine.model.kinds import ActionKind, Agree, CheckKind, Kinds
from engine.model.vocabulary import ACTION_KEYS, BODY_KEYS, CHECK_KEYS

AGREE: Final = CheckKind("agree", Agree, judges_itself=True)
IMPACT_KEYS: Final = frozenset({"weight", "every"})
NO_KIND: Final = "(none)"

AnyKind = CheckKind | ActionKind
Place = tuple[str, ...]


class KindNaming:
    """Names the kind of every body and reports what does not fit."""

    def __init__(self, tree: Tree, file: str, kinds: Kinds) -> None:
        self.report = Reporter(tree, file)
        self.tree = tree
        self.file = file
        self.checks: Mapping[str, AnyKind] = {"agree": AGREE, **kinds.checks}
        self.actions: Mapping[str, AnyKind] = kinds.actions
        self.problems: list[Problem] = self.report.problems
        self.slips: list[Slip] = []

    def named(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the file's values with `kind` and `params` in every body."""
        changed = dict(raw)
        for section, known in (("checks", self.checks), ("actions", self.actions)):
            if isinstance(raw.get(section), dict):
                changed[section] = self._bodies(raw[section], (section,), known)
        if isinstance(raw.get("impact"), dict):
            changed["impact"] = self._impact(raw["impact"])
        return changed

    def _impact(self, raw: dict[str, Any]) -> dict[str, Any]:
        own = {key: raw[key] for key in raw if key in IMPACT_KEYS}
        checks = {key: raw[key] for key in raw if key not in own}
        return own | {"checks": self._bodies(checks, ("impact",), self.checks)}

    def _bodies(
        self, raw: dict[str, Any], path: Place, known: Mapping[str, AnyKind]
    ) -> dict[str, Any]:
        if path == ("actions",):
            return {name: self._action(body, name) for name, body in raw.items()}
        return {
            name: self._body(body, (*path, name), known, CHECK_KEYS, "a check")
            for name, body in raw.items()
        }

    def _action(self, raw: Any, name: str) -> Any:
        path = ("actions", name)
        body = self._body(raw, path, self.actions, ACTION_KEYS, "an action")
        if isinstance(body, dict) and isinstance(body.get("undo"), dict):
            place = (*path, "undo")
            undo = self._body(body["undo"], place, self.actions, BODY_KEYS, "an undo")
            return body | {"undo": undo}
        return body

    def _body(
        self,
        raw: Any,
        path: Place,
        known: Mapping[str, AnyKind],
        keys: frozenset[str],
        what: str,
    ) -> Any:
        if not isinstance(raw, dict):
            return raw
        own = {key: value for key, value in raw.items() if key in keys}
        others = [key for key in raw if key not in keys]
        fitting = [key for key in others if key in known]
        kind = self._kind(others, fitting, path, known, keys, what)
        if kind is None:
            return own | {"kind": NO_KIND, "params": None}
        for key in fitting:
            self._installed((*path, key), known[key])
            self._parameters(raw[key], (*path, key), known[key])
        return own | {"kind": kind, "params": raw[kind]}

    def _kind(
        self,
        others: list[str],
        fitting: list[str],
        path: Place,
        known: Mapping[str, AnyKind],
        keys: frozenset[str],
        what: str,
    ) -> str | None:
        if not others:
            message = f"{what} needs one key that names its kind"
            hint = "Kinds: " + ", ".join(sorted(known)) + "."
            self.report.add(path, "kind", message, hint)
            return None
        if len(fitting) > 1:
            named = ", ".join(f"'{kind}'" for kind in fitting)
            message = f"{what} has more than one kind: {named}"
            self.report.add((*path, fitting[1]), "kind", message, "Keep one.", key=True)
        meant = fitting or _meant_as_kinds(others, known, keys)
        for key in others:
            if key not in known:
                is_kind = not fitting and key in meant
                self._unknown(key, path, known, keys, what, is_kind)
        return meant[0] if fitting or len(meant) == 1 else None

    def _unknown(
        self,
        key: str,
        path: Place,
        known: Mapping[str, AnyKind],
        keys: frozenset[str],
        what: str,
        is_kind: bool,
    ) -> None:
        place = (*path, key)
        if not is_kind:
            hint = suggest(key, sorted(keys), "keys")
            message = f"unknown key '{key}' in {what}"
            self.report.add(place, "unknown-key", message, hint, key=True)
            self._slip(place, close(key, keys))
            return
        self._slip(place, close(key, [*known, *keys]))
        near = suggest(key, [*sorted(known), *sorted(keys)], "")
        hint = near if near.startswith("Did") else suggest(key, sorted(known), "kinds")
        self.report.add(
            place, "unknown-kind", f"'{key}' is not a kind of {what[2:].strip()}",
            hint, key=True,
        )  # fmt: skip

    def _slip(self, place: Place, meant: str | None) -> None:
        if meant is not None:
            self.slips.append(Slip(place, meant, key=True))

    def _installed(self, path: Place, kind: AnyKind) -> None:
        if kind.missing:
            message = f"'{kind.name}' needs a library that is not installed"
            self.report.add(path, "not-installed", message, kind.missing, key=True)

    def _parameters(self, params: Any, path: Place, kind: AnyKind) -> None:
        try:
            kind.params.model_validate(params)
        except ValidationError as error:
            left = [it for it in error.errors() if not _left_to_run_time(it, params)]
            self.problems += model_problems(
                error, self.tree, self.file, model=kind.params, at=path, only=left
            )
            self.slips += slips_in(left, kind.params, params, at=path)
        except Exception as error:  # noqa: BLE001 - a plug-in's validator may do anything
            message = f"these parameters do not fit '{kind.name}': {error}"
            self.report.add(path, "params", message, "")


def _meant_as_kinds(
    others: list[str], known: Mapping[str, AnyKind], keys: frozenset[str]
) -> list[str]:
    """Return those of the unknown keys that are no slip of a key beside the kind."""
    found = [key for key in others if close(key, known) or not close(key, keys)]
    return found or others


def _left_to_run_time(error: Any, params: Any) -> bool:
    if error["type"] in ("missing", "extra_forbidden"):
        return any(_is_secret(value) for value in _along(params, error["loc"]))
    values = list(_along(params, error["loc"]))
    if any(_is_secret(value) for value in values):
        return True
    last = values[-1]
    if isinstance(last, dict | list):
        return "{{" in str(error["msg"])
    return isinstance(last, str) and "{{" in last


def _along(value: Any, loc: tuple[int | str, ...]) -> Iterator[Any]:
    """Yield the values on the way of the error, as far as they are there."""
    yield value
    for part in loc:
        if not holds(value, part):
            continue  # the name of a union's arm
        value = value[part]
        yield value


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"secret"}


def kind_of(kinds: Kinds, name: str) -> CheckKind | None:
    """Return the kind of a check by its name, `agree` included, or None."""
    return kinds.checks.get(name) or (AGREE if name == "agree" else None)
