"""Durations, times, counts and escapes, one by one."""

import pytest

from engine.model.times import (
    count_text,
    epoch_seconds,
    length_text,
    moment_text,
    offset_text,
    time_text,
)
from engine.views.escape import code, command_text, html, markdown, visible


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "not known"), (0, "0 s"), (0.04, "0.1 s"), (0.44, "0.4 s"), (12.4, "12 s"),
        (59.6, "1 min"), (125, "2 min 5 s"), (3600, "1 h"), (5400, "1 h 30 min"),
        (-30, "-30 s"),
    ],
)  # fmt: skip
def test_durations_read_as_people_say_them(seconds: float | None, text: str) -> None:
    """
    Two units at most, no false precision, never a unit left out.
    """
    assert length_text(seconds) == text


@pytest.mark.parametrize(
    ("tick", "text"),
    [(0, "+00:00"), (61.9, "+01:01"), (7507, "+125:07"), (-3, "+00:00")],
)
def test_offsets_count_minutes_past_an_hour(tick: float, text: str) -> None:
    """
    An offset is minutes and seconds, however long the run.
    """
    assert offset_text(tick) == text


@pytest.mark.parametrize("at", [1e20, float("nan"), float("inf"), -1e20, None])
def test_a_time_no_calendar_has_is_not_known(at: float | None) -> None:
    """
    A time from outside that cannot be is said to be not known.
    """
    assert (time_text(at), moment_text(at)) == ("not known", "not known")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-14T02:08:30Z", 1_773_454_110.0),
        ("2026-03-14T03:08:30.123456789+01:00", 1_773_454_110.123456),
        ("2026-03-14T02:08:30", None),  # no zone: whose clock?
        ("0001-01-01T00:00:00Z", None),  # "not yet" of some sources
        ("yesterday", None),
        (1_773_454_110, None),
    ],
)
def test_the_time_of_an_alert_is_read_only_where_it_is_one(
    text: object, at: float | None
) -> None:
    """
    ISO 8601 with a zone; anything else is no time.
    """
    assert epoch_seconds(text) == at


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (2.5, "2.5"), (12_400.4, "12 400"), (1e6, "1 000 000")],
)
def test_counts_are_grouped(count: float, text: str) -> None:
    """
    Large counts can be read at a glance.
    """
    assert count_text(count) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain é 漢", "plain é 漢"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202eltr\u2066", "\\u202eltr\\u2066"),
        ("\u2028\u200b\ufeff", "\\u2028\\u200b\\ufeff"),
        ("\ud800", "\\ud800"),
        ("x" * 2001, "x" * 2000 + "… (1 more)"),
        (None, "None"),
    ],
)
def test_f98_what_hides_or_moves_text_is_shown_as_its_escape(
    raw: object, text: str
) -> None:
    """
    Line breaks, ANSI, reversed and invisible characters are seen, not obeyed.
    """
    assert visible(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("open_lane of a_b", "open_lane of a_b"),
        ("__init__", "\\_\\_init\\_\\_"),
        ("_em_ *b* `c`", "\\_em\\_ \\*b\\* \\`c\\`"),
        ("a|b", "a\\|b"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("=cmd()", "\\=cmd()"),
        ("# head", "\\# head"),
        ("1. one", "1\\. one"),
        ("- item", "\\- item"),
        ("{{ x }}", "&#123;&#123; x &#125;&#125;"),
        ("[a](x)", "\\[a\\](x)"),
        (-3, "-3"),
    ],
)
def test_f99_markdown_text_stays_text_and_stays_readable(
    raw: object, text: str
) -> None:
    """
    Names with underscores stay as they are; what would be mark-up is escaped.
    """
    assert markdown(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("deployctl rollback --region eu", "`deployctl rollback --region eu`"),
        ("a `b`", "a \\`b\\`"),
        ("<script>", "&lt;script&gt;"),
        ("=1+1", "\\=1+1"),
    ],
)
def test_f99_a_code_span_is_made_only_of_plain_characters(raw: str, text: str) -> None:
    """
    What could leave a code span is text instead.
    """
    assert str(code(raw)) == text


def test_f99_html_is_escaped_once() -> None:
    """
    A value is escaped, a value that was escaped is left.
    """
    once = html("<b>'\"&{{x}}\x1b")

    assert (str(once), html(once)) == (
        "&lt;b&gt;&#39;&#34;&amp;&#123;&#123;x&#125;&#125;\\x1b", once,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "command", "text"),
    [
        ("command", {"argv": ["a b", "-c"]}, "'a b' -c"),
        ("command", {"argv": ["x"], "cwd": "/srv"}, "x  (cwd /srv)"),
        ("http", {"post": "http://x", "json": {"n": 1}}, 'POST http://x json {"n": 1}'),
        ("silence", {"match": {"a": "b"}}, 'silence match {"a": "b"}'),
        ("http", None, "none"),
        ("silence", "built in", "built in"),
    ],
)
def test_commands_read_as_a_person_would_write_them(
    kind: str, command: object, text: str
) -> None:
    """
    Argument lists as a shell line, HTTP as method and address, others as pairs.
    """
    assert command_text(kind, command) == text
