"""Cards as posts of Mattermost: what stands where, what is escaped, what is cut."""

import html
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from mattermost import markup

from engine.adapters.mattermost.drawing import MESSAGE, TEXTS, Drawn, drawn
from engine.adapters.mattermost.plain import (
    JOINER,
    cut,
    cut_bytes,
    escaped,
    fenced,
    shown,
)
from engine.adapters.mattermost.signing import Signer
from engine.model.chat import (
    Button,
    Buttons,
    Card,
    Code,
    Lines,
    Link,
    Rows,
    Small,
)
from tests.adapters.mattermost.mattermost_world import Known, settings_for

PARSER = MarkdownIt("gfm-like")
PARSER.linkify.set({"fuzzy_link": False, "fuzzy_email": False})  # not Mattermost's
MARKUP = st.sampled_from("ab1 \t\n\\`*_{}[]()#+-.!|~<>=:/&;@$\"'w.x") | st.characters()
SIGNER = Signer(settings_for("http://x"), Known({"TOKEN": "t0k3n"}))
HOSTILE = (
    "@channel @here @all @ana \\@channel &#64;channel <!channel> @\u202echannel",
    "[a](http://x.y) http://x.y https://x.y www.x.y x.com/y mailto:a@b.cd a@b.cd",
    "# big ## bigger\t#hashtag ~town-square ~~gone~~ **bold** _it_ __b__ `c` ```d```",
    ":smile: :+1: :) <3 $x^2$ $$y$$ ||s|| ![p](http://x.y/z.png) > quote - list",
    "1. list", "- list", "+ list", "> quote", "# heading", "=====", "    code", "1) x",
    "\u2028@channel\u2029#x", "a\r\n@here", "`" * 7, "``@channel``", "~~~\n@all\n~~~",
    "{{ 7*7 }} ${jndi:x} %s", "&lt;b&gt; &amp;", "@@channel", "x@channel", "(@channel)",
    "https:\\//x.y", "ht\u200btps://x.y", "\\", "*", "a\\",
)  # fmt: skip


def whole(card: Card, *, callback: str | None = "http://e") -> Drawn:
    """Return the card as a post, without a thread."""
    return drawn(card, signer=SIGNER, callback=callback, thread="")


def read(text: str) -> str:
    """Return what a person reads where `escaped` wrote it."""
    return html.unescape(markup.ESCAPE.sub(r"\1", text)).replace(JOINER, "")


def everything(post: Drawn) -> Sequence[str]:
    """Return each text of a post that Markdown works on."""
    return [post.message, *(one["text"] for one in post.attachments)]


def test_a_card_is_a_post_with_its_parts_in_order() -> None:
    """
    Title and mark in the message; parts in attachments; a row of buttons ends one.
    """
    card = Card(
        "Message delay",
        (
            Lines(("users wait", "since 10:00")),
            Rows((("held", "drain (edge-1)"),)),
            Buttons((Button("Approve", "approve", "v", "good"),)),
            Code("drain edge-1"),
            Link("the run", "https://e.example.com/r?a=(1)"),
            Small("hash 1a2b"),
        ),
        mark="[REHEARSAL]",
        colour="danger",
    )
    post = whole(card)
    first, second = post.attachments
    code = first["actions"][0]["integration"]["context"].pop("code")

    assert "**\\[REHEARSAL\\]** **Message delay**" == post.message
    assert {
        "fallback": "[REHEARSAL] Message delay",
        "text": "users wait\nsince 10:00\n**held**: drain \\(edge-1\\)",
        "color": "#a30200",
        "actions": [{
            "id": "b2x0", "type": "button", "name": "Approve", "style": "good",
            "integration": {
                "url": "http://e/chat/mattermost/action",
                "context": {"verb": "approve", "value": "v", "thread": ""},
            },
        }],
    } == first  # fmt: skip
    assert SIGNER.fits(code, "press", "approve", "v", "", "")
    assert (
        "```\ndrain edge-1\n```\n[the run](https://e.example.com/r?a=%281%29)\n"
        "_hash 1a2b_"
    ) == second["text"]


def test_without_a_callback_buttons_stand_as_words() -> None:
    """
    Nobody is shown a button that cannot come back.
    """
    post = whole(Card("t", (Buttons((Button("Go", "go", "v"),)),)), callback=None)

    assert [
        {
            "fallback": "t",
            "text": "These need `chat.mattermost.callback`; write instead to me: Go",
        }
    ] == post.attachments


