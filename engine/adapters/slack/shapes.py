"""What stands in JSON of unknown shape: a map, maps, a text, or nothing.

Called by every module here that reads what Slack sends.
"""

from collections.abc import Mapping
from typing import Any


def as_map(found: Any) -> Mapping[str, Any]:
    """Return a map; an empty one for what is none."""
    return found if isinstance(found, Mapping) else {}


def as_maps(found: Any) -> list[Mapping[str, Any]]:
    """Return the maps of a list."""
    listed = found if isinstance(found, list) else []
    return [one for one in listed if isinstance(one, Mapping)]


def as_text(found: Any) -> str:
    """Return a text that can be written as UTF-8; nothing for what is none."""
    if not isinstance(found, str):
        return ""
    return found.encode("utf-8", "replace").decode()
