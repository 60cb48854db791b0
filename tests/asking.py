"""One HTTP client for all who ask a server in a test.

Making a client reads every certificate authority of the system, some 30 ms of the
processor, and `httpx.get` makes one each time. No connection is kept: the servers that
are asked are killed and come back.
"""

from typing import Final

import httpx

web: Final = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))
