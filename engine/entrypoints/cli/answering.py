"""Commands with which people answer a run: approve, reject, answer, note, cancel, take.

Where a server runs on this data folder, or is named, it takes the answer and says what
came of it. Else, where another process drives the run, the answer is left in its
mailbox; where nobody does, this process opens the run, tells it, and leaves it on disk
again once nothing is in flight.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from engine.entrypoints.cli.choosing import As, config_of, given_of
from engine.entrypoints.cli.completing import (
    asked_runs,
    open_runs,
    questions,
    run_ids,
    taken_runs,
    what_may_come,
)
from engine.entrypoints.cli.reaching import reached
from engine.entrypoints.cli.screen import wrong_use

if TYPE_CHECKING:
    from engine.bootstrap import Engine
    from engine.model.people import Actor
    from engine.model.run import RunSummary

    Say = Callable[[Engine, Actor], Awaitable[Any]]

Run = Annotated[
    str, typer.Argument(metavar="RUN", help="The run's id.", autocompletion=run_ids)
]
AskedRun = Annotated[
    str, typer.Argument(metavar="RUN", help="The run's id.", autocompletion=asked_runs)
]
OpenRun = Annotated[
    str, typer.Argument(metavar="RUN", help="The run's id.", autocompletion=open_runs)
]
TakenRun = Annotated[
    str, typer.Argument(metavar="RUN", help="The run's id.", autocompletion=taken_runs)
]
Step = Annotated[
    str,
    typer.Argument(
        metavar="[STEP]", help="Which question, if it asks several.",
        autocompletion=questions,
    ),
]  # fmt: skip

ROLES: Final = "commander, deputy, scribe or liaison; else: what the run holds."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: runbook approve r-7kq3xm --as ana")(approve)
    app.command(epilog="Example: runbook reject r-7kq3xm --reason 'peak hours'")(reject)
    app.command(epilog="Example: runbook answer r-7kq3xm hand fixed=true note=done")(
        answer
    )
    app.command(
        epilog="Example: runbook note r-7kq3xm 'called the provider' --at 02:10"
    )(note)
    app.command(epilog="Example: runbook cancel r-7kq3xm --reason 'false alarm'")(
        cancel
    )
    app.command(epilog="Example: runbook take r-7kq3xm --as ana")(take)


def approve(
    context: typer.Context,
    run: AskedRun,
    step: Step = "",
    typed: Annotated[
        str, typer.Option("--type", metavar="TEXT", help="What is to be retyped.")
    ] = "",
    as_: As = "",
) -> None:
    """Approve what a run asks, exactly as it stands now."""

    async def vote(engine: "Engine", by: "Actor") -> None:
        await engine.service.vote(run, by, "approve", step=step, typed=typed)

    tell_run(context, run, as_, vote, lambda _: {"step": step, "typed": typed})


def reject(
    context: typer.Context,
    run: AskedRun,
    step: Step = "",
    reason: Annotated[str, typer.Option(help="Why; it stands in the timeline.")] = "",
    as_: As = "",
) -> None:
    """Reject what a run asks."""
    if not reason.strip():
        wrong_use("say why: --reason TEXT")

    async def vote(engine: "Engine", by: "Actor") -> None:
        await engine.service.vote(run, by, "reject", step=step, reason=reason)

    tell_run(context, run, as_, vote, lambda _: {"step": step, "reason": reason})


def answer(
    context: typer.Context,
    run: AskedRun,
    answers: Annotated[
        list[str],
        typer.Argument(
            metavar="[STEP] KEY=VALUE…",
            help="The answers.",
            autocompletion=what_may_come,
        ),
    ],
    as_: As = "",
) -> None:
    """Answer a question of a run."""
    step = answers[0] if "=" not in answers[0] else ""
    given = given_of(answers[1:] if step else answers)
    if not given:
        wrong_use("give the answers as KEY=VALUE")

    async def reply(engine: "Engine", by: "Actor") -> None:
        from engine.core.words.typed import typed_answers
        from engine.runtime.service import ANSWERED

        service = engine.service
        question = await service.question(run, step, kinds=ANSWERED)
        await service.answer(run, by, typed_answers(question, given), step=question.key)

    def body(summary: "RunSummary") -> dict[str, Any]:
        from engine.core.words.typed import typed_answers
        from engine.runtime.service import ANSWERED, pick_question, still_open

        question = pick_question(still_open(summary), step, ANSWERED)
        return {"answers": typed_answers(question, given), "step": question.key}

    tell_run(context, run, as_, reply, body)


def note(
    context: typer.Context,
    run: Run,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be kept.")],
    at: Annotated[
        str, typer.Option(metavar="TIME", help="When it was: 02:10 or ISO 8601, UTC.")
    ] = "",
    as_: As = "",
) -> None:
    """Add a note to a run's timeline, also after its end."""
    about_at = moment(at) if at else None

    async def add(engine: "Engine", by: "Actor") -> None:
        await engine.service.note(run, by, text, about_at=about_at)

    tell_run(context, run, as_, add, lambda _: {"text": text, "about_at": about_at})


def cancel(
    context: typer.Context,
    run: OpenRun,
    keep: Annotated[
        bool, typer.Option("--keep", help="Give nothing back: it is yours now.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; it stands in the timeline.")] = "",
    as_: As = "",
) -> None:
    """Stop a run and give back what it holds."""

    async def stop(engine: "Engine", by: "Actor") -> None:
        await engine.service.cancel(run, by, keep=keep, reason=reason)

    body = {"keep": keep, "reason": reason}
    tell_run(context, run, as_, stop, lambda _: body, to_the_end=True)


def take(
    context: typer.Context,
    run: TakenRun,
    role: Annotated[
        Literal["commander", "deputy", "scribe", "liaison"] | None,
        typer.Argument(metavar="[ROLE]", help=ROLES),
    ] = None,
    as_: As = "",
) -> None:
    """Take over by name what an ended run still holds, or a role in an open one."""

    async def take_over(engine: "Engine", by: "Actor") -> None:
        if role is None:
            await engine.service.take(run, by)
        else:
            await engine.steering.take_role(run, by, role)

    tell_run(context, run, as_, take_over, lambda _: {"role": role})


def moment(text: str) -> float:
    """Return epoch seconds of `02:10` (the last one, UTC) or of an ISO 8601 time.

    Exits with 2: it is no time, or lies ahead.
    """
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    try:
        found = datetime.fromisoformat(
            f"{now:%Y-%m-%d}T{text}" if "-" not in text else text
        )
    except ValueError:
        wrong_use(f"'{text}' is no time; write 02:10 or 2026-03-14T02:10:00Z")
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    if found > now and "-" not in text:
        found -= timedelta(days=1)
    if found > now:
        wrong_use(f"'{text}' lies ahead")
    return found.timestamp()


def tell_run(
    context: typer.Context,
    run: str,
    as_: str,
    what: "Say",
    body: "Callable[[RunSummary], dict[str, Any]]",
    *,
    method: str = "POST",
    to_the_end: bool = False,
) -> None:
    """Say it to a server, in `body`, or to an engine of ours, by `what`.

    Exits with the code that tells whether it counts. Read by steering too.
    """
    import asyncio

    config = config_of(context)
    there, who = reached(context, config, as_)
    if there is not None:
        from engine.entrypoints.cli.at_a_server import said

        verb = str(context.info_name)
        word = said(there, run, verb, body, method=method, to_the_end=to_the_end)
        raise typer.Exit(asyncio.run(word))
    from engine.entrypoints.cli.telling import told

    raise typer.Exit(asyncio.run(told(config, run, who, what, to_the_end=to_the_end)))
