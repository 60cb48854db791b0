"""A machine in the form that was asked for. Read by: authoring, reading."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from engine.model.machine import MachineGraph

Form = Literal["svg", "png", "dot", "mermaid", "text"]


def drawn(machine: "MachineGraph", form: Form, *, path: Sequence[str] = ()) -> bytes:
    """Return the picture: svg, png, dot, mermaid or text. `path`: states visited."""
    from engine.views.graph import graph_dot, graph_mermaid, graph_text

    if form == "text":
        return graph_text(machine, path=path).encode()
    if form == "mermaid":
        return graph_mermaid(machine, path=path).encode()
    dot = graph_dot(machine, path=path)
    if form == "dot":
        return dot.encode()
    from engine.bootstrap import picture

    return picture(dot, form)
