"""What the engine gave out, known again when it comes back.

Mattermost signs nothing that it sends. So what stands behind a button carries an HMAC:
whoever cannot make one cannot press. Mattermost keeps it from its users. A form's state
is seen by the browser of whoever opened it, so its HMAC holds for that account alone.

The key is made from a secret of its own (`signing`; the first one signs, any of them
is believed), or where none is named from the bot's token.

Called by drawing and forms (sign), reading (judges).
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any, Final

from engine.adapters.mattermost.settings import MattermostSettings, names_of
from engine.errors import SecretMissing
from engine.ports import Secrets

PURPOSE: Final = b"incident-runbook: buttons and forms in Mattermost"


class Signer:
    """Signs what is given out, and says whether it was signed here."""

    def __init__(self, settings: MattermostSettings, secrets: Secrets) -> None:
        """Read the secrets anew each time: a rotation is seen."""
        self._names = names_of(settings.signing) or [settings.token.secret]
        self._secrets = secrets

    def sign(self, *said: Any) -> str:
        """Return the code for these JSON values. Raises SecretMissing."""
        return _code(_key(self._secrets.get(self._names[0])), said)

    def fits(self, code: Any, *said: Any) -> bool:
        """Return whether the code was made here for these values.

        Raises:
            SecretMissing: no secret has a value.
        """
        given = code.encode("utf-8", "replace") if isinstance(code, str) else b""
        known = [_code(key, said).encode() for key in self._keys()]
        return any([hmac.compare_digest(given, one) for one in known])  # noqa: C419

    def _keys(self) -> list[bytes]:
        return [_key(value) for value in values_of(self._names, self._secrets)]


def values_of(names: Sequence[str], secrets: Secrets) -> list[str]:
    """Return the values that there are. Raises SecretMissing: not one of them."""
    found: list[str] = []
    missing: SecretMissing | None = None
    for name in names:
        try:
            found.append(secrets.get(name))
        except SecretMissing as error:
            missing = missing or error
    if not found:
        raise missing or SecretMissing("no secret is named")
    return found


def any_equal(given: str, known: Sequence[str]) -> bool:
    """Return whether it is one of them; every one is compared, whichever fits."""
    raw = given.encode("utf-8", "replace")
    return any([hmac.compare_digest(raw, one.encode()) for one in known])  # noqa: C419


def _key(secret: str) -> bytes:
    return hmac.new(secret.encode(), PURPOSE, hashlib.sha256).digest()


def _code(key: bytes, said: Sequence[Any]) -> str:
    raw = json.dumps(list(said), ensure_ascii=True, separators=(",", ":"))
    return hmac.new(key, raw.encode(), hashlib.sha256).hexdigest()
