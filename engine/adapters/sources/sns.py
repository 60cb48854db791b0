"""Whether a message is really signed by Amazon SNS, and where its topic is confirmed.

The certificate comes from Amazon's own host alone, whatever the message says, and is
kept for the life of the process. A message is judged on the same reading that the
source gets; one that is older than Amazon tries to deliver was kept by somebody, and is
refused.
Source: docs.aws.amazon.com/sns, verifying signatures; delivery retries of HTTP.

Called by bootstrap, which gives it the door to the network.
"""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from engine.adapters.sources.reading import body_of
from engine.model.times import epoch_seconds
from engine.ports import BadBody, Posted, Web, WebProblem, WebRequest

HOST: Final = r"https://sns\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?"
CERTIFICATE: Final = re.compile(HOST + r"/SimpleNotificationService-[0-9a-zA-Z]+\.pem")
CONFIRM: Final = re.compile(HOST + r"/\?Action=ConfirmSubscription&\S+")
NOTIFIED: Final = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMED: Final = (
    "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
)  # fmt: skip
MOST_CERTIFICATES: Final = 16
MOST_SECONDS: Final = 7200.0  # Amazon gives up after one hour; the rest is clocks

Fetch = Callable[[str], Awaitable[bytes]]


class SnsVerifier:
    """Judges messages; keeps the certificates it has fetched."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._certificates: dict[str, x509.Certificate] = {}

    async def problem(
        self, message: Mapping[str, Any], topics: Sequence[str], *, at: float
    ) -> str:
        """Return why the message is not to be believed, or an empty string.

        Args:
            message: The envelope.
            topics: The ARNs that may post.
            at: Epoch seconds, when it came.
        """
        topic = str(message.get("TopicArn", ""))
        if topic not in topics:
            return f"topic '{topic[:120]}' is none of those that may post"
        if problem := _age_problem(str(message.get("Timestamp", "")), at):
            return problem
        signed, hash_ = _signed(message), _hash_of(message)
        if signed is None or hash_ is None:
            return "it is no signed SNS message, or of another signature version"
        try:
            signature = base64.b64decode(str(message.get("Signature", "")))
            key = await self._key(str(message.get("SigningCertURL", "")), at)
            key.verify(signature, signed, padding.PKCS1v15(), hash_)
        except (InvalidSignature, ValueError, binascii.Error) as error:
            return f"its signature does not fit: {str(error) or 'another key'}"
        return ""

    async def _key(self, url: str, at: float) -> rsa.RSAPublicKey:
        if CERTIFICATE.fullmatch(url) is None:
            raise ValueError("its certificate is not Amazon's")
        if url not in self._certificates:
            found = x509.load_pem_x509_certificate(await self._fetch(url))
            if len(self._certificates) >= MOST_CERTIFICATES:
                self._certificates.clear()
            self._certificates[url] = found
        certificate = self._certificates[url]
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if not begins.timestamp() <= at <= ends.timestamp():
            raise ValueError("its certificate is not valid now")
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise ValueError("its certificate has another kind of key")
        return key


def judge(web: Web) -> Callable[[Posted, list[str]], Awaitable[str]]:
    """Return what says why a request is not to be believed, or an empty string.

    A subscription to a topic that may post is confirmed on the way. It raises
    WebProblem where Amazon cannot be asked: that says nothing about who posts.
    """

    async def fetch(url: str) -> bytes:
        answer = await web.request(WebRequest("GET", url, max_bytes=65_536))
        if answer.status != 200:
            told = f"{url.partition('?')[0]}: HTTP {answer.status}"
            raise WebProblem("protocol", told, sent=True)
        return answer.body

    verifier = SnsVerifier(fetch)

    async def problem_of(posted: Posted, topics: list[str]) -> str:
        try:
            message = body_of(posted)
        except BadBody:
            message = None
        if not isinstance(message, dict):
            return "it is no SNS message"
        problem = await verifier.problem(message, topics, at=posted.at)
        if not problem and (url := confirmation_url(message)):
            await fetch(url)
        return problem

    return problem_of


def confirmation_url(message: Mapping[str, Any]) -> str:
    """Return where a subscription is confirmed: Amazon's host alone, or nothing."""
    if message.get("Type") != "SubscriptionConfirmation":
        return ""
    url = str(message.get("SubscribeURL", ""))
    return url if CONFIRM.fullmatch(url) else ""


def _age_problem(written: str, at: float) -> str:
    sent = epoch_seconds(written)
    if sent is None:
        return f"its `Timestamp` '{written[:40]}' is no time"
    if abs(at - sent) > MOST_SECONDS:
        return f"it was signed at {written}: more than two hours away from now"
    return ""


def _hash_of(message: Mapping[str, Any]) -> SHA1 | SHA256 | None:
    version = str(message.get("SignatureVersion"))
    if version == "1":
        return SHA1()  # noqa: S303  # Amazon's own choice
    return SHA256() if version == "2" else None


def _signed(message: Mapping[str, Any]) -> bytes | None:
    """Return the text that was signed: keys and values, one a line."""
    kind = str(message.get("Type", ""))
    keys: Sequence[str] = NOTIFIED
    if kind in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
        keys = CONFIRMED
    elif kind != "Notification":
        return None
    lines = [f"{key}\n{message[key]}\n" for key in keys if message.get(key) is not None]
    return "".join(lines).encode()
