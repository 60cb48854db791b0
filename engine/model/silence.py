"""One silence of Alertmanager, as far as it says which alerts it covers.

Read by: adapters.silences (asks for them), core.intake (judges alerts by them).
"""

import msgspec


class Matcher(msgspec.Struct, frozen=True):
    """One label, and what its value must be; a missing label counts as empty."""

    name: str
    value: str
    regex: bool = False  # anchored, RE2
    equal: bool = True  # False: it must not be so


class Silence(msgspec.Struct, frozen=True):
    """An alert that fits every matcher is silenced."""

    id: str
    matchers: tuple[Matcher, ...]
    by: str = ""
    comment: str = ""
    ends_at: str = ""  # as Alertmanager writes it
