"""`runbook demo --chat-page`: the people answer in the Slack stand-in, and it is kept."""

from pathlib import Path

import pytest

from engine.entrypoints.cli.demo import demo


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_the_demo_is_answered_in_chat_and_leaves_a_page_of_it(tmp_path: Path) -> None:
    """
    Resolved by a button; the page has the room, the record, the pictures and the end.
    """
    lines: list[str] = []
    page = tmp_path / "chat.html"
    code = demo(
        write=lines.append, folder=tmp_path, monitor_kind="builtin", chat=str(page)
    )
    shown = page.read_text()

    assert 0 == code, "\n".join(lines)
    for text in (
        "message-delivery-delay", "Approved: Roll the router back in eu-west?",
        "ana at", "ended as resolved", "data:image/png",
    ):  # fmt: skip
        assert text in shown, text
    assert "<script" not in shown
    assert not (tmp_path / "letters").exists()
