"""The command line: `runbook`.

    app         the commands in their order, and what a failure says
    screen      where a command writes: colour, width, tables
    choosing    which configuration, runbook and person are meant
    completing  what the shell's TAB offers
    authoring   validate, schema, show, graph, rehearse
    running     run, resume
    plans       run --dry-run; looking_back: --at
    replays     replay; replays_shown: how it is told
    following   what is seen of a run while it goes on
    asking      questions answered at this terminal
    reaching    which server a command speaks to; at_a_server: what it does there
    answering   approve, reject, answer, note, cancel, take
    offering    proposals, accept, decline
    reading     runs, timeline, report, verify-timeline
    steering    hold, retry, sev, page
    keeping     reload, doctor, config
    hangups     SIGHUP while a server begins

A thin door: it parses, calls runtime.service, library or rehearsal, and shows what came
of it. Nothing heavier than typer is imported before a command begins.

Exit codes: 0 fine, 1 problems, 2 wrong use, 130 stopped by Ctrl-C.
"""


def main() -> None:
    """Run the command that the arguments name, and exit."""
    import sys

    from engine.entrypoints.cli.hangups import await_hangups, serves

    if serves(sys.argv[1:]):  # before anything that takes time is loaded
        await_hangups()
    from engine.entrypoints.cli.app import run

    raise SystemExit(run())


__all__ = ["main"]
