"""Checks: what is looked at, what passes, and what shows that the trouble is real.

Called by: comparing.
"""

from collections.abc import Iterator
from typing import Any, Final

from engine.analysis.comparing.changes import Change, Weight
from engine.analysis.comparing.sides import Pair, Side, by_key
from engine.core.code import END_OF_BLOCK
from engine.model.values import format_duration
from engine.model.vocabulary import Check
from engine.views.escape import command_text, value_text

LENGTHS: Final = {"timeout": "one look may take", "fresh_for": "an answer counts for"}


def looks_changed(pair: Pair) -> Iterator[Change]:
    """Yield what changed of the checks, and of `confirm`."""
    for name, was, now in by_key(_checks(pair.old), _checks(pair.new)):
        path = (_home(pair.new if now is not None else pair.old, name), name)
        if was is None:
            words = f"new check '{name}': {command_text(now.kind, now.params)}"
            yield pair.change("check", "neutral", words, None, path)
        elif now is None:
            words = f"check '{name}' is gone: {command_text(was.kind, was.params)}"
            yield pair.change("check", "neutral", words, path, None)
        else:
            yield from _check(pair, name, was, now)
    yield from _confirm(pair)


def _checks(side: Side) -> dict[str, Check]:
    impact = side.runbook.impact
    return {**(impact.checks if impact is not None else {}), **side.runbook.checks}


def _home(side: Side, name: str) -> str:
    return "checks" if name in side.runbook.checks else "impact"


def _check(pair: Pair, name: str, was: Check, now: Check) -> Iterator[Change]:
    old, new = (_home(side, name) for side in (pair.old, pair.new))
    over = sorted(_decided(pair.old, name) | _decided(pair.new, name))
    weight: Weight = "riskier" if over else "neutral"
    tail = f"; it decides over {', '.join(over)}" if over else ""
    if (was.kind, was.params) != (now.kind, now.params):
        words = (
            f"check '{name}' looks at something else: "
            f"{command_text(now.kind, now.params)}, was "
            f"{command_text(was.kind, was.params)}{tail}"
        )
        yield pair.change("check", weight, words, (old, name), (new, name))
    for key, shown in (("pass_", "passes when"), ("unknown_when", "is unknown when")):
        before, after = getattr(was, key), getattr(now, key)
        if before != after:
            words = (
                f"check '{name}' {shown}: {_said(after)}, was: {_said(before)}{tail}"
            )
            at = key.rstrip("_")
            yield pair.change("check", weight, words, (old, name, at), (new, name, at))
    if was.pass_for != now.pass_for:
        how = [one or "as its kind has it" for one in (now.pass_for, was.pass_for)]
        words = f"check '{name}' has to pass for {how[0]}, was {how[1]}{tail}"
        yield pair.change("check", weight, words, (old, name), (new, name))
    for words in _lengths(name, was, now):
        yield pair.change("check", "neutral", words, (old, name), (new, name))


def _decided(side: Side, name: str) -> set[str]:
    """Return the acts that a check decides over: done or not, asked for or not."""
    found = set()
    nodes = side.compiled.nodes
    for node in side.nodes.values():
        if node.verb != "act":
            continue
        action = side.compiled.scopes[0].actions[node.step.act]
        rules = [*action.conditions.values(), node.when]
        if node.gate != END_OF_BLOCK:
            rules += [nodes[node.gate].exprs.get("unless"), nodes[node.gate].when]
        if any(rule is not None and name in rule.checks for rule in rules):
            found.add(f"'{action.name}'")
    return found


def _lengths(name: str, was: Check, now: Check) -> Iterator[str]:
    for key, shown in LENGTHS.items():
        before, after = getattr(was, key), getattr(now, key)
        if before != after:
            lengths = [format_duration(one) for one in (after, before)]
            yield f"check '{name}': {shown} {lengths[0]}, was {lengths[1]}"
    if was.attempts != now.attempts:
        yield f"check '{name}': looks while unknown {now.attempts}, was {was.attempts}"


def _said(condition: Any) -> str:
    return "its kind says" if condition is None else value_text(condition)


def _confirm(pair: Pair) -> Iterator[Change]:
    old, new = (
        {(one.check, one.expect): at for at, one in enumerate(side.runbook.confirm)}
        for side in (pair.old, pair.new)
    )
    for key in dict.fromkeys((*old, *new)):
        check, expect = key
        if key not in new:
            words = (
                f"it is no longer confirmed that '{check}' is {expect} before it acts"
            )
            yield pair.change("check", "riskier", words, ("confirm", old[key]), None)
        elif key not in old:
            words = f"it is confirmed first that '{check}' is {expect}"
            yield pair.change("check", "safer", words, None, ("confirm", new[key]))
