"""The configuration: where values come from, and what is said of wrong ones."""

from pathlib import Path

import pytest

from engine.bootstrap import kinds
from engine.bootstrap.alerts import watched
from engine.config import load_config
from engine.errors import ConfigRefused, EngineError
from engine.language.problems import Problem, format_text

WHOLE = """\
data: ./state
runbooks: [./books, ./more/one.yaml]
people:
  ana: {groups: [messaging-oncall], slack: U01ANA}
network: {allow: [127.0.0.0/8]}
secrets: {deploy_token: {env: DEPLOY_TOKEN}, chat_token: {file: ./chat.token}}
defaults: {check_timeout: 8s}
server: {listen: '127.0.0.1:8080'}
prometheus: {url: http://127.0.0.1:9090}
me: ana
"""
WRONG = """\
dat: ./state
people:
  ana: {group: [x]}
network: {allow: [127.0.0.1/8]}
secrets: {a: {env: X, file: y}}
defaults: {check_timeout: 12s, act_timeout: 5}
server: {listen: 8080}
"""
WRONG_TOLD = """\
engine.yaml:1:1: error[unknown-key]: unknown key 'dat' in the file
  Did you mean 'data'?
    dat: ./state
    ^
engine.yaml:3:9: error[unknown-key]: unknown key 'group' in 'ana'
  Did you mean 'groups'?
      ana: {group: [x]}
            ^
engine.yaml:4:19: error[value]: '127.0.0.1/8' is no network: write it like 10.0.0.0/8
    network: {allow: [127.0.0.1/8]}
                      ^
engine.yaml:5:14: error[value]: a secret has exactly one of env, file
    secrets: {a: {env: X, file: y}}
                 ^
engine.yaml:6:27: error[value]: check_timeout may only be shorter than the format's 10s, \
and not 0s
    defaults: {check_timeout: 12s, act_timeout: 5}
                              ^
engine.yaml:6:45: error[duration]: 'act_timeout': a duration needs a unit: write 5s
    defaults: {check_timeout: 12s, act_timeout: 5}
                                                ^
engine.yaml:7:18: error[type]: 'listen' must be text; found 8080
  Put it in quotes: '8080'.
    server: {listen: 8080}
                     ^"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(refused: pytest.ExceptionInfo[ConfigRefused]) -> str:
    """Return the problems as a person reads them."""
    problems = [one for one in refused.value.problems if isinstance(one, Problem)]
    return format_text(problems)


@pytest.mark.usefixtures("here")
def test_no_file_is_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without a file and without variables everything has its default, and says so.
    """
    monkeypatch.setenv("XDG_STATE_HOME", "/var/lib/somebody")
    config = load_config(environ={})

    assert Path("/var/lib/somebody/runbook") == config.data
    assert [Path("runbooks")] == config.runbooks
    assert {} == config.groups
    assert {"default"} == set(config.origins.values())


@pytest.mark.usefixtures("here")
def test_an_empty_file_is_the_defaults() -> None:
    """
    A file of comments is no file.
    """
    Path("engine.yaml").write_text("# nothing yet\n")

    assert [Path("runbooks")] == load_config(environ={}).runbooks


def test_paths_are_relative_to_the_file(here: Path) -> None:
    """
    `data`, `runbooks` and secret files are relative to the folder of the file.
    """
    (here / "etc").mkdir()
    (here / "etc/engine.yaml").write_text(WHOLE)
    config = load_config(Path("etc/engine.yaml"), environ={})

    assert Path("etc/state") == config.data
    assert [Path("etc/books"), Path("etc/more/one.yaml")] == config.runbooks
    assert Path("etc/chat.token") == config.secret_file("chat_token")
    assert config.secret_file("deploy_token") is None


