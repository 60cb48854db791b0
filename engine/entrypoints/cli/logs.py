"""How a server's log lines are written: text with key=value, or JSON, one line each.

Values from outside stand in one line, control characters made visible. A log that
cannot be written stops nothing: the line is dropped and counted.

Called by serving.
"""

import json
import logging
import time
from typing import Literal, TextIO

from engine.views.escape import visible


class Lines(logging.Formatter):
    """One line for each record, in UTC."""

    converter = staticmethod(time.gmtime)

    def __init__(self, form: Literal["text", "json"]) -> None:
        super().__init__()
        self._json = form == "json"

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time, level, where, what; a traceback in JSON's `trace`."""
        at = self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{record.msecs:03.0f}Z"
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        told = record.getMessage()
        if self._json:
            row = {"at": at, "level": record.levelname.lower(), "from": record.name}
            return json.dumps(
                row | {"told": told} | ({"trace": trace} if trace else {})
            )
        line = f"{at} {record.levelname.lower():7} {record.name} {visible(told)}"
        return f"{line}\n{trace}" if trace else line


class Counting(logging.StreamHandler[TextIO]):
    """Writes lines; one that cannot be written is counted, and said once it can."""

    dropped = 0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # theirs
        """Count, and go on."""
        self.dropped += 1

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        if self.dropped:
            record.msg = f"({self.dropped} lines before were dropped) {record.msg}"
            self.dropped = 0
        super().emit(record)


def write_logs(stream: TextIO, form: Literal["text", "json"]) -> None:
    """Let every log line of this process go to the stream."""
    handler = Counting(stream)
    handler.setFormatter(Lines(form))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("httpx", "httpcore", "uvicorn", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("transitions").setLevel(logging.ERROR)
