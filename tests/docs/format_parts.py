"""The reference of the file format, of kinds and of settings: made from the models."""

from typing import Final

from pydantic import BaseModel

from engine import bootstrap
from engine.config import load_config
from engine.config.chatting import (
    Chat,
    Group,
    Mattermost,
    OnCall,
    Override,
    PagerDuty,
    PagerDutySchedule,
    Shift,
    Slack,
    WayOut,
)
from engine.config.serving import (
    AlertMap,
    Doctor,
    EngineLimits,
    Heartbeat,
    Hmac,
    Maintenance,
    Retention,
    SlackSignature,
    SnsSignature,
    Source,
    Starts,
    Token,
    UserPassword,
    Watch,
    WatchedAlert,
)
from engine.config.settings import (
    PREFIX,
    Address,
    BreakGlass,
    Datadog,
    Defaults,
    Kubernetes,
    Network,
    NewRelic,
    Person,
    SecretSource,
    Server,
    Settings,
    Ssh,
    StatusPage,
)
from engine.model import runbook, steps, vocabulary
from engine.model.credentials import Basic
from engine.model.kinds import ActionKind, CheckKind, Kinds
from tests.docs.words import default, first_line, hints, keys_table, table, words

TOP: Final[dict[type[BaseModel], str]] = {
    runbook.Runbook: "Top level",
    runbook.Trigger: "trigger",
    runbook.AlertMatch: "trigger alert",
    runbook.ChatTrigger: "trigger chat",
    vocabulary.Input: "inputs",
    runbook.Limits: "limits",
    runbook.RunRate: "limits runs",
    runbook.Targets: "limits targets",
    runbook.TimeLimits: "limits time",
    vocabulary.Check: "checks",
    vocabulary.Action: "actions",
    vocabulary.ActionBody: "undo",
    vocabulary.Retry: "retry",
    vocabulary.Remember: "remember",
    vocabulary.Impact: "impact",
    runbook.RaiseRule: "raise",
    runbook.StopRule: "stop_when",
    runbook.ConfirmStep: "confirm",
    runbook.ChatRoom: "chat",
    runbook.Test: "tests",
    runbook.ScriptedEvent: "tests events",
    runbook.Expectation: "tests expect",
    runbook.Always: "always",
}
INSIDE_STEPS: Final[dict[type[BaseModel], str]] = {
    steps.Cause: "one cause",
    steps.Need: "from",
    steps.Escalation: "then",
}
LINKS: Final[dict[type, str]] = {**TOP, **INSIDE_STEPS}
KIND_ROW: Final = "| *the kind* | its parameters | **required** | One key that names the kind, with its parameters: see [kinds](kinds.md). |"


def format_keys() -> str:
    """Every key outside the steps, one section for each model."""
    return "\n\n".join(_section(model, title) for model, title in TOP.items())


def _section(model: type[BaseModel], title: str) -> str:
    but = {"kind", "params"} & set(model.model_fields)
    text = keys_table(model, LINKS, but=but)
    if model is vocabulary.Impact:
        text = keys_table(model, LINKS, but={"checks"}) + (
            "\n| *any name* | [checks](#checks) | | "
            + (model.model_fields["checks"].description or "")
            + " It may leave out `pass`. |"
        )
    elif but:
        head, rule, rows = text.split("\n", 2)
        text = f"{head}\n{rule}\n{KIND_ROW}\n{rows}"
    return f"## {title}\n\n{first_line(model.__doc__)}\n\n{text}"


def step_keys() -> str:
    """What may stand in each step."""
    common = set(steps.Step.model_fields)
    parts = ["### every step\n\n" + keys_table(steps.Step, LINKS)]
    for verb, model in steps.VERBS.items():
        own = keys_table(model, LINKS, but=common)
        parts.append(f"### step {verb}\n\n{first_line(model.__doc__)}\n\n{own}")
    for inside, title in INSIDE_STEPS.items():
        own = keys_table(inside, LINKS)
        parts.append(f"### {title}\n\n{first_line(inside.__doc__)}\n\n{own}")
    return "\n\n".join(parts)


def known_kinds() -> Kinds:
    """The kinds of an engine without plug-ins of its own."""
    return bootstrap.kinds(load_config(environ={}))


