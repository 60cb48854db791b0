"""`runbook rehearse` beyond the tests: every path, faults by chance, as processes."""

import json
import re
from xml.etree import ElementTree as ET

from cli_place import Place


def test_every_path_and_faults_are_counted(place: Place) -> None:
    """
    What was walked, killed and judged is counted; the seed is printed; JUnit has both.
    """
    words = ["--all-paths", "--faults", "seed=3", "runs=20", "--junit", "r.xml"]
    code, out, _ = place.runbook("rehearse", "runbooks", *words)
    timed = re.sub(r"\d+\.\ds", "0.0s", out)
    timed = re.sub(r"(walked  proved:) .*; ends", r"\1 … ends", timed)  # prove's own

    assert (
        "ok      flag: it is repaired  (resolved, cause broken, 0s)\n"
        "ok      flag: nobody approves  (handed_over, cause broken, 5m)\n"
        "2 rehearsals, 0 failed\n"
        "ok      runbooks/flag.yaml: every path in 0.0s\n"
        "        walked  proved: … ends cancelled 14, cleared 5, handed_over 16, "
        "resolved 1\n"
        "        judged  on each: 0 `always` clauses, approvals, times, what an end holds\n"
        "        judged  what 2 tests expect, the engine dying at 12 places between acts\n"
        "        judged  `always` and the judge, the engine dying at 4 places in an act\n"
        "ok      runbooks/flag.yaml: 20 drills by chance, seed=3: cleared 6, handed_over 14\n"
        "        122 writes, killed at 6\n"
        "        judged  nothing held and forgotten; no effect twice unless probed; no act "
        "without intent or approval, or on hold; no end without owner and why; `always`\n"
    ) == timed
    assert code == 0
    suite = ET.parse(place.folder / "r.xml").getroot()[0]
    assert [
        "it is repaired",
        "nobody approves",
        "every path",
        "faults seed=3 runs=20",
    ] == [one.get("name") for one in suite]


def test_all_of_it_is_for_programs(place: Place) -> None:
    """
    `--format json` holds the tests and each way of looking under its name.
    """
    words = ["--all-paths", "--faults", "seed=3", "runs=5", "--format", "json"]
    code, out, _ = place.runbook("rehearse", "runbooks", *words)
    told = json.loads(out)
    (paths,), (faults,) = told["paths"], told["faults"]

    assert (0, ["tests", "paths", "faults"]) == (code, list(told))
    assert (True, 2, []) == (paths["passed"], paths["tests"], paths["failures"])
    assert (True, 3, 5, []) == (
        faults["passed"], faults["seed"], faults["runs"], faults["violations"],
    )  # fmt: skip


def test_a_seed_is_a_number(place: Place) -> None:
    """
    What is said beside --faults and is no number is wrong use.
    """
    code, out, err = place.runbook("rehearse", "runbooks", "--faults", "seed=x")

    assert (2, "") == (code, out)
    assert (
        "Error: Invalid value: 'seed=x' is no number: write seed=7 or runs=500"
    ) == err.strip().splitlines()[-1]


def test_what_no_test_takes_is_written_and_passes(place: Place) -> None:
    """
    `--write` puts tests after the others; nothing else changes, and all of them pass.
    """
    file = place.folder / "runbooks/flag.yaml"
    before = file.read_text()
    first, out, _ = place.runbook("rehearse", "runbooks", "--write")
    after = file.read_text()
    second, again, _ = place.runbook("rehearse", "runbooks", "--coverage", "--mutants")

    assert (0, 0) == (first, second)
    assert "        11 tests were written into runbooks/flag.yaml\n" in out
    assert after.startswith(before)
    assert (
        "13 rehearsals, 0 failed\n"
        "-       runbooks/flag.yaml: its tests take 32 of 34 steps, branches and answers\n"
        "        runbooks/flag.yaml:55: restore/1: it fails; no script found\n"
        "        runbooks/flag.yaml:47: workaround.repair/2: broken is unknown; "
        "no script found\n"
        " 88%    runbooks/flag.yaml: its tests find 15 of 17 mistakes\n"
    ) == again[again.index("13 rehearsals") : again.index("mistakes\n") + 9]
