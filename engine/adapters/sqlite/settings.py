"""What can be set about the journal; nothing here weakens what an append promises.

Read by: store, opening, writer, reader.
"""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field


class SqliteSettings(BaseModel):
    """How long to wait, and how much to do at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    busy_seconds: float = Field(default=5.0, ge=0, le=60)
    """How long to wait for another process that has the file locked."""

    group_max: int = Field(default=1000, ge=1, le=10_000)
    """How many appends may share one commit."""

    readers: int = Field(default=2, ge=1, le=16)
    """Threads, each with its own connection, that only read."""

    reserve_bytes: int = Field(default=16 * 1024 * 1024, ge=0)
    """Space that an engine keeps for when the disk is full; 0: none."""


DEFAULTS: Final = SqliteSettings()
