"""How the desk does: volume, speed, promises kept, backlog, by queue and by agent."""

from support.reports.figures import Report, report_of
from support.reports.listing import ticket_lines
from support.reports.scope import Scope

__all__ = ["Report", "Scope", "report_of", "ticket_lines"]
