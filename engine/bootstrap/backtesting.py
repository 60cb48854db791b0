"""Alerts of the past, read from files or asked for, and played against the runbooks.

Called by `runbook backtest`.
"""

import json
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import EngineError
from engine.model.times import epoch_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.analysis.backtest import Backtest
    from engine.config import Config
    from engine.model.alert import Alert
    from engine.runtime.library import Library


def played(
    config: "Config", library: "Library", alerts: "Sequence[tuple[float, Alert]]"
) -> "Backtest":
    """Return what the alerts would have started."""
    from engine.analysis.backtest import backtest
    from engine.analysis.bounds import bounds
    from engine.bootstrap.alerts import rules

    compiled = {name: library.bundle(name).compiled for name in library.runbooks}
    worst = {name: bounds(one).total for name, one in compiled.items()}
    people: dict[str, list[str]] = {}
    for name, person in config.settings.people.items():
        for group in person.groups:
            people.setdefault(group, []).append(name)
    return backtest(rules(config, library), compiled, worst, alerts, people)


def alerts_in(file: Path, source: str, config: "Config") -> "list[tuple[float, Alert]]":
    """Return the alerts of a file: one body of a source, or JSON lines of them.

    A line may also be `{"at": ..., "source": ..., "body": ...}`, or one alert by itself
    (`labels`, `startsAt`, `endsAt`), as Alertmanager has it. What does not say when it
    began comes when the one before it came.

    Raises:
        EngineError: the file cannot be read, or a line is no body of any source; the
            message has the line's number.
    """
    found: list[tuple[float, Alert]] = []
    at = 0.0
    for number, one in _values(file):
        try:
            some = _alerts(one, source, config)
        except EngineError as error:
            where = f"{file}:{number}" if number else str(file)
            raise EngineError(f"{where}: {error}") from error
        said = one.get("at") if isinstance(one, dict) else None
        for alert in some:
            at = _moment(alert, said) or at
            found.append((at, alert))
    return found


def _values(file: Path) -> Iterator[tuple[int, Any]]:
    """Yield the values of a file with their lines; 0: the whole file is one."""
    try:
        text = file.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise EngineError(f"{file} cannot be read: {error.strerror}") from error
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        pass
    else:
        yield from ((0, one) for one in (whole if isinstance(whole, list) else [whole]))
        return
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise EngineError(f"{file}:{number}: it is no JSON: {error}") from error


def _alerts(one: Any, source: str, config: "Config") -> "list[Alert]":
    if isinstance(one, dict) and "body" in one and "at" in one:
        return _alerts(one["body"], str(one.get("source") or source), config)
    if isinstance(one, dict) and "labels" in one and "alerts" not in one:
        source = source or "alertmanager"
    return _by_source(json.dumps(one).encode(), source, config)


def _by_source(raw: bytes, source: str, config: "Config") -> "list[Alert]":
    """Return the alerts as the source sends them; of no source: of the first that can.

    Raises:
        EngineError: it is no body of the source, or of any.
    """
    from engine.bootstrap.alerts import alerts_of, kinds_of_sources

    if source:
        return alerts_of(raw, source, config)
    for name in [*config.settings.sources, *sorted(kinds_of_sources())]:
        try:
            found = alerts_of(raw, name, config)
        except EngineError:
            continue
        if found:
            return found
    raise EngineError("it is no body with alerts of any source; name it: --source NAME")


def _moment(alert: "Alert", said: Any) -> float:
    """Return when an alert came, as far as anything says it; else 0."""
    if isinstance(said, int | float) and not isinstance(said, bool):
        return float(said)
    told = [said if isinstance(said, str) else ""]
    told += [alert.ends_at if alert.status == "resolved" else "", alert.starts_at]
    for text in told:
        at = epoch_seconds(text, UTC) if text else None
        if at is not None and at > 0:
            return at
    return 0.0


async def asked(
    config: "Config", *, prometheus: str = "", alertmanager: str = "",
    since: float = 0.0, until: float = 0.0,
) -> "list[tuple[float, Alert]]":  # fmt: skip
    """Return what Prometheus has of that time, or Alertmanager now.

    Raises:
        EngineError: it cannot be asked.
    """
    from engine.adapters.alert_history import fired, firing
    from engine.bootstrap.kinds import door

    web = door(config)
    try:
        if prometheus:
            return await fired(web, prometheus, since, until)
        return await firing(web, alertmanager)
    finally:
        await web.aclose()
