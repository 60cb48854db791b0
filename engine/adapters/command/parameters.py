"""What a runbook says of a command.

Read by: the check and the action `command`, the reference page.
"""

from pydantic import Field

from engine.model.credentials import Secretable
from engine.model.values import Model, SecretRef, Word


class CommandCheck(Model):
    """A program that looks."""

    argv: list[Word] = Field(
        min_length=1,
        description="The program and its arguments, one each. No shell reads them: "
        "where one is meant, it has to be named as the first.",
    )
    cwd: str | None = Field(
        None, description="The folder to run in; left out: the engine's own."
    )
    env: dict[str, Word | SecretRef] = Field(
        default_factory=dict,
        description="Variables beside PATH, HOME, LANG and TZ, which alone are passed "
        "on. A value may be `{secret: NAME}`.",
    )
    stdin: Secretable | None = Field(
        None, description="Text for the standard input; left out: empty."
    )


class CommandAction(CommandCheck):
    """A program that acts.

    It finds RUNBOOK_KEY (the same for every try of one act), RUNBOOK_FENCE (a number
    that grows with every owner of the run) and, in an undo, RUNBOOK_UNDO=1 in its
    environment.
    """

    expect_exit: list[int] = Field(
        default_factory=lambda: [0],
        min_length=1,
        description="The exit codes that mean done.",
    )
