"""Messages that we sign ourselves, as Amazon does: what is believed, what is not."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from engine.adapters.sources.sns import SnsVerifier, confirmation_url, judge
from engine.ports import Posted, WebAnswer, WebProblem, WebRequest

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123abcd.pem"
CONFIRM = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc"
NOW = 1_795_000_000.0
SIGNED = {
    "Notification": "Message MessageId Subject Timestamp TopicArn Type",
    "SubscriptionConfirmation": (
        "Message MessageId SubscribeURL Timestamp Token TopicArn Type"
    ),
    "UnsubscribeConfirmation": (
        "Message MessageId SubscribeURL Timestamp Token TopicArn Type"
    ),
}
HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def moment(seconds: float) -> str:
    """Return epoch seconds as Amazon writes them."""
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = KEY, *, days: int = 30
) -> bytes:
    """Return a certificate of its own, valid until so many days after NOW."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.fromtimestamp(NOW, UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=300))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def signed(
    kind: str = "Notification", version: str = "1", **changes: Any
) -> dict[str, Any]:
    """Return a message of that kind, signed with our key."""
    message: dict[str, Any] = {
        "Type": kind,
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Message": '{"AlarmName": "CPU",\n"NewStateValue": "ALARM"}',
        "Timestamp": moment(NOW),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
    }
    if kind != "Notification":
        message |= {"Token": "abc", "SubscribeURL": CONFIRM}
    message |= changes
    keys = [key for key in SIGNED[kind].split() if key in message]
    text = "".join(f"{key}\n{message[key]}\n" for key in keys).encode()
    signature = KEY.sign(text, padding.PKCS1v15(), HASHES[version]())
    return message | {"Signature": base64.b64encode(signature).decode()}


def verifier(pem: bytes | None = None) -> tuple[SnsVerifier, list[str]]:
    """Return a verifier, and the list of what it fetches."""
    asked: list[str] = []
    shown = certificate() if pem is None else pem

    async def fetch(url: str) -> bytes:
        asked.append(url)
        return shown

    return SnsVerifier(fetch), asked


async def problem(message: dict[str, Any], pem: bytes | None = None) -> str:
    """Return why a message is not believed."""
    return await verifier(pem)[0].problem(message, [TOPIC], at=NOW)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", sorted(SIGNED))
async def test_what_amazon_signed_is_believed(kind: str, version: str) -> None:
    """
    Every kind of message, with SHA-1 and with SHA-256.
    """
    assert await problem(signed(kind, version)) == ""


async def test_a_subject_is_signed_where_there_is_one() -> None:
    """
    The subject stands among the signed keys, and may be left out.
    """
    message = signed(Subject="ALARM: CPU")

    assert await problem(message) == ""
    assert await problem(message | {"Subject": "OK: CPU"}) == (
        "its signature does not fit: another key"
    )


@pytest.mark.parametrize(
    "changed", ["Message", "MessageId", "Timestamp", "TopicArn", "Type"]
)
async def test_a_changed_key_is_not_believed(changed: str) -> None:
    """
    Whatever was signed cannot be changed afterwards.
    """
    values = {
        "Timestamp": moment(NOW - 1),
        "TopicArn": f"{TOPIC}2",
        "Type": "SubscriptionConfirmation",
    }
    message = signed() | {changed: values.get(changed, "x")}
    found = await verifier()[0].problem(message, [TOPIC, f"{TOPIC}2"], at=NOW)

    assert found == "its signature does not fit: another key"


CASES: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "another topic": (
        lambda: signed(TopicArn="arn:aws:sns:eu-west-1:9:own"),
        "topic 'arn:aws:sns:eu-west-1:9:own' is none of those that may post",
    ),
    "no signature": (
        lambda: {k: v for k, v in signed().items() if k != "Signature"},
        "its signature does not fit: another key",
    ),
    "another version": (
        lambda: signed() | {"SignatureVersion": "3"},
        "it is no signed SNS message, or of another signature version",
    ),
    "version 1 said to be 2": (
        lambda: signed() | {"SignatureVersion": "2"},
        "its signature does not fit: another key",
    ),
    "another kind": (
        lambda: signed() | {"Type": "Other"},
        "it is no signed SNS message, or of another signature version",
    ),
    "hours old": (
        lambda: signed(Timestamp=moment(NOW - 7300)),
        f"it was signed at {moment(NOW - 7300)}: more than two hours away from now",
    ),
    "from the future": (
        lambda: signed(Timestamp=moment(NOW + 7300)),
        f"it was signed at {moment(NOW + 7300)}: more than two hours away from now",
    ),
    "no time": (
        lambda: signed(Timestamp="yesterday"),
        "its `Timestamp` 'yesterday' is no time",
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_what_is_not_believed_says_why(case: str) -> None:
    """
    Topic, signature, version, kind and time are judged.
    """
    make, expected = CASES[case]

    assert await problem(make()) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-1.pem",
        "https://bucket.s3.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem?x=1",
        "https://sns.eu-west-1.amazonaws.com:444/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-1.pem",
        CERTIFICATE + "\n",
        "",
    ],
    ids=range(10),
)
async def test_a_certificate_of_another_host_is_never_fetched(url: str) -> None:
    """
    Whoever posts cannot bring a certificate of his own.
    """
    judged, asked = verifier()
    found = await judged.problem(signed(SigningCertURL=url), [TOPIC], at=NOW)

    assert found == "its signature does not fit: its certificate is not Amazon's"
    assert asked == []


