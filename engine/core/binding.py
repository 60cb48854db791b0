"""Names bound at a place: by `with` for one use, by `each` for one target.

With each name goes whether its value can be trusted to name a host: it is made of
nothing but what stands in the file and of trusted inputs. A plan and the act itself
bind in the same way, so what people approve is what is done.
"""

from collections.abc import Mapping
from typing import Any

from engine.core.code import Node
from engine.core.names import TARGET, TRUSTED, trusted
from engine.core.record import Thread
from engine.core.turn import Turn
from engine.expressions import UNKNOWN
from engine.templating import params_names


def with_names(turn: Turn, thread: Thread, node: Node) -> dict[str, Any]:
    """Return the thread's names with those of the step's `with`.

    A literal stays as it is, text is rendered once, {cel: …} is judged; unknown: None.
    """
    given: Mapping[str, Any] = node.step.with_
    if not given:
        return thread.names
    names = dict(thread.names)
    known = trusted(turn.scope(thread), names)
    vouched = set(names.get(TRUSTED, ()))
    for name, raw in given.items():
        expression = node.exprs.get(f"with.{name}")
        if expression is None:
            made_of, value = params_names(raw), turn.text_value(thread, raw)
        else:
            made_of, value = expression.names, turn.judge(thread, expression)
        if made_of <= known:
            vouched.add(name)
        names[name] = None if value is UNKNOWN else value
    names[TRUSTED] = tuple(sorted(vouched))
    return names


def target_names(
    turn: Turn, thread: Thread, block: Node, target: Any
) -> dict[str, Any]:
    """Return the further names of one target of an `each`."""
    name = block.step.as_
    vouched = set(thread.names.get(TRUSTED, ()))
    if block.exprs["each"].names <= trusted(turn.scope(thread), thread.names):
        vouched.add(name)
    return {name: target, TARGET: target, TRUSTED: tuple(sorted(vouched))}
