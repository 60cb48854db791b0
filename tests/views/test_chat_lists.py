"""Runbooks and runs as lists, and why a run is where it is."""

import msgspec
import views_story as story
from test_chat_cards import asking
from views_cards import card_text
from views_golden import golden

from engine.model.chat import Link
from engine.model.run import RunSummary
from engine.views.chat.books import (
    report_page,
    runbook_page,
    runbooks_list,
    runs_list,
)
from engine.views.chat.reasons import why


def test_why_tells_the_decisions_and_what_was_seen() -> None:
    """
    What is waited for, the last decisions with their reasons, the last of each check.
    """
    summary = story.summary(
        "waiting", questions=(story.question(),), wake_at=story.START + 633,
        on_hold="ana: peak hour",
    )  # fmt: skip

    assert card_text(why(summary, asking())) == golden("chat_why.txt")


def test_why_of_a_run_that_has_just_begun_is_short() -> None:
    """
    Nothing is made up where nothing was decided.
    """
    new = story.summary("running", cause="", phase="")

    assert card_text(why(new, [])) == (
        "# Why r-7f3 is running\nnothing has been decided yet\n"
        "(/runbook show r-7f3 says how it stands)\n"
    )


def test_runbooks_are_found_by_words() -> None:
    """
    Every word has to stand in the name, the title, the description or an alert.
    """
    alert = {"source": "alertmanager", "match": {"alertname": "MessagesLate"}}
    late = story.runbook(trigger=[{"alert": alert}])
    many = {f"other-{n}": story.runbook(runbook=f"other-{n}") for n in range(20)}
    books = {"message-delivery-delay": late, **many}

    assert card_text(runbooks_list(books, "messageslate delivery")) == (
        "# 1 of 21 runbooks\n"
        "message-delivery-delay: Messages arrive late in {{ region }} (sev2, messaging)\n"
        "(/runbook show NAME says what one does)\n"
    )
    assert card_text(runbooks_list(books, "none")).startswith("# 0 of 21 runbooks\n")
    assert card_text(runbooks_list(books, "")).splitlines()[-1] == (
        "(9 more: /runbook list WORDS narrows it)"
    )


def test_open_runs_are_listed_the_worst_first() -> None:
    """
    Severity, title, phase, since when, and how many things it asks.
    """

    def run(number: int, severity: str) -> RunSummary:
        one = story.summary("waiting", severity=severity, phase="isolate")
        asks = (story.question(),) if severity == "sev1" else ()
        return msgspec.structs.replace(one, run=f"r-{number}", questions=asks)

    assert card_text(runs_list([run(1, "sev3"), run(2, "sev1")])) == (
        "# 2 open runs\n"
        "r-2: sev1 Messages arrive late in eu-west: waiting, isolate, since 02:10:00, "
        "asks 1\n"
        "r-1: sev3 Messages arrive late in eu-west: waiting, isolate, since 02:10:00\n"
        "(/runbook status RUN)\n"
    )
    assert card_text(runs_list([])) == "# 0 open runs\n(/runbook status RUN)\n"


def test_a_runbook_without_inputs_asks_once_more_before_it_starts() -> None:
    """
    A press that starts at once is confirmed; a form is a second thought by itself.
    """
    plain, typed = story.runbook(), story.runbook(inputs={"region": {"type": "string"}})
    value = '{"verb":"run","name":"message-delivery-delay"}'

    assert card_text(runbook_page(plain, "Isolate\n  1. wait")) == (
        "# message-delivery-delay: Messages arrive late in {{ region }}\n"
        "| Isolate\n|   1. wait\n"
        f"[Start…] plain run {value} sure: Start message-delivery-delay now?\n"
    )
    assert card_text(runbook_page(typed, "x")).endswith(f"run {value}\n")


def test_a_report_is_cut_and_says_where_all_of_it_is() -> None:
    """
    What is left out is counted; the link of the configuration stands below.
    """
    links = (Link("Report", "https://runbook.example.com/r-7f3"),)
    text = "\n".join(f"line {n} " + "x" * 80 for n in range(100))

    lines = card_text(report_page(story.summary(), text, links)).splitlines()
    assert lines[-3:] == [
        "| … 73 more lines: runbook show has them",
        "All of it: runbook report r-7f3",
        "Report -> https://runbook.example.com/r-7f3",
    ]
