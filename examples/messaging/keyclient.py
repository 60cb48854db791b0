"""The client side of the key server, in plain blocking calls for threads.

Blocking on purpose: a blocking client sends its TLS alert when it refuses a
certificate, which is how the server learns why; an asyncio client hangs up silently.

Used by: load.py.
"""

import http.client
import socket
import ssl

from cryptography import x509

TIMEOUT_SECONDS = 3.0


def fetch_prekeys(port: int, user: int, tls: ssl.SSLContext) -> str:
    """Return how fetching a user's prekeys went: `ok`, `tls` or `error`."""
    connection = http.client.HTTPSConnection(
        "127.0.0.1", port, timeout=TIMEOUT_SECONDS, context=tls
    )
    try:
        headers = {"Connection": "close"}
        connection.request("GET", f"/prekeys/{user}?upload=1", headers=headers)
        answer = connection.getresponse()
        answer.read()
    except ssl.SSLError:
        return "tls"
    except (OSError, http.client.HTTPException):
        return "error"
    finally:
        connection.close()
    return "ok" if answer.status == 200 else "error"


def expiry(port: int) -> float | None:
    """Return when the certificate that a listener shows runs out (Unix seconds).

    None where no handshake came about. Verification is off here and only here: the
    probe must see a certificate that clients refuse.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as plain,
            context.wrap_socket(plain) as secured,
        ):
            shown = secured.getpeercert(binary_form=True)
    except OSError:
        return None
    if shown is None:
        return None
    return x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp()
