"""Cards as Slack's blocks: what stands where, and what is cut at which limit."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chat.limits import check_message, check_view
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.adapters.slack.blocks import drawn, notice, size
from engine.adapters.slack.modals import filled, modal
from engine.adapters.slack.texts import read_text, safe
from engine.errors import ChatRefused
from engine.model.chat import (
    Button,
    Buttons,
    Card,
    Code,
    Field,
    Form,
    Lines,
    Link,
    Part,
    Rows,
    Small,
)

TEXT = st.text(max_size=200) | st.sampled_from(
    ["<!channel>", "@here", "`", "```", "*b*", "_i_", "~s~", "<http://x|y>", "\u202e"]
)
PARTS = st.lists(
    st.builds(lambda one: Lines(tuple(one)), st.lists(TEXT, max_size=70))
    | st.builds(
        lambda one: Rows(tuple(one)), st.lists(st.tuples(TEXT, TEXT), max_size=70)
    )
    | st.builds(Code, TEXT | st.text(max_size=50).map(lambda one: one * 400))
    | st.builds(Small, TEXT)
    | st.builds(Link, TEXT, TEXT)
    | st.builds(
        lambda one: Buttons(tuple(one)),
        st.lists(
            st.builds(
                Button, TEXT, st.sampled_from(["approve", "reject"]), TEXT,
                st.sampled_from(["plain", "good", "danger"]), TEXT,
            ),
            max_size=30,
        ),
    ),
    max_size=60,
).map(tuple)  # fmt: skip


def test_every_part_has_its_block() -> None:
    """
    Values stand in plain text, our own words in bold, code between fences.
    """
    card = Card(
        "orders <late>",
        (
            Lines(("users see: *late*",)), Rows((("held", "drain_it"),)),
            Code("a > b\nc"), Code("echo `date`"),
            Buttons((Button("Approve", "approve", "v", "good", "Really?"),
                     Button("Approve both", "approve", "w"))),
            Link("the run", "https://x.example.com/?a=1&b=<|>"), Small("hash"),
        ),
        "[DRY RUN]", ("sre", "dba", "ana"), "danger",
    )  # fmt: skip

    def plain(text: str) -> dict[str, Any]:
        return {"type": "plain_text", "text": text, "emoji": False}

    def own(text: str) -> dict[str, Any]:
        return {"type": "mrkdwn", "text": text, "verbatim": True}

    sure = {
        "title": plain("Approve"), "text": plain("Really?"),
        "confirm": plain("Approve"), "deny": plain("No"),
    }  # fmt: skip
    buttons = [
        {
            "type": "button", "text": plain("Approve"), "action_id": "approve",
            "value": "v", "style": "primary", "confirm": sure,
        },
        {
            "type": "button", "text": plain("Approve both"), "action_id": "approve:2",
            "value": "w",
        },
    ]  # fmt: skip
    title = "\N{LARGE RED CIRCLE} [DRY RUN] orders &lt;late&gt;"
    expected = [
        {"type": "header", "text": plain(title)},
        {"type": "section", "text": plain("users see: *late*")},
        {"type": "section", "fields": [own("*held*"), plain("drain_it")]},
        {"type": "section", "text": own("```a &gt; b\nc```")},
        {"type": "section", "text": plain("echo `date`")},
        {"type": "actions", "elements": buttons},
        {
            "type": "section",
            "text": own("<https://x.example.com/?a=1&amp;b=%3C%7C%3E|the run>"),
        },
        {"type": "context", "elements": [plain("hash")]},
        {"type": "section", "text": own("<!subteam^S1> <@U1>")},
    ]
    found = drawn(card, {"sre": "S1", "dba": "<!channel>", "ana": "U1"})

    assert expected == found.blocks
    assert f"{title}\nusers see: *late*\nheld: drain_it\na &gt; b\nc" in found.text


@settings(max_examples=60, deadline=None)
@given(TEXT, PARTS, st.sampled_from([9000, 3000, 0]))
def test_f53_f59_any_card_is_taken_and_nothing_in_it_is_mark_up(
    title: str, parts: tuple[Part, ...], budget: int
) -> None:
    """
    Slack's limits hold for every card, and no value ever stands where mark-up counts.
    """
    card = Card(title or "x", parts, colour="good")
    found = drawn(card, {}, budget=budget)
    check_message(found.text, found.blocks, [], None)
    marked = list(_marked(found.blocks))

    assert size(found.blocks) <= 13_000 + 30 * 600  # what is fixed is never cut
    assert "<" not in found.text
    assert [] == [one for one in marked if "<!" in one or "<@" in one or "<#" in one]
    assert [] == [one for one in marked if "`" in one.strip("`")]
    assert found == drawn(card, {}, budget=budget)


def _marked(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        if found.get("type") == "mrkdwn":
            yield found["text"]
        for one in found.values():
            yield from _marked(one)
    elif isinstance(found, list):
        for one in found:
            yield from _marked(one)


def test_what_is_empty_is_a_dash() -> None:
    """
    Slack takes no text without a sign in it.
    """
    found = drawn(Card(" ", (Lines(("", " ")), Rows((("", ""),)), Small(""))))
    texts = [
        json.dumps(one, ensure_ascii=False).count("\u2013") for one in found.blocks
    ]

    assert [1, 1, 2, 1] == texts


def test_f59_60_blocks_become_one_message_that_says_what_is_left_out() -> None:
    """
    What does not fit is counted; the buttons stay.
    """
    lines = Code("\n".join(f"line {n} {'x' * 90}" for n in range(200)))
    card = Card("evidence", (lines, Buttons((Button("Go", "approve", "q"),))))
    found = drawn(card)

    assert 9000 >= size(found.blocks) > 8000
    assert "actions" == found.blocks[-2]["type"]
    assert "… (110 more, see timeline)" == found.blocks[-1]["elements"][0]["text"]


def test_f59_the_notice_is_shortened() -> None:
    """
    A phone gets the beginning, and how many lines more there are.
    """
    text = notice(Card("t", (Lines(tuple("y" * 100 for _ in range(60))),)))

    assert len(text) <= 3000
    assert text.endswith("\n… (31 more, see timeline)")


def test_a_value_that_slack_would_not_keep_is_refused() -> None:
    """
    A button that would lose what it means is never shown.
    """
    card = Card("t", (Buttons((Button("Go", "approve", "v" * 2001),)),))
    with pytest.raises(ChatRefused) as refused:
        drawn(card)

    assert (
        "the button 'Go' would carry 2001 characters; Slack keeps 2000"
        == str(refused.value)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "most", "expected"),
    [
        ("a & <b>", 20, "a &amp; &lt;b&gt;"),
        ("two\nlines", 20, "two\\nlines"),
        ("\u202eexe\x00", 30, "\\u202eexe\\x00"),
        ("x" * 100, 40, "x" * 16 + "… (84 more)"),
        ("<" * 100, 40, "&lt;" * 4 + "… (96 more)"),
    ],
    ids=["entities", "newline", "hidden", "long", "long-entities"],
)
def test_f53_a_value_is_made_safe(value: str, most: int, expected: str) -> None:
    """
    Escaped, on one line, within its limit after escaping.
    """
    assert expected == safe(value, most)


@pytest.mark.parametrize(
    ("slack", "typed"),
    [
        ("host=<http://edge-1.example.com|edge-1.example.com>", "host=edge-1.example.com"),
        ("see <https://x.example.com/a?b=1&amp;c=2>", "see https://x.example.com/a?b=1&c=2"),
        ("<@U01ANA> and <#C01|shop> and <!here>", "@U01ANA and #shop and @here"),
        ("<!subteam^S01|@sre> &lt;b&gt; &amp;amp;", "@sre <b> &amp;"),
        ("<mailto:a@example.com|a@example.com>", "a@example.com"),
        ("a <b", "a <b"),
    ],
    ids=["host", "url", "names", "group", "mail", "torn"],
)  # fmt: skip
def test_what_was_typed_is_read_back(slack: str, typed: str) -> None:
    """
    Slack's own forms become what the person wrote.
    """
    assert typed == read_text(slack)


FIELDS = (
    Field("region", "Region", "choice", ("eu", "us"), "eu"),
    Field("share", "Share", "number", value="0.5", hint="0 to 1"),
    Field("sure", "Sure?", "yes_no", value="true"),
    Field("hosts", "Hosts", "list", value="edge-1\nedge-2"),
    Field("zones", "Zones", "list", ("a", "b", "c"), "a\nc"),
    Field("why", "Why", "long", optional=True),
    Field("many", "Many", "choice", tuple(f"c{n}" for n in range(200)), "c7"),
)


def test_a_form_comes_back_as_its_fields_are_typed() -> None:
    """
    What was filled in before comes back as text, number, yes or no, and lists.
    """
    view = modal(Form("A title of more than 24 signs", "opaque", FIELDS, ("Why.",)))
    check_view(view)
    values = {
        one["block_id"]: {one["element"]["action_id"]: _untouched(one["element"])}
        for one in view["blocks"]
        if one["type"] == "input"
    }

    assert "A title of more than 24…" == view["title"]["text"]
    assert (
        {
            "region": "eu", "share": 0.5, "sure": True, "hosts": ["edge-1", "edge-2"],
            "zones": ["a", "c"], "many": "c7",
        },
        {},
    ) == filled({"state": {"values": values}})  # fmt: skip


def _untouched(element: dict[str, Any]) -> dict[str, Any]:
    kept = {"initial_value": "value", "initial_option": "selected_option",
            "initial_options": "selected_options"}  # fmt: skip
    return {kept[one]: element[one] for one in kept if one in element}


@pytest.mark.parametrize(
    ("typed", "number"),
    [("12", 12), ("-3", -3), (" 0.5 ", 0.5), (".5", 0.5), ("1e3", 1000.0), ("7.", 7.0)],
)
def test_a_number_is_a_whole_one_where_it_is_written_so(
    typed: str, number: float
) -> None:
    """
    12 is whole, 12.0 is not.
    """
    found, wrong = filled({"state": {"values": {"n": {"number": {"value": typed}}}}})

    assert ({"n": number}, {}) == (found, wrong)
    assert isinstance(found["n"], type(number))


@pytest.mark.parametrize(
    "typed",
    ["twelve", "nan", "inf", "1e999", "1_000", "\u0661", "0x10", "9" * 5000, "."],
    ids=range(9),
)
def test_a_number_that_is_none_is_told_beside_its_field(typed: str) -> None:
    """
    The form stays open and says what to write.
    """
    values = {"share": {"number": {"value": typed}}, "a": {"text": {"value": "b"}}}

    assert (
        {"a": "b"}, {"share": "This is no number: write 12 or 0.5"}
    ) == filled({"state": {"values": values}})  # fmt: skip


def test_a_form_that_does_not_fit_is_refused() -> None:
    """
    Too many fields, or a value that would be cut.
    """
    many = tuple(Field(f"f{n}", "F") for n in range(61))
    for form in (Form("t", "v", many), Form("t", "v" * 2001, ())):
        with pytest.raises(ChatRefused):
            modal(form)


def test_a_card_is_json() -> None:
    """
    Lone surrogates and all, what is sent can be written as UTF-8.
    """
    found = drawn(Card("\ud800", (Lines(("\udfff",)),)))

    assert json.dumps(found.blocks, ensure_ascii=False).encode()
