"""A runbook as it is done by hand: every command resolved, its undo beside it.

What is here: which boxes, times, people and lines stand on the sheet. What is not: how
it looks (views.sheet), who belongs to a group (given), what the time is (given).

A value nobody gave stands as a blank, and so do values that only a run knows: what is
remembered, the target of an `each`, an answer. A secret is always a blank.

Called by the command line (`runbook print`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from engine.analysis.bounds import bounds
from engine.core.code import ActionCode, CompiledRunbook, Scope
from engine.core.inputs import bind_inputs
from engine.core.lists import every_step
from engine.errors import DoesNotApply, TemplateProblem
from engine.model.kinds import Kinds
from engine.model.people import RUN_ROLES
from engine.model.runbook import ORDER, Runbook
from engine.model.steps import (
    ActStep,
    AllStep,
    ApproveStep,
    AskStep,
    CheckStep,
    HandOverStep,
    RunStep,
    Step,
)
from engine.model.values import format_duration
from engine.templating import params_names, render, render_params
from engine.views.by_hand import blank, line_by_hand, secret_blank, undo_by_hand
from engine.views.escape import value_text, visible
from engine.views.sheet import Box, Contact, Limit, Look, Part, Sheet, Value
from engine.views.wording import inner_steps, outcome, step_rows

TITLES: Final = {
    "confirm": "Confirm: is it real?",
    "isolate": "Isolate: stop the damage spreading",
    "diagnose": "Diagnose: find the cause, change nothing",
    "restore": "Restore: back to normal",
}
TIMES: Final = ("isolated", "mitigated", "total", "silent")


@dataclass(frozen=True, slots=True)
class Group:
    """A group as the configuration knows it."""

    people: tuple[str, ...] = ()
    on_call: str = ""


def checklist(
    compiled: CompiledRunbook,
    given: Mapping[str, Any],
    *,
    printed: str,
    groups: Mapping[str, Group] = {},
    urls: Mapping[str, str] = {},
) -> Sheet:
    """Return the sheet of a runbook.

    Args:
        compiled: The runbook.
        given: Values of inputs, as a run is given them; the others take their default,
            or stand as a blank.
        printed: When it is printed, for people.
        groups: Who is in a group.
        urls: Kind to the address that is meant where the runbook names none.

    Raises:
        DoesNotApply: a value is no input's, or does not fit it.
    """
    runbook = compiled.runbook
    names, problems = _names(runbook, given)
    if problems:
        raise DoesNotApply("\n".join(problems))
    paper = _Paper(compiled.scopes[0], compiled.kinds, names, urls)
    return Sheet(
        title=paper.text(runbook.title),
        runbook=runbook.runbook,
        revision=compiled.revision[:12],
        owner=runbook.owner,
        severity=runbook.severity,
        printed=printed,
        values=tuple(_values(runbook, names)),
        limits=tuple(_limits(compiled)),
        contacts=tuple(_contacts(runbook, groups)),
        channels=tuple(map(paper.text, _channels(runbook))),
        roles=tuple(RUN_ROLES),
        stops=tuple(_stops(runbook)),
        parts=tuple(paper.parts()),
        looks=tuple(paper.looks()),
        gaps=tuple(dict.fromkeys(paper.gaps)),
    )


def _names(
    runbook: Runbook, given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return what each input stands for, and which values do not fit."""
    there = {
        name: one
        for name, one in runbook.inputs.items()
        if name in given or not (one.required or one.secret)
    }
    known = runbook.model_copy(update={"inputs": there})
    strange = [name for name in given if name not in runbook.inputs]
    if strange:
        return {}, bind_inputs(runbook, dict.fromkeys(strange, ""), {}, {})[1][:1]
    values, problems = bind_inputs(known, given, {}, {})
    names: dict[str, Any] = {}
    for name, one in runbook.inputs.items():
        value = values.get(name)
        names[name] = blank(name) if value is None else value
        if one.secret:
            names[name] = {"secret": name}
    return names, problems


def _values(runbook: Runbook, names: Mapping[str, Any]) -> Iterator[Value]:
    for name, one in runbook.inputs.items():
        about = [visible(one.description)] if one.description else []
        if one.secret:
            yield Value(name, secret_blank(name), "; ".join(["a secret", *about]))
            continue
        if names[name] == blank(name) and one.from_:
            about.insert(0, f"in the alert: {visible(one.from_)}")
        yield Value(name, value_text(names[name]), "; ".join(about))


