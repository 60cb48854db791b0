"""Lint."""
def lint(runbook, tree, file, kinds, siblings):
    return []
