"""Commands that need no journal, as processes: what they write and their exit codes."""

import json
import stat
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cli_place import Place

HEAVY = ("pydantic", "httpx", "apsw", "yaml", "cel_expr_python", "jinja2", "msgspec")


def test_help_loads_nothing_heavy() -> None:
    """
    `runbook --help` imports typer and no library of the engine.
    """
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "engine", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}

    assert [] == [name for name in HEAVY if name in loaded]


def test_validate_says_what_it_read(place: Place) -> None:
    """
    A folder without problems is counted, and the exit code is 0.
    """
    assert place.runbook("validate", "runbooks") == (0, "1 runbook, 0 problems\n", "")


def test_validate_places_each_problem(place: Place) -> None:
    """
    A problem has file, line, column, hint and caret; the exit code is 1.
    """
    file = place.folder / "runbooks/flag.yaml"
    file.write_text(file.read_text().replace("severity:", "severty:"))
    code, out, _ = place.runbook("validate", "runbooks/flag.yaml")

    assert (
        "runbooks/flag.yaml:5:1: error[unknown-key]: unknown key 'severty' in the file\n"
        "  Did you mean 'severity'?\n"
        "    severty: sev3\n"
        "    ^\n"
        "1 runbook, 1 problem\n"
    ) == out
    assert code == 1


def test_validate_writes_github_annotations(place: Place) -> None:
    """
    `--format github` is one workflow command for each problem.
    """
    file = place.folder / "runbooks/flag.yaml"
    file.write_text(file.read_text().replace("severity:", "severty:"))
    code, out, _ = place.runbook("validate", "--format", "github", "runbooks")

    assert (
        "::error file=runbooks/flag.yaml,line=5,col=1,title=unknown-key::unknown key "
        "'severty' in the file Did you mean 'severity'?\n"
    ) == out
    assert code == 1


def test_validate_finds_an_act_nobody_approves(place: Place) -> None:
    """
    An act without an undo and without a gate before it is told at its line.
    """
    file = place.folder / "runbooks/flag.yaml"
    text = file.read_text()
    start, end = text.index("    - approve"), text.index("    - act: repair")
    file.write_text(text[:start] + text[end:])
    code, out, _ = place.runbook("validate", "runbooks")
    line = 1 + (text[:start] + text[end:])[:start].count("\n")

    assert out.startswith(f"runbooks/flag.yaml:{line}:7: error[approval]: 'repair' ")
    assert code == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["validate", "gone"], ("runbook: gone is not there. Name a runbook file or a "
         "folder of them.\n")),
        (["run", "flg"], "runbook: no runbook 'flg'. Did you mean 'flag'? Known: flag.\n"),
        (["run", "flag"], ("runbook: input 'folder' has no value, and the alert has no "
         "labels.folder. Give it one: folder=…\n")),
        (["approve", "r-gone22"], "runbook: no run 'r-gone22'. See `runbook runs`.\n"),
        (["--config", "no.yaml", "runs"], ("no.yaml:1:1: error[config]: no.yaml is not "
         "there\n  Name an existing file with --config, or leave it out.\n")),
    ],
)  # fmt: skip
def test_a_problem_is_a_message(place: Place, words: list[str], expected: str) -> None:
    """
    What people do wrong is said in their words, with what to do; exit code 1.
    """
    assert (1, "", expected) == place.runbook(*words)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run", "flag", "--set", "folder"], "'folder' is no KEY=VALUE"),
        (["run", "flag", "--as", "cy"], "'cy' is not one of the people: ana, bo"),
        (["run", "flag", "--people", "approve"], ("--people stands beside --dry-run; a "
         "live run asks real people")),
        (["reject", "r-aaaaaa"], "say why: --reason TEXT"),
        (["hold", "on"], "say why: --reason TEXT"),
        (["note", "r-aaaaaa", "x", "--at", "soon"], ("'soon' is no time; write 02:10 or "
         "2026-03-14T02:10:00Z")),
    ],
)  # fmt: skip
def test_wrong_use_is_two(place: Place, words: list[str], expected: str) -> None:
    """
    A wrong command line says what is wrong, and the exit code is 2.
    """
    code, out, err = place.runbook(*words)

    assert f"Error: Invalid value: {expected}" == err.strip().splitlines()[-1]
    assert (2, "") == (code, out)


def test_a_rehearsal_shows_expected_and_actual(place: Place) -> None:
    """
    A failure stands side by side with what was expected, with the path and the why.
    """
    file = place.folder / "runbooks/flag.yaml"
    wrong = file.read_text().replace("end: handed_over, held: [lower]", "end: resolved")
    file.write_text(wrong)
    code, out, _ = place.runbook("rehearse", "runbooks", "--junit", "r.xml")

    assert (
        "ok      flag: it is repaired  (resolved, cause broken, 0s)\n"
        "FAILED  flag: nobody approves\n"
        "                   expected  what happened\n"
        "        > end      resolved  handed_over\n"
        "          cause              broken\n"
        "          path     start > confirm > isolate/1 > diagnose/1 > workaround > "
        "workaround.repair/1\n"
        "          why      gate: nobody answered in time\n"
        "2 rehearsals, 1 failed\n"
    ) == out
    assert code == 1
    suite = ET.parse(place.folder / "r.xml").getroot()[0]
    assert {"name": "flag", "tests": "2", "failures": "1"} == dict(suite.attrib)


def test_rehearse_json_is_for_programs(place: Place) -> None:
    """
    `--json` gives each rehearsal with what was done, held and walked through.
    """
    code, out, _ = place.runbook("rehearse", "runbooks", "--only", "repaired", "--json")

    assert [("it is repaired", True, "resolved", ["lower", "repair"], ["lower"])] == [
        (one["name"], one["passed"], one["end"], one["did"], one["undone"])
        for one in json.loads(out)
    ]
    assert code == 0


