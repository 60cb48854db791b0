"""What a connection that failed says: the service's answer, or ours.

Refused, reset, closed and silent are answers of the service: a check fails. No route,
no permission and the like are troubles on our side: a check is unknown.

Called by the adapters that open connections (tcp, tls).
"""

import errno
from typing import Final, Literal

SERVICE_SAYS_NO: Final = {
    errno.ECONNREFUSED: "the connection was refused",
    errno.ECONNRESET: "the connection was reset",
    errno.ECONNABORTED: "the connection was closed",
    errno.EPIPE: "the connection was closed",
    errno.ETIMEDOUT: "no connection in time",
}


def failed_connection(error: OSError) -> tuple[Literal["fail", "unknown"], str]:
    """Return whose trouble it is, and words for people."""
    if isinstance(error, TimeoutError):
        return "fail", SERVICE_SAYS_NO[errno.ETIMEDOUT]
    if error.errno in SERVICE_SAYS_NO:
        return "fail", SERVICE_SAYS_NO[error.errno]
    words = error.strerror or str(error) or "no reason given"
    return "unknown", f"no connection: {words}"
