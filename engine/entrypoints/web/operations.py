"""What the API can be asked: one row for each operation, its right and its parameters.

The routes (api) and the OpenAPI document are made from these rows; what each does
stands in doing and tending, under its name. Which role a right needs: runtime.rights.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from engine.model.people import Role, RunRole
from engine.model.values import Model, Severity
from engine.runtime.rights import NEEDS, Right

Method = Literal["GET", "POST", "PUT", "DELETE"]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Did(Model):
    """An act that was done by hand: it counts as done, and is held."""

    action: str = Field(description="The action's name.")
    target: str = Field("", description="Of an `each`.")
    before: dict[str, Any] = Field(
        default_factory=dict, description="What `remember` would have seen."
    )


class Start(Model):
    """Start a run."""

    runbook: str = Field(description="The runbook's name.")
    inputs: dict[str, Any] = Field(default_factory=dict, description="Name to value.")
    alert: Any = Field(
        None, description="A body of a source, which gives the inputs; not JSON: text."
    )
    source: str = Field(
        "", description="Of the alert's body; left out: as the triggers name it."
    )
    did: list[Did] = Field(
        default_factory=list, description="What was done by hand before."
    )
    key: str = Field("", description="The same key starts the same run once.")


class Approve(Model):
    """Approve what is asked, exactly as it was shown."""

    step: str = Field("", description="Which question, if it asks several.")
    plan: str = Field("", description="The hash of the plan that was seen.")
    typed: str = Field("", description="What is to be retyped.")


class Reject(Model):
    """Reject what is asked."""

    reason: str = Field(min_length=1, description="Why; it stands in the timeline.")
    step: str = Field("", description="Which question, if it asks several.")


class Answer(Model):
    """Answer a question with typed fields."""

    answers: dict[str, Any] = Field(description="Field to value.")
    step: str = Field("", description="Which question, if it asks several.")


class Note(Model):
    """Add to the timeline."""

    text: str = Field(min_length=1, description="What is to be kept.")
    about_at: float | None = Field(None, description="When it was, epoch seconds.")


class Cancel(Model):
    """Stop a run."""

    reason: str = Field("", description="Why; it stands in the timeline.")
    keep: bool = Field(False, description="Give nothing back: it is yours now.")


class Take(Model):
    """Take a role in an open run, or by name what an ended run still holds."""

    role: RunRole | None = Field(
        None, description="commander, deputy, scribe or liaison; left out: the run."
    )


class HoldRun(Model):
    """Let no further act of one run begin."""

    reason: Why = Field(description="Why; it stands in the timeline.")


class Retry(Model):
    """Make the next try that a run waits for now."""


class Sev(Model):
    """Set the severity of a run."""

    to: Severity = Field(description="sev1 (worst) to sev5.")
    reason: str = Field("", description="Why; it stands in the timeline.")


class PageGroup(Model):
    """Page a group for a run."""

    group: str = Field(min_length=1, description="Which group.")
    text: str = Field("", description="What they are told; left out: the title.")


class Accept(Model):
    """Start what is proposed."""


class Decline(Model):
    """Say that what is proposed is not to be started."""

    reason: str = Field(min_length=1, description="Why; it stands in the decision.")


class Hold(Model):
    """Set the global hold: no further act begins."""

    reason: Why = Field(description="Why; everybody sees it.")


class Validate(Model):
    """A runbook that is not loaded."""

    text: str = Field(description="The file as it is written.")
    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="Its name.")


class Retain(Model):
    """Remove what is old."""

    dry_run: bool = Field(False, description="Only count what would be removed.")


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked."""

    name: str
    method: Method
    path: str  # below /api/v1
    right: Right
    told: str  # one line for people
    body: type[Model] | None = None
    queries: tuple[tuple[str, str], ...] = ()  # name and meaning

    @property
    def role(self) -> Role:
        """The lowest role that may."""
        return NEEDS[self.right]


OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation("runs", "GET", "/runs", "look", "The runs, newest first.",
              queries=(("open", "true: only those that have not ended"),
                       ("limit", "at most so many; 100"))),
    Operation("start", "POST", "/runs", "start", "Start a runbook.", Start),
    Operation("run", "GET", "/runs/{run}", "look", "One run as it stands."),
    Operation("timeline", "GET", "/runs/{run}/timeline", "look", "Its entries.",
              queries=(("after", "only entries after this number"),)),
    Operation("report", "GET", "/runs/{run}/report", "look",
              "Its report, with the picture of its way.",
              queries=(("format", "markdown (left out) or html"),)),
    Operation("approve", "POST", "/runs/{run}/approve", "answer", "Approve.",
              Approve),
    Operation("reject", "POST", "/runs/{run}/reject", "answer", "Reject.", Reject),
    Operation("answer", "POST", "/runs/{run}/answer", "answer", "Answer.", Answer),
    Operation("note", "POST", "/runs/{run}/note", "note", "Add a note.", Note),
    Operation("cancel", "POST", "/runs/{run}/cancel", "cancel", "Stop it.", Cancel),
    Operation("take", "POST", "/runs/{run}/take", "take",
              "Take a role in it, or what it still holds.", Take),
    Operation("hold_run", "PUT", "/runs/{run}/hold", "steer",
              "Hold it: no further act of it begins.", HoldRun),
    Operation("release_run", "DELETE", "/runs/{run}/hold", "steer",
              "Let it go on."),
    Operation("retry", "POST", "/runs/{run}/retry", "steer",
              "Try again now what waits for its next try.", Retry),
    Operation("sev", "POST", "/runs/{run}/sev", "steer", "Set its severity.", Sev),
    Operation("page", "POST", "/runs/{run}/page", "steer", "Page a group for it.",
              PageGroup),
    Operation("runbooks", "GET", "/runbooks", "look",
              "The runbooks that are loaded, and the files that were refused."),
    Operation("runbook", "GET", "/runbooks/{name}", "look", "One, as text."),
    Operation("graph", "GET", "/runbooks/{name}/graph", "look", "Its state machine.",
              queries=(("format", "svg (left out), dot, mermaid or text"),)),
    Operation("rehearse", "POST", "/runbooks/{name}/rehearse", "author",
              "Play its tests in virtual time; nothing outside is touched.",
              queries=(("only", "tests whose name has it"),)),
    Operation("validate", "POST", "/validate", "author",
              "Say what is wrong with a runbook's text.", Validate),
    Operation("reload", "POST", "/reload", "keep", "Read the runbooks anew."),
    Operation("alerts", "GET", "/alerts", "look", "Decisions on alerts.",
              queries=(("about", "a fingerprint, alertname, run or delivery"),
                       ("outcome", "only this outcome"),
                       ("limit", "at most so many; 100"))),
    Operation("proposals", "GET", "/proposals", "look",
              "What the intake offers to people, the worst first."),
    Operation("accept", "POST", "/proposals/{proposal}/accept", "offers",
              "Start it under your own name, with its alert.", Accept),
    Operation("decline", "POST", "/proposals/{proposal}/decline", "offers",
              "Take it off the list.", Decline),
    Operation("hold", "GET", "/hold", "look", "Whether the global hold is set."),
    Operation("set_hold", "PUT", "/hold", "hold-all", "Set the global hold.", Hold),
    Operation("lift_hold", "DELETE", "/hold", "hold-all", "Lift the global hold."),
    Operation("doctor", "GET", "/doctor", "look",
              "The latest examination: findings, and how ready each runbook is."),
    Operation("examine", "POST", "/doctor", "author", "Examine now."),
    Operation("verify", "GET", "/verify", "look",
              "Whether timelines are what was written.",
              queries=(("run", "only this one; left out: all"),)),
    Operation("retain", "POST", "/retain", "keep",
              "Remove what ended longer ago than `retention` says.", Retain),
    Operation("records", "GET", "/records", "look", "The engine's own timeline.",
              queries=(("after", "only entries after this number"),)),
)  # fmt: skip


def openapi(version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of these operations."""
    paths: dict[str, Any] = {}
    for one in OPERATIONS:
        paths.setdefault(f"/api/v1{one.path}", {})[one.method.lower()] = _described(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": "runbook", "version": version},
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": _object({"error": {"type": "string"}})},
        },
        "security": [{"token": []}],
    }


def _described(one: Operation) -> dict[str, Any]:
    named = [part[1:-1] for part in one.path.split("/") if part.startswith("{")]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in named
    ] + [
        {"name": name, "in": "query", "description": told, "schema": {"type": "string"}}
        for name, told in one.queries
    ]
    made: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.told,
        "description": f"Needs the role {one.role}.",
        "parameters": parameters,
        "responses": {
            "200": {"description": "Done.", "content": _json({"type": "object"})},
            "4XX": {
                "description": "Refused, and why.",
                "content": _json(ERROR),
            },
            "503": {"description": "Not now; come again.", "content": _json(ERROR)},
        },
    }
    if one.body is not None:
        schema = one.body.model_json_schema()
        made["requestBody"] = {"required": True, "content": _json(schema)}
    return made


ERROR: Final = {"$ref": "#/components/schemas/Error"}


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties]}
