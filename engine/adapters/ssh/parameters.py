"""What a runbook says of a program on another machine.

Read by: the check and the action `ssh`, the reference page.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from engine.model.credentials import Secretable
from engine.model.values import Model, SecretRef, Word

Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
KEYS: Final = ("key", "key_file", "agent")


@dataclass(frozen=True, slots=True)
class SshDefaults:
    """What the configuration says; a runbook may say something else."""

    user: str | None = None
    known_hosts: str | None = None
    key: SecretRef | None = None
    key_file: str | None = None
    passphrase: SecretRef | None = None
    agent: bool = False


class SshCheck(Model):
    """A program on another machine that looks.

    Needs the extra `ssh`: `pip install 'incident-runbook[ssh]'`.
    """

    host: str = Field(
        min_length=1, description="A name or an address; its key is looked up as this."
    )
    port: int = Field(22, ge=1, le=65535, description="The port.")
    user: str | None = Field(
        None, min_length=1, description="Who logs in; left out: the configured one."
    )
    argv: list[Word] = Field(
        min_length=1,
        description="The program and its arguments, one each, quoted for the remote "
        "shell: it never reads them. Where a shell is meant, name it as the first.",
    )
    env: dict[Variable, Word] = Field(
        default_factory=dict,
        description="Variables, set with `env NAME=VALUE` before the program, where "
        "others on that machine can see them: give a secret as `stdin`.",
    )
    bare: bool = Field(
        False,
        description="Send the program alone, without `env` before it: for a device "
        "that is no Unix machine. It then finds no RUNBOOK_KEY, and what it leaves at "
        "the limit is ended only as far as the server takes signals.",
    )
    stdin: Secretable | None = Field(
        None, description="Text for the standard input; left out: empty."
    )
    known_hosts: str | None = Field(
        None,
        description="A file of host keys as OpenSSH keeps them, `@cert-authority` "
        "and `@revoked` included; left out: the configured one. Without one, or "
        "with no key of the host in it, nothing is asked.",
    )
    key: SecretRef | None = Field(
        None, description="The private key's text: `{secret: NAME}`."
    )
    key_file: str | None = Field(
        None, description="A file with the private key that nobody else may read."
    )
    passphrase: SecretRef | None = Field(
        None, description="Of the private key: `{secret: NAME}`. Nobody is asked."
    )
    agent: bool | None = Field(
        None, description="Use the keys of the agent that SSH_AUTH_SOCK names."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        given = [name for name in KEYS if getattr(self, name) not in (None, False)]
        if len(given) > 1:
            raise ValueError(f"write one of key, key_file, agent, not {given}")
        if self.bare and self.env:
            raise ValueError("`bare` sends the program without `env`: remove one")
        program = self.argv[0]
        if program.startswith("-") or "=" in program or not program.strip():
            raise ValueError(f"'{program}' (the first of argv) is no program")
        if any("\0" in word for word in (*self.argv, *self.env.values())):
            raise ValueError("an argument holds a NUL character")
        return self


class SshAction(SshCheck):
    """A program on another machine that acts.

    It finds RUNBOOK_KEY (the same for every try of one act), RUNBOOK_FENCE (a number
    that grows with every owner of the run) and, in an undo, RUNBOOK_UNDO=1 in its
    environment. Needs the extra `ssh`: `pip install 'incident-runbook[ssh]'`.
    """

    expect_exit: list[int] = Field(
        default_factory=lambda: [0],
        min_length=1,
        description="The exit codes that mean done.",
    )
