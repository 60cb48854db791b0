"""An incident response runbook engine: declarative, proved, rehearsed, restartable."""

__version__ = "0.1.0"
