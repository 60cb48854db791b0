"""`python -m engine` is `runbook`."""

from engine.entrypoints.cli import main

if __name__ == "__main__":
    main()
