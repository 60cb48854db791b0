"""Certificates for the key server: two authorities, a primary and a standby.

The standby comes from a second authority and is issued before it is needed. Clients
trust both (`trusted.pem`). Keys live only in the platform's own work directory.

Used by: control.py (`issue`, before the processes start), keys.py (`Certificates`).
"""

import ipaddress
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALID = timedelta(days=90)
EXPIRED_AGO = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Authority:
    """One issuing authority."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def issue(directory: Path) -> None:
    """Write `trusted.pem`, and the primary, expired and standby pairs."""
    directory.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    first, second = _authority("first"), _authority("second")
    _pair(directory / "primary.pem", first, now + VALID)
    _pair(directory / "expired.pem", first, now - EXPIRED_AGO)
    _pair(directory / "standby.pem", second, now + VALID)
    trusted = [_pem(a.certificate) for a in (first, second)]
    (directory / "trusted.pem").write_bytes(b"".join(trusted))


def _authority(name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} authority")])
    builder = _builder(subject, subject, key, datetime.now(UTC) + VALID)
    usage = x509.KeyUsage(*(False,) * 5, True, True, False, False)
    builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    signed = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    return Authority(signed, key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    until: datetime,
) -> x509.CertificateBuilder:
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(datetime.now(UTC), until) - timedelta(days=1))
        .not_valid_after(until)
        .add_extension(identifier, critical=False)
    )


def _pair(path: Path, authority: Authority, until: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "keys.messaging")])
    hosts = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    issuer = authority.certificate.subject
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(
        authority.key.public_key()
    )
    signed = (
        _builder(name, issuer, key, until)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(signer, critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.touch(mode=0o600)
    path.write_bytes(private + _pem(signed))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class Certificates:
    """Which certificate the listener shows; a change counts from the next handshake."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._which = "primary"
        self._primary = "primary"  # or "expired", while nobody has renewed it
        self._load()

    def context(self) -> ssl.SSLContext:
        """Return the server side of a handshake with the deployed certificate."""
        return self._context

    def deploy(self, which: str) -> None:
        """Show `primary` or `standby`."""
        self._which = which
        self._load()

    def expire_primary(self) -> None:
        """Have the primary be one that ran out five minutes ago."""
        self._primary = "expired"
        self._load()

    def renew_primary(self) -> None:
        """Have the primary be valid again."""
        self._primary = "primary"
        self._load()

    def state(self) -> dict[str, Any]:
        """Return which certificate is shown, its serial and how long it lasts."""
        until = self._shown.not_valid_after_utc.timestamp()
        return {
            "which": self._which,
            "serial": format(self._shown.serial_number, "x"),
            "not_after": until,
            "days_left": round((until - time.time()) / 86400, 3),
        }

    def _load(self) -> None:
        name = self._primary if self._which == "primary" else "standby"
        path = self._directory / f"{name}.pem"
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(path)
        self._shown = x509.load_pem_x509_certificate(path.read_bytes())