@pytest.mark.usefixtures("here")
def test_every_value_has_its_origin() -> None:
    """
    Each key says its line, its variable, or that it is the default.
    """
    Path("engine.yaml").write_text(WHOLE)
    environ = {
        "RUNBOOK_SERVER__LISTEN": "127.0.0.1:9000",
        "RUNBOOK_DATA": "/srv/state",
        "RUNBOOK_PEOPLE__BO__GROUPS": '["messaging"]',
    }
    config = load_config(environ=environ)

    assert Path("/srv/state") == config.data
    assert {"ana": ("messaging-oncall",), "bo": ("messaging",)} == config.groups
    assert {
        "data": "environment RUNBOOK_DATA",
        "runbooks": "engine.yaml:2",
        "people.ana.groups": "engine.yaml:4",
        "people.ana.slack": "engine.yaml:4",
        "people.bo.groups": "environment RUNBOOK_PEOPLE__BO__GROUPS",
        "network.allow": "engine.yaml:5",
        "secrets.deploy_token.env": "engine.yaml:6",
        "secrets.chat_token.file": "engine.yaml:6",
        "defaults.check_timeout": "engine.yaml:7",
        "server.listen": "environment RUNBOOK_SERVER__LISTEN",
        "prometheus.url": "engine.yaml:9",
        "me": "engine.yaml:10",
    } == {key: place for key, place in config.origins.items() if place != "default"}


@pytest.mark.usefixtures("here")
def test_every_problem_stands_at_its_place() -> None:
    """
    All problems of the file are told at once, each with line, column and a way out.
    """
    Path("engine.yaml").write_text(WRONG)
    with pytest.raises(ConfigRefused) as refused:
        load_config(environ={})

    assert WRONG_TOLD == told(refused)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {"RUNBOOK_DAT": "x"},
            (
                "environment:1:1: error[unknown-key]: the variable RUNBOOK_DAT is no setting"
                "\n  Did you mean 'RUNBOOK_DATA'?"
            ),
        ),
        (
            {"RUNBOOK_SERVER__LISTN": "x"},
            (
                "environment:1:1: error[config]: the variable RUNBOOK_SERVER__LISTN is no "
                "setting\n  Did you mean 'RUNBOOK_SERVER__LISTEN'?"
            ),
        ),
        (
            {"RUNBOOK_NETWORK__ALLOW": "10.0.0.0/8,everything"},
            (
                "environment:1:1: error[config]: RUNBOOK_NETWORK__ALLOW: 'everything' is no "
                "network: write it like 10.0.0.0/8"
            ),
        ),
        (
            {"RUNBOOK_ME": "anna"},
            (
                "environment:1:1: error[config]: 'anna' (me) is not one of the people"
                "\n  Did you mean 'ana'?"
            ),
        ),
        (
            {"RUNBOOK_CONFIG": "gone.yaml"},
            (
                "gone.yaml:1:1: error[config]: gone.yaml is not there"
                "\n  Name an existing file with RUNBOOK_CONFIG, or leave it out."
            ),
        ),
    ],
)
@pytest.mark.usefixtures("here")
def test_a_wrong_variable_is_named(environ: dict[str, str], expected: str) -> None:
    """
    What the environment sets wrongly is told with the variable's name.
    """
    Path("engine.yaml").write_text(WHOLE)
    with pytest.raises(ConfigRefused) as refused:
        load_config(environ=environ)

    assert expected == told(refused)


@pytest.mark.usefixtures("here")
def test_variables_of_acts_and_secrets_are_no_settings() -> None:
    """
    What an act finds in its environment, and what a secret names, is left alone.
    """
    Path("engine.yaml").write_text("secrets: {a: {env: RUNBOOK_TOKEN}}\n")
    environ = {"RUNBOOK_KEY": "k", "RUNBOOK_FENCE": "1", "RUNBOOK_TOKEN": "t"}

    assert "engine.yaml:1" == load_config(environ=environ).origins["secrets.a.env"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("- a\n", "top"), ("a: 1\na: 2\n", "duplicate-key"), ("a: &x 1\n", "yaml-anchor")],
)
@pytest.mark.usefixtures("here")
def test_yaml_is_as_strict_as_in_runbooks(text: str, code: str) -> None:
    """
    What a runbook may not hold, the configuration may not hold either.
    """
    Path("engine.yaml").write_text(text)
    with pytest.raises(ConfigRefused) as refused:
        load_config(environ={})

    assert [code] == [getattr(one, "code", "") for one in refused.value.problems]


