"""The only door to HTTP: deadlines, caps and address rules in one place.

What is not here: secrets, retries, the meaning of a status: those belong to the adapter
that asks.

Called by: bootstrap, which builds one.
"""

from engine.adapters.web.addresses import may_reach
from engine.adapters.web.httpx_web import HttpxWeb

__all__ = ["HttpxWeb", "may_reach"]
