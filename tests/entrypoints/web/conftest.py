"""The fixtures of every test of a server; what they are stands in web_server."""

from web_server import alert, served

__all__ = ["alert", "served"]
