"""JSON that came inside a form: the field `payload` or `data`.

Datadog can encode its payload as a form, Uptime Kuma can send `multipart/form-data`. A
body that begins like JSON is JSON, whatever its header says: `curl -d` sends every body
as a form.

Read by: reading.
"""

import re
from typing import Final
from urllib.parse import parse_qsl

from engine.ports import BadBody

FIELDS: Final = ("payload", "data", "body", "json")
MOST_FIELDS: Final = 100
BOUNDARY: Final = re.compile(r'boundary="?([^\s";,]{1,70})', re.IGNORECASE)
NAME: Final = re.compile(rb'\bname="?([A-Za-z]+)', re.IGNORECASE)


def unwrapped(raw: bytes, declared: str) -> bytes:
    """Return what stands in the form's field, or the body where it is no form.

    Args:
        raw: The body.
        declared: The header Content-Type.

    Raises:
        BadBody: a form without one of the fields.
    """
    if raw.lstrip()[:1] in (b"{", b"["):
        return raw
    kind = declared.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return _chosen(_encoded(raw))
    if kind == "multipart/form-data":
        return _chosen(_parts(raw, declared))
    return raw


def _chosen(fields: dict[str, bytes]) -> bytes:
    for name in FIELDS:
        if name in fields:
            return fields[name]
    raise BadBody("the form has no field `payload` or `data` with JSON in it")


def _encoded(raw: bytes) -> dict[str, bytes]:
    try:
        found = parse_qsl(raw, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise BadBody(f"the form has more than {MOST_FIELDS} fields") from error
    return {key.decode("utf-8", "replace"): value for key, value in found}


def _parts(raw: bytes, declared: str) -> dict[str, bytes]:
    boundary = BOUNDARY.search(declared)
    if boundary is None:
        raise BadBody("the form's header Content-Type names no boundary")
    mark = b"--" + boundary[1].encode("utf-8", "replace")
    found = {}
    for part in raw.split(mark, MOST_FIELDS)[1:]:
        head, _, value = part.partition(b"\r\n\r\n")
        name = NAME.search(head)
        if name is not None:
            found[name[1].decode("ascii").lower()] = value.removesuffix(b"\r\n")
    return found
