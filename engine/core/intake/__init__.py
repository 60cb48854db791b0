"""Which runs alerts start, and which they do not: pure, from alerts to decisions.

`matching` holds one alert against one trigger; `rules` what is to be decided by; `book`
what is known of alerts, groups and open runs; `deciding` the decisions. What is not
here: keeping alerts and decisions (adapters), carrying decisions out (runtime.intake).
"""

from engine.core.intake.book import Book
from engine.core.intake.deciding import decide, drain
from engine.core.intake.matching import labels_fit, matches, pick_alert
from engine.core.intake.rules import Quiet, Rule, Rules, rules_of

__all__ = [
    "Book",
    "Quiet",
    "Rule",
    "Rules",
    "decide",
    "drain",
    "labels_fit",
    "matches",
    "pick_alert",
    "rules_of",
]
