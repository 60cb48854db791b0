"""One run steered from every door: over HTTP, by commands with and without a server."""

from web_server import Served

from tests.entrypoints.web.test_api import started


def test_a_run_is_steered_over_http_and_by_commands(served: Served) -> None:
    """
    Hold, severity, roles, pages and tries do over HTTP and at a terminal what they do
    in a chat, under the same rights; what does not count says why.
    """
    run = started(served)
    at = f"/runs/{run}"
    held = served.api("bo", "PUT", f"{at}/hold", {"reason": "right-token peak"})
    stands = served.runbook("hold", run)
    lifted = served.runbook("hold", run, "off")
    again = served.api("bo", "DELETE", f"{at}/hold")
    worse = served.runbook("sev", run, "1", "--reason", "all users")
    role = served.api("bo", "POST", f"{at}/take", {"role": "scribe"})
    paged = served.runbook("page", run, "ops", "the disk is full")
    nobody = served.api("bo", "POST", f"{at}/page", {"group": "opps"})
    tried = served.api("bo", "POST", f"{at}/retry")
    viewer = served.api("eve", "POST", f"{at}/sev", {"to": "sev2"})
    served.kill()
    alone = served.runbook("hold", run, "on", "--reason", "by hand")
    left = served.runbook("hold", run)

    assert (200, "bo holds the run" in held[1]["told"][0]) == (held[0], True)
    assert stands[:2] == (
        0,
        "on: bo: [redacted] peak; undos go on, no new act begins\n",
    )
    assert (0, True) == (lifted[0], "ana lets the run go on" in lifted[1])
    assert again == (
        409, {"error": "it does not count: the run is not on hold by itself"},
    )  # fmt: skip
    assert (0, True) == (worse[0], "-> sev1" in worse[1])
    assert (200, "bo", "scribe") == (role[0], role[1]["taken_by"], role[1]["role"])
    assert (0, True) == (paged[0], "ana pages ops" in paged[1])
    assert (404, True) == (nobody[0], "Did you mean 'ops'?" in nobody[1]["error"])
    assert (409, True) == (
        tried[0],
        "nothing waits for its next try" in tried[1]["error"],
    )
    assert viewer == (403, {"error": "eve is viewer; this needs responder"})
    assert (0, True) == (alone[0], "ana holds the run" in alone[1])
    assert left[1].startswith("on: ana: by hand")


def test_an_answer_with_a_field_that_nobody_asks_for_is_refused(served: Served) -> None:
    """
    400 with the fields that are asked, and the question stays open.
    """
    (served.folder / "runbooks/hand.yaml").write_text(HAND)
    served.api("root", "POST", "/reload")
    run = served.api("ana", "POST", "/runs", {"runbook": "hand"})[1]["run"]
    at = f"/runs/{run}"
    served.until(lambda: served.api("eve", "GET", at)[1]["asks"])
    answers = {"fixed": True, "fixd": False}
    told = served.api("ana", "POST", f"{at}/answer", {"answers": answers})

    assert told == (
        400, {"error": "answers: 'fixd' is not asked; it asks: fixed"},
    )  # fmt: skip
    assert served.api("eve", "GET", at)[1]["asks"]


HAND = """\
format: 1
runbook: hand
title: by hand
owner: ops
severity: sev3
isolate:
  - name: hand
    ask: Is it repaired?
    who: [ops]
    fields: {fixed: boolean}
"""