def check_kinds() -> str:
    """Each kind of check: its parameters, and what `pass` may use."""
    kinds = known_kinds().checks
    return "\n\n".join(_check(kinds[name]) for name in sorted(kinds))


def action_kinds() -> str:
    """Each kind of action."""
    kinds = known_kinds().actions
    return "\n\n".join(_action(kinds[name]) for name in sorted(kinds))


def _check(kind: CheckKind) -> str:
    sees = ", ".join(f"`{name}`" for name in kind.sees) or "nothing"
    judges = (
        "It judges by itself; `pass` may be left out."
        if kind.judges_itself
        else "`pass` is required."
    )
    facts = f"`pass` may use: {sees}. {judges}"
    return _kind(f"check {kind.name}", kind, facts)


def _action(kind: ActionKind) -> str:
    facts = "The way back is written as `undo`."
    if kind.built_in_undo:
        facts = "The way back is built in; no `undo` is written."
    if kind.undo_may_be_written:
        facts = "The way back is built in; an `undo` that is written counts instead."
    if kind.leaves_nothing:
        facts = "It leaves nothing that could be given back; no `undo` is written."
    return _kind(f"action {kind.name}", kind, facts)


def _kind(title: str, kind: CheckKind | ActionKind, facts: str) -> str:
    doc = " ".join((kind.params.__doc__ or "").split())
    typed = hints(kind.params)
    rows = [
        (
            f"`{field.alias or name}`",
            words(typed[name], {}).replace(Basic.__name__, "`{user: …, password: …}`"),
            default(field),
            kind.places.get(field.alias or name, "text"),
            field.description or "",
        )
        for name, field in kind.params.model_fields.items()
    ]
    own = table(("parameter", "type", "left out", "stands in", "meaning"), rows)
    return f"### {title}\n\n{doc}\n\n{facts}\n\n{own}"


NESTED: Final[dict[str, type[BaseModel]]] = {
    "people.NAME": Person,
    "network": Network,
    "secrets.NAME": SecretSource,
    "defaults": Defaults,
    "server": Server,
    "prometheus": Address,
    "alertmanager": Address,
    "traces": Address,
    "break_glass": BreakGlass,
    "ssh": Ssh,
    "kubernetes": Kubernetes,
    "datadog": Datadog,
    "newrelic": NewRelic,
    "status_page": StatusPage,
    "server.tokens.NAME": Token,
    "sources.NAME": Source,
    "sources.NAME.basic": UserPassword,
    "sources.NAME.hmac": Hmac,
    "sources.NAME.slack": SlackSignature,
    "sources.NAME.sns": SnsSignature,
    "sources.NAME.map": AlertMap,
    "limits": EngineLimits,
    "limits.starts": Starts,
    "maintenance.N": Maintenance,
    "retention": Retention,
    "doctor": Doctor,
    "pagerduty": PagerDuty,
    "chat": Chat,
    "chat.slack": Slack,
    "chat.mattermost": Mattermost,
    "chat.fallback.NAME": WayOut,
    "groups.NAME": Group,
    "groups.NAME.oncall": OnCall,
    "groups.NAME.oncall.shift": Shift,
    "groups.NAME.oncall.overrides.N": Override,
    "groups.NAME.oncall.pagerduty": PagerDutySchedule,
    "watch.N": Watch,
    "watch.N.heartbeat": Heartbeat,
    "watch.N.alert": WatchedAlert,
}


def config_keys() -> str:
    """Every key of the configuration, with its variable."""
    rows = [row for name in Settings.model_fields for row in _settings(name)]
    return table(("key", "variable", "type", "left out", "meaning"), rows)


def _settings(name: str) -> list[tuple[str, ...]]:
    paths = [one for one in NESTED if one.split(".")[0] == name]
    if not paths:
        return [_setting(Settings, name, name)]
    return [
        _setting(
            NESTED[path], key, f"{path}.{NESTED[path].model_fields[key].alias or key}"
        )
        for path in paths
        for key in NESTED[path].model_fields
        if not any(one.startswith(f"{path}.{key}") for one in paths)
    ]


def _setting(model: type[BaseModel], name: str, path: str) -> tuple[str, ...]:
    field = model.model_fields[name]
    variable = PREFIX + path.upper().replace(".", "__")
    return (
        f"`{path}`",
        "" if ".N." in path else f"`{variable}`",
        words(hints(model)[name]),
        default(field),
        field.description or "",
    )