async def test_china_has_a_host_of_its_own() -> None:
    """
    amazonaws.com.cn is Amazon's as well.
    """
    url = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem"

    assert await problem(signed(SigningCertURL=url)) == ""


async def test_a_certificate_is_fetched_once() -> None:
    """
    A hundred messages ask Amazon once.
    """
    judged, asked = verifier()
    found = {await judged.problem(signed(), [TOPIC], at=NOW) for _ in range(100)}

    assert ({""}, [CERTIFICATE]) == (found, asked)


@pytest.mark.parametrize(
    ("pem", "expected"),
    [
        (certificate(OTHER), "another key"),
        (certificate(days=-1), "its certificate is not valid now"),
        (
            certificate(ec.generate_private_key(ec.SECP256R1())),
            "its certificate has another kind of key",
        ),
    ],
    ids=["another-key", "expired", "no-rsa"],
)
async def test_a_certificate_that_does_not_fit(pem: bytes, expected: str) -> None:
    """
    Another key, one that is over, one that is no RSA.
    """
    assert await problem(signed(), pem) == f"its signature does not fit: {expected}"


async def test_what_is_no_certificate_is_told() -> None:
    """
    A page instead of a certificate is no proof.
    """
    found = await problem(signed(), b"<html>no</html>")

    assert found.startswith("its signature does not fit: ")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (CONFIRM, CONFIRM),
        ("https://evil.example/?Action=ConfirmSubscription&Token=a", ""),
        (f"{HOST}/?Action=DeleteTopic&TopicArn=x", ""),
        ("http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=a", ""),
        (f"{HOST}@evil.example/?Action=ConfirmSubscription&Token=a", ""),
        ("", ""),
    ],
    ids=range(6),
)
def test_only_amazons_own_address_is_confirmed(url: str, expected: str) -> None:
    """
    The address comes from the message; only one form of it is followed.
    """
    message = signed("SubscriptionConfirmation", SubscribeURL=url)

    assert expected == confirmation_url(message)


def test_the_end_of_a_subscription_is_not_confirmed_back() -> None:
    """
    An UnsubscribeConfirmation has the address that would subscribe again.
    """
    assert confirmation_url(signed("UnsubscribeConfirmation")) == ""


class Amazon:
    """Amazon's side of the door: certificates and confirmations, asked or down."""

    def __init__(self, status: int = 200) -> None:
        self.asked: list[str] = []
        self.status = status

    async def request(self, request: WebRequest, /) -> WebAnswer:
        """Return a certificate for whatever is asked."""
        self.asked.append(request.url)
        return WebAnswer(self.status, {}, certificate(), 0.0)

    async def addresses(self, host: str, port: int, /) -> list[str]:
        """Return nothing: nobody asks."""
        return []


def posted(message: Any, **headers: str) -> Posted:
    """Return a request with this message."""
    raw = message if isinstance(message, bytes) else json.dumps(message).encode()
    return Posted(raw, {"content-type": "text/plain; charset=UTF-8", **headers}, NOW)


async def test_a_subscription_is_confirmed_once_its_signature_fits() -> None:
    """
    The certificate is asked for first, then the subscription is confirmed.
    """
    amazon = Amazon()
    found = await judge(amazon)(posted(signed("SubscriptionConfirmation")), [TOPIC])

    assert ("", [CERTIFICATE, CONFIRM]) == (found, amazon.asked)


async def test_a_forged_subscription_is_not_confirmed() -> None:
    """
    A topic of somebody else, or a signature that does not fit: nothing is called.
    """
    amazon = Amazon()
    forged = signed("SubscriptionConfirmation") | {"Token": "other"}
    foreign = signed("SubscriptionConfirmation", TopicArn="arn:aws:sns:x:1:y")
    asked = [await judge(amazon)(posted(one), [TOPIC]) for one in (forged, foreign)]

    assert [
        "its signature does not fit: another key",
        "topic 'arn:aws:sns:x:1:y' is none of those that may post",
    ] == asked
    assert [CERTIFICATE] == amazon.asked


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b"[" * 100_000])
async def test_f50_what_is_no_message_is_refused(body: bytes) -> None:
    """
    Any bytes give words, never another exception.
    """
    assert "it is no SNS message" == await judge(Amazon())(posted(body), [TOPIC])


async def test_while_amazon_cannot_be_asked_nobody_is_judged() -> None:
    """
    It is said as a problem of the network, so that Amazon comes again.
    """
    with pytest.raises(WebProblem, match="HTTP 503"):
        await judge(Amazon(503))(posted(signed()), [TOPIC])


async def test_what_is_judged_is_what_the_source_reads() -> None:
    """
    A charset that turns the bytes into another message cannot part the two readings.
    """
    raw = json.dumps(signed()).encode()
    found = await judge(Amazon())(
        Posted(raw, {"content-type": "text/plain; charset=utf-16"}, NOW), [TOPIC]
    )

    assert found == "it is no SNS message"