def _limits(compiled: CompiledRunbook) -> Iterator[Limit]:
    worst, limits = bounds(compiled), compiled.runbook.limits.time
    for name in TIMES:
        allowed = getattr(limits, name)
        seconds = getattr(worst, name, None)
        if allowed is None and seconds is None:
            continue
        yield Limit(
            name,
            format_duration(allowed) if allowed is not None else "-",
            format_duration(timedelta(seconds=round(seconds))) if seconds else "-",
        )


def _contacts(runbook: Runbook, groups: Mapping[str, Group]) -> Iterator[Contact]:
    does: dict[str, list[str]] = {runbook.owner: ["owns it"]}
    for step in every_step(runbook):
        for group, what in _asked(step, runbook.owner):
            does.setdefault(group, []).append(what)
    for stop in runbook.stop_when:
        if stop.page:
            does.setdefault(stop.page, []).append("is paged when it stops")
    for group, tasks in does.items():
        known = groups.get(group, Group())
        told = ", ".join(dict.fromkeys(tasks))
        yield Contact(group, told, known.people, known.on_call)


def _asked(step: Step, owner: str) -> Iterator[tuple[str, str]]:
    called = visible(step.name) if step.name else ""
    if isinstance(step, ApproveStep):
        circle: Any = step
        while circle is not None:
            for need in circle.from_:
                yield need.group, f"approves {called}".strip()
            circle = circle.then
    elif isinstance(step, AskStep):
        for group in step.who or [owner]:
            yield group, f"answers {called}".strip()
    elif isinstance(step, HandOverStep):
        yield step.hand_over, "takes over"


def _channels(runbook: Runbook) -> list[str]:
    first = [runbook.chat.channel] if runbook.chat.channel else []
    return [*first, *runbook.chat.fallback]


def _stops(runbook: Runbook) -> Iterator[str]:
    for stop in runbook.stop_when:
        then = "hand over" if stop.then == "hand_over" else "give back, hand over"
        page = f", page {visible(stop.page)}" if stop.page else ""
        yield f"if {visible(stop.when)}: {then}{page}"


def _only_looks(step: Step) -> list[str]:
    """Return the checks of a block that only looks at them side by side, else none."""
    if not isinstance(step, AllStep) or step.need or step.when or step.on_fail:
        return []
    plain = [
        one.check
        for one in step.all
        if isinstance(one, CheckStep)
        and not (one.expect or one.with_ or one.when or one.on_fail)
    ]
    return plain if len(plain) == len(step.all) else []


def _before(step: ActStep) -> list[str]:
    return [f"only if {visible(step.when)}"] if step.when is not None else []


def _conditions(action: ActionCode) -> list[str]:
    model = action.model
    words = (
        ("already done if", model.done_when),
        ("only while", model.guard),
        ("worked if", model.verify),
        ("undo only if", model.undo_if),
        ("undone if", model.undone_when),
    )
    rows = [f"{told} {visible(cel)}" for told, cel in words if cel is not None]
    if model.settles:
        rows.append(f"after it, do not undo: {', '.join(model.settles)}")
    return rows


def _after(step: ActStep) -> list[str]:
    return [f"if it fails: {outcome(step.on_fail or 'hand_over')}"]


