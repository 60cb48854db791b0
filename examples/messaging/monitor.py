"""Put a monitor beside a running platform: Prometheus where it is, else our own.

Both read monitoring/rules.yml and answer the same queries; both tell the same
webhook body (Prometheus through Alertmanager). Their files are written into the
work directory, their processes belong to the platform and end with it.

Used by: __main__.py, the engine's demo and end-to-end tests.
"""

import shutil
import socket
import sys
from pathlib import Path
from string import Template
from typing import Literal

from .control import SOCKETS, Platform, PlatformError

TEMPLATES = Path(__file__).parent / "monitoring"
RULES = TEMPLATES / "rules.yml"
Kind = Literal["auto", "prometheus", "builtin"]


def start_monitor(
    platform: Platform, *, webhook: str | None = None, kind: Kind = "auto"
) -> str:
    """Start a monitor that scrapes each second; return the URL that takes queries.

    Prometheus scrapes for the first time about 5 s after its start.

    Args:
        platform: A running platform.
        webhook: Where alerts are told, as Alertmanager webhooks; None: nowhere.
        kind: `auto` takes Prometheus and Alertmanager where both are installed.

    Raises:
        PlatformError: it did not get ready, or `prometheus` is not installed.
    """
    if kind == "prometheus" and not installed():
        raise PlatformError("prometheus and alertmanager are not both installed")
    if kind == "builtin" or not installed():
        return _start_builtin(platform, webhook)
    return _start_prometheus(platform, webhook)


def installed() -> bool:
    """Return whether both Prometheus and Alertmanager can be started here."""
    return bool(shutil.which("prometheus") and _alertmanager())


def _alertmanager() -> str | None:
    return shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


def _targets(platform: Platform) -> dict[str, int]:
    return {name: platform.ports[f"{name}.http"] for name in SOCKETS}


def _start_builtin(platform: Platform, webhook: str | None) -> str:
    options = {"targets": _targets(platform), "webhook": webhook}
    platform.spawn("scraper", ("http",), options)
    platform.wait_healthy(("scraper",), "/-/ready")
    return platform.urls["scraper"]


def _start_prometheus(platform: Platform, webhook: str | None) -> str:
    directory = platform.directory / "monitoring"
    directory.mkdir(exist_ok=True)
    ports = {"prometheus": _free_port(), "alertmanager": _free_port()}
    render(platform, directory, webhook=webhook, alertmanager=ports["alertmanager"])
    for name, port in ports.items():
        platform.urls[name] = f"http://127.0.0.1:{port}"
        leash = [sys.executable, "-m", f"{__package__}.leash"]
        platform.launch(name, leash + _command(name, port, directory))
    platform.write_state()
    platform.wait_healthy(tuple(ports), "/-/ready")
    return platform.urls["prometheus"]


def render(
    platform: Platform, directory: Path, *, webhook: str | None, alertmanager: int
) -> None:
    """Write prometheus.yml, alertmanager.yml and rules.yml for a platform."""
    entry = "      - {{targets: ['127.0.0.1:{port}'], labels: {{job: {name}}}}}"
    targets = (entry.format(name=n, port=p) for n, p in _targets(platform).items())
    nowhere = "http://127.0.0.1:9/"  # the discard port: nobody listens
    filled = {
        "rules": str(directory / RULES.name),
        "alertmanager": f"127.0.0.1:{alertmanager}",
        "targets": "\n".join(targets),
        "webhook": webhook or nowhere,
    }
    for name in ("prometheus.yml", "alertmanager.yml"):
        text = Template((TEMPLATES / name).read_text()).substitute(filled)
        (directory / name).write_text(text)
    shutil.copy(RULES, directory / RULES.name)


def _command(name: str, port: int, directory: Path) -> list[str]:
    listen = f"--web.listen-address=127.0.0.1:{port}"
    config = f"--config.file={directory / name}.yml"
    if name == "prometheus":
        data = f"--storage.tsdb.path={directory / 'data'}"
        return ["prometheus", config, data, listen, "--log.level=warn"]
    return [
        _alertmanager() or "alertmanager",
        config,
        f"--storage.path={directory / 'alerts'}",
        listen,
        f"--web.external-url=http://127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
