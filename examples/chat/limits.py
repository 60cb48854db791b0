"""What Slack refuses in a message or a window: sizes, counts and shapes.

Figures are those of Slack's Block Kit reference, and msg_blocks_too_long as apps met
it. A refusal is `Refused` with Slack's own code; where it lies is in its messages, as
"[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]".

Called by: methods_chat, methods_views.
"""

from collections.abc import Iterator
from typing import Any, Final

from chat.things import Json, Refused, texts_of

TEXT: Final = 40_000
UPDATED_TEXT: Final = 4_000  # what chat.update takes, as apps met it
MESSAGE_BLOCKS: Final = 50
VIEW_BLOCKS: Final = 100
ATTACHMENTS: Final = 100
BLOCKS_TEXT: Final = 13_200  # all texts of all blocks together
METADATA_BYTES: Final = 16_000
SECTION: Final = 3_000
ELEMENTS: Final = {"actions": 25, "context": 10, "context_actions": 5}
BLOCK_TYPES: Final = frozenset({
    "actions", "context", "context_actions", "divider", "file", "header", "image",
    "input", "markdown", "rich_text", "section", "table", "video",
})  # fmt: skip
LENGTHS: Final = {"action_id": 255, "block_id": 255, "value": 2_000, "url": 3_000,
                  "image_url": 3_000, "alt_text": 2_000}  # fmt: skip
OPTIONS: Final = 100


def check_message(
    text: str, blocks: list[Json], attachments: list[Json], metadata: Json | None
) -> None:
    """Return if Slack takes this message; else Refused with its code."""
    if not text and not blocks and not attachments:
        raise Refused("no_text")
    if len(text) > TEXT:
        raise Refused("msg_too_long")
    if len(attachments) > ATTACHMENTS:
        raise Refused("too_many_attachments")
    _all(blocks, MESSAGE_BLOCKS)
    for attachment in attachments:
        _all(attachment.get("blocks", []), MESSAGE_BLOCKS)
    if sum(map(len, texts_of(blocks))) > BLOCKS_TEXT:
        raise Refused("msg_blocks_too_long")
    if metadata is not None:
        _metadata(metadata)


def check_view(view: Any) -> None:
    """Return if Slack opens this window; else Refused: invalid_arguments."""
    problems = list(_view(view))
    if problems:
        raise Refused("invalid_arguments", *problems)


def _metadata(metadata: Any) -> None:
    named = isinstance(metadata, dict) and isinstance(metadata.get("event_type"), str)
    if not named or not isinstance(metadata.get("event_payload"), dict):
        raise Refused("invalid_metadata_format")
    if len(str(metadata)) > METADATA_BYTES:
        raise Refused("metadata_too_large")


def _all(blocks: Any, most: int) -> None:
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    problems = list(_blocks(blocks, most))
    if problems:
        raise Refused("invalid_blocks", *problems)


def _view(view: Any) -> Iterator[str]:
    if not isinstance(view, dict):
        yield _at("/view", "must provide an object")
        return
    if view.get("type") not in ("modal", "home"):
        yield _at("/view/type", 'must be one of "modal", "home"')
    if view.get("type") == "modal":
        yield from _plain(view.get("title"), 24, "/view/title")
        for name in ("submit", "close"):
            if name in view:
                yield from _plain(view[name], 24, f"/view/{name}")
    for name, most in (("callback_id", 255), ("private_metadata", 3_000)):
        yield from _long(view.get(name, ""), most, f"/view/{name}")
    blocks = view.get("blocks", [])
    if any(b.get("type") == "input" for b in blocks) and "submit" not in view:
        yield _at("/view/submit", "`submit` is required with an `input` block")
    yield from _blocks(blocks, VIEW_BLOCKS)


def _blocks(blocks: list[Any], most: int) -> Iterator[str]:
    if len(blocks) > most:
        yield _at("/blocks", f"no more than {most} items allowed")
    ids = [b.get("block_id") for b in blocks if isinstance(b, dict)]
    given = [one for one in ids if one]
    if len(given) != len(set(given)):
        yield _at("/blocks", "`block_id` values must be unique")
    for number, block in enumerate(blocks):
        yield from _block(block, f"/blocks/{number}")


