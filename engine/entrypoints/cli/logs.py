"""How a server's log lines are written: text with key=value, or JSON, one line each.

Values from outside stand in one line, control characters made visible. A log that
cannot be written stops nothing: the line is dropped and counted.

Called by serving.
"""

import json
import logging
import re
import time
from collections.abc import Callable
from typing import Final, Literal, TextIO

from engine.views.escape import visible

NAMED: Final = re.compile(r"(?<!\S)(run|incident|source|delivery|reference)=([^\s\"]+)")


class Lines(logging.Formatter):
    """One line for each record, in UTC; what is told as `run=…` is also a key of JSON.

    Secrets are taken out once `hide` was called.
    """

    converter = staticmethod(time.gmtime)

    def __init__(self, form: Literal["text", "json"]) -> None:
        super().__init__()
        self._json = form == "json"
        self._clean: Callable[[str], str] = str

    def hide(self, clean: Callable[[str], str]) -> None:
        """Let every line go through this from now on."""
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time, level, where, what; a traceback in `trace`."""
        at = self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{record.msecs:03.0f}Z"
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        told, trace = self._clean(record.getMessage()), self._clean(trace)
        level = record.levelname.lower()
        if self._json:
            row = {"at": at, "level": level, "from": record.name, "told": told}
            named = dict(NAMED.findall(told))
            return json.dumps(named | row | ({"trace": trace} if trace else {}))
        line = f"{at} {level:7} {record.name} {visible(told)}"
        rows = [f"    {visible(row)}" for row in trace.splitlines()]
        return "\n".join([line, *rows])  # nothing from outside can begin a line


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


def write_logs(stream: TextIO, form: Literal["text", "json"]) -> Lines:
    """Let every log line of this process go to the stream; return how it is written."""
    handler, lines = Counting(stream), Lines(form)
    handler.setFormatter(lines)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("httpx", "httpcore", "uvicorn", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    return lines
