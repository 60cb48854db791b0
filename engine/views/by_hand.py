"""Checks and acts as lines a person can type when no engine does it for them.

A line is for a POSIX shell: curl, ssh, kubectl, amtool, dig, nc, openssl, or the
program itself. What has no such line stands in the words of its kind. A secret stands
as `__secret_NAME__`, never as its value.

Called by analysis.checklist.
"""

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from engine.views.escape import METHODS, command_text, visible

Params = Mapping[str, Any]
JSON_TYPE: Final = "content-type: application/json"


def blank(name: str) -> str:
    """Return what stands where a person puts a value in: plain letters in any place."""
    return f"__{name}__"


def secret_blank(name: str) -> str:
    """Return what stands where a secret goes."""
    return blank(f"secret_{name.removeprefix('input:')}")


def opened(params: Any) -> Any:
    """Return parameters with a blank for each secret."""
    if isinstance(params, Mapping):
        if params.keys() == {"secret"}:
            return secret_blank(str(params["secret"]))
        return {key: opened(one) for key, one in params.items()}
    if isinstance(params, list | tuple):
        return [opened(one) for one in params]
    return params


def line_by_hand(kind: str, params: Any) -> str:
    """Return one line to type; rendered parameters of a check or an action."""
    made = opened(params)
    line = LINES.get(kind)
    if line is None or not isinstance(made, Mapping):
        return command_text(kind, made)
    return visible(line(made))


def undo_by_hand(kind: str, params: Any) -> str:
    """Return the line of a way back that is built into the kind, or its words."""
    made = opened(params)
    if kind == "kubernetes" and isinstance(made, Mapping):
        return visible(_kubectl_back(made))
    if kind == "silence":
        return "amtool silence expire __silence_id__"
    return f"{visible(kind)}: as it was before; write that down first"


def _words(*words: Any) -> str:
    return shlex.join(str(word) for word in words)


def _curl(params: Params) -> str:
    method = next(key for key in METHODS if key in params)
    words: list[Any] = ["curl", "-sS"]
    words += {"get": [], "head": ["-I"]}.get(method, ["-X", method.upper()])
    if params.get("redirects"):
        words.append("-L")
    for name, value in (params.get("headers") or {}).items():
        words += ["-H", f"{name}: {value}"]
    words += _who(params) + _body(params)
    return _words(*words, _queried(str(params[method]), params.get("query") or {}))


def _who(params: Params) -> list[Any]:
    words: list[Any] = []
    if params.get("bearer"):
        words += ["-H", f"authorization: Bearer {params['bearer']}"]
    if basic := params.get("basic"):
        words += ["-u", f"{basic['user']}:{basic['password']}"]
    if params.get("ca_file"):
        words += ["--cacert", params["ca_file"]]
    return words


def _body(params: Params) -> list[Any]:
    if "json" in params:
        sent = json.dumps(params["json"], ensure_ascii=False, default=str)
        return ["-H", JSON_TYPE, "-d", sent]
    if params.get("body") is not None:
        return ["--data-binary", params["body"]]
    pairs = (params.get("form") or {}).items()
    return [word for key, one in pairs for word in ("--data-urlencode", f"{key}={one}")]


def _queried(url: str, query: Params) -> str:
    pairs = "&".join(f"{quote(str(k))}={quote(str(v))}" for k, v in query.items())
    return f"{url}{'&' if '?' in url else '?'}{pairs}" if pairs else url


def _prometheus(params: Params) -> str:
    url = str(params.get("url") or blank("prometheus")).rstrip("/")
    words = ["curl", "-sSG", *_who(params)]
    for name, value in (params.get("headers") or {}).items():
        words += ["-H", f"{name}: {value}"]
    asked = f"query={params.get('query', '')}"
    return _words(*words, f"{url}/api/v1/query", "--data-urlencode", asked)


def _command(params: Params) -> str:
    line = _words(*params.get("argv", ()))
    if env := params.get("env"):
        line = f"{_words('env', *(f'{k}={v}' for k, v in env.items()))} {line}"
    if cwd := params.get("cwd"):
        line = f"cd {_words(cwd)} && {line}"
    if params.get("stdin"):
        line = f"printf %s {_words(params['stdin'])} | {line}"
    return line


