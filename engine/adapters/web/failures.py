"""What a failure below HTTP means: one kind, one sentence, whether it was sent.

Called by: the web.
"""

import errno
import os
import ssl
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import httpcore

from engine.ports import WebProblem

FAILURES: Final = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    ssl.SSLError,
    zlib.error,
    OSError,
    ValueError,
)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def problem(error: Exception, stage: str, *, sent: bool) -> WebProblem:
    """Return what a failure below HTTP means; `stage` is the last event of httpcore."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            words = f"the certificate is not accepted: {cause.verify_message}"
            return WebProblem("tls", words, sent=sent)
        if isinstance(cause, ssl.SSLError):
            words = f"TLS failed: {cause.reason or 'no agreement'}"
            return WebProblem("tls", words, sent=sent)
    if ".start_tls" in stage:
        words = "the connection was closed during the TLS handshake"
        return WebProblem("tls", words, sent=sent)
    if isinstance(error, httpcore.TimeoutException | TimeoutError):
        return WebProblem("timeout", "no connection in time", sent=sent)
    if isinstance(error, httpcore.ConnectError):
        return WebProblem("refused", _why_no_connection(causes), sent=sent)
    closed = any(word in str(error) for word in ("disconnected", "closed connection"))
    if isinstance(error, httpcore.ReadError | httpcore.WriteError | OSError) or closed:
        words = "the connection was closed before the answer was complete"
        return WebProblem("reset", words, sent=sent)
    if isinstance(error, zlib.error):
        return WebProblem("protocol", "the compressed answer is damaged", sent=True)
    if isinstance(error, ValueError):
        return WebProblem("protocol", "the request cannot be written", sent=sent)
    return WebProblem("protocol", f"not HTTP: {str(error)[:120]}", sent=sent)


def _why_no_connection(causes: Sequence[BaseException]) -> str:
    codes = [cause.errno for cause in causes if isinstance(cause, OSError)]
    code = next((code for code in codes if code is not None), errno.ECONNREFUSED)
    return f"no connection: {os.strerror(code)}"
