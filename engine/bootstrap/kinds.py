"""Every kind of check and action with its adapter, and the one door to the network."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.adapters.kubernetes.parameters import Cluster
    from engine.adapters.pagerduty import Services
    from engine.adapters.ssh.parameters import SshDefaults
    from engine.adapters.web import HttpxWeb
    from engine.config import Config
    from engine.model.kinds import Kinds
    from engine.ports import Web
    from engine.registry import Registry


def registry(config: "Config", web: "Web") -> "Registry":
    """Return every kind of check and action: ours, then plug-ins'.

    Raises:
        EngineError: a plug-in does not load.
    """
    from engine.adapters import (  # isort: skip
        alertmanager, command, datadog, dns, http, kubernetes, newrelic, pagerduty,
        prometheus, ssh, status_page, tcp, tls,
    )  # fmt: skip
    from engine.adapters.patience import PatientWeb
    from engine.model.kinds import Agree
    from engine.registry import Registry

    made = Registry()
    made.add_check("agree", Agree, _viewpoints, judges_itself=True)
    settings, patient = config.settings, PatientWeb(web)
    command.register(made)
    for adapter in (http, tcp, dns, tls):
        adapter.register(made, web)
    pagerduty.register(made, web, services(config))
    prometheus.register(made, patient, settings.prometheus.url)
    datadog.register(made, patient, settings.datadog)
    newrelic.register(made, patient, settings.newrelic)
    status_page.register(made, web, settings.status_page)
    ssh.register(made, web, _ssh_defaults(config))
    kubernetes.register(made, web, _cluster(config))
    alertmanager.register(made, web, settings.alertmanager.url)
    made.add_plugins()
    return made.freeze()


def services(config: "Config") -> "Services":
    """Return through which service of PagerDuty each group is paged."""
    from engine.adapters.pagerduty import Services

    said = config.settings
    keys = {
        name: one.pagerduty
        for name, one in said.groups.items()
        if one.pagerduty is not None
    }
    return Services(said.pagerduty.routing_key, keys, said.pagerduty.url)


def _cluster(config: "Config") -> "Cluster":
    from engine.adapters.kubernetes.parameters import Cluster

    said = config.settings.kubernetes
    ca_file = config.file_of("kubernetes.ca_file", said.ca_file)
    return Cluster(said.url, said.token, ca_file, said.namespace)


def _ssh_defaults(config: "Config") -> "SshDefaults":
    from engine.adapters.ssh.parameters import SshDefaults

    said = config.settings.ssh
    return SshDefaults(
        said.user,
        config.file_of("ssh.known_hosts", said.known_hosts),
        said.key,
        config.file_of("ssh.key_file", said.key_file),
        said.passphrase,
        agent=said.agent,
    )


async def _viewpoints(params: Any, call: Any) -> Any:
    """The runtime looks at the viewpoints of `agree` itself; alone it sees nothing."""
    from engine.model.evidence import Observation

    return Observation(unknown="agree has no viewpoints to look at", retryable=False)


def door(config: "Config") -> "HttpxWeb":
    """Return the one door to the network."""
    from ipaddress import ip_network

    from engine.adapters.web import HttpxWeb

    return HttpxWeb([ip_network(one) for one in config.settings.network.allow])


def kinds(config: "Config | None" = None) -> "Kinds":
    """Return what is known of each kind, without its code."""
    from engine.config import Config, Settings

    config = config or Config(Settings())
    return registry(config, door(config)).kinds
