"""Real servers for tests: Prometheus and Alertmanager as the system packages bring them.

Each is a context manager that gives the server's address and ends the process after.
`need` skips a test whose part is missing, or fails it where STRICT_TESTS=1 is set.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

import pytest

READY_WITHIN_SECONDS: Final = 20.0
TRIES: Final = 3  # a free port may be taken between looking and listening


def strict() -> bool:
    """Return whether a missing part is a failure."""
    return os.environ.get("STRICT_TESTS") == "1"


def need(program: str) -> str:
    """Return the path of a program; without it the test is skipped, or fails."""
    found = shutil.which(program)
    if found is not None:
        return found
    reason = f"'{program}' is not installed"
    if strict():
        pytest.fail(f"{reason}, and STRICT_TESTS=1 is set")
    pytest.skip(reason)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def prometheus(
    tmp_path: Path,
    scrape: Sequence[str] = (),
    *,
    rules: str | None = None,
    alertmanager_url: str | None = None,
    history: Path | None = None,
) -> Iterator[str]:
    """Run Prometheus for the block: it scrapes itself and `scrape` every second.

    Args:
        tmp_path: Holds its files.
        scrape: Targets as "127.0.0.1:9100"; the job of all of them is `parts`.
        rules: The text of a rule file, evaluated every second.
        alertmanager_url: Where its alerts go.
        history: Samples of the past that it has, as OpenMetrics text.
    """
    program = need("prometheus")
    folder = tmp_path / "prometheus"
    folder.mkdir(parents=True)
    if history is not None:
        words = ["tsdb", "create-blocks-from", "openmetrics", history, folder / "data"]
        tool = [need("promtool"), *map(str, words)]
        subprocess.run(tool, check=True, stdout=subprocess.DEVNULL)
    for _ in range(TRIES):
        port = free_port()
        config = _prometheus_config(port, scrape, rules, alertmanager_url)
        (folder / "prometheus.yml").write_text(json.dumps(config))
        (folder / "rules.yml").write_text(rules or "groups: []")
        arguments = [
            program,
            "--config.file=prometheus.yml",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
            "--web.enable-lifecycle",
            "--log.level=warn",
        ]
        with _running(arguments, folder, f"http://127.0.0.1:{port}") as url:
            if url is not None:
                yield url
                return
    pytest.fail((folder / "log").read_text()[-2000:])


def _prometheus_config(
    port: int, scrape: Sequence[str], rules: str | None, alertmanager_url: str | None
) -> dict[str, Any]:
    config: dict[str, Any] = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "scrape_configs": [
            {
                "job_name": "prometheus",
                "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
            }
        ],
    }
    if scrape:
        parts = {"job_name": "parts", "static_configs": [{"targets": list(scrape)}]}
        config["scrape_configs"].append(parts)
    if rules is not None:
        config["rule_files"] = ["rules.yml"]
    if alertmanager_url is not None:
        target = alertmanager_url.removeprefix("http://")
        config["alerting"] = {
            "alertmanagers": [{"static_configs": [{"targets": [target]}]}]
        }
    return config


@contextmanager
def alertmanager(
    tmp_path: Path,
    webhook: str | None = None,
    *,
    token: str = "",
    cluster: tuple[int, int] | None = None,
    port: int = 0,
) -> Iterator[str]:
    """Run Alertmanager for the block; every alert goes to `webhook`, if there is one.

    Groups are by alertname and region, wait 1 s, and send again after 2 s.

    Args:
        tmp_path: Holds its files; one that was used before is taken up again.
        webhook: Where alerts go, with the bearer token, if there is one.
        token: See `webhook`.
        cluster: Its own port for gossip, and that of the other one.
        port: Where it listens; left out: anywhere.
    """
    program = need("prometheus-alertmanager")
    folder = tmp_path / "alertmanager"
    folder.mkdir(parents=True, exist_ok=True)
    hook: dict[str, Any] = {"url": webhook, "send_resolved": True}
    if token:
        hook["http_config"] = {"authorization": {"credentials": token}}
    hooks = [hook] if webhook else []
    gossip = ["--cluster.listen-address="]
    if cluster is not None:
        gossip = [
            f"--cluster.listen-address=127.0.0.1:{cluster[0]}",
            f"--cluster.peer=127.0.0.1:{cluster[1]}",
            "--cluster.peer-timeout=2s",
        ]
    config = {
        "route": {
            "receiver": "runbook",
            "group_by": ["alertname", "region"],
            "group_wait": "1s",
            "group_interval": "2s",
            "repeat_interval": "1h",
        },
        "receivers": [{"name": "runbook", "webhook_configs": hooks}],
    }
    (folder / "alertmanager.yml").write_text(json.dumps(config))
    for _ in range(TRIES):
        listen = port or free_port()
        arguments = [
            program,
            "--config.file=alertmanager.yml",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{listen}",
            f"--web.external-url=http://127.0.0.1:{listen}",
            *gossip,
            "--log.level=warn",
        ]
        with _running(arguments, folder, f"http://127.0.0.1:{listen}") as url:
            if url is not None:
                yield url
                return
    pytest.fail((folder / "log").read_text()[-2000:])


@contextmanager
def _running(arguments: list[str], folder: Path, url: str) -> Iterator[str | None]:
    """Run a server; give its address when it is ready, or None when it ended."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(arguments, cwd=folder, stdout=log, stderr=log)
        try:
            yield url if _ready(process, f"{url}/-/ready") else None
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready(process: subprocess.Popen[bytes], url: str) -> bool:
    ends = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return True
        except (URLError, OSError):
            pass
        time.sleep(0.05)
    return False
