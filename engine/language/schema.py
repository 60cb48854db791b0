"""The JSON Schema of the file format, for editors: what is a key where, and why.

The models' schema, turned into the file's: the kind of a check or action is a key with
its own parameters, short forms are allowed, and parameters may hold `{{ text }}` or
`{secret: NAME}`. A file that loads fits this schema; the reverse needs `lint`.

Read by: the entry points, the reference page.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from engine.language.kinds import AGREE
from engine.model.kinds import ActionKind, CheckKind, Kinds
from engine.model.runbook import PHASES, Runbook
from engine.model.values import format_duration

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
SECRET: Final[dict[str, Any]] = {
    "type": "object",
    "description": "The value is fetched from the secrets right before use.",
    "properties": {
        "secret": {"type": "string", "description": "The name of the secret."}
    },
    "required": ["secret"],
    "additionalProperties": False,
}
TEXT: Final[dict[str, Any]] = {
    "type": "string",
    "pattern": r"\{\{",
    "description": "Text that is rendered when the run gets there.",
}
ISO: Final = re.compile(r"P(?:\d+D)?(?:T[\dHMS.]+)?")
_DURATION: Final = TypeAdapter(timedelta)
KIND: Final = "The kind; its value holds the parameters."
Schema = dict[str, Any]


def json_schema(kinds: Kinds) -> Schema:
    """Return the schema (draft 2020-12) of a runbook's file with these kinds."""
    schema = Runbook.model_json_schema(by_alias=True)
    found: Schema = schema["$defs"]
    checks = {"agree": AGREE, **kinds.checks}
    check_keys = _kind_keys(checks, found, "check")
    action_keys = _kind_keys(kinds.actions, found, "action")
    _kinded(found["Check"], check_keys)
    found["ImpactCheck"] = found["Check"]
    _kinded(found["Action"], action_keys)
    _kinded(found["ActionBody"], action_keys)
    _impact(found["Impact"])
    _short_forms(found)
    found["SecretRef"] = SECRET
    for part in (schema, *found.values()):
        _written_durations(part)
    schema["anyOf"] = [{"required": [phase]} for phase in PHASES]
    return {"$schema": DRAFT, **schema}


def _kind_keys(
    kinds: Mapping[str, CheckKind | ActionKind], found: Schema, what: str
) -> Schema:
    keys: Schema = {}
    for name, kind in sorted(kinds.items()):
        title = f"{what}.{name}"
        found[title] = _parameters(kind.params, found, title)
        keys[name] = {"$ref": f"#/$defs/{title}", "description": KIND}
    return keys


def _parameters(model: type[BaseModel], found: Schema, title: str) -> Schema:
    reference = f"#/$defs/{title}."
    schema = model.model_json_schema(
        by_alias=True, ref_template=reference + "{model}", mode="validation"
    )
    for name, inner in schema.pop("$defs", {}).items():
        found[f"{title}.{name}"] = _relaxed(inner)
    return _relaxed(schema, top=True)


def _relaxed(schema: Schema, *, top: bool = False) -> Schema:
    """Return the schema that also allows text to render and named secrets."""
    changed = dict(schema)
    for key in ("properties", "patternProperties"):
        if key in changed:
            changed[key] = {k: _relaxed(v) for k, v in changed[key].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(changed.get(key), dict):
            changed[key] = _relaxed(changed[key])
    for key in ("anyOf", "oneOf", "allOf"):
        if key in changed:
            changed[key] = [_relaxed(one) for one in changed[key]]
    if top:
        return changed
    kind = changed.get("type")
    if kind == "string" or "enum" in changed or "const" in changed:
        return _also(changed, TEXT, {"$ref": "#/$defs/SecretRef"})
    return _also(changed, TEXT) if kind in ("integer", "number", "boolean") else changed


def _also(schema: Schema, *others: Schema) -> Schema:
    outer = {
        key: schema.pop(key) for key in ("description", "default") if key in schema
    }
    return outer | {"anyOf": [schema, *others]}


def _kinded(schema: Schema, keys: Schema) -> None:
    """Put the kinds in place of `kind` and `params`: exactly one of them."""
    properties: Schema = schema["properties"]
    for name in ("kind", "params"):
        properties.pop(name)
    required = [it for it in schema.pop("required", []) if it not in ("kind", "params")]
    if required:
        schema["required"] = required
    schema["properties"] = keys | properties
    schema["oneOf"] = [{"required": [name]} for name in keys]


def _impact(schema: Schema) -> None:
    schema["properties"].pop("checks")
    schema["required"] = [it for it in schema["required"] if it != "checks"]
    schema["additionalProperties"] = {"$ref": "#/$defs/ImpactCheck"}


def _short_forms(found: Schema) -> None:
    """Allow what the models turn into their long form: one instead of a list."""
    need, text = {"$ref": "#/$defs/Need"}, {"type": "string"}
    for owner in ("ApproveStep", "Escalation"):
        _widen(found[owner], "from", need, text)
    for owner, key in (("ApproveStep", "not_by"), ("AskStep", "who")):
        _widen(found[owner], key, text)
    _widen(found["ChatTrigger"], "who", text)
    escalation = found["Escalation"]
    escalation["properties"] |= dict(found["Need"]["properties"])
    escalation.pop("required", None)
    escalation["oneOf"] = [{"required": ["from"]}, {"required": ["group"]}]
    for key in ("checks", "actions"):
        found["Test"]["properties"][key]["additionalProperties"] = True
    _widen(found["Test"], "people", {})


def _written_durations(schema: Schema) -> None:
    """Show defaults as they are written in a file: 10s, where pydantic says PT10S."""
    for value in schema.get("properties", {}).values():
        default = value.get("default") if isinstance(value, dict) else None
        if isinstance(default, str) and ISO.fullmatch(default):
            value["default"] = format_duration(_DURATION.validate_python(default))


def _widen(schema: Schema, key: str, *others: Schema) -> None:
    schema["properties"][key] = _also(dict(schema["properties"][key]), *others)


def described(schema: Schema) -> Iterator[tuple[str, str]]:
    """Yield (definition.key, description) of every key, for the reference page."""
    for name, part in {"Runbook": schema, **schema["$defs"]}.items():
        for key, value in part.get("properties", {}).items():
            yield f"{name}.{key}", value.get("description", "")
