"""`run --alert FILE`: the body of any kind of source, and of sources with own names."""

import json
from typing import get_args

import pytest
from cli_place import Place

from engine.bootstrap import starting_alert
from engine.config import Config, Settings
from engine.config.serving import SourceKind
from engine.errors import DoesNotApply
from engine.model.runbook import Runbook
from tests.adapters.sources.documented_bodies import CASES
from tests.rehearsing import runbook

ALERTMANAGER = {
    "version": "4",
    "alerts": [{"status": "firing", "labels": {"alertname": "Lag", "folder": "/x"}}],
}
GENERIC = {"title": "Lag", "where": "/x"}
MAP = {"name": "body.title", "status": '"firing"', "labels": {"folder": "body.where"}}
OTHERS: dict[str, object] = {  # kinds that no documented body of ours fires for
    "zabbix": {"hostname": "db1", "severity": "High", "status": "PROBLEM",
               "item": "ping", "trigger": "db1 is unreachable"},
    "newrelic": {"id": "i1", "title": "Lag", "state": "ACTIVATED", "priority": "HIGH",
                 "createdAt": 1764000000000, "issueUrl": "https://nr.example/i1"},
    "sentry": {"action": "created", "data": {"issue": {
        "id": "7", "title": "Lag", "level": "error", "status": "unresolved",
        "project": {"slug": "shop"}}}},
}  # fmt: skip
SOURCES = {
    "ours": {"kind": "generic", "insecure": True, "map": MAP},
    "generic": {"insecure": True, "map": MAP},
    "prod": {"kind": "grafana", "insecure": True},
}


def firing() -> dict[str, tuple[str, object]]:
    """Return one documented body of each kind that fires, and one of the others."""
    found: dict[str, tuple[str, object]] = {
        "alertmanager": ("alertmanager", ALERTMANAGER), "generic": ("generic", GENERIC),
    }  # fmt: skip
    found |= {kind: (kind, body) for kind, body in OTHERS.items()}
    for kind, body, expected in CASES.values():
        if any(one.status == "firing" for one in expected.alerts):
            found.setdefault(kind, (kind, body))
    body = found["grafana"][1]
    return found | {"of their own": ("prod", body), "mapped": ("ours", GENERIC)}


def triggered(*sources: str) -> Runbook:
    """Return a runbook that every alert of these sources starts."""
    named = ", ".join(sources)
    return runbook(
        f"trigger: [{{alert: {{source: [{named}], match: {{}}}}}}]\n"
        "restore: [{say: x}]"
    )


@pytest.mark.parametrize("name", sorted(firing()))
def test_a_body_of_every_source_starts_a_run(name: str) -> None:
    """
    Each kind, `generic` by its map, and sources with names of their own: told by the
    triggers, or by name.
    """
    source, body = firing()[name]
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    config = Config(Settings(sources=SOURCES))  # type: ignore[arg-type]
    book = triggered("uptime-kuma", source)

    assert [source] * 2 == [
        starting_alert(book, raw, named, config).source for named in ("", source)
    ]


def test_every_kind_is_tried() -> None:
    """
    No kind of source is left out of the test above.
    """
    assert {*get_args(SourceKind)} <= firing().keys()


def test_what_is_no_body_of_a_source_is_told() -> None:
    """
    The source, what is wrong with the body, and which sources there are.
    """
    config = Config(Settings(sources=SOURCES))  # type: ignore[arg-type]
    book = triggered("sentry", "nagios")
    with pytest.raises(DoesNotApply) as refused:
        starting_alert(book, b"nonsense", "", config)

    told = str(refused.value)
    assert told.startswith("it does not start 'small': as a body of 'sentry': ")
    assert "as a body of 'nagios': bodies of source 'nagios' cannot be read" in told
    assert "known: ours, generic, prod, alertmanager, azure-monitor" in told


def test_a_generic_source_with_its_own_name_at_the_command_line(place: Place) -> None:
    """
    The trigger names the source; its map in the configuration gives the inputs.
    """
    file = place.folder / "engine.yaml"
    file.write_text(file.read_text() + f"sources: {json.dumps(SOURCES)}\n")
    book = place.folder / "runbooks/flag.yaml"
    text = book.read_text().replace("source: alertmanager", "source: ours")
    text = text.replace("severity: [page, critical], ", "")
    book.write_text(text.replace("alertname: FlagUp", "alertname: Lag"))
    (place.folder / "a.json").write_text(
        json.dumps(GENERIC | {"where": f"{place.world}"})
    )
    code, out, told = place.runbook(
        "run", "flag", "--alert", "a.json", "--dry-run", "--json"
    )
    named = place.runbook("run", "flag", "--alert", "a.json", "--source", "prod")

    assert (0, {"folder": str(place.world)}) == (
        code, json.loads(out)["summary"]["inputs"] if out else told,
    )  # fmt: skip
    assert 1 == named[0]
    assert "runbook: a.json: it does not start 'flag': " in named[2]
