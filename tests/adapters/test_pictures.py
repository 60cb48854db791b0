"""Pictures drawn by the real program."""

import struct
import time
import zlib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from engine.adapters.pictures import draw
from engine.errors import EngineError

DOT = """
digraph "message-delivery-delay" {
  rankdir=LR; node [shape=box, style="rounded,filled", fillcolor="#eef2ff",
                    fontname=Helvetica]; edge [fontname=Helvetica, fontsize=10];
  subgraph cluster_isolate { label="isolate"; fontname=Helvetica; style="rounded";
    limit [label="act limit\\n<script>alert(1)</script>"]; }
  subgraph cluster_diagnose { label="diagnose"; fontname=Helvetica;
    lag [label="check lag", shape=ellipse]; }
  start [shape=circle, label="", width=0.2];
  start -> limit; limit -> lag [label="ok & done"];
  lag -> restore [label="unknown", style=dashed, color=red];
  restore [label="restore", tooltip="\\"quoted\\" & <b>"];
}
"""


def pixels(png: bytes) -> tuple[int, int, int]:
    """Return width, height and how many different bytes the picture has."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    data, at = b"", 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + size]
        at += size + 12
    return width, height, len(set(zlib.decompress(data)))


def refusal(dot: str) -> str:
    with pytest.raises(EngineError) as caught:
        draw(dot, "svg")
    return str(caught.value)


def test_png_is_a_picture_with_something_on_it() -> None:
    """A PNG has a size and more than one colour."""
    width, height, colours = pixels(draw(DOT, "png"))

    assert (width > 300, height > 50, colours > 20) == (True, True, True)


def test_svg_holds_every_text_and_no_script() -> None:
    """Labels stand in the picture as text, mark-up in them is text too."""
    svg = draw(DOT, "svg")
    root = ET.fromstring(svg)
    texts = [element.text for element in root.iter() if element.tag.endswith("}text")]

    assert sorted(text or "" for text in texts) == [
        "<script>alert(1)</script>", "act limit", "check lag", "diagnose", "isolate",
        "ok & done", "restore", "unknown",
    ]  # fmt: skip
    assert [e.tag for e in root.iter() if e.tag.lower().endswith("script")] == []


def test_same_text_gives_the_same_picture() -> None:
    """A picture can be compared with the one in the documentation."""
    assert draw(DOT, "svg") == draw(DOT, "svg")


def test_f94_no_file_of_this_machine_gets_into_a_picture(tmp_path: Path) -> None:
    """An image that the text names is not opened, and nothing of it is shown."""
    image = tmp_path / "secret.png"
    image.write_bytes(draw(DOT, "png"))
    svg = draw(f'digraph {{ a [image="{image}"] }}', "svg")

    assert b"secret.png" not in svg


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "JavaScript:x", "data:x", "/x"]
)
def test_f99_link_that_could_run_is_refused(link: str) -> None:
    """A picture on a page links to addresses only."""
    assert refusal(f'digraph {{ a [URL="{link}"] }}') == (
        f"the picture cannot be drawn: the link '{link}' is not allowed; "
        "write an http address"
    )


def test_link_to_an_address_or_a_place_is_kept() -> None:
    """http, https and a place on the same page are links."""
    svg = draw('digraph { a [URL="https://x.example/?a=1&b=2"]; b [URL="#s1"] }', "svg")

    assert b'xlink:href="https://x.example/?a=1&amp;b=2"' in svg
    assert b'xlink:href="#s1"' in svg


def test_text_that_is_no_dot_is_refused_in_words() -> None:
    """The reason and the line come from the program."""
    assert [
        refusal("digraph {\n a -> \n"),
        refusal(""),
        refusal("digraph { a [x=\0"),
    ] == [
        "the picture cannot be drawn: <stdin>: syntax error in line 3",
        "the picture cannot be drawn: there is nothing to draw",
        "the picture cannot be drawn: <stdin>: syntax error in line 1",
    ]


def test_giant_text_is_refused_before_it_is_drawn() -> None:
    """More than 1 MiB of DOT is not tried."""
    assert refusal("digraph { " + "a;" * 1_000_000 + "}") == (
        "the picture cannot be drawn: 1953 KiB of DOT; draw a part"
    )


@pytest.mark.timed
def test_long_runbook_is_drawn_in_time() -> None:
    """Two hundred steps in a row, each with a way around, are drawn in seconds."""
    rows = [f"s{n} -> s{n + 1}; s{n} -> s{n + 3} [style=dashed];" for n in range(200)]
    began = time.monotonic()
    svg = draw("digraph { node [shape=box]; " + "\n".join(rows) + "}", "svg")

    assert time.monotonic() - began < 5
    assert svg.count(b'class="node"') == 203


@pytest.mark.timed
def test_g25_tangle_ends_at_the_limit() -> None:
    """A graph that would take minutes is given up in words, and in time."""
    rows = [f"s{n} -> s{n + 1}; s{n} -> s{n * 7 % 200};" for n in range(200)]
    began = time.monotonic()
    with pytest.raises(EngineError) as caught:
        draw("digraph { " + "\n".join(rows) + "}", "svg", limit_seconds=0.5)

    assert time.monotonic() - began < 1.5
    assert str(caught.value) == (
        "the picture cannot be drawn: no end within 0.5 s; draw a part"
    )
