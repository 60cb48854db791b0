"""The command line beside a server, and at one that is named by its address."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from web_server import Served, body

from tests.warm import ran


class Away:
    """A terminal on another machine: no configuration, no journal, an address."""

    def __init__(self, served: Served) -> None:
        self.folder = served.folder / "elsewhere"
        self.folder.mkdir()
        self._url = served.url

    def runbook(self, who: str, *words: str) -> tuple[int, str, str]:
        """Return exit code, output and errors of one command."""
        (self.folder / f"{who}.token").write_text(f"{who}-token\n")
        at = ["--server", self._url, "--token-file", f"{who}.token"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        return ran([*at, *words], self.folder, environment)


@pytest.fixture
def away(served: Served) -> Away:
    """Return a terminal on another machine."""
    return Away(served)


def began(served: Served, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Begin a command that goes on."""
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", *words], cwd=served.folder,
        env=served.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.fixture
def running(served: Served) -> Iterator[subprocess.Popen[str]]:
    """Begin `run flag` beside the server."""
    yield from began(served, "run", "flag", "--set", f"folder={served.folder}/world")


def asks(served: Served) -> str:
    """Return the run once it asks."""
    return str(
        served.until(
            lambda: [one["run"] for one in served.runs() if one.get("questions")]
        )[0]
    )


def test_a_run_begun_beside_a_server_is_the_servers(
    served: Served, running: "subprocess.Popen[str]"
) -> None:
    """
    It is followed here; it goes on when the terminal is gone, and every word of a
    person is taken at once, with what came of it.
    """
    run = asks(served)
    told = served.api("eve", "GET", f"/runs/{run}")[1]["run"]
    running.send_signal(signal.SIGTERM)
    left, _ = running.communicate(timeout=20)
    noted = served.runbook("note", run, "called the provider", "--as", "bo")
    refused = served.runbook("approve", run, "--as", "bo")
    approved = served.runbook("approve", run)
    served.until(lambda: served.runs()[0]["state"] == "resolved")
    entries = json.loads(served.runbook("timeline", run, "--format", "json")[1])

    assert "ana" == told["requester"]
    assert f"{run} is driven by the server at " in left
    assert f"{run} goes on: the server at " in left
    assert (0, True) == (noted[0], "called the provider" in noted[1])
    assert (1, "") == refused[:2]
    assert refused[2].startswith("runbook: it does not count: ")
    assert (0, True) == (approved[0], "ana said yes" in approved[1])
    assert {"cli"} == {
        one["event"]["by"]["via"]
        for one in entries
        if one["kind"] in ("voted", "noted")
    }


def test_a_run_is_followed_to_its_end_and_its_outcome_told(served: Served) -> None:
    """
    `run --json` beside a server: what it prints, and its exit code, are the same.
    """
    world = served.folder / "world"
    (world / "broken").unlink()
    code, out, _ = served.runbook("run", "flag", "--set", f"folder={world}", "--json")
    [outcome] = json.loads(out)

    assert (0, "cleared", "ana") == (code, outcome["state"], outcome["requester"])


def test_a_command_names_what_a_server_refuses(served: Served) -> None:
    """
    Unknown runs and runbooks, ended runs, missing inputs: one line each, exit code 1.
    """
    unknown = served.runbook("approve", "r-none")
    near = served.runbook("run", "flg")
    missing = served.runbook("run", "flag")

    assert (1, "", "runbook: no run 'r-none'. See `runbook runs`.\n") == unknown
    assert (1, True) == (near[0], "Did you mean 'flag'?" in near[2])
    assert (1, True) == (missing[0], "folder" in missing[2])


def test_a_server_that_stands_still_is_told_and_worked_beside(served: Served) -> None:
    """
    The socket takes the word and nobody answers: it is told, and left in the mailbox.
    """
    run = served.api(
        "ana", "POST", "/runs",
        {"runbook": "flag", "inputs": {"folder": f"{served.folder}/world"}},
    )[1]["run"]  # fmt: skip
    asks(served)
    assert served.process is not None
    served.process.send_signal(signal.SIGSTOP)
    try:
        code, _, told = served.runbook("note", run, "still here")
    finally:
        served.process.send_signal(signal.SIGCONT)
    served.until(lambda: "still here" in served.runbook("timeline", run)[1])

    assert 1 == code
    assert "says nothing; going on without it" in told
    assert "it is in its mailbox" in told


def test_every_word_works_from_another_machine(served: Served, away: Away) -> None:
    """
    With an address and a token: started, answered, read and cancelled, under the
    token's name.
    """
    given = ("--set", f"folder={served.folder}/world")
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", "--server", served.url, "run", "flag", *given],
        cwd=away.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "HOME": str(away.folder),
             "RUNBOOK_TOKEN": "ana-token"},
    )  # fmt: skip
    run = asks(served)
    listed = away.runbook("eve", "runs", "--json")
    noted = away.runbook("bo", "note", run, "seen")
    story = away.runbook("eve", "timeline", run)
    role = away.runbook("eve", "note", run, "may not")
    cancelled = away.runbook("ana", "cancel", run, "--reason", "false alarm")
    followed, _ = process.communicate(timeout=30)
    report = away.runbook("eve", "report", run, "--format", "html")
    whole = away.runbook("eve", "verify-timeline", run)

    assert [run] == [one["run"] for one in json.loads(listed[1])]
    assert (0, True) == (noted[0], "seen" in noted[1])
    assert (0, True) == (story[0], "seen (by bo)" in story[1])
    assert (1, f"runbook: the server at {served.url}: eve is viewer; this needs responder\n") == (
        role[0], role[2],
    )  # fmt: skip
    assert (0, True) == (cancelled[0], "cancelled" in cancelled[1])
    assert "ended as cancelled" in followed
    assert (0, True) == (
        report[0],
        "svg+xml;base64," in report[1],
    )
    assert (0, f"{run}: as it was written\n") == whole[:2]
    assert not (away.folder / "state").exists()