def _block(block: Any, at: str) -> Iterator[str]:
    if not isinstance(block, dict) or block.get("type") not in BLOCK_TYPES:
        yield _at(f"{at}/type", "unsupported type")
        return
    yield from _long(block.get("block_id", ""), 255, f"{at}/block_id")
    kind = block["type"]
    if kind == "section":
        yield from _section(block, at)
    elif kind == "header":
        yield from _plain(block.get("text"), 150, f"{at}/text")
    elif kind in ELEMENTS:
        yield from _row(block, ELEMENTS[kind], at)
    elif kind == "input":
        yield from _plain(block.get("label"), 2_000, f"{at}/label")
        yield from _element(block.get("element"), f"{at}/element")
    elif kind == "image":
        yield from _image(block, at)
    elif kind == "markdown":
        yield from _length(block.get("text"), 12_000, f"{at}/text")


def _section(block: Json, at: str) -> Iterator[str]:
    if "text" not in block and not block.get("fields"):
        yield _at(at, "missing required field: text or fields")
    if "text" in block:
        yield from _text(block["text"], SECTION, f"{at}/text")
    fields = block.get("fields", [])
    if len(fields) > 10:
        yield _at(f"{at}/fields", "no more than 10 items allowed")
    for number, one in enumerate(fields):
        yield from _text(one, 2_000, f"{at}/fields/{number}")
    if "accessory" in block:
        yield from _element(block["accessory"], f"{at}/accessory")


def _row(block: Json, most: int, at: str) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not elements:
        yield _at(f"{at}/elements", "no fewer than 1 items allowed")
        return
    if len(elements) > most:
        yield _at(f"{at}/elements", f"no more than {most} items allowed")
    ids = [e.get("action_id") for e in elements if e.get("action_id")]
    if len(ids) != len(set(ids)):
        yield _at(f"{at}/elements", "`action_id` values must be unique")
    for number, one in enumerate(elements):
        place = f"{at}/elements/{number}"
        if block["type"] == "context" and one.get("type") != "image":
            yield from _text(one, SECTION, place)
        else:
            yield from _element(one, place)


def _image(part: Json, at: str) -> Iterator[str]:
    if "image_url" not in part and "slack_file" not in part:
        yield _at(at, "missing required field: image_url or slack_file")
    yield from _length(part.get("alt_text"), 2_000, f"{at}/alt_text")


def _element(part: Any, at: str) -> Iterator[str]:
    if not isinstance(part, dict) or "type" not in part:
        yield _at(at, "must provide an object")
        return
    for name, most in LENGTHS.items():
        yield from _long(part.get(name, ""), most, f"{at}/{name}")
    if part["type"] == "image":
        yield from _image(part, at)
    if part["type"] == "button":
        yield from _plain(part.get("text"), 75, f"{at}/text")
        if part.get("style") not in (None, "primary", "danger"):
            yield _at(f"{at}/style", 'must be one of "primary", "danger"')
    if "confirm" in part:
        yield from _confirm(part["confirm"], f"{at}/confirm")
    if "options" in part:
        yield from _options(part["options"], f"{at}/options")


def _confirm(part: Json, at: str) -> Iterator[str]:
    yield from _plain(part.get("title"), 100, f"{at}/title")
    yield from _text(part.get("text"), 300, f"{at}/text")
    yield from _plain(part.get("confirm"), 30, f"{at}/confirm")
    yield from _plain(part.get("deny"), 30, f"{at}/deny")


def _options(options: list[Json], at: str) -> Iterator[str]:
    if not 1 <= len(options) <= OPTIONS:
        yield _at(at, f"between 1 and {OPTIONS} items allowed")
    for number, one in enumerate(options):
        yield from _text(one.get("text"), 75, f"{at}/{number}/text")
        yield from _length(one.get("value"), 150, f"{at}/{number}/value")


def _plain(part: Any, most: int, at: str) -> Iterator[str]:
    if isinstance(part, dict) and part.get("type") != "plain_text":
        yield _at(f"{at}/type", "must be `plain_text`")
    yield from _text(part, most, at)


def _text(part: Any, most: int, at: str) -> Iterator[str]:
    if not isinstance(part, dict) or part.get("type") not in ("plain_text", "mrkdwn"):
        yield _at(at, "must provide a text object")
        return
    yield from _length(part.get("text"), most, f"{at}/text")


def _length(text: Any, most: int, at: str) -> Iterator[str]:
    if not isinstance(text, str) or not text:
        yield _at(at, "must be more than 0 characters")
    else:
        yield from _long(text, most, at)


def _long(text: Any, most: int, at: str) -> Iterator[str]:
    if not isinstance(text, str):
        yield _at(at, "must be a string")
    elif len(text) > most:
        yield _at(at, f"must be less than {most + 1} characters")


def _at(pointer: str, what: str) -> str:
    return f"[ERROR] {what} [json-pointer:{pointer}]"
