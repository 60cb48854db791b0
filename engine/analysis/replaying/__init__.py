"""Replaying a recorded run: does the same come of it, and what would a change do?

One room for each idea: `history` (a recorded run as a file of lines), `recorded` (what
the world and people said, to be said again), `alike` (which decisions and questions of
two versions are the same), `parting` (the first decision that another version takes
otherwise), `branches` (where it can go from there, now that the recording says nothing
more).

Pure. Called by runtime.replaying and runtime.as_test.
"""
