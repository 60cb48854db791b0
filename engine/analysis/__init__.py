"""What can be shown of a runbook without running it."""
