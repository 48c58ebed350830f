"""What the desk keeps."""

from support.models.automation import (
    AutomationRule,
    Macro,
    RuleRun,
    WebhookDelivery,
    WebhookEndpoint,
)
from support.models.contact import UnconfirmedRequest
from support.models.event import TicketEvent
from support.models.flood import IncidentMatch, MassReply, MassReplyRecipient
from support.models.goodwill import Goodwill, GoodwillLimit
from support.models.message import Attachment, Draft, Inbound, Message
from support.models.priority import PrioritySetting, PriorityWord
from support.models.privacy import PrivacyRequest
from support.models.queue import Agent, Queue, SavedView
from support.models.sla import (
    Calendar,
    CalendarSlot,
    Closure,
    Recalculation,
    SlaPolicy,
)
from support.models.staff_notice import StaffNotice
from support.models.survey import Survey
from support.models.ticket import Ticket

__all__ = [
    "Agent",
    "Attachment",
    "AutomationRule",
    "Calendar",
    "CalendarSlot",
    "Closure",
    "Draft",
    "Goodwill",
    "GoodwillLimit",
    "Inbound",
    "IncidentMatch",
    "Macro",
    "MassReply",
    "MassReplyRecipient",
    "Message",
    "PrioritySetting",
    "PriorityWord",
    "PrivacyRequest",
    "Queue",
    "Recalculation",
    "RuleRun",
    "SavedView",
    "SlaPolicy",
    "StaffNotice",
    "Survey",
    "Ticket",
    "TicketEvent",
    "UnconfirmedRequest",
    "WebhookDelivery",
    "WebhookEndpoint",
]
