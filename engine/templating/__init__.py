"""Text with `{{ name }}` in it: which names it uses, and the text with values in place.

What is here: Jinja2 as far as a runbook needs it, a name and a few filters. The syntax
is Jinja2's own (its sandboxed environment parses it); nothing is compiled or executed,
and attributes, calls, statements and calculations are refused when the text is read. A
value is put in once, escaped for the place where it stands, and never read as a text.

What is not: conditions (expressions), mark-up of chats and pages (views, adapters).

Called by language (lint), core (texts and parameters).
"""

from engine.templating.parsing import is_whole, template_names
from engine.templating.rendering import params_names, render, render_params

__all__ = ["is_whole", "params_names", "render", "render_params", "template_names"]
