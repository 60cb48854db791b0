"""The two template environments: HTML pages and Markdown pages.

Every value a template prints goes through the escape of its place (`finalize`); only
`Markup`, which is ours, passes as it is. Templates lie beside this file. Called by
timeline and report.
"""

from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from engine.model.times import (
    count_text,
    length_text,
    moment_text,
    offset_text,
    time_text,
)
from engine.views.escape import code, html, markdown

_LOADER: Final = PackageLoader("engine.views", "templates")


def _environment(*, pages: bool) -> Environment:
    made = Environment(
        loader=_LOADER,
        undefined=StrictUndefined,
        autoescape=pages,  # noqa: S701 - Markdown has an escape of its own: finalize
        finalize=html if pages else markdown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(
        duration=length_text,
        offset=offset_text,
        time=time_text,
        moment=moment_text,
        grouped=count_text,
        code=code,
    )
    return made


HTML: Final = _environment(pages=True)
MARKDOWN: Final = _environment(pages=False)
