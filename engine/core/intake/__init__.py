"""Which runs alerts start, and which they do not: pure, from alerts to decisions.

    matching  one alert against one trigger
    nearest   which trigger would nearly have fitted
    rules     what is decided by, and what is so at the moment
    book      what is known of alerts, groups, open runs and what waits
    arrivals  one alert as it came, as a record
    judging   what holds a start back
    deciding  from a batch of alerts to decisions
    ticking   what changes without one: time, runs that end, people
    offers    what people may start: named, and picked by what they type
    pulse     when something that is watched becomes an alert
    words     what is said of each

What is not here: keeping alerts and decisions (adapters), carrying decisions out
(runtime.intake).
"""

from engine.core.intake.arrivals import Arrived
from engine.core.intake.book import Book
from engine.core.intake.deciding import decide
from engine.core.intake.matching import labels_fit, matches, pick_alert
from engine.core.intake.nearest import nearest_trigger
from engine.core.intake.offers import pick_offer, proposal_id
from engine.core.intake.rules import Now, Quiet, Rule, Rules, rules_of, schedules_of
from engine.core.intake.ticking import tick

__all__ = [
    "Arrived",
    "Book",
    "Now",
    "Quiet",
    "Rule",
    "Rules",
    "decide",
    "labels_fit",
    "matches",
    "nearest_trigger",
    "pick_alert",
    "pick_offer",
    "proposal_id",
    "rules_of",
    "schedules_of",
    "tick",
]
