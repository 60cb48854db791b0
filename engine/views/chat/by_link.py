"""The page that a one-time link shows: the exact question, with a form and no script.

Called by: entrypoints.web.answering.
"""

from engine.model.people import Question
from engine.views.message import question_text
from engine.views.pages import HTML


def question_page(
    question: Question, *, person: str, until: float, problem: str = ""
) -> str:
    """Return the page of an open question, for the person whose link it is.

    Args:
        question: What is asked, with the plan that was shown.
        person: Who answers.
        until: When it expires, epoch seconds.
        problem: What is wrong with what was sent, if something was.
    """
    fields = [
        (name, str(raw.get("type", "text") if isinstance(raw, dict) else raw))
        for name, raw in question.fields.items()
    ]
    return HTML.get_template("answer.html.j2").render(
        title=question.called,
        problem=problem,
        lines=question_text(question, until=until).splitlines(),
        person=person,
        approves=question.kind == "approve",
        retype=question.retype,
        fields=fields,
    )


def word_page(title: str, text: str) -> str:
    """Return the page that tells what came of an answer."""
    page = HTML.get_template("answered.html.j2")
    return page.render(title=title, lines=text.splitlines())
