"""A card as plain text, to compare with: every part, in order, nothing left out."""

from engine.model.chat import Button, Card, Code, Field, Form, Lines, Link, Rows, Small


def card_text(card: Card) -> str:
    """Return the whole card as text."""
    head = f"{card.mark} {card.title}".strip()
    more = "".join(f" @{group}" for group in card.loud)
    colour = f" [{card.colour}]" if card.colour else ""
    return "\n".join([f"# {head}{more}{colour}", *map(_part, card.parts)]) + "\n"


def form_text(form: Form) -> str:
    """Return the whole form as text."""
    fields = [_field(one) for one in form.fields]
    return "\n".join(
        [f"# {form.title} [{form.send}]", form.value, *form.text, *fields, ""]
    )


def _part(part: object) -> str:
    if isinstance(part, Lines):
        return "\n".join(part.lines)
    if isinstance(part, Rows):
        return "\n".join(f"{name}: {value}" for name, value in part.rows)
    if isinstance(part, Code):
        return "\n".join(f"| {line}" for line in part.text.splitlines())
    if isinstance(part, Small):
        return f"({part.text})"
    if isinstance(part, Link):
        return f"{part.label} -> {part.url}"
    return "\n".join(_button(one) for one in part.buttons)  # type: ignore[attr-defined]


def _button(one: Button) -> str:
    sure = f" sure: {one.sure}" if one.sure else ""
    return f"[{one.label}] {one.style} {one.verb} {one.value}{sure}"


def _field(one: Field) -> str:
    needed = "" if not one.optional else " (optional)"
    choices = f" of {', '.join(one.choices)}" if one.choices else ""
    return f"- {one.name}: {one.kind}{choices}{needed} = '{one.value}' {one.hint}"
