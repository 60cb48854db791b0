"""What is offered to people: listed, accepted, declined; by the API and the commands."""

import asyncio
import json
from typing import Any

import httpx
from web_server import Served, body


def offered(served: Served) -> str:
    """Let the flag's runbook be offered; return the proposal's name."""
    file = served.folder / "runbooks/flag.yaml"
    file.write_text(
        file.read_text().replace("severity: sev3", "severity: sev3\nautonomy: propose")
    )
    served.until(
        lambda: (
            served.api("root", "POST", "/reload")[0] == 200
            and served.api("eve", "GET", "/runbooks")[1]["loaded"][0]["autonomy"]
            == "propose"
        )
    )
    served.post(body(served.folder / "world"))
    found: Any = served.until(lambda: served.api("eve", "GET", "/proposals")[1])
    return str(found[0]["proposal"])


def test_a_proposal_is_listed_and_accepted_at_a_terminal(served: Served) -> None:
    """
    The list says what, for whom, since when and why; accepting starts the run under
    one's own name with the alert, and follows it.
    """
    name = offered(served)
    listed = served.runbook("proposals")
    [row] = json.loads(served.runbook("proposals", "--json")[1])
    (served.folder / "world/broken").unlink()  # the trouble is over: the run clears
    code, out, _ = served.runbook("accept", "flag", "--as", "bo", "--json")
    [outcome] = json.loads(out)
    _, entries = served.api("eve", "GET", f"/runs/{outcome['run']}/timeline")
    again = served.runbook("accept", name)

    assert (0, True) == (
        listed[0],
        name in listed[1] and "autonomy: propose" in listed[1],
    )
    assert (name, "flag", "FlagUp", "autonomy: propose") == (
        row["proposal"], row["runbook"], row["alertname"], row["reason"],
    )  # fmt: skip
    assert (0, "cleared", "bo") == (code, outcome["state"], outcome["requester"])
    assert "FlagUp" == entries[0]["event"]["labels"]["alertname"]
    assert "started" in served.became()
    assert (1, True) == (again[0], f"nothing is proposed as '{name}'" in again[2])
    assert (0, "", "Nothing is proposed.\n") == served.runbook("proposals")


def test_two_people_who_accept_at_once_start_one_run_over_http(served: Served) -> None:
    """
    One gets the run; the other is told that nothing is left to accept.
    """
    name = offered(served)

    async def both() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=f"{served.url}/api/v1") as client:
            asked = [
                client.post(f"/proposals/{name}/accept", json={},
                            headers={"authorization": f"Bearer {who}-token"})
                for who in ("ana", "bo", "ana", "bo")
            ]  # fmt: skip
            return await asyncio.gather(*asked)

    told = asyncio.run(both())
    runs = served.runs()

    assert 1 == len(runs)
    assert {200: 1}.items() <= {
        status: sum(one.status_code == status for one in told) for status in (200, 500)
    }.items()
    assert {one.status_code for one in told} <= {200, 404, 409}
    assert [runs[0]["run"]] == [
        one.json()["run"] for one in told if one.status_code == 200
    ]


def test_a_proposal_is_declined_and_who_may_not_is_recorded(served: Served) -> None:
    """
    It needs a reason; it is off the list, and `why` tells who did it; a viewer may not.
    """
    name = offered(served)
    viewer = served.api("eve", "POST", f"/proposals/{name}/decline", {"reason": "x"})
    _, records = served.api("eve", "GET", "/records")
    silent = served.runbook("decline", name)
    code, out, _ = served.runbook("decline", name, "--reason", "a drill", "--as", "bo")
    why = served.runbook("why", "FlagUp")[1]

    assert (403, {"error": "eve is viewer; this needs responder"}) == viewer
    assert ("decline refused", "eve") == (records[-1]["what"], records[-1]["actor"])
    assert (2, True) == (silent[0], "say why: --reason TEXT" in silent[2])
    assert (0, f"declined: {name}\n") == (code, out)
    assert "because bo: a drill" in why
    assert [] == served.api("eve", "GET", "/proposals")[1]
    assert [] == served.runs()


def test_proposals_are_read_from_the_journal_where_no_server_runs(
    served: Served,
) -> None:
    """
    What was offered is still listed; to accept it needs the server, which is said.
    """
    name = offered(served)
    served.kill()
    [row] = json.loads(served.runbook("proposals", "--json")[1])
    code, _, told = served.runbook("accept", name)

    assert name == row["proposal"]
    assert (1, True) == (code, "only it starts what alerts ask for" in told)
