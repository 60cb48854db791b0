"""The grammar of `/runbook` and `@runbook`: what words mean, and why some mean nothing."""

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from engine.core.words import Command, Known, Refusal, help_lines, parse
from engine.core.words.commands import VERBS
from engine.core.words.tokens import tokens
from engine.model.vocabulary import Input


def known(**more: object) -> Known:
    """Return two runbooks, two open runs, two groups."""
    region = Input.model_validate({"type": "choice", "of": ["eu", "us"]})
    copies = Input.model_validate({"type": "integer", "default": 3})
    fields = {
        "runbooks": {
            "message-delay": {"region": region, "copies": copies},
            "message-loss": {},
            "db-failover": {"region": region},
        },
        "runs": ("r-7kq3xm", "r-9abcde"),
        "groups": ("messaging-oncall", "databases"),
    }
    return Known(**(fields | more))  # type: ignore[arg-type]


HERE = known(here="r-7kq3xm")


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("", Command("help")),
        ("help", Command("help")),
        ("help app", Command("help", name="approve")),
        (
            "run db-failover region=eu",
            Command("run", name="db-failover", given={"region": "eu"}),
        ),
        (
            'RUN db reg="eu west"  ',
            Command("run", name="db-failover", given={"region": "eu west"}),
        ),
        (
            "start message-delay copies=5",
            Command(
                "run", name="message-delay", given={"copies": "5"}, missing=("region",)
            ),
        ),
        ("dry-run message-loss", Command("dry-run", name="message-loss")),
        ("list late messages", Command("list", text="late messages")),
        ("show db", Command("show", name="db-failover")),
        ("show r-9", Command("show", run="r-9abcde")),
        ("show", Command("show", run="r-7kq3xm")),
        ("status", Command("status", run="r-7kq3xm")),
        ("why r-zzzzzz", Command("why", run="r-zzzzzz")),
        ("approve", Command("approve", run="r-7kq3xm")),
        (
            "approve r-9 roll-back plan=ab12cd typed=“eu west”",
            Command(
                "approve", run="r-9abcde", step="roll-back", plan="ab12cd",
                given={"typed": "eu west"},
            ),
        ),
        (
            "reject it's peak hour",
            Command("reject", run="r-7kq3xm", text="it's peak hour"),
        ),
        (
            "reject r-9abcde 'it is late'",
            Command("reject", run="r-9abcde", text="it is late"),
        ),
        ("reject", Command("reject", run="r-7kq3xm", missing=("reason",))),
        ("answer", Command("answer", run="r-7kq3xm", missing=("answers",))),
        ("answer yes", Command("answer", run="r-7kq3xm", text="yes")),
        (
            "answer hand note='by hand' fixed=true",
            Command(
                "answer", run="r-7kq3xm", step="hand",
                given={"note": "by hand", "fixed": "true"},
            ),
        ),
        (
            'note "called; rm -rf /" $(reboot)',
            Command("note", run="r-7kq3xm", text='"called; rm -rf /" $(reboot)'),
        ),
        ("hold", Command("hold", run="r-7kq3xm")),
        (
            "hold on peak hour",
            Command("hold", run="r-7kq3xm", on=True, text="peak hour"),
        ),
        ("hold on", Command("hold", run="r-7kq3xm", on=True, missing=("reason",))),
        ("hold all off", Command("hold", run="all", on=False)),
        (
            "cancel keep mine now",
            Command("cancel", run="r-7kq3xm", keep=True, text="mine now"),
        ),
        ("cancel r-9abcde", Command("cancel", run="r-9abcde")),
        ("retry", Command("retry", run="r-7kq3xm")),
        ("take", Command("take", run="r-7kq3xm")),
        ("take com", Command("take", run="r-7kq3xm", name="commander")),
        ("sev 2", Command("sev", run="r-7kq3xm", name="sev2")),
        (
            "sev1 too many users",
            Command("sev", run="r-7kq3xm", name="sev1", text="too many users"),
        ),
        (
            "page data all of you",
            Command("page", run="r-7kq3xm", name="databases", text="all of you"),
        ),
        ("report", Command("report", run="r-7kq3xm")),
    ],
)  # fmt: skip
def test_words_mean_one_thing(said: str, means: Command) -> None:
    """
    Each verb with its names cut short, its quotes and its text, in a run's thread.
    """
    assert parse(said, HERE) == means


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "aprove",
            "'aprove' is no command. Did you mean 'approve'? Choices: "
            + ", ".join(VERBS) + ".",
        ),
        (
            "db-failover",
            ("'db-failover' is a runbook; say what to do with it. Choices: "
            "run db-failover, show db-failover."),
        ),
        (
            "run",
            "Say which runbook. Choices: message-delay, message-loss, db-failover.",
        ),
        (
            "run message",
            "'message' may be any of several. Choices: message-delay, message-loss.",
        ),
        (
            "run db-fialover",
            ("'db-fialover' is no runbook. Did you mean 'db-failover'? Choices: "
            "message-delay, message-loss, db-failover."),
        ),
        (
            "run db-failover rigion=eu",
            ("'rigion' is no input of 'db-failover'. Did you mean 'region'? Choices: "
            "region."),
        ),
        ("run db-failover eu", "'eu' is no key=value. Choices: region=…."),
        (
            "run db-failover region=eu reg=us",
            "'region' is given twice; give it once. Choices: region=….",
        ),
        (
            'run db-failover region="eu',
            'A quote is not closed: region="eu',
        ),
        (
            "approve",
            ("Say which run: approve r-7kq3xm …, or say it in the run's thread. "
            "Choices: r-7kq3xm, r-9abcde."),
        ),
        ("approve r-7kq3xm plan=zz", "'zz' is no hash of a plan. Choices: plan=HASH."),
        ("status r-1", "'r-1' is no open run. Choices: r-7kq3xm, r-9abcde."),
        ("sev 7", "'7' is no severity. Choices: sev1, sev2, sev3, sev4, sev5."),
        (
            "take comander",
            ("'comander' is no role. Did you mean 'commander'? Choices: "
            "commander, deputy, scribe, liaison."),
        ),
        (
            "page datbases",
            ("'datbases' is no group. Did you mean 'databases'? Choices: "
            "messaging-oncall, databases."),
        ),
        ("hold peak", "'peak' is neither on nor off. Choices: on, off."),
    ],
)  # fmt: skip
def test_what_means_nothing_is_told_with_its_choices(said: str, told: str) -> None:
    """
    What was wrong, the nearest name, and what could have stood there.
    """
    refusal = parse(said, known())

    assert isinstance(refusal, Refusal)
    assert told == refusal.text