def test_the_rest_works_from_another_machine(served: Served, away: Away) -> None:
    """
    Hold, alerts, why, reload, retain and doctor at an address; who may not is told.
    """
    served.post(body(served.folder / "world"))
    served.until(lambda: "started" in served.became())
    held = away.runbook("ana", "hold", "on", "--reason", "storm")
    lifted = away.runbook("ana", "hold", "off")
    came = away.runbook("eve", "alerts")
    why = away.runbook("eve", "why", "FlagUp")
    reload = away.runbook("root", "reload")
    not_mine = away.runbook("ana", "reload")
    retain = away.runbook("root", "retain", "--dry-run")
    doctor = away.runbook("bo", "doctor", "--json")

    assert (0, True) == (held[0], held[1].startswith("on: ana: storm"))
    assert (0, "off: acts may begin\n") == lifted[:2]
    assert (0, True) == (came[0], "FlagUp" in came[1])
    assert (0, True) == (why[0], "a run was started" in why[1])
    assert (0, "nothing changed\n") == reload[:2]
    assert (1, True) == (
        not_mine[0],
        "ana is commander; this needs admin" in not_mine[2],
    )
    assert (0, True) == (retain[0], "nothing is ever removed" in retain[1])
    assert "flag" in [one["runbook"] for one in json.loads(doctor[1])["readiness"]]


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--server", "http://127.0.0.1:1", "runs"], 1,
         "the server at http://127.0.0.1:1 cannot be reached: "),
        (["--server", "127.0.0.1:8080", "runs"], 2,
         "'127.0.0.1:8080' is no address of a server: write https://host:8080"),
        (["--server", "http://127.0.0.1:1", "validate", "x.yaml"], 2,
         "validate works on this machine alone: leave --server out"),
        (["--server", "http://127.0.0.1:1", "runs", "--as", "ana"], 2, "No such option"),
        (["--server", "http://127.0.0.1:1", "take", "r-x", "--as", "ana"], 2,
         "--as: the server at another address knows you by your token"),
        (["--server", "http://127.0.0.1:1", "--token-file", "none", "runs"], 1,
         "the token in none cannot be read"),
        (["--server", "http://127.0.0.1:1", "run", "x.yaml"], 2,
         "a server runs what it has loaded; name the runbook alone"),
        (["reload"], 1, "nothing is loaded that could be read anew"),
        (["accept", "p-none"], 1, "Begin it with runbook serve"),
    ],
)  # fmt: skip
def test_what_keeps_a_server_from_being_asked_is_told(
    tmp_path: Any, words: list[str], code: int, expected: str
) -> None:
    """
    The address, the token, the command: named, with what to do; never a traceback.
    """
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COLUMNS": "200"}
    found, _, told = ran(words, tmp_path, environment)

    assert code == found
    assert expected in told
    assert "Traceback" not in told


def test_a_token_that_is_not_known_is_told(served: Served, away: Away) -> None:
    """
    401 in words: how a token is given.
    """
    code, _, told = away.runbook("nobody", "runs")

    assert 1 == code
    assert told.startswith(f"runbook: the server at {served.url} does not know you: ")
    assert "--token-file FILE" in told


def test_what_is_no_server_of_ours_is_told(served: Served, away: Away) -> None:
    """
    A page that answers in its own way is named by its address and what it said.
    """
    (away.folder / "index.html").write_text("<p>hello</p>")
    pages = subprocess.Popen(
        [sys.executable, "-c", (
            "import http.server as h\n"
            "s = h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler)\n"
            "print(s.server_port, flush=True)\n"
            "s.serve_forever()"
        )],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=away.folder,
    )  # fmt: skip
    try:
        assert pages.stdout is not None
        url = f"http://127.0.0.1:{pages.stdout.readline().strip()}"
        code, _, told = served.runbook("--server", url, "runs")
    finally:
        pages.kill()
        pages.wait()
        pages.stdout.close()

    expected = (
        f"runbook: the server at {url} is none of ours: it answers 404 File not found. "
        "Name the address of `runbook serve`.\n"
    )
    assert (1, expected) == (code, told)


def test_a_server_takes_over_what_was_done_by_hand(served: Served, away: Away) -> None:
    """`adopt` from another machine: held from the start, and given back; in her name."""
    world = served.folder / "world"
    (world / "lowered").touch()
    (world / "broken").unlink()
    did = ("--did", "lower", "--did", "repair")
    words = ("adopt", "flag", *did, "--set", f"folder={world}", "--json")
    code, out, errors = away.runbook("ana", *words)
    run = json.loads(out)[0]["run"]
    refused = away.runbook("ana", "adopt", "flag", "--did", "lover", *words[6:8])
    entries = served.api("eve", "GET", f"/runs/{run}/timeline")[1]
    told = [
        (one["actor"], one["what"])
        for one in entries
        if one["kind"] in ("adopted", "intent", "undone")
    ]

    assert (0, []) == (code, [*world.iterdir()]), errors
    assert [
        ("ana", "lower was done by hand"),
        ("ana", "repair was done by hand"),
        ("engine", "undid lower"),
    ] == told
    assert (1, "") == refused[:2]
    assert refused[2].endswith(
        "lover: no such action of 'flag'; it has: lower, repair\n"
    )
