"""Changes as a comment: what stands in a runbook is text there, and calls nobody."""

from engine.analysis.comparing import Change
from engine.analysis.comparing.changes import Place
from engine.analysis.comparing.telling import as_markdown, as_text, counted

ODD = Change(
    "web",
    "act",
    "riskier",
    "done when a || <b>b</b>, for @ana and `x`\x1b[1m",
    None,
    Place("new/web.yaml", 7),
)
CALM = Change("web", "owner", "neutral", "owned by 'ops'", Place("a", 1), Place("b", 2))


def test_a_comment_holds_no_mark_up_of_the_runbook() -> None:
    """
    No cell, no HTML, no code, no mention, no escape of a terminal comes through.
    """
    assert [
        "<!-- runbook diff -->",
        "### Runbooks: 1 riskier, 1 neutral",
        "",
        "**web**: 1 riskier, 1 neutral",
        "",
        "| Riskier | what it means | before | now |",
        "|---|---|---|---|",
        (
            "| act | done when a \\|\\| &lt;b&gt;b&lt;/b&gt;, for @<!-- -->ana and \\`x\\`"
            "\\\\x1b\\[1m |  | `new/web.yaml:7` |"
        ),
        "",
        "| Neither | what it means | before | now |",
        "|---|---|---|---|",
        "| owner | owned by 'ops' | `a:1` | `b:2` |",
    ] == as_markdown([ODD, CALM])


def test_nothing_changed_is_said() -> None:
    """
    Two sides that mean the same are one line, also in a comment.
    """
    assert "nothing changed" == counted([])
    assert ["in all: nothing changed"] == as_text([])
    assert ["<!-- runbook diff -->", "### Runbooks: nothing changed"] == as_markdown([])
