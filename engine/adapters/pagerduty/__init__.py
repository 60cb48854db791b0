"""PagerDuty: the kind of action `page`, and the engine's own pages.

    events  the form of the Events API v2
    acting  the kind `page`
    pager   ports.Pager: an owner who has to take over, a stop rule, a stuck undo
    schedules  ports.OnCallSchedule: who is on call

Called by bootstrap.
"""

from engine.adapters.pagerduty.acting import PageAct, PageKind, register
from engine.adapters.pagerduty.events import EVENTS_URL
from engine.adapters.pagerduty.pager import PagerDutyPager, Services
from engine.adapters.pagerduty.schedules import PagerDutyOnCall

__all__ = [
    "EVENTS_URL",
    "PageAct",
    "PageKind",
    "PagerDutyOnCall",
    "PagerDutyPager",
    "Services",
    "register",
]