def test_the_schema_is_a_schema(place: Place) -> None:
    """
    `schema` writes JSON that names every kind of check.
    """
    code, out, _ = place.runbook("schema")

    assert {"command", "http", "tcp"} <= json.loads(out)["$defs"]["Check"][
        "properties"
    ].keys()
    assert code == 0


def test_secrets_are_shown_by_name_only(place: Place) -> None:
    """
    Neither `config show` nor `doctor` writes the value of a secret anywhere.
    """
    canary = "c4nary-5ecret"
    shown = [
        place.runbook(*words, TOKEN=canary)
        for words in (["config", "show"], ["config", "show", "--json"], ["doctor"])
    ]

    assert [] == [out + err for _, out, err in shown if canary in out + err]
    assert "[hidden] read from $TOKEN" in shown[0][1]


def test_doctor_names_an_empty_group(place: Place) -> None:
    """
    A secret without a value and a group without a member fail, with what to do.
    """
    file = place.folder / "engine.yaml"
    file.write_text(file.read_text().replace("[ops]", "[]"))
    code, out, _ = place.runbook("doctor")

    assert [
        (
            "fail  secret token: secret 'token' has no value: the environment variable "
            "'TOKEN' is not set; set it where the engine starts"
        ),
        "fail  people: group 'ops' of runbook 'flag' has no member",
    ] == [line for line in out.splitlines() if line.startswith("fail")]
    assert code == 1


def test_doctor_names_a_bar_that_bars_nobody(place: Place) -> None:
    """
    `not_by` with a word that is no person, no group and not `requester` is told.
    """
    file = place.folder / "runbooks/flag.yaml"
    barred = "from: {group: ops}\n      not_by: [starter, requester]"
    file.write_text(file.read_text().replace("from: {group: ops}", barred))
    _, out, _ = place.runbook("doctor")

    assert "fail  people: group 'starter' of runbook 'flag' has no member" in out
    assert "requester" not in out


def test_the_hold_is_set_and_lifted(place: Place) -> None:
    """
    `hold on` names who and why; `hold off` lifts it.
    """
    place.runbook("hold", "on", "--reason", "network is down", "--as", "bo")

    assert place.runbook("hold")[1].startswith("on: bo: network is down (since ")
    assert place.runbook("hold", "off") == (0, "off: acts may begin\n", "")


def test_f95_the_reason_of_a_hold_at_a_terminal_holds_no_secret(place: Place) -> None:
    """
    Without a server too: no value of a secret and no control character is kept.
    """
    words = ("hold", "on", "--reason", "s3cr3t-value\x1b[31m\nstorm")
    told = place.runbook(*words, TOKEN="s3cr3t-value")
    file = place.folder / "state/HOLD"

    assert told[1].startswith("on: ana: [redacted]\\x1b[31m\\nstorm (since ")
    assert "s3cr3t-value" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["hold", "r-x", "maybe"], "'maybe' is neither on nor off"),
        (["hold", "r-x", "on"], "say why: --reason TEXT"),
        (["hold", "on", "now"], "'now' is too much: hold [RUN|all] [on|off]"),
        (["sev", "r-x", "6"], "'6' is no severity: write 1 to 5"),
        (["take", "r-x", "king"], "'king' is not one of"),
    ],
)
def test_words_that_steer_nothing_are_told(
    place: Place, words: list[str], expected: str
) -> None:
    """
    A wrong word is a wrong use: exit code 2, and what could stand there.
    """
    code, _, told = place.runbook(*words)

    assert (code, expected in told) == (2, True), told


def test_a_reader_that_goes_away_is_no_crash(place: Place) -> None:
    """
    A broken pipe ends the command without a traceback.
    """
    command = f"{sys.executable} -m engine schema | head -c 10 > /dev/null"
    done = subprocess.run(
        ["bash", "-c", command], cwd=place.folder, capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    assert done.stderr == ""


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("svg", b"<?xml"),
        ("png", b"\x89PNG"),
        ("dot", b"digraph"),
        ("mermaid", b"flowchart TD"),
    ],
)
def test_the_machine_is_drawn(place: Place, form: str, start: bytes) -> None:
    """
    `graph` writes the picture in the form that was asked for.
    """
    code, _, err = place.runbook(
        "graph", "runbooks/flag.yaml", "--format", form, "-o", "m"
    )

    assert (0, "written: m\n") == (code, err)
    assert start == (place.folder / "m").read_bytes()[: len(start)]


def test_help_takes_little_longer_than_its_library() -> None:
    """
    `runbook --help` is there within twice the time that importing typer alone takes.
    """

    def took(*words: str) -> float:
        began = time.perf_counter()
        command = [sys.executable, *words]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - began

    asked = [
        (took("-m", "engine", "--help"), took("-c", "import typer"))  # by turns: others
        for _ in range(7)  # use the machine as well, now more, now less
    ]

    assert min(one for one, _ in asked) < 2.0 * min(other for _, other in asked)


def test_a_limit_that_is_surely_broken_is_an_error(tmp_path: Path) -> None:
    """A wait of 10 minutes cannot end within 5; what only might be late is a warning."""
    text = (
        "format: 1\nrunbook: late\ntitle: late\nowner: o\nseverity: sev3\n"
        "limits: {time: {total: 5m}}\ndiagnose: [{wait: 10m}]\n"
    )
    (tmp_path / "late.yaml").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "engine", "validate", str(tmp_path / "late.yaml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (1, True) == (
        done.returncode,
        "error[time]: the worst case to 'total' is 10m, the limit is 5m" in done.stdout,
    )
