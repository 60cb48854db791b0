"""A small registry of kinds, so that language is tested without adapters."""

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.model.kinds import ActionKind, CheckKind, Kinds


class Params(BaseModel):
    """Strict, as the parameters of the real kinds are."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(Params):
    """What a metrics check asks."""

    query: str = Field(description="PromQL.")


class Request(Params):
    """One HTTP request: exactly one method."""

    get: str | None = Field(None, description="A URL.")
    post: str | None = Field(None, description="A URL.")
    patch: str | None = Field(None, description="A URL.")
    delete: str | None = Field(None, description="A URL.")
    json_: Any = Field(None, alias="json", description="The body.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers.")
    retries: int = Field(0, ge=0, le=5, description="Tries.")

    @model_validator(mode="after")
    def _one_method(self) -> "Request":
        if [self.get, self.post, self.patch, self.delete].count(None) != 3:
            raise ValueError("exactly one of get, post, patch, delete")
        return self


class Command(Params):
    """One program with its arguments."""

    argv: list[str] = Field(min_length=1, description="Program and arguments.")


class Port(Params):
    """One TCP address."""

    host: str = Field(description="Host.")
    port: int = Field(description="Port.")


class Silence(Params):
    """One silence."""

    matchers: dict[str, str] = Field(description="Labels.")


@pytest.fixture(scope="session")
def kinds() -> Kinds:
    """Return kinds of each sort: judged by `pass`, judging itself, undoing itself."""
    url = dict.fromkeys(("get", "post", "patch", "delete"), "url")
    return Kinds(
        {
            "prometheus": CheckKind("prometheus", Query, places={"query": "promql"}),
            "http": CheckKind("http", Request, places=url),  # type: ignore[arg-type]
            "command": CheckKind("command", Command, places={"argv": "argv"}),
            "tcp": CheckKind("tcp", Port, judges_itself=True, places={"host": "host"}),
        },
        {
            "http": ActionKind("http", Request, places=url),  # type: ignore[arg-type]
            "command": ActionKind("command", Command, places={"argv": "argv"}),
            "silence": ActionKind("silence", Silence, built_in_undo=True),
            "page": ActionKind("page", Silence, leaves_nothing=True),
        },
    )
