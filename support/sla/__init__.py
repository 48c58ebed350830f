"""Promises about answering: which holds for a ticket, until when, and what follows if not kept."""

from support.sla.alarms import tell_deadlines
from support.sla.calendars import Closing, check_opens, coming_days, set_week
from support.sla.hours import business_calendar, hours_of, public_holidays
from support.sla.policies import policy_for
from support.sla.recalculating import recalculate, recalculate_slice
from support.sla.refreshing import refresh_clocks

__all__ = [
    "Closing",
    "business_calendar",
    "check_opens",
    "coming_days",
    "hours_of",
    "policy_for",
    "public_holidays",
    "recalculate",
    "recalculate_slice",
    "refresh_clocks",
    "set_week",
    "tell_deadlines",
]
