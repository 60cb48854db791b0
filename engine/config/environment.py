"""Settings from the environment: RUNBOOK_DATA, RUNBOOK_SERVER__LISTEN.

What is here: which variables are settings, their nested values, and what is said of
those that are none or do not fit. Read by: loading.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from engine.config.settings import PREFIX, Settings
from engine.language.problems import Problem, nearest, suggest
from engine.model.values import Model

NOT_SETTINGS: Final = frozenset(  # which file, which server; the others are an act's
    {"RUNBOOK_CONFIG", "RUNBOOK_URL", "RUNBOOK_TOKEN"}
    | {"RUNBOOK_KEY", "RUNBOOK_FENCE", "RUNBOOK_UNDO"}
)


class _Environment(EnvSettingsSource):
    """Variables as nested values; what is not JSON stays text."""

    def decode_complex_value(self, field_name: str, field: Any, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def environment_values(
    environ: Mapping[str, str],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what the environment sets, and the variable of each dotted key."""
    ours = {name: value for name, value in environ.items() if _is_setting(name)}
    source = _Environment(Settings)
    source.env_vars = {name.lower(): value for name, value in ours.items()}
    variables = {
        name.removeprefix(PREFIX).lower().replace("__", "."): name for name in ours
    }
    return source(), variables


def _is_setting(name: str) -> bool:
    head = name.removeprefix(PREFIX).partition("__")[0].lower()
    return (
        name.startswith(PREFIX)
        and name not in NOT_SETTINGS
        and head in Settings.model_fields
    )


def stray_variables(environ: Mapping[str, str], written: Any) -> Iterator[Problem]:
    """Yield each variable of our prefix that names no key, with the nearest."""
    secrets = written.get("secrets") if isinstance(written, dict) else None
    sources = secrets.values() if isinstance(secrets, dict) else ()
    named = {one.get("env") for one in sources if isinstance(one, dict)}
    for name in environ:
        ours = name.startswith(PREFIX) and name not in NOT_SETTINGS | named
        if ours and not _is_setting(name):
            known = [PREFIX + key.upper() for key in Settings.model_fields]
            hint = suggest(name, known, "variables")
            message = f"the variable {name} is no setting"
            yield Problem("environment", 1, 1, "error", "unknown-key", message, hint)


def variable_problems(
    error: ValidationError, variables: Mapping[str, str]
) -> list[object]:
    """The file alone was right: each of these came in by a variable."""
    problems: list[object] = []
    for one in error.errors(include_url=False, include_input=False):
        path = [str(part) for part in one["loc"]]
        name = _variable(path, variables)
        message = f"{name}: {one['msg'].removeprefix('Value error, ')}"
        hint = ""
        if one["type"] == "extra_forbidden":
            message = f"the variable {name} is no setting"
            hint = nearest(name, [_as_variable(key) for key in every_key(Settings())])
        problems.append(Problem("environment", 1, 1, "error", "config", message, hint))
    return problems


def _as_variable(key: str) -> str:
    return PREFIX + key.upper().replace(".", "__")


def _variable(path: Sequence[str], variables: Mapping[str, str]) -> str:
    for length in range(len(path), 0, -1):
        found = variables.get(".".join(path[:length]))
        if found is not None:
            return found
    head = ".".join(path[:1])
    near = [name for key, name in variables.items() if key.startswith(head)]
    return ", ".join(near) or head


def every_key(settings: Settings) -> Iterator[str]:
    """Yield every key of the configuration, as it is written: server.listen."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Model):
            yield from (f"{name}.{part}" for part in type(value).model_fields)
        elif isinstance(value, dict) and value:
            for key, one in value.items():
                if isinstance(one, Model):
                    yield from (f"{name}.{key}.{part}" for part in one.model_fields_set)
                else:
                    yield f"{name}.{key}"
        else:
            yield name