@pytest.mark.usefixtures("here")
def test_a_token_speaks_for_configured_people_alone() -> None:
    """
    A person who is not among the people is told at their place, with the nearest.
    """
    Path("engine.yaml").write_text(
        "people:\n  ana: {groups: [ops]}\nserver:\n  tokens:\n"
        "    bot: {secret: a, role: viewer}\n"
        "    chat: {secret: a, role: admin, person: anna}\n"
    )
    with pytest.raises(ConfigRefused) as refused:
        load_config(environ={})
    found = told(refused)

    assert "engine.yaml:6:" in found
    assert "'anna' (server.tokens.chat.person) is not one of the people" in found
    assert "Did you mean 'ana'?" in found


@pytest.mark.usefixtures("here")
def test_a_watch_does_not_look_without_a_pause() -> None:
    """
    A watch with `every: 0s` would keep the engine from everything else.
    """
    Path("engine.yaml").write_text(
        "watch:\n  - heartbeat: {match: {a: b}}\n    every: 0s\n"
        "    alert: {alertname: x}\n"
    )
    with pytest.raises(ConfigRefused) as refused:
        load_config(environ={})

    assert "`every` is at least 0.1s" in told(refused)


@pytest.mark.usefixtures("here")
def test_two_watches_raise_two_alerts() -> None:
    """
    Two watches of one alert would end each other's: it is refused at its place.
    """
    one = "  - heartbeat: {match: {a: b}}\n    alert: {alertname: x}\n"
    source = "sources:\n  alertmanager: {insecure: true}\n"
    Path("engine.yaml").write_text(source + "watch:\n" + one * 2)
    config = load_config(environ={})
    with pytest.raises(EngineError, match=r"watch\.1\.alert: another watch"):
        watched(config, kinds(config))


@pytest.mark.usefixtures("here")
def test_a_heartbeat_comes_from_a_source_that_is_there() -> None:
    """
    A heartbeat of a source that nobody configured could never come: it is refused.
    """
    Path("engine.yaml").write_text(
        "sources:\n  grafana: {insecure: true}\n"
        "watch:\n  - heartbeat: {match: {a: b}}\n    alert: {alertname: x}\n"
    )
    config = load_config(environ={})
    with pytest.raises(EngineError) as refused:
        watched(config, kinds(config))

    assert (
        "watch.0.heartbeat.source: no source 'alertmanager' is configured, so its alert "
        "can never come. Configured: grafana"
    ) == str(refused.value)


@pytest.mark.usefixtures("here")
def test_chat_names_people_that_are_there() -> None:
    """
    A way out and a schedule name people of the configuration; each is told at its line.
    """
    Path("engine.yaml").write_text(
        "people:\n  ana: {groups: [ops]}\n"
        "chat:\n  fallback:\n    mail: {terminal: true, person: anna}\n"
        "groups:\n  ops:\n    oncall:\n"
        "      shift: {people: [ana, bob], from: 2026-11-02T08:00Z}\n"
    )
    with pytest.raises(ConfigRefused) as refused:
        load_config(environ={})
    found = told(refused)

    assert "engine.yaml:5:" in found
    assert "'anna' (chat.fallback.mail.person) is not one of the people" in found
    assert "engine.yaml:9:" in found
    assert "'bob' (groups.ops.oncall.shift.people.1) is not one of the people" in found


@pytest.mark.parametrize(
    ("chat", "message"),
    [
        ("slack: {token: {secret: t}}", "nobody could answer from Slack"),
        ("fallback: {x: {}}", "give exactly one of apprise, webhook, file, terminal"),
        ("fallback: {x: {terminal: true, file: a}}", "give exactly one of apprise"),
        ("own_channel: [sev9]", "'sev9' is no severity"),
        ("link: runbook.example.com", "begin it with https://"),
    ],
)
@pytest.mark.usefixtures("here")
def test_chat_that_cannot_work_is_refused(chat: str, message: str) -> None:
    """
    A chat that nobody could answer from, and a way out that leads nowhere, are refused.
    """
    Path("engine.yaml").write_text(f"chat:\n  {chat}\n")
    with pytest.raises(ConfigRefused) as refused:
        load_config(environ={})

    assert message in told(refused)
