"""How alerts come in and by what they are judged: sources, watches, rules, silences."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.config import Config
    from engine.core.intake import Rules
    from engine.model.alert import Alert
    from engine.model.kinds import Kinds
    from engine.model.runbook import Runbook
    from engine.ports import Silences, SourceCode, Web
    from engine.runtime.library import Library
    from engine.runtime.watches import Watched


def parse_alerts(
    body: Any, source: str, config: "Config | None" = None
) -> "list[Alert]":
    """Return the alerts of a body that a source sent, as plain values.

    Args:
        body: The body, as JSON gives it.
        source: A name of `sources` in the configuration, or a kind.
        config: Whose `sources` are meant; left out: kinds alone.

    Raises:
        EngineError: the source is not known here, or it is no body of it.
    """
    import json

    raw = json.dumps(body, default=str).encode()
    return alerts_of(raw, source, config)


def alerts_of(raw: bytes, source: str, config: "Config | None" = None) -> "list[Alert]":
    """Return the alerts of a body as it was sent; the rest as of `parse_alerts`."""
    from engine.adapters.sources import SOURCES
    from engine.errors import EngineError
    from engine.ports import BadBody, Posted

    configured = sources(config) if config is not None else {}
    code = configured.get(source) or SOURCES.get(source)
    if code is None:
        known = ", ".join(dict.fromkeys([*configured, *SOURCES]))
        more = "; `generic` needs a `map`: name it under `sources`"
        raise EngineError(
            f"bodies of source '{source}' cannot be read; known: {known}"
            f"{more * (source == 'generic')}"
        )
    try:
        return list(code(Posted(raw, {}, 0.0), source).alerts)
    except BadBody as problem:
        raise EngineError(str(problem)) from problem


def starting_alert(
    runbook: "Runbook", raw: bytes, source: str, config: "Config"
) -> "Alert":
    """Return the firing alert of a body that starts a runbook.

    Args:
        runbook: Whose triggers are meant.
        raw: The body, as its source sends it.
        source: A name of `sources`, or a kind; "": each that the triggers name.
        config: Whose `sources` are meant.

    Raises:
        DoesNotApply: none of its alerts starts it, or it cannot be read; with the
            reasons.
    """
    from engine.core.intake import pick_alert
    from engine.errors import DoesNotApply, EngineError

    reasons = []
    for name in [source] if source else sources_of(runbook):
        try:
            alert, why = pick_alert(runbook, alerts_of(raw, name, config))
        except EngineError as error:
            reasons.append(f"as a body of '{name}': {error}")
            continue
        if alert is not None:
            return alert
        reasons.append(why)
    why = "; ".join(dict.fromkeys(reasons)) or "it has no trigger `alert`"
    raise DoesNotApply(f"it does not start '{runbook.runbook}': {why}")


def sources_of(runbook: "Runbook") -> list[str]:
    """Return the sources that the triggers of a runbook name, each once."""
    found: list[str] = []
    for one in runbook.trigger:
        if one.alert is not None:
            named = one.alert.source
            found += [named] if isinstance(named, str) else named
    return list(dict.fromkeys(found))


def kinds_of_sources() -> frozenset[str]:
    """Return the names of the kinds of sources; one needs no further name."""
    from engine.adapters.sources import SOURCES

    return frozenset(SOURCES)


def sources(config: "Config") -> "dict[str, SourceCode]":
    """Return the code that reads each configured source's bodies, by its name.

    Raises:
        EngineError: a kind is not known, or a part of a `map` is no CEL.
    """
    from engine.adapters.sources import SOURCES, generic_source
    from engine.errors import EngineError

    made: dict[str, SourceCode] = {}
    for name, one in config.settings.sources.items():
        kind = one.kind or name
        if one.sns is not None and kind != "cloudwatch":
            raise EngineError(
                f"sources.{name}: `sns` is for kind cloudwatch; a body of '{kind}' "
                "could hold more than what Amazon signed"
            )
        if kind == "generic" and one.map is not None:
            made[name] = generic_source(one.map.model_dump())
        elif kind in SOURCES:
            made[name] = SOURCES[kind]
        else:
            why = (
                "needs a `map`"
                if kind == "generic"
                else f"is no kind: {', '.join(SOURCES)}"
            )
            raise EngineError(f"sources.{name}: '{kind}' {why}")
    return made


def watched(config: "Config", kinds: "Kinds") -> "list[Watched]":
    """Return what the engine watches by itself.

    Raises:
        EngineError: a check is none, a heartbeat's source is none, or two raise the
            same alert; the message names its place.
    """
    from engine.errors import EngineError
    from engine.runtime.watches import Watched, call_of

    made: list[Watched] = []
    for number, one in enumerate(config.settings.watch):
        where = f"watch.{number}.check"
        beat, alert = one.heartbeat, one.alert
        if beat is not None and beat.source not in config.settings.sources:
            there = ", ".join(sorted(config.settings.sources)) or "none"
            raise EngineError(
                f"watch.{number}.heartbeat.source: no source '{beat.source}' is "
                f"configured, so its alert can never come. Configured: {there}"
            )
        labels = {"alertname": alert.alertname, "severity": alert.severity}
        made.append(
            Watched(
                labels | alert.labels,
                one.every.total_seconds(),
                one.for_.total_seconds(),
                call_of(one.check, kinds, where) if one.check is not None else None,
                beat.source if beat is not None else "",
                beat.match if beat is not None else {},
                alert.annotations,
                one.unknown == "fire",
            )
        )
        if made[-1].fingerprint in {other.fingerprint for other in made[:-1]}:
            raise EngineError(
                f"watch.{number}.alert: another watch raises the same alert, and each "
                "would end the other's. Give it another alertname, or labels."
            )
    return made


def rules(config: "Config", library: "Library") -> "Rules":
    """Return what alerts are judged by: triggers, and the configuration's limits."""
    from engine.core.intake import Quiet, Rules, rules_of, schedules_of

    settings, runbooks = config.settings, list(library.runbooks.values())
    return Rules(
        rules_of(runbooks),
        tuple(
            Quiet(one.match, one.from_.timestamp(), one.to.timestamp(), one.why)
            for one in settings.maintenance
        ),
        settings.limits.starts.max,
        settings.limits.starts.per.total_seconds(),
        settings.limits.at_once,
        problems=library.unpinned,
        schedules=schedules_of(runbooks),
        silenced_sources=frozenset(
            name
            for name, one in settings.sources.items()
            if (one.kind or name) == "alertmanager"
        ),
    )


def silences(config: "Config", web: "Web") -> "Silences | None":
    """Return where silences are asked for; None: no Alertmanager is configured."""
    import time

    from engine.adapters.silences import AskedSilences

    url = config.settings.alertmanager.url
    return AskedSilences(web, url, time.monotonic) if url is not None else None
