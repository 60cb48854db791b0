"""Every exception of the engine, each with a stable code.

EngineError
├── RunbookRefused      a file has problems (language)
├── ExpressionProblem   a CEL expression does not compile
├── TemplateProblem     a text does not compile, or cannot be rendered
├── ConfigRefused       the configuration has problems
├── NotFound            no such run, runbook, question
├── NoAnswer            a server cannot be reached
├── NotAllowed          this person may not do this
├── DoesNotApply        it cannot be done in this state
├── SecretMissing       a secret has no value
├── StoreUnavailable    the journal cannot be written or read
│   ├── StoreConflict   somebody else wrote
│   │   └── LeaseLost   somebody else drives the run
│   ├── StoreDamaged    the file is not what was written
│   └── StoreNewer      written by a newer engine
├── ChatDown            a message could not be posted; it may be later
└── ChatRefused         a message will never be taken as it is
"""


class EngineError(Exception):
    """Base of all: `code` is stable, the text says where, what, and what to do next."""

    code = "engine"


class RunbookRefused(EngineError):
    """A runbook has problems; `problems` lists them."""

    code = "runbook"

    def __init__(self, problems: list[object]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Located(EngineError):
    """A problem inside one string: line and column count from 1 within that string."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class ExpressionProblem(Located):
    """A CEL expression does not compile."""

    code = "expression"


class TemplateProblem(Located):
    """A text does not compile, or cannot be rendered."""

    code = "template"


class ConfigRefused(EngineError):
    """The configuration has problems; `problems` lists them."""

    code = "config"

    def __init__(self, problems: list[object]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class NotFound(EngineError):
    """No such run, runbook or question."""

    code = "not-found"


class NoAnswer(EngineError):
    """A server that was asked to do it cannot be reached, or does not answer."""

    code = "no-answer"


class NotAllowed(EngineError):
    """This person may not do this."""

    code = "not-allowed"


class DoesNotApply(EngineError):
    """It cannot be done in this state."""

    code = "does-not-apply"


class SecretMissing(EngineError):
    """A secret has no value."""

    code = "secret-missing"


class StoreUnavailable(EngineError):
    """The journal cannot be written or read."""

    code = "store-unavailable"


class StoreConflict(StoreUnavailable):
    """Somebody else wrote to the same run."""

    code = "store-conflict"


class LeaseLost(StoreConflict):
    """Another engine drives the run, or took this one's place."""

    code = "lease-lost"


class StoreDamaged(StoreUnavailable):
    """The file is not what was written."""

    code = "store-damaged"


class StoreNewer(StoreUnavailable):
    """The database was written by a newer engine."""

    code = "store-newer"


class ChatDown(EngineError):
    """A message could not be posted: the chat is down, or asks to wait.

    `wait_seconds` is how long it asks to wait (0: nothing was said). `lasting` where it
    will not mend by itself: a revoked token, a room that is gone.
    """

    code = "chat-down"

    def __init__(
        self, message: str, *, wait_seconds: float = 0.0, lasting: bool = False
    ) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds
        self.lasting = lasting


class ChatRefused(EngineError):
    """The chat will never take this message, room or form as it is."""

    code = "chat-refused"