def _ssh(params: Params) -> str:
    words: list[Any] = ["ssh"]
    if params.get("port", 22) != 22:
        words += ["-p", params["port"]]
    if params.get("key_file"):
        words += ["-i", params["key_file"]]
    user = f"{params['user']}@" if params.get("user") else ""
    there = _words(*params.get("argv", ()))  # the far side splits it once more
    return _words(*words, f"{user}{params.get('host')}", there)


def _kubectl(params: Params) -> str:
    names = ["-n", params["namespace"]] if params.get("namespace") else []
    if "scale" in params:
        more = f"--replicas={params.get('replicas')}"
        return _words("kubectl", *names, "scale", f"deployment/{params['scale']}", more)
    for key, verb in (("rollout_restart", "restart"), ("rollout_undo", "undo")):
        if key in params:
            to = params.get("revision")
            more_words = [f"--to-revision={to}"] if to else []
            about = f"deployment/{params[key]}"
            return _words("kubectl", *names, "rollout", verb, about, *more_words)
    for key in ("cordon", "uncordon"):
        if key in params:
            return _words("kubectl", key, params[key])
    return _kubectl_look(params, names)


def _kubectl_look(params: Params, names: list[Any]) -> str:
    if "deployment" in params:
        return _words("kubectl", *names, "get", "deployment", params["deployment"])
    if "pods" in params:
        labels = ",".join(f"{k}={v}" for k, v in (params["pods"] or {}).items())
        return _words("kubectl", *names, "get", "pods", "-l", labels)
    return _words("kubectl", *names, "get", "events", "--field-selector=type=Warning")


def _kubectl_back(params: Params) -> str:
    for key, back in (("cordon", "uncordon"), ("uncordon", "cordon")):
        if key in params:
            return _words("kubectl", back, params[key])
    if "scale" in params:
        return _kubectl({**params, "replicas": blank("replicas_before")})
    return _kubectl({**params, "revision": blank("revision_before")})


def _silence(params: Params) -> str:
    words: list[Any] = ["amtool", "silence", "add"]
    if params.get("url"):
        words.append(f"--alertmanager.url={params['url']}")
    words += [f"--duration={params.get('duration', '1h')}"]
    words += [f"--comment={params.get('comment', 'by hand')}"]
    return _words(*words, *map(_matcher, _listed(params.get("matchers") or {})))


def _listed(matchers: Any) -> list[Params]:
    if not isinstance(matchers, Mapping):
        return list(matchers)
    return [{"name": name, "value": value} for name, value in matchers.items()]


def _matcher(one: Params) -> str:
    value = str(one.get("value", ""))
    regex = bool(one.get("is_regex"))
    if "is_regex" not in one and len(value) > 2 and value[0] == value[-1] == "/":
        regex, value = True, value[1:-1]
    sign = "=" if one.get("is_equal", True) else "!"
    tail = "~" if regex else ("" if sign == "=" else "=")
    return f"{one.get('name')}{sign}{tail}{value}"


def _tcp(params: Params) -> str:
    return _words("nc", "-vz", params.get("host"), params.get("port"))


def _dns(params: Params) -> str:
    server = [f"@{params['server']}"] if params.get("server") else []
    kind = params.get("type", "A")
    return _words("dig", "+short", *server, params.get("name"), kind)


def _tls(params: Params) -> str:
    at = f"{params.get('host')}:{params.get('port', 443)}"
    name = params.get("server_name") or params.get("host")
    words = _words("openssl", "s_client", "-connect", at, "-servername", name)
    return f"{words} </dev/null | openssl x509 -noout -enddate"


def _agree(params: Params) -> str:
    names = ", ".join(str(one) for one in params.get("of", ()))
    return f"at least {params.get('need', 2)} of these say the same: {names}"


LINES: Final[Mapping[str, Callable[[Params], str]]] = {
    "http": _curl,
    "prometheus": _prometheus,
    "command": _command,
    "ssh": _ssh,
    "kubernetes": _kubectl,
    "silence": _silence,
    "tcp": _tcp,
    "dns": _dns,
    "tls": _tls,
    "agree": _agree,
}