def test_groups_are_mentioned_in_the_message_alone() -> None:
    """
    Who is mentioned is said by the engine, never by a value.
    """
    post = drawn(
        Card("t @bo"), signer=SIGNER, callback=None, thread="", mentions=["sre"]
    )

    assert {"sre"} == markup.called(post.message)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_f53_a_value_does_nothing_and_reads_as_it_was(text: str) -> None:
    """
    No mention, link, format or picture, wherever it stands; and it can be read.
    """
    made = escaped(text)

    assert set() == markup.called(made)
    assert [] == markup.links(made)
    assert [] == markup.formats(made)
    assert [] == [sign for sign in made if sign in "\n\r\t\u202e\u2028\u2029\u200b"]
    if text.isprintable():
        assert text == read(made).replace("\u00a0", " ")


@settings(deadline=None)
@given(st.text(max_size=200) | st.lists(st.sampled_from(HOSTILE)).map(" ".join))
@example("@" * 50)
def test_f53_no_text_at_all_mentions_or_links(text: str) -> None:
    """
    Any text: in a line, a row, code, small print, a title, a button.
    """
    card = Card(
        text,
        (
            Lines((text, text)), Rows(((text, text),)), Code(text), Small(text),
            Buttons((Button(text, "approve", text),)), Link(text, text),
        ),
        mark=text,
    )  # fmt: skip
    post = whole(card)

    assert [set()] * 3 == [markup.called(one) for one in everything(post)]
    assert [[]] * 3 == [markup.links(one) for one in everything(post)]


@settings(deadline=None)  # the parser learns its rules with the first text
@given((st.text(MARKUP, max_size=80) | st.sampled_from(HOSTILE)).filter(str.strip))
def test_f53_a_parser_that_others_wrote_finds_only_text(text: str) -> None:
    """
    CommonMark with tables, strikethrough and links that make themselves: two lines of
    any signs are one paragraph of text, and read as they were.
    """
    tokens = PARSER.parse(f"x\n{escaped(text)}\nx")
    (inline,) = [one for one in tokens if one.type == "inline"]
    kinds = {one.type for one in inline.children or ()}
    words = "".join(one.content or "\n" for one in inline.children or ())

    assert ["paragraph_open", "inline", "paragraph_close"] == [
        one.type for one in tokens
    ]
    assert set() == kinds - {"text", "softbreak", "hardbreak"}
    read = words.replace(JOINER, "")[1:-1]
    assert shown(text).split() == read.split()


@settings(deadline=None)
@given(st.text(st.sampled_from("`~ \na@#"), max_size=60))
def test_f53_nothing_ends_a_code_block_but_its_end(text: str) -> None:
    """
    What stands after the block is not in it, whatever the block holds.
    """
    made = fenced(text)
    lines = made.split("\n")

    assert "after" == markup.without_code(f"{made}\nafter").strip()
    assert lines[0] == lines[-1]
    assert [] == [one for one in lines[1:-1] if lines[0] in one]


def test_f59_what_is_too_long_is_shortened_and_says_so() -> None:
    """
    Code gives way first; buttons stay; the post is one that Mattermost takes.
    """
    long = "x" * 65_536
    card = Card(
        long,
        (
            Lines(("y" * 1_500,)), Code(long), Code("z" * 65_536), Small("the hash"),
            Buttons((Button(long, "approve", "v"),)),
        ),
    )  # fmt: skip
    post = whole(card)
    texts = "\n".join(one["text"] for one in post.attachments)

    assert len(post.message) <= MESSAGE
    assert len(texts) <= TEXTS + 200
    assert ["y" * 1_500 in texts, "_the hash_" in texts] == [True, True]
    assert (3, "approve") == (
        read(texts + post.message).count(" more)"),
        post.attachments[-1]["actions"][0]["integration"]["context"]["verb"],
    )


def test_f59_more_lines_than_there_is_room_for_are_counted() -> None:
    """
    What is left out is said in its place.
    """
    post = whole(Card("t", (Lines(tuple("w" * 1_000 for _ in range(20))),)))

    assert (
        "… 7 more lines are left out here"
        == (post.attachments[-1]["text"].splitlines()[-1])
    )


def test_cuts_count_what_they_take() -> None:
    """
    Characters are counted; bytes are cut between characters.
    """
    assert "abc" == cut("abc", 3)
    assert "aaaaaa… (94 more)" == cut("a" * 100, 30)
    assert ("ab", "ä…", "…") == (
        cut_bytes("ab", 2),
        cut_bytes("äöü", 5),
        cut_bytes("äöü", 4),
    )
