"""Secrets on their way into a request, and addresses on their way to people.

What is here: the parameter types that may be `{secret: NAME}`, the `Unsealed` values of
one call (put in at the last moment, taken out of everything that is shown), and a URL
as it may be shown. What is not: where secrets are kept (ports.Secrets), redaction of
logs.

Called by every adapter that carries a secret.
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

from pydantic import Field

from engine.model.values import Model, SecretRef

Secretable = str | SecretRef
HIDDEN: Final = "[hidden]"
SHORTEST_HIDDEN: Final = 4  # a shorter secret would blank half of every text


class Basic(Model):
    """A user name and password for HTTP basic authentication."""

    user: str = Field(description="The user name.")
    password: Secretable = Field(description="The password; `{secret: NAME}`.")


class Unsealed:
    """The secret values one call has fetched: used by it, hidden from its words."""

    def __init__(self, secret: Callable[[str], str]) -> None:
        self._secret = secret
        self._values: set[str] = set()

    def text(self, raw: Secretable) -> str:
        """Return the string, or the value of the secret that stands for it.

        Raises:
            SecretMissing: the secret has no value.
        """
        if not isinstance(raw, SecretRef):
            return raw
        value = self._secret(raw.secret)
        self._hide_forms(value)
        return value

    def texts(self, raw: Mapping[str, Secretable]) -> dict[str, str]:
        """Return the map with every secret put in. Raises SecretMissing."""
        return {name: self.text(value) for name, value in raw.items()}

    def tree(self, raw: Any) -> Any:
        """Return a JSON value; a map that is just `{secret: NAME}` becomes the secret.

        Raises:
            SecretMissing: a secret has no value.
        """
        if isinstance(raw, SecretRef):
            return self.text(raw)
        if isinstance(raw, list | tuple):
            return [self.tree(item) for item in raw]
        if not isinstance(raw, Mapping):
            return raw
        if set(raw) == {"secret"} and isinstance(raw["secret"], str):
            return self.text(SecretRef(secret=raw["secret"]))
        return {key: self.tree(value) for key, value in raw.items()}

    def authorization(
        self, *, bearer: Secretable | None, basic: Basic | None
    ) -> dict[str, str]:
        """Return the Authorization header, or no header. Raises SecretMissing."""
        if bearer is not None:
            return {"authorization": f"Bearer {self.text(bearer)}"}
        if basic is None:
            return {}
        pair = f"{basic.user}:{self.text(basic.password)}"
        coded = base64.b64encode(pair.encode()).decode()
        self._values.add(coded)
        return {"authorization": f"Basic {coded}"}

    def hide(self, text: str) -> str:
        """Return the text with every value fetched so far replaced, in any form."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, HIDDEN)
        return text

    def hide_in(self, body: bytes) -> bytes:
        """Return the bytes with every value fetched so far replaced, in any form."""
        for value in sorted(self._values, key=len, reverse=True):
            body = body.replace(value.encode(), HIDDEN.encode())
        return body

    def _hide_forms(self, value: str) -> None:
        coded = base64.b64encode(value.encode()).decode()
        in_json = json.dumps(value)[1:-1]
        in_url = {quote(value), quote(value, safe=""), quote_plus(value)}
        forms = {value, coded, in_json} | in_url
        self._values |= {form for form in forms if len(form) >= SHORTEST_HIDDEN}


def shown_url(url: Secretable) -> str:
    """Return the URL for people: no user, no query values; a secret URL not at all."""
    if isinstance(url, SecretRef):
        return f"the address in secret '{url.secret}'"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "an address that is not a URL"
    host = parts.hostname or ""
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port is not None else ""
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    query = "&".join(f"{quote(name)}=…" for name in names)
    return urlunsplit((parts.scheme, place, parts.path, query, ""))


def shown_problem(url: Secretable, kind: str, message: str) -> str:
    """Return why there is no answer; of a secret URL only the kind of problem."""
    if isinstance(url, SecretRef):
        return f"no complete answer ({kind})"
    return message


def with_query(url: str, query: Mapping[str, str]) -> str:
    """Return the URL with these values added to its query."""
    if not query:
        return url
    parts = urlsplit(url)
    both = "&".join(filter(None, (parts.query, urlencode(query))))
    return urlunsplit(parts._replace(query=both))