def test_a_name_is_never_corrected_behind_anybodys_back() -> None:
    """
    The nearest name is offered as a whole command; it is not taken.
    """
    refusal = parse("run db-fialover region=eu", known())

    assert isinstance(refusal, Refusal)
    assert refusal.meant == "run db-failover region=eu"


def test_the_only_open_run_may_be_looked_at_but_not_steered() -> None:
    """
    Who names no run in a room of many may look; what changes something needs its name.
    """
    one = known(runs=("r-7kq3xm",))

    assert parse("why", one) == Command("why", run="r-7kq3xm")
    assert isinstance(parse("cancel", one), Refusal)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("run rb01; rm -rf /", "'rb01;' is no runbook."),
        ("run $(reboot)", "'$(reboot)' is no runbook."),
        ("run `reboot`", "'`reboot`' is no runbook."),
        ("run db-failover && reboot", "'&&' is no key=value."),
        ("run db-failover\x00", "Sign 16 is U+0000, which cannot be seen; leave it out."),
        ("run \u202edb-failover", "Sign 5 is U+202E, which cannot be seen; leave it out."),
        ("run \ud800", "Sign 5 is U+D800, which cannot be seen; leave it out."),
        ("run " + "x" * 10_000, "10,004 characters are too long; at most 4,000 are read."),
        ("run " + "y" * 3000, f"'{'y' * 39}…' is no runbook."),
    ],
    ids=[
        "list", "substitution", "backticks", "and", "nul", "bidi", "surrogate", "huge",
        "long",
    ],
)  # fmt: skip
def test_f68_what_a_shell_would_run_is_refused_with_choices(
    said: str, why: str
) -> None:
    """
    There is no shell and no hidden sign: such words are no command, and choices stand.
    """
    refusal = parse(said, known())

    assert isinstance(refusal, Refusal)
    assert (refusal.why, bool(refusal.choices)) == (why, True)


HEADS = st.sampled_from([*VERBS, "sev1", "app", "", "?", "x"])
PIECES = st.sampled_from(
    ["r-7kq3xm", "r-", "r-9", "all", "on", "off", "keep", "db", "region=", '"', "'",
     "=", "a=b", 'a="b c"', "plan=ab12cd", "typed=", "2", "\\", "“", "\u202e", ";"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(HEADS, st.lists(PIECES | st.text(max_size=8), max_size=6), st.booleans())
@example("run", ["\x00"], False)
def test_f68_any_text_is_a_command_or_a_refusal(
    head: str, pieces: list[str], there: bool
) -> None:
    """
    Whatever stands there: never an error, and a command names only what is known.
    """
    found = parse(" ".join([head, *pieces]), HERE if there else known())

    assert isinstance(found, Command | Refusal)
    if isinstance(found, Command) and found.verb in ("run", "dry-run"):
        assert found.name in HERE.runbooks
        assert set(found.given) <= set(HERE.runbooks[found.name])


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_words_lose_nothing_but_quotes_and_blanks(text: str) -> None:
    """
    Each word stands where it says, in order, without overlap.
    """
    found = tokens(text)

    if isinstance(found, list):
        ends = [0, *(one.end for one in found)]
        assert all(one.start >= end for one, end in zip(found, ends, strict=False))
        assert (
            "".join(text[o.start : o.end] for o in found).split()
            == "".join(text.split()).split()
        )


def test_help_has_a_line_for_each_verb() -> None:
    """
    Every verb is told with what stands after it.
    """
    lines = help_lines()

    assert [line.split()[1].rstrip(":") for line in lines[:-1]] == list(VERBS)
    assert help_lines("sev") == ["/runbook sev [RUN] 1…5 [REASON]: set the severity"]