@dataclass(slots=True)
class _Paper:
    """One runbook being put on paper."""

    scope: Scope
    kinds: Kinds
    names: Mapping[str, Any]
    urls: Mapping[str, str]
    gaps: list[str] = field(default_factory=list)

    def text(self, raw: str) -> str:
        """Return a text for people with its values."""
        try:
            return str(render(raw, self._with_blanks(raw, {})))
        except TemplateProblem:
            return raw

    def _with_blanks(self, raw: Any, bound: Mapping[str, Any]) -> dict[str, Any]:
        """Return a value for each name; what only a run knows is a blank."""
        known = {**self.names, **bound}
        return {name: known.get(name, blank(name)) for name in params_names(raw)}

    def parts(self) -> Iterator[Part]:
        """Yield confirm, the phases, each workaround by itself."""
        runbook = self.scope.runbook
        for phase in ORDER:
            steps = getattr(runbook, phase)
            if phase == "workaround":
                for name, some in steps.items():
                    yield Part(f"Workaround {name}", tuple(self._boxes(some, "")))
            elif phase == "restore" and steps is None:
                yield Part(TITLES[phase], self._default_restore())
            elif steps:
                yield Part(TITLES[phase], tuple(self._boxes(steps, "")))

    def _default_restore(self) -> tuple[Box, ...]:
        return (
            Box("1", "look as confirm does: the trouble must be gone"),
            Box(
                "2", "give back everything that was done, newest first; look after each"
            ),
        )

    def _boxes(self, steps: Sequence[Step], prefix: str) -> Iterator[Box]:
        for number, step in enumerate(steps, 1):
            label = f"{prefix}{number}"
            if seen := _only_looks(step):
                yield Box(label, f"look at {', '.join(seen)}")
                continue
            yield self._box(step, label)
            yield from self._boxes(inner_steps(step), f"{label}.")

    def _box(self, step: Step, label: str) -> Box:
        if isinstance(step, ActStep):
            return self._act(step, label)
        if isinstance(step, RunStep):
            self.gaps.append(f"runbook {step.run}: print its own sheet")
        head, *details = step_rows(self._resolved(step), self.scope.runbook)
        return Box(label, head, tuple(details))

    def _resolved(self, step: Step) -> Step:
        """Return the step with its texts rendered; conditions stay as they are."""
        texts = {
            name: self.text(value)
            for name in type(step).model_fields
            if isinstance(value := getattr(step, name), str) and "{{" in value
        }
        return step.model_copy(update=texts) if texts else step

    def _act(self, step: ActStep, label: str) -> Box:
        action = self.scope.actions[step.act]
        bound, told = self._bound(step, action)
        undo, typed = self._undo(action, bound)
        model = action.model
        risk = "  HIGH RISK: only after an approval" if action.needs_approval else ""
        return Box(
            label,
            f"DO {step.act}{risk}",
            (*_before(step), *told, *_conditions(action), *_after(step)),
            do=self._line(model.kind, model.params, bound, acts=True),
            undo=undo,
            typed=typed,
        )

    def _bound(
        self, step: ActStep, action: ActionCode
    ) -> tuple[dict[str, Any], list[str]]:
        """Return the names that this use binds, and what is to be noted before it."""
        bound: dict[str, Any] = {}
        told = []
        for name, value in step.with_.items():
            if isinstance(value, Mapping) and value.keys() == {"cel"}:
                bound[name] = blank(name)
                told.append(f"{blank(name)} is {visible(value['cel'])}")
            else:
                bound[name] = self.text(value) if isinstance(value, str) else value
        for name, what in action.model.remember.items():
            bound[name] = blank(name)
            told.append(
                f"first write down {blank(name)}: {visible(what.value)} of look "
                f"{what.check}"
            )
        return bound, told

    def _undo(self, action: ActionCode, bound: Mapping[str, Any]) -> tuple[str, bool]:
        """Return the way back, and whether it is a line to type."""
        model, body = action.model, action.model.undo_body
        if body is not None:
            return self._line(body.kind, body.params, bound, acts=True), True
        if action.leaves_nothing:
            return "not needed: it leaves nothing", False
        if model.undo == "none":
            return f"NONE: {visible(model.why_no_undo or 'no reason given')}", False
        params = self._params(model.kind, model.params, bound, acts=True)
        line = undo_by_hand(model.kind, params)
        return line, model.kind in ("kubernetes", "silence")

    def _line(
        self, kind: str, params: Any, bound: Mapping[str, Any], *, acts: bool
    ) -> str:
        return line_by_hand(kind, self._params(kind, params, bound, acts=acts))

    def _params(
        self, kind: str, params: Any, bound: Mapping[str, Any], *, acts: bool
    ) -> Any:
        """Return the parameters rendered for their places, as the engine would."""
        if isinstance(params, Mapping) and kind in self.urls and not params.get("url"):
            params = {**params, "url": self.urls[kind]}
        known = (self.kinds.actions if acts else self.kinds.checks).get(kind)
        places = known.places if known is not None else {}
        names = self._with_blanks(params, bound)
        unsure = frozenset(
            name
            for name, value in names.items()
            if value != blank(name)
            and (name not in self.scope.trusted or str(value).startswith("-"))
        )
        try:
            return render_params(params, names, places=places, outside=unsure)
        except TemplateProblem as problem:
            self.gaps.append(f"{kind}: {visible(problem.message)}; shown as written")
            return params

    def looks(self) -> Iterator[Look]:
        """Yield each check, as it is looked at."""
        for name, check in self.scope.checks.items():
            model = check.model
            good = model.pass_ or ""
            if model.pass_for:
                good = f"{good} (for {model.pass_for})"
            line = self._line(model.kind, model.params, {}, acts=False)
            agrees = model.kind == "agree"  # nothing is typed: the others are looked at
            yield Look(name, "" if agrees else line, line if agrees else good)
