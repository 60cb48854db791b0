"""A small messaging platform as real processes on loopback, to break and repair.

`control.start` brings it up; `python -m messaging up --dir DIR` does the same from
a shell. Nothing here imports the engine: the engine meets this platform only
through its HTTP endpoints, its metrics and its alerts, as it would meet any other.
"""
