"""What `doctor` says of the doors for alerts."""

import json
from pathlib import Path
from typing import Any

from cli_place import Place

CONFIG = """\
data: ./state
runbooks: [./runbooks]
secrets:
  here: {env: HERE}
  gone: {env: GONE}
sources:
  alertmanager: {token: [{secret: gone}, {secret: here}]}
  datadog: {token: {secret: here}, hmac: {secret: gone}}
  slackish: {kind: cloudevents, slack: {secret: unknown}}
  zabbix: {insecure: true}
server: {listen: LISTEN}
"""


def told(place: Place, listen: str) -> dict[str, tuple[str, str]]:
    """Return state and words by what was looked at."""
    text = CONFIG.replace("LISTEN", listen)
    Path(place.folder / "engine.yaml").write_text(text)
    _, out, _ = place.runbook("doctor", "--json", HERE="x")
    rows: list[dict[str, Any]] = json.loads(out)["findings"]
    return {
        row["what"]: (row["state"], row["told"])
        for row in rows
        if row["what"].startswith(("source", "server"))
    }


def test_doctor_tells_who_may_post(place: Place) -> None:
    """
    An open source is a warning; one that nobody can pass is a failure; of several
    secrets one with a value is enough.
    """
    expected = {
        "source alertmanager": ("ok", "asks for a bearer token"),
        "source datadog": ("fail", "nobody can post: no value for secret gone"),
        "source slackish": ("fail", "nobody can post: no value for secret unknown"),
        "source zabbix": ("warn", "anybody who reaches /alerts/zabbix may post"),
        "server": ("ok", "127.0.0.1:8080, for this machine alone"),
    }

    assert expected == told(place, "127.0.0.1:8080")


def test_doctor_warns_of_listening_without_tls(place: Place) -> None:
    """
    Beyond loopback, what is sent can be read on its way.
    """
    found = [told(place, one)["server"][0] for one in ("0.0.0.0:80", "'[::1]:80'", "localhost:80")]  # fmt: skip

    assert ["warn", "ok", "ok"] == found


def test_doctor_tells_whom_nothing_wakes(place: Place) -> None:
    """
    An owner without a service in PagerDuty is paged by a line in the log alone.
    """
    _, out, _ = place.runbook("doctor")
    (place.folder / "engine.yaml").write_text(
        "data: ./state\nrunbooks: [./runbooks]\nsecrets: {pd: {env: PD_KEY}}\n"
        "pagerduty: {routing_key: {secret: pd}}\n"
    )
    _, after, _ = place.runbook("doctor")

    assert "a page to them is a line in the log" in out
    assert "every owner has a service that is paged" in after


def test_doctor_warns_of_a_trigger_whose_source_is_none(place: Place) -> None:
    """
    A slip in a trigger's source starts nothing, and is told with the nearest name.
    """
    (place.folder / "engine.yaml").write_text(
        CONFIG.replace("LISTEN", "127.0.0.1:8080")
    )
    runbook = place.folder / "runbooks/flag.yaml"
    written = runbook.read_text()
    runbook.write_text(
        written.replace("source: alertmanager", "source: [alertmanger, zabbix]")
    )
    _, out, told = place.runbook("doctor", "--json", HERE="x")
    found = [one for one in json.loads(out)["findings"] if one["what"] == "triggers"]

    assert [
        ("warn", "'flag' waits for alerts of 'alertmanger', which is no source here")
    ] == [(one["state"], one["told"]) for one in found], told
    assert found[0]["do"].startswith("Did you mean 'alertmanager'? Name it under")
