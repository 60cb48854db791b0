"""Prometheus rule files -> alert rules: plain files, and PrometheusRule of Kubernetes.

Read for what may fire, not judged as Prometheus does: an expression is not looked at.
What is no rule is told, and the others count. Never raises for any text.

Called by: the command `coverage`.
"""

from collections.abc import Iterator
from typing import Final

from yaml import CSafeLoader as Loader
from yaml import MarkedYAMLError, Node, YAMLError
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.nodes import MappingNode, ScalarNode, SequenceNode

from engine.language.problems import Problem
from engine.model.alert_rules import AlertRule

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_DEPTH: Final = 50
TOO_DEEP: Final = f"more than {MAX_DEPTH} levels inside each other"
MAX_ALIASES: Final = 1000
OPENING: Final = (MappingStartEvent, SequenceStartEvent)
CLOSING: Final = (MappingEndEvent, SequenceEndEvent)
MERGE: Final = "<<"


def read_alert_rules(text: str, file: str) -> tuple[list[AlertRule], list[Problem]]:
    """Return the alert rules of a file, in order, and what could not be read.

    Recording rules are left out. A file without a rule is told.
    """
    try:
        if problem := _too_much(text):
            return [], [_problem(file, 1, problem)]
        found = list(_rules_in(text, file))
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        line = mark.line + 1 if mark is not None else 1
        why = getattr(error, "problem", None) or "it is not YAML"
        if "nesting depth" in why:  # libyaml from 0.2.6 on has a limit of its own
            return [], [_problem(file, line, TOO_DEEP)]
        return [], [_problem(file, line, f"no rule can be read: {why}")]
    rules = [one for one in found if isinstance(one, AlertRule)]
    problems = [one for one in found if isinstance(one, Problem)]
    if not found:
        problems = [_problem(file, 1, "there is no group of rules in it")]
    return rules, problems


def _problem(file: str, line: int, message: str) -> Problem:
    hint = "A rule file has `groups:`, each with `rules:`."
    return Problem(file, line, 1, "error", "alert-rules", message, hint, "")


def _too_much(text: str) -> str:
    """Say why it is not read: judged before anything is built of it."""
    if len(text) > MAX_BYTES:
        return f"it is over {MAX_BYTES // 1024 // 1024} MiB"
    loader, depth, aliases = Loader(text), 0, 0
    while (event := loader.get_event()) is not None:
        depth += isinstance(event, OPENING) - isinstance(event, CLOSING)
        aliases += isinstance(event, AliasEvent)
        if depth > MAX_DEPTH:
            return TOO_DEEP
        if aliases > MAX_ALIASES:
            return f"more than {MAX_ALIASES} aliases"
    return ""


def _rules_in(text: str, file: str) -> Iterator[AlertRule | Problem]:
    loader = Loader(text)
    while loader.check_node():
        top = loader.get_node()
        groups = _at(top, "groups") or _at(_at(top, "spec"), "groups")
        for group in _items(groups):
            name = _text(_at(group, "name"))
            for rule in _items(_at(group, "rules")):
                yield from _rule(rule, file, name)


def _rule(node: Node, file: str, group: str) -> Iterator[AlertRule | Problem]:
    line = node.start_mark.line + 1
    named = _at(node, "alert")
    if named is None:
        if _at(node, "record") is None:
            told = "a rule has neither `alert` nor `record`"
            yield _problem(file, line, told)
        return
    certain, templated, absent = {"alertname": _text(named)}, [], []
    for label, value in _labels(node):
        if "{{" in value:
            templated.append(label)
        elif value:
            certain[label] = value
        else:
            absent.append(label)
    yield AlertRule(
        file, line, group, _text(named), certain, tuple(templated), tuple(absent)
    )


def _labels(node: Node) -> Iterator[tuple[str, str]]:
    labels = _at(node, "labels")
    if isinstance(labels, MappingNode):
        for key, value in labels.value:
            if _text(key) != MERGE:
                yield _text(key), _text(value)


def _at(node: Node | None, key: str) -> Node | None:
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if _text(name) == key:
                found: Node = value
                return found
    return None


def _items(node: Node | None) -> list[Node]:
    return list(node.value) if isinstance(node, SequenceNode) else []


def _text(node: Node | None) -> str:
    return str(node.value) if isinstance(node, ScalarNode) else ""
