"""The fixtures of every test of the command line; what they are stands in cli_place."""

from cli_place import place, until

__all__ = ["place", "until"]
