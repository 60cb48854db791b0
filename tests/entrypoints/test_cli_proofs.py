"""`runbook prove`, and what `validate` and `show` say of the same runbook."""

import json
import re

from cli_place import Place

HEAD = "format: 1\nrunbook: {name}\ntitle: t\nowner: ops\nseverity: sev3\n"
ACTIONS = """\
actions:
  touch:
    command: {argv: ['true']}
    timeout: 3s
    undo: {command: {argv: ['true']}, timeout: 3s}
isolate: [{act: touch}]
"""
LEFT = f"{HEAD.format(name='left')}{ACTIONS}restore: [{{say: done}}]\n"
QUIET = (
    f"{HEAD.format(name='quiet')}limits: {{time: {{silent: 9m}}}}\n"
    "diagnose: [{say: x}, {wait: 10m}, {say: y}]\n"
)
SIZE = (
    f"{HEAD.format(name='size')}inputs: {{name: {{type: string, default: x}}}}\n"
    "diagnose: [{say: x, when: size(name) > 20}, {wait: 1s}]\n"
)


def put(place: Place, name: str, text: str) -> str:
    """Write a runbook; return its path as a command is given it."""
    (place.folder / f"runbooks/{name}.yaml").write_text(text)
    return f"runbooks/{name}.yaml"


def timeless(text: str) -> str:
    """Return what a proof says without how long it took, and how many there were."""
    head, line, rest = text.partition("\n")
    head = re.sub(r"\b[\d,]+ (states|moves|paths)", r"N \1", head)
    head = re.sub(r"(cancelled|handed_over|resolved) \d+", r"\1 N", head)
    return re.sub(r", in [\d.]+s", ", in TIME", head) + line + rest


def test_a_proof_says_what_was_walked_and_how_long_it_takes(place: Place) -> None:
    """
    Counts, ends and the four times, each beside its limit; the exit code is 0.
    """
    text = f"{HEAD.format(name='fine')}limits: {{time: {{total: 1m}}}}\n{ACTIONS}"
    code, out, err = place.runbook("prove", put(place, "fine", text))

    assert (0, "") == (code, err)
    assert (
        "runbooks/fine.yaml: proved: N states, N moves, N paths; "
        "ends cancelled N, handed_over N, resolved N, in TIME\n"
        "  at worst        takes      limit\n"
        "  isolated           5s          -\n"
        "  mitigated          5s          -\n"
        "  silent            15s          -\n"
        "  total             15s         1m\n"
    ) == timeless(out)


def test_what_fails_is_told_with_the_shortest_path(place: Place) -> None:
    """
    Code, line, message and the story with its lines; the exit code is 1.
    """
    code, out, err = place.runbook("prove", put(place, "left", LEFT))

    assert (1, "") == (code, err)
    assert (
        "  line 11: held: restore is through, and nothing has given back 'touch'\n"
        "      1. line 11   act touch: act touch is done\n"
    ) in out
    assert timeless(out).startswith("runbooks/left.yaml: 1 refused: ")


def test_a_proof_for_programs(place: Place) -> None:
    """
    `--format json` is one list: verdict, counts, times in seconds, whole findings.
    """
    code, out, _ = place.runbook("prove", put(place, "left", LEFT), "--format", "json")
    (told,) = json.loads(out)

    assert 1 == code
    assert ("runbooks/left.yaml", False) == (told["file"], told["proved"])
    assert {"worst": 5.0, "limit": None, "way": []} == told["times"]["isolated"]
    assert [
        {
            "code": "held",
            "refuses": True,
            "line": 11,
            "about": "isolate/1",
            "message": "restore is through, and nothing has given back 'touch'",
            "hint": "Give it back in `restore`, or say with `hand_over` who takes it.",
            "story": [
                {
                    "line": 11,
                    "step": "isolate/1",
                    "told": "act touch is done",
                    "at": None,
                }
            ],
        }
    ] == told["findings"]


def test_the_longest_way_is_told_with_its_times(place: Place) -> None:
    """
    `--explain` tells each of the four ways, move by move, at its second.
    """
    text = f"{HEAD.format(name='long')}diagnose: [{{say: x}}, {{wait: 10m}}]\n"
    code, out, _ = place.runbook("prove", put(place, "long", text), "--explain")

    assert 0 == code
    assert (
        "  the longest way to 'total'\n"
        "    1.       10m line 6    wait 0:10:00: 600s are over (wait)\n"
    ) in out


def test_more_states_than_asked_for_are_not_proved(place: Place) -> None:
    """
    What is not walked is told as not proved, and the exit code is 1.
    """
    code, out, _ = place.runbook("prove", put(place, "left", LEFT), "--states", "3")

    assert 1 == code
    assert "runbooks/left.yaml: not proved, in TIME" in timeless(out)
    assert "not-proved: not proved: more than 3 states" in out


def test_a_silence_is_judged_alike_by_validate_and_prove(place: Place) -> None:
    """
    A silence beyond its limit is an error of `validate`, and refused by `prove`.
    """
    file = put(place, "quiet", QUIET)
    told = "the longest silence is 10m, the limit is 9m"
    shown = [place.runbook(command, file) for command in ("validate", "prove")]

    assert [1, 1] == [code for code, _, _ in shown]
    assert f"error[time]: {told}" in shown[0][1]
    assert f"time: {told}" in shown[1][1]


def test_what_was_only_not_tried_is_a_warning_of_both(place: Place) -> None:
    """
    A condition whose values could not all be made up refuses nothing, in either.
    """
    file = put(place, "size", SIZE)
    shown = [place.runbook(command, file) for command in ("validate", "prove")]

    assert [0, 0] == [code for code, _, _ in shown]
    assert "warning[not-proved]" in shown[0][1]
    assert "not-proved: no path takes 'say'" in shown[1][1]


def test_show_and_prove_know_one_worst_case(place: Place) -> None:
    """
    `show` tells the times of the proof, and says that they are proved.
    """
    text = (
        f"{HEAD.format(name='slow')}"
        "checks: {a: {tcp: {host: 127.0.0.1, port: 9}, attempts: 3}}\n"
        "diagnose: [{check: a, expect: pass}, {wait: 5m}]\n"
    )
    file = put(place, "slow", text)
    shown, proved = (place.runbook(one, file)[1] for one in ("show", "prove"))
    (line,) = [one for one in shown.splitlines() if one.startswith("At worst")]

    (total,) = re.findall(r"total +(\w+)", proved)
    assert f"total {total}" == line.rpartition(", ")[2]
    assert line.startswith("At worst, proved on every path: isolated ")
