"""A card as a Mattermost post: its message, and attachments with text and buttons.

The title stands in the message, where notices and mentions come from; the parts follow
in attachments, in their order. What is too long is shortened, code first, and says so:
a post keeps one ref, so it is never split.

Called by provider.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.adapters.mattermost.plain import (
    JOINER,
    cut,
    cut_bytes,
    escaped,
    fenced,
    shown,
)
from engine.adapters.mattermost.settings import DOORS
from engine.adapters.mattermost.signing import Signer
from engine.model.chat import Button, Buttons, Card, Code, Lines, Link, Part, Rows

MESSAGE: Final = 16_383  # characters that Mattermost takes
TITLE: Final = 600
LINE: Final = 2_000  # one line, one cell
TEXTS: Final = 14_000  # of all attachments, so that it stays a message
LEAST_CODE: Final = 400
LABEL: Final = 80
BUTTONS: Final = 25  # of one row
COLOURS: Final = {"good": "#2eb886", "warning": "#daa038", "danger": "#a30200"}
STYLES: Final = {"plain": "default", "good": "good", "danger": "danger"}
NO_WAY_BACK: Final = "These need `chat.mattermost.callback`; write instead to me: "

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A post without its place."""

    message: str
    attachments: list[Json]


@dataclass(slots=True)
class _Sheet:
    """Attachments as they grow: a row of buttons ends one."""

    colour: str
    fallback: str
    room_left: int
    done: list[Json] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    dropped: int = 0

    def write(self, line: str) -> None:
        """Add a block of text, or count it as left out."""
        if len(line) > self.room_left:
            self.dropped += 1
            return
        self.room_left -= len(line) + 1
        self.lines.append(line)

    def close(self, actions: Sequence[Json] = ()) -> None:
        """End the attachment, with these buttons below it."""
        if self.dropped:
            self.lines.append(f"… {self.dropped} more lines are left out here")
            self.dropped = 0
        if not self.lines and not actions:
            return
        made: Json = {"fallback": self.fallback, "text": "\n".join(self.lines)}
        made |= {"color": self.colour} if self.colour else {}
        made |= {"actions": list(actions)} if actions else {}
        self.done.append(made)
        self.lines = []


def drawn(
    card: Card,
    *,
    signer: Signer,
    callback: str | None,
    thread: str,
    mentions: Sequence[str] = (),
) -> Drawn:
    """Return the card as a post.

    Args:
        signer: Signs what stands behind each button.
        callback: Where Mattermost reaches this engine; None: buttons stand as words.
        thread: Of the place it is for: comes back with each button.
        mentions: Names of groups that it may mention.

    Raises:
        SecretMissing: nothing to sign with.
    """
    title = shown(" ".join(part for part in (card.mark, card.title) if part))
    title = title.replace("@", f"@{JOINER}")
    sheet = _Sheet(COLOURS.get(card.colour, ""), cut(title, TITLE), TEXTS)
    most = _code_limit(card.parts)
    for number, part in enumerate(card.parts):
        if isinstance(part, Buttons) and callback is not None:
            sheet.close(
                [
                    _action(button, f"b{number}x{place}", signer, callback, thread)
                    for place, button in enumerate(part.buttons[:BUTTONS])
                ]
            )
        else:
            for line in _lines(part, most):
                sheet.write(line)
    sheet.close()
    return Drawn(_message(card, mentions), sheet.done)


def _message(card: Card, mentions: Sequence[str]) -> str:
    words = [f"**{escaped(cut(card.mark, TITLE))}**"] if card.mark.strip() else []
    if card.title.strip():
        words += [f"**{escaped(cut(card.title.strip(), TITLE))}**"]
    words += [f"@{name}" for name in mentions]
    return " ".join(words)[:MESSAGE]


def _code_limit(parts: Sequence[Part]) -> int:
    """Return how long one code block may be, so that all the rest has its room."""
    codes = [part for part in parts if isinstance(part, Code)]
    rest = sum(
        len(line) + 1 for part in parts if part not in codes for line in _lines(part, 0)
    )
    return max(LEAST_CODE, (TEXTS - rest) // max(1, len(codes)) - 60)


def _lines(part: Part, most_code: int) -> Iterator[str]:
    if isinstance(part, Lines):
        yield from (escaped(cut(line, LINE)) for line in part.lines)
    elif isinstance(part, Rows):
        for name, value in part.rows:
            yield f"**{escaped(cut(name, LINE))}**: {escaped(cut(value, LINE))}"
    elif isinstance(part, Code):
        yield fenced(cut(part.text, most_code))
    elif isinstance(part, Link):
        label, address = escaped(cut(part.label, LABEL)), _address(part.url)
        yield f"[{label}]({address})" if address else label
    elif isinstance(part, Buttons):
        labels = ", ".join(escaped(cut(one.label, LABEL)) for one in part.buttons)
        yield f"{NO_WAY_BACK}{labels}"
    else:
        yield f"_{escaped(cut(part.text, LINE))}_" if part.text.strip() else ""


def _address(url: str) -> str:
    """Return a link that ends where it ends; empty for what is no web address."""
    if not url.startswith(("https://", "http://")) or not url.isprintable():
        return ""
    signs: Mapping[str, str] = {
        " ": "%20", "(": "%28", ")": "%29", "<": "%3C", ">": "%3E", '"': "%22",
        "\\": "%5C",
    }  # fmt: skip
    return "".join(signs.get(sign, sign) for sign in url)


def _action(
    button: Button, name: str, signer: Signer, callback: str, thread: str
) -> Json:
    behind: Json = {"verb": button.verb, "value": button.value, "thread": thread}
    behind |= {"sure": button.sure} if button.sure else {}
    behind["code"] = signer.sign("press", *said_by(behind))
    return {
        "id": name,  # letters and digits only: the server's path takes nothing else
        "type": "button",
        "name": cut_bytes(shown(button.label), LABEL) or "?",
        "style": STYLES[button.style],
        "integration": {"url": f"{callback}{DOORS}/action", "context": behind},
    }


def said_by(behind: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what of a button's context is signed, in order."""
    return tuple(behind.get(name, "") for name in ("verb", "value", "thread", "sure"))
